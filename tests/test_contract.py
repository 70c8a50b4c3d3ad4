"""The contract of a job: whoever adds a folder under tasks/ gets all of this, and this walks the registry to see it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from openapi_spec_validator import validate
from sqlalchemy import func, select, update

import tasks
from models.account import Account
from models.artifact import Artifact
from models.delivery import Delivery
from models.run import Run, RunEvent
from models.session import EVERYONE
from models.workspace import SYSTEM, Membership
from tasks.handover import HandedOver, hand_over
from tasks.job import Job
from tests.conftest import Person
from tests.front import WORKER, browser_of
from tests.web_fixtures import Browser
from web import forms, wishes
from workers import queues
from workers.enqueue import submit
from workers.execute import execute
from workers.runtime import Runtime

JOBS = tasks.discover()
EVERY = [pytest.param(job, id=kind) for kind, job in JOBS.items()]
FOR_PEOPLE = [pytest.param(job, id=kind) for kind, job in JOBS.items() if job.audience != "machinery"]
# What can be run without anybody: each sample, and the params that the schedule has.
INPUTS = [
    pytest.param(job, number, id=f"{kind}-{'defaults' if number is None else number}")
    for kind, job in JOBS.items()
    for number in [*range(len(job.samples)), *([None] if job.schedule else [])]
]


@pytest.fixture
def operator(app: Flask, runtime: Runtime, ada: Person) -> Browser:
    """The browser of an administrator who looks at the machinery's workspace."""
    with runtime.database.write(EVERYONE) as session:
        session.execute(update(Account).where(Account.id == ada.account_id).values(is_admin=True))
        session.add(Membership(workspace_id=SYSTEM, account_id=ada.account_id, role="owner"))
    return browser_of(app, runtime, Person(ada.account_id, SYSTEM))


@pytest.mark.parametrize("job", EVERY)
def test_a_job_is_a_folder_with_what_it_declares(job: Job) -> None:
    assert job.folder == Path(tasks.__file__).parent / job.kind
    assert (job.folder / "result.html").is_file()
    assert job.queue in {queue for group in queues.GROUPS.values() for queue in group}
    assert job.title[0].isupper()
    assert job.summary.endswith(".")
    assert not set(job.params.model_fields) & {*wishes.FIELDS, "key", "csrf_token"}, "these say something of every run"
    for sample in job.samples:
        assert sample.title
        for name in sample.files:
            assert (job.folder / "sample" / name).is_file(), name


@pytest.mark.parametrize("job", EVERY)
def test_a_scheduled_job_has_defaults_and_every_job_something_to_try(job: Job) -> None:
    if job.schedule:
        job.params()
    assert job.samples or job.schedule or job.audience == "machinery", "no sample, and no schedule that runs it"


@pytest.mark.parametrize("job", FOR_PEOPLE)
def test_a_form_is_made_of_its_params(job: Job, operator: Browser) -> None:
    page = operator.get(f"/jobs/{job.kind}")
    assert page.status_code == 200
    made = forms.fields(job)
    extras = {name: info.json_schema_extra for name, info in job.params.model_fields.items()}
    assert [each.name for each in made] == [
        name for name, extra in extras.items() if not (isinstance(extra, dict) and extra.get("hidden"))
    ]
    for each in made:
        assert f'name="{each.name}"' in page.text
        assert each.title != each.name, f"{each.name} has no title"
    assert job.title in operator.get("/jobs").text


@pytest.mark.parametrize("job", FOR_PEOPLE)
def test_an_empty_form_is_a_run_or_messages_and_never_a_crash(job: Job, operator: Browser) -> None:
    assert operator.post(f"/jobs/{job.kind}").status_code in (303, 422)


@pytest.mark.parametrize("job", FOR_PEOPLE)
def test_the_api_describes_it(job: Job, app: Flask, ada: Person) -> None:
    description: dict[str, Any] = json.loads(app.test_client().get("/api/v1/openapi.json").data)
    validate(description)
    operation = description["paths"][f"/api/v1/jobs/{job.kind}/runs"]["post"]
    assert operation["summary"] == job.title
    run = description["components"]["schemas"][f"Run_{job.kind}"]
    result = run["allOf"][1]["properties"]["result"]["anyOf"][0]["$ref"].rsplit("/", 1)[-1]
    shown = description["components"]["schemas"][result]["properties"]
    assert set(shown) == set(job.result.model_fields)


@pytest.mark.parametrize(("job", "number"), INPUTS)
def test_what_can_be_tried_works_is_shown_and_works_once(
    job: Job, number: int | None, runtime: Runtime, operator: Browser, ada: Person
) -> None:
    found = _submitted(runtime, job, number, ada)
    assert execute(runtime, found, WORKER) == "succeeded", _why(runtime, found)
    left = _left_by(runtime)
    assert [execute(runtime, found, WORKER) for _ in range(2)] == [None, None]
    assert _left_by(runtime) == left, "a second delivery is normal and does nothing"
    page = operator.get(f"/runs/{found}")
    assert page.status_code == 200
    assert '<section class="result"' in page.text
    assert "style=" not in page.text, "a style attribute is refused by our policy"
    for picture in re.findall(r'<img[^>]*src="([^"]+)"', page.text):
        assert operator.get(picture).content_type == "image/png", picture


def _submitted(runtime: Runtime, job: Job, number: int | None, person: Person) -> str:
    if number is None:
        handed = HandedOver(job.params())
    else:
        sample = job.samples[number]
        given = [(name, job.folder / "sample" / name) for name in sample.files]
        files = {job.file_fields()[0]: given} if given else {}
        handed = hand_over(job, sample.params, files, runtime.storage)
    with runtime.database.write(SYSTEM) as session:
        return submit(runtime, session, job, handed, SYSTEM, account_id=person.account_id).id


def _why(runtime: Runtime, found: str) -> str | None:
    with runtime.database.read(EVERYONE) as session:
        return session.scalars(select(Run.error).where(Run.id == found)).one()


def _left_by(runtime: Runtime) -> list[int | None]:
    """How many rows there are of what runs leave, and how many files."""
    with runtime.database.read(EVERYONE) as session:
        rows = [session.scalar(select(func.count()).select_from(each)) for each in (Run, RunEvent, Artifact, Delivery)]
    return [*rows, len(list(runtime.storage.listed()))]
