"""Shelf photos: codes are read from pictures that were drawn, and found among the products of the workspace alone."""

import io
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow
from sqlalchemy import select

from models.artifact import Artifact, Upload
from models.run import Run
from models.session import EVERYONE
from tasks import discover
from tasks.shelf import drawing, reading
from tasks.shelf.drawing import View
from tasks.shelf.samples import codes
from tests.conftest import Person
from tests.front import WORKER, run_id
from tests.stock_rows import product
from tests.web_fixtures import Browser
from workers.execute import execute
from workers.runtime import Runtime


@pytest.mark.parametrize(
    ("module", "view"),
    [
        (2.0, View()), (1.5, View()), (2.0, View(turned=30)), (2.0, View(turned=90)), (2.0, View(aside=0.4)),
        (2.0, View(turned=7, aside=0.15, blur=0.8, noise=6)),
    ],
)  # fmt: skip
def test_every_label_of_a_shelf_is_read_once_and_nothing_else(module: float, view: View) -> None:
    wanted = codes(24)
    found = reading.read(drawing.shelf(wanted, 6, module, view), seconds=60)
    assert sorted(sighting.code for sighting in found.sightings) == wanted
    assert found.complete


def test_the_same_product_is_counted_as_often_as_it_stands_there() -> None:
    first, second = codes(2)
    found = reading.read(drawing.shelf([first, first, second, first], 2, 2.0, View(turned=3)), seconds=60)
    assert [sighting.code for sighting in found.sightings] == [first, first, second, first], "in reading order"


def test_time_that_is_up_ends_it_with_what_was_seen() -> None:
    found = reading.read(drawing.shelf(codes(6), 3, 2.0, View()), seconds=0)
    assert not found.complete


def test_no_code_is_no_code() -> None:
    chance = np.random.default_rng(1)
    assert reading.read(chance.integers(0, 255, (700, 900)).astype(np.uint8), seconds=60).sightings == []
    assert reading.read(np.full((300, 300), 128, dtype=np.uint8), seconds=60).sightings == []


def test_a_photo_that_cannot_be_decoded_is_told_apart() -> None:
    assert reading.decode(b"\xff\xd8\xff nothing") is None


def photo(wanted: list[str], columns: int = 2, **more: Any) -> tuple[io.BytesIO, str]:
    data = io.BytesIO()
    Pillow.fromarray(drawing.shelf(wanted, columns, 2.0, View())).save(data, "JPEG", quality=90, **more)
    data.seek(0)
    return data, "shelf.jpg"


def hand_over(browser: Browser, *photos: tuple[io.BytesIO, str]) -> Any:
    return browser.post("/jobs/shelf", {"photos": list(photos)}, content_type="multipart/form-data")


def test_the_job_finds_the_workspace_s_products_and_names_the_other_codes(
    ada_s: Browser, runtime: Runtime, ada: Person, grace: Person
) -> None:
    chai, jam, other = codes(3)
    with runtime.database.write(ada.workspace_id) as session:
        made = product(session, "Chai", 7, barcode=chai)
    with runtime.database.write(grace.workspace_id) as session:
        product(session, "Grace's jam", barcode=jam)
    found = run_id(hand_over(ada_s, photo([chai, jam, chai, other])))
    assert execute(runtime, found, WORKER) == "succeeded"
    with runtime.database.read(EVERYONE) as session:
        result: dict[str, Any] = session.scalars(select(Run.result).where(Run.id == found)).one() or {}
    (seen,) = result["products"]
    assert (seen["name"], seen["count"], seen["on_hand"]) == ("Chai", 2, "7")
    assert [each["code"] for each in result["unknown"]] == [jam, other]
    page = ada_s.get(f"/runs/{found}").text
    assert f"/stock/products/{made.id}?kind=count#record" in page
    assert f"/stock/products/new?barcode={other}" in page
    assert "Grace" not in page


def test_the_photo_loses_where_it_was_taken_and_is_gone_after_the_reading(ada_s: Browser, runtime: Runtime) -> None:
    exif = Pillow.Exif()
    exif[0x010E] = "the back door of the shop"
    found = run_id(hand_over(ada_s, photo(codes(2), exif=exif)))
    with runtime.database.read(EVERYONE) as session:
        (upload,) = session.scalars(select(Upload)).all()
        copy = runtime.settings.var / "photo"
        runtime.storage.fetch(upload.key, copy)
    assert b"back door" not in copy.read_bytes()
    execute(runtime, found, WORKER)
    with runtime.database.read(EVERYONE) as session:
        assert session.scalars(select(Upload)).one().deleted_at is not None
        artifact = session.scalars(select(Artifact)).one()
    drawn = runtime.settings.var / "drawn"
    runtime.storage.fetch(artifact.key, drawn)
    assert cv2.imread(str(drawn)) is not None


@pytest.mark.parametrize(
    ("data", "name", "status"),
    [
        (b"", "empty.jpg", 422), (b"%PDF-1.4", "shelf.pdf", 415), (b"BM" + b"\0" * 60, "shelf.bmp", 415),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 40, "broken.png", 422),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\xff\xff\0\0\xff\xff\x08\0\0\0\0", "bomb.png", 413),
    ],
)  # fmt: skip
def test_what_is_no_photo_is_refused_at_the_form(ada_s: Browser, data: bytes, name: str, status: int) -> None:
    answer = hand_over(ada_s, (io.BytesIO(data), name))
    assert answer.status_code in (status, 422), answer.status_code
    assert "invalid-feedback" in answer.text or "alert-danger" in answer.text


def test_a_photo_whose_pixels_are_damaged_fails_with_what_to_do(runtime: Runtime, ada_s: Browser) -> None:
    data, name = photo(codes(2))
    whole = data.getvalue()
    broken = whole[:600] + b"\xff\xd9"
    answer = hand_over(ada_s, (io.BytesIO(broken), name))
    if answer.status_code == 303:
        found = run_id(answer)
        execute(runtime, found, WORKER)
        with runtime.database.read(EVERYONE) as session:
            run = session.scalars(select(Run).where(Run.id == found)).one()
        assert run.state == "succeeded" or "Take or save them again" in (run.error or "")
    else:
        assert answer.status_code == 422


def test_the_samples_are_what_their_maker_draws(tmp_path: Path) -> None:
    from tasks.shelf.samples import make

    make(tmp_path)
    folder = discover()["shelf"].folder / "sample"
    for name in ("shelf.jpg", "label.jpg"):
        ours, theirs = (cv2.imread(str(each / name), cv2.IMREAD_GRAYSCALE) for each in (tmp_path, folder))
        assert ours is not None
        assert theirs is not None
        assert float(np.abs(ours.astype(int) - theirs.astype(int)).mean()) < 2
