"""Forms from Params: each kind of field is drawn and read back, whatever is wrong stands beside it."""

import io
import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from pydantic import Field as PydanticField
from sqlalchemy import func, select
from werkzeug.datastructures import FileStorage, MultiDict

from models.run import Run
from models.session import EVERYONE
from tasks.job import Job, Params
from tests.conftest import Person
from tests.front import WORKER, browser_of, hand_over, member_of, run_id, text_file
from tests.web_fixtures import Browser
from web import forms
from workers.execute import execute
from workers.runtime import Runtime

pytestmark = pytest.mark.usefixtures("probe")


def named(job: Job, name: str) -> forms.Field:
    return next(each for each in forms.fields(job) if each.name == name)


def runs(runtime: Runtime) -> int:
    with runtime.database.read(EVERYONE) as session:
        return session.scalar(select(func.count()).select_from(Run)) or 0


def element(page: str, name: str) -> str:
    """The opening tag of a field."""
    found = re.search(rf'<(?:input|select|textarea)\b[^>]*\bid="{name}"[^>]*>', page)
    assert found, f"no field {name}"
    return found[0]


def test_each_type_has_its_widget(probe: Job) -> None:
    assert {each.name: each.widget for each in forms.fields(probe)} == {
        "files": "files", "name": "text", "rate": "number", "times": "number", "size": "select", "speed": "select",
        "tags": "checkboxes", "keep": "checkbox", "note": "textarea",
    }  # fmt: skip


def test_bounds_units_and_defaults_come_from_the_schema(probe: Job) -> None:
    rate = named(probe, "rate")
    assert (rate.attributes, rate.unit, rate.value) == ({"min": 1, "max": 1000, "step": "any"}, "Hz", "")
    assert named(probe, "times").attributes == {"min": 1, "max": 10, "step": 1}
    assert named(probe, "size").options == [("small", "Small"), ("very_large", "Very large")]
    assert named(probe, "speed").options == [("25", "25 mm/s"), ("50", "50 mm/s")]
    assert [each.name for each in forms.fields(probe) if each.required] == ["name"]


def test_an_open_bound_of_whole_numbers_moves_by_one(probe: Job) -> None:
    class Open(Params):
        whole: int = PydanticField(2, gt=1, lt=10)
        part: float = PydanticField(2.0, gt=1)

    whole, part = forms.fields(Job(**{**probe.__dict__, "params": Open}))
    assert whole.attributes == {"min": 2, "max": 9, "step": 1}
    assert part.attributes == {"step": "any"}


def test_a_field_that_no_form_can_show_is_told_of(probe: Job) -> None:
    class Nested(Params):
        inner: dict[str, int] = PydanticField({}, title="Inner")

    with pytest.raises(TypeError, match="inner"):
        forms.fields(Job(**{**probe.__dict__, "params": Nested}))


def test_what_is_posted_becomes_params_again(probe: Job) -> None:
    posted = MultiDict([("name", " Ada "), ("rate", ""), ("speed", "50"), ("tags", "red"), ("tags", "blue")])
    values = forms.read(probe, posted)
    params: Any = probe.params.model_validate({name: value for name, value in values.items() if value != ""})
    assert (params.name, params.rate, params.speed, params.tags, params.keep) == (
        "Ada",
        None,
        50,
        ["red", "blue"],
        False,
    )
    assert forms.read(probe, MultiDict({"keep": "true"}))["keep"] == "true"


def test_posted_files_lie_under_names_of_ours_and_are_gone_afterwards(probe: Job) -> None:
    stream, _ = text_file()
    with forms.received(probe, MultiDict({"files": FileStorage(stream, "../../etc/passwd")})) as files:
        ((name, path),) = files["files"]
        assert (name, path.name) == ("passwd", "files-0")
        assert path.read_text() == "one two"
    assert not Path(path).exists()


@pytest.mark.parametrize("name", ["..", ".", "/", "x" * 300 + ".txt", "../../up.txt", "\u202etxt.exe"])
def test_a_hostile_name_does_no_harm(ada_s: Browser, runtime: Runtime, name: str) -> None:
    found = run_id(hand_over(ada_s, files=[text_file("one", name), text_file("two three", name)]))
    assert execute(runtime, found, WORKER) == "succeeded"
    assert "3 words for Ada" in ada_s.get(f"/runs/{found}").text


def test_the_page_draws_labels_help_units_and_bounds(ada_s: Browser) -> None:
    page = ada_s.get("/jobs/probe").text
    assert 'min="1" max="1000" step="any"' in element(page, "rate").replace("  ", " ")
    assert 'aria-describedby="rate-unit"' in element(page, "rate")
    assert 'aria-describedby="name-help"' in element(page, "name")
    assert 'id="rate-unit">Hz<' in page
    assert 'id="name-help">Who asks.<' in page
    assert "multiple" in element(page, "files")
    assert 'accept=".txt"' in element(page, "files")
    for name in ("files", "name", "rate", "times", "size", "keep"):
        assert f'for="{name}"' in page
    assert "style=" not in page
    assert "onclick" not in page


def test_errors_stand_beside_their_fields_and_what_was_given_is_kept(ada_s: Browser, runtime: Runtime) -> None:
    answer = hand_over(ada_s, name="Grace", rate="0", times="often", note="remember", speed="50")
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in element(answer.text, "rate")
    assert 'aria-describedby="rate-error rate-unit"' in element(answer.text, "rate")
    assert re.search(r'id="times-error">Write a whole number\.<', answer.text)
    assert 'value="Grace"' in element(answer.text, "name")
    assert 'value="often"' in element(answer.text, "times")
    assert '<option value="50" selected>' in answer.text
    assert ">remember</textarea>" in answer.text
    assert '<a href="#rate">Rate</a>' in answer.text
    assert runs(runtime) == 0


def test_what_a_person_wrote_is_shown_as_text(ada_s: Browser) -> None:
    answer = hand_over(ada_s, name='"><script>alert(1)</script>', rate="0")
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;alert(1)" in answer.text


def test_a_refusal_of_the_intake_has_its_own_status_and_leaves_no_file(ada_s: Browser, runtime: Runtime) -> None:
    answer = hand_over(ada_s, files=[text_file("bad words")])
    assert answer.status_code == 415
    assert re.search(r'id="files-error">This text is bad; choose a good one\.<', answer.text)
    assert list(runtime.storage.listed()) == []
    assert runs(runtime) == 0


def test_too_many_files_are_refused(ada_s: Browser) -> None:
    answer = hand_over(ada_s, files=[text_file(name=f"{number}.txt") for number in range(3)])
    assert answer.status_code == 422
    assert "Choose at most 2." in answer.text


class Endless(io.RawIOBase):
    """A body without an end, which counts what is read of it."""

    taken = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self.taken += len(buffer)
        return len(buffer)


def test_an_upload_over_the_limit_is_refused_without_being_read(ada_s: Browser, runtime: Runtime) -> None:
    body = Endless()
    large = {"CONTENT_LENGTH": "200000000", "CONTENT_TYPE": "multipart/form-data; boundary=x", "wsgi.input": body}
    answer = ada_s.client.post("/jobs/probe", environ_overrides=large)
    assert answer.status_code == 413
    assert f"{runtime.settings.max_upload_mb} MB" in answer.text
    assert body.taken < 1_000_000
    assert runs(runtime) == 0


def test_a_viewer_sees_no_button_and_may_not_post(app: Flask, runtime: Runtime, ada: Person) -> None:
    viewer = browser_of(app, runtime, member_of(runtime, ada, "grace", "viewer"))
    page = viewer.get("/jobs/probe").text
    assert "job-form" not in page
    assert "as a viewer" in page
    assert "samples/0" not in viewer.get("/jobs").text
    assert hand_over(viewer).status_code == 403
    assert viewer.post("/jobs/probe/samples/0").status_code == 403
