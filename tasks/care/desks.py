"""A workspace's desk, made when it is first needed, and the numbers it gives out."""

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models.desk import Desk
from models.session import EVERYONE
from models.workspace import Workspace


def place(session: Session) -> str:
    """The workspace that a session is narrowed to.

    Raises:
        RuntimeError: it is of all workspaces, so that nobody knows whose ticket this would be.
    """
    workspace_id = session.info.get("workspace")
    if not workspace_id or workspace_id == EVERYONE:
        raise RuntimeError("a ticket belongs to a workspace; open it in a session of that workspace")
    return str(workspace_id)


def of(session: Session, workspace_id: str) -> Desk:
    """The desk; in a session that writes. Where somebody else makes it at the same moment, theirs stays."""
    asked = select(Desk).where(Desk.workspace_id == workspace_id)
    found = session.scalar(asked)
    if found is None:
        name = session.scalar(select(Workspace.name).where(Workspace.id == workspace_id)) or "Help desk"
        try:
            with session.begin_nested():
                session.add(Desk(workspace_id=workspace_id, name=name))
        except IntegrityError:
            pass
        found = session.scalars(asked).one()
    return found


def next_number(session: Session, workspace_id: str) -> int:
    """The next ticket's number. Whoever also wants one waits at the desk's row, so no two are the same.

    Numbers of what is rolled back are given out again: there are no gaps either.
    """
    of(session, workspace_id)
    desk = update(Desk).where(Desk.workspace_id == workspace_id)
    counted = desk.values(next_number=Desk.next_number + 1).execution_options(synchronize_session=False)
    session.execute(counted)
    after = session.scalars(select(Desk.next_number).where(Desk.workspace_id == workspace_id)).one()
    return after - 1
