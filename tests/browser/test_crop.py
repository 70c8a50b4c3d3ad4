"""A picture is cropped and covered in Chromium before it is handed over: by keyboard, by pointer, on a phone."""

# ruff: noqa: F811  # fixtures are arguments by their names

import io
import os
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, expect
from sqlalchemy import select

import tasks
from models.artifact import Upload
from models.session import EVERYONE
from tests.browser import missing
from tests.browser.test_runs import Front, front  # noqa: F401  # a fixture
from tests.front import WORKER, the_run
from workers.execute import execute

pytestmark = [pytest.mark.browser, missing]
SAMPLES = tasks.HERE / "ecg" / "sample"
WHITE, RED = (255, 255, 255), (255, 0, 0)
LONG = 60_000  # where a whole picture is decoded or encoded, however busy the machine


@pytest.fixture
def page(front: Front) -> Page:
    page = front.page()
    page.goto("/jobs/ecg")
    return page


def picture(size: tuple[int, int] = (400, 200), kind: str = "PNG", **more: Any) -> bytes:
    """White, its left half red."""
    made = Image.new("RGB", size, WHITE)
    made.paste(RED, (0, 0, size[0] // 2, size[1]))
    held = io.BytesIO()
    made.save(held, kind, **more)
    return held.getvalue()


def choose(page: Page, name: str, data: bytes) -> None:
    page.set_input_files("#files", {"name": name, "mimeType": "", "buffer": data})


def begin(page: Page) -> None:
    page.get_by_role("button", name="Crop…").click()
    expect(page.get_by_label("Frame", exact=True)).to_be_focused(timeout=LONG)


def press(page: Page, key: str, times: int) -> None:
    for _ in range(times):
        page.keyboard.press(key)


def numbers(page: Page) -> list[str]:
    return [page.get_by_label(name, exact=True).input_value() for name in ("Left", "Top", "Width", "Height")]


def set_numbers(page: Page, *values: int) -> None:
    for name, value in zip(("Left", "Top", "Width", "Height"), values, strict=True):
        page.get_by_label(name, exact=True).fill(str(value))
        page.keyboard.press("Tab")


def cut(page: Page) -> None:
    page.get_by_role("button", name="Use this").click()
    expect(page.locator("[data-crop-said]")).to_contain_text("What you cut stays on this machine", timeout=LONG)


def hand_over(page: Page, front: Front) -> tuple[str, Image.Image]:
    """The run, and the picture that arrived in storage."""
    page.get_by_role("button", name="Read an ECG").click()
    found = front.run_of(page)
    with front.runtime.database.read(EVERYONE) as session:
        key = session.scalars(select(Upload.key)).one()
    with front.runtime.storage.open(key) as file:
        return found, Image.open(io.BytesIO(file.read())).convert("RGB")


def test_by_keyboard_alone_a_page_loses_its_margin_and_its_name_and_is_still_read(page: Page, front: Front) -> None:
    page.set_input_files("#files", SAMPLES / "page.png")
    expect(page.get_by_text("cut off or cover the printed name")).to_be_visible()
    page.get_by_role("button", name="Crop…").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Frame", exact=True)).to_be_focused(timeout=LONG)
    assert numbers(page) == ["0", "0", "1754", "1240"]
    press(page, "Shift+ArrowUp", 2)  # a step is a hundredth of the longer side
    press(page, "ArrowDown", 2)
    assert numbers(page) == ["0", "36", "1754", "1204"]
    expect(page.locator("[data-told]")).to_have_text("Frame: 0 from the left, 36 from the top, 1754 wide, 1204 high")
    page.get_by_role("button", name="Cover a part").press("Enter")
    expect(page.get_by_label("Cover 1", exact=True)).to_be_focused()
    press(page, "ArrowUp", 3)
    left, top, width, height = map(int, numbers(page))
    page.get_by_role("button", name="Use this").press("Enter")
    said = page.locator("[data-crop-said]")
    expect(said).to_contain_text("page.png is now 1754 × 1204 pixels, 1 part covered.", timeout=LONG)
    expect(page.get_by_role("button", name="Crop…")).to_be_focused()
    found, arrived = hand_over(page, front)
    assert arrived.size == (1754, 1204)
    under = arrived.crop((left, top - 36, left + width, top - 36 + height))
    assert under.getextrema() == ((0, 0),) * 3
    with Image.open(SAMPLES / "page.png") as original:
        beside = (0, 400, 1754, 1204)
        assert arrived.crop(beside).tobytes() == original.convert("RGB").crop((0, 436, 1754, 1240)).tobytes()
    assert execute(front.runtime, found, WORKER) == "succeeded"
    result: Any = the_run(front.runtime, found).result
    assert (result["source"], len(result["leads"]), len(result["beats"])) == ("page", 12, 11)


def test_undo_gives_the_original_back(page: Page, front: Front) -> None:
    choose(page, "strip.png", picture())
    begin(page)
    set_numbers(page, 10, 20, 100, 50)
    cut(page)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("[data-crop-said]")).to_have_text("The original strip.png is back.")
    expect(page.get_by_role("button", name="Undo")).to_have_count(0)
    assert hand_over(page, front)[1].size == (400, 200)


def test_a_pointer_pulls_a_corner_and_moves_a_cover(page: Page, front: Front) -> None:
    choose(page, "strip.png", picture())
    begin(page)
    drag(page, page.locator(".crop-frame [data-corner=nw]"), 0.25, 0.5)
    assert_near(numbers(page), (100, 100, 300, 100))
    page.get_by_role("button", name="Cover a part").click()
    before = [int(value) for value in numbers(page)]
    drag(page, page.locator(".crop-cover"), 0.25, 0.1)
    assert_near(numbers(page), (before[0] + 100, before[1] + 20, before[2], before[3]))
    cut(page)
    width, height = hand_over(page, front)[1].size
    assert abs(width - 300) <= 6
    assert abs(height - 100) <= 6


def drag(page: Page, what: Any, across: float, down: float) -> None:
    """By parts of the stage."""
    stage, box = page.locator("[data-stage]").bounding_box(), what.bounding_box()
    assert stage
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + across * stage["width"], y + down * stage["height"], steps=4)
    page.mouse.up()


def assert_near(told: list[str], wanted: tuple[int, ...]) -> None:
    assert all(abs(int(value) - each) <= 6 for value, each in zip(told, wanted, strict=True)), (told, wanted)


def test_escape_changes_nothing_and_gives_the_focus_back(page: Page, front: Front) -> None:
    choose(page, "strip.png", picture())
    begin(page)
    set_numbers(page, 10, 20, 100, 50)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.get_by_role("button", name="Crop…")).to_be_focused()
    assert hand_over(page, front)[1].size == (400, 200)


def test_a_photo_is_turned_as_its_camera_said_and_stays_a_jpeg(page: Page, front: Front) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6  # a quarter to the right: the red half comes to lie on top
    turned[0x010F] = "a camera"
    choose(page, "photo.jpg", picture(kind="JPEG", quality=95, exif=turned))
    begin(page)
    assert numbers(page) == ["0", "0", "200", "400"]
    set_numbers(page, 0, 100, 200, 200)
    cut(page)
    sent = page.evaluate(
        "document.querySelector('#files').files[0].arrayBuffer().then((held) => [...new Uint8Array(held)])"
    )
    assert bytes(sent[:2]) == b"\xff\xd8"
    assert b"a camera" not in bytes(sent)
    arrived = hand_over(page, front)[1]
    assert arrived.size == (200, 200)
    red, white = arrived.getpixel((100, 10)), arrived.getpixel((100, 190))
    assert isinstance(red, tuple)
    assert red[1] < 40 < 200 < red[0]
    assert isinstance(white, tuple)
    assert min(white) > 240


@pytest.mark.parametrize("name", ["scan.tif", "recording.csv", "no-picture.png"])
def test_what_a_browser_cannot_show_goes_as_it_is(page: Page, name: str) -> None:
    choose(page, name, picture(kind="TIFF") if name != "recording.csv" else b"time,II\n0,0.1\n0.1,0.2\n")
    expect(page.locator("[data-chosen] .name")).to_have_text(name)
    expect(page.get_by_role("button", name="Crop…")).to_have_count(0)
    expect(page.get_by_role("button", name="Leave out")).to_be_visible()


def test_forty_megapixels_are_shown_small_and_cut_in_full(page: Page, front: Front) -> None:
    choose(page, "large.png", picture((8000, 5000)))
    expect(page.locator("canvas.thumbnail")).to_be_visible(timeout=LONG)
    begin(page)
    sides = page.locator("canvas").evaluate_all("all => all.map((each) => Math.max(each.width, each.height))")
    assert sorted(sides) == [160, 1400]
    set_numbers(page, 1000, 0, 4000, 2500)
    page.get_by_role("button", name="Use this").click()
    expect(page.locator("[data-crop-said]")).to_contain_text("4000 × 2500 pixels", timeout=LONG)
    arrived = hand_over(page, front)[1]
    assert arrived.size == (4000, 2500)
    assert (arrived.getpixel((2999, 9)), arrived.getpixel((3000, 9))) == (RED, WHITE)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_dialog_fits_a_phone(front: Front, scheme: str) -> None:
    page = front.page(viewport={"width": 360, "height": 740}, color_scheme=scheme, has_touch=True)
    page.goto("/jobs/ecg")
    page.set_input_files("#files", SAMPLES / "page.png")
    begin(page)
    page.get_by_role("button", name="Cover a part").tap()
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    assert page.get_by_role("dialog").evaluate("dialog => dialog.scrollWidth - dialog.clientWidth") <= 0
    expect(page.get_by_role("button", name="Use this")).to_be_in_viewport()


def test_a_finger_moves_a_cover(front: Front) -> None:
    page = front.page(viewport={"width": 360, "height": 740}, has_touch=True)
    page.goto("/jobs/ecg")
    choose(page, "strip.png", picture())
    begin(page)
    page.get_by_role("button", name="Cover a part").tap()
    left, top, width, height = map(int, numbers(page))
    stage, box = page.locator("[data-stage]").bounding_box(), page.locator(".crop-cover").bounding_box()
    assert stage
    assert box
    finger, (x, y) = page.context.new_cdp_session(page), (box["x"] + 20, box["y"] + 6)
    for kind, moved in (("touchStart", 0.0), ("touchMove", 0.1), ("touchMove", 0.25), ("touchEnd", 0.25)):
        points = [{"x": x, "y": y + moved * stage["height"]}] if kind != "touchEnd" else []
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    expect(page.get_by_label("Top", exact=True)).not_to_have_value(str(top))
    assert_near(numbers(page), (left, top + 50, width, height))


def test_a_bitmap_becomes_a_png(page: Page, front: Front) -> None:
    choose(page, "scan.bmp", picture(kind="BMP"))
    begin(page)
    set_numbers(page, 100, 0, 200, 200)
    cut(page)
    expect(page.locator("[data-chosen] .name")).to_have_text("scan.png")
    arrived = hand_over(page, front)[1]
    assert (arrived.size, arrived.getpixel((99, 0)), arrived.getpixel((100, 0))) == ((200, 200), RED, WHITE)


def test_a_png_that_would_become_too_large_becomes_a_jpeg(page: Page, tmp_path: Path) -> None:
    scan = tmp_path / "scan.png"
    Image.frombytes("RGB", (2600, 2600), os.urandom(3 * 2600 * 2600)).save(scan, compress_level=0)
    page.set_input_files("#files", scan)
    begin(page)
    set_numbers(page, 0, 0, 2580, 2600)
    cut(page)
    expect(page.locator("[data-chosen] .name")).to_have_text("scan.jpg")
    assert page.evaluate("document.querySelector('#files').files[0].size") < 20e6


def test_without_javascript_a_picture_is_handed_over_as_it_is(front: Front) -> None:
    page = front.page(java_script_enabled=False)
    page.goto("/jobs/ecg")
    expect(page.get_by_text("cut off or cover")).to_be_hidden()
    expect(page.get_by_role("dialog")).to_be_hidden()
    choose(page, "strip.png", picture())
    assert hand_over(page, front)[1].size == (400, 200)


def test_pages_without_a_picture_field_load_nothing_of_it(front: Front) -> None:
    page = front.page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(Path(request.url.split("?")[0]).name))
    page.goto("/jobs")
    assert "runs.js" in asked
    assert "crop.js" not in asked
    page.goto("/jobs/ecg")
    assert "crop.js" in asked
