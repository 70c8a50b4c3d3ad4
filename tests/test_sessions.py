"""Sessions are narrowed to a workspace, in the one place that does it."""

import pytest
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session, aliased

from models.artifact import Upload
from models.delivery import Delivery
from models.run import Run
from models.session import EVERYONE, after_commit
from tests.conftest import Person
from workers.runtime import Runtime


def mail(to: str = "x@example.org") -> Delivery:
    return Delivery(to=to, subject="s", text="t")


def ids(runtime: Runtime, workspace: str) -> list[str]:
    with runtime.database.read(workspace) as session:
        return list(session.scalars(select(Delivery.to).order_by(Delivery.to)))


def write(runtime: Runtime, person: Person, to: str) -> str:
    with runtime.database.write(person.workspace_id) as session:
        row = mail(to)
        session.add(row)
        session.flush()
        return row.id


def test_a_question_sees_its_own_workspace_only(runtime: Runtime, ada: Person, grace: Person) -> None:
    write(runtime, ada, "a@example.org")
    hers = write(runtime, grace, "g@example.org")
    assert ids(runtime, ada.workspace_id) == ["a@example.org"]
    assert ids(runtime, EVERYONE) == ["a@example.org", "g@example.org"]
    other = aliased(Delivery)
    with runtime.database.read(ada.workspace_id) as session:
        assert session.get(Delivery, hers) is None
        assert session.scalar(select(func.count()).select_from(Delivery)) == 1
        assert session.scalar(select(func.count()).select_from(other)) == 1
        assert session.scalar(select(func.count(Delivery.id)).where(Delivery.to.like("%"))) == 1
        assert (
            session.scalar(select(Delivery.id).where(Delivery.id.in_(select(other.id).where(other.id == hers)))) is None
        )


def test_an_update_or_delete_meets_its_own_workspace_only(runtime: Runtime, ada: Person, grace: Person) -> None:
    write(runtime, ada, "a@example.org")
    write(runtime, grace, "g@example.org")
    with runtime.database.write(ada.workspace_id) as session:
        session.execute(update(Delivery).values(to="changed@example.org"))
    assert ids(runtime, grace.workspace_id) == ["g@example.org"]
    with runtime.database.write(ada.workspace_id) as session:
        session.execute(delete(Delivery))
    assert ids(runtime, EVERYONE) == ["g@example.org"]


def test_a_row_of_another_workspace_is_never_written(runtime: Runtime, ada: Person, grace: Person) -> None:
    with pytest.raises(RuntimeError, match="another workspace"), runtime.database.write(ada.workspace_id) as session:
        session.add(Delivery(workspace_id=grace.workspace_id, to="g@example.org", subject="s", text="t"))
    assert ids(runtime, EVERYONE) == []


def test_a_session_without_a_workspace_is_refused(runtime: Runtime) -> None:
    with Session(runtime.database.engine) as session, pytest.raises(RuntimeError, match="without a workspace"):
        session.scalars(select(Upload)).all()


def test_what_waits_for_the_commit_is_not_done_after_a_rollback(runtime: Runtime, ada: Person) -> None:
    done: list[str] = []
    with pytest.raises(ZeroDivisionError), runtime.database.write(ada.workspace_id) as session:
        after_commit(session, lambda: done.append("never"))
        raise ZeroDivisionError
    with runtime.database.write(ada.workspace_id) as session:
        after_commit(session, lambda: done.append("once"))
        assert done == []
    assert done == ["once"]


def test_a_reader_does_not_wait_for_a_writer(runtime: Runtime, ada: Person) -> None:
    with runtime.database.write(ada.workspace_id) as session:
        session.add(mail())
        session.flush()
        assert ids(runtime, ada.workspace_id) == []


def test_a_new_delivery_wakes_the_mail_job_once(runtime: Runtime, ada: Person) -> None:
    write(runtime, ada, "a@example.org")
    write(runtime, ada, "b@example.org")
    with runtime.database.read(EVERYONE) as session:
        runs = session.scalars(select(Run).where(Run.kind == "mail")).all()
    assert [run.workspace_id for run in runs] == [ada.workspace_id]
