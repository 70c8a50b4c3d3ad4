"""The whole job on the real thing: MIT-BIH record 100 as a recording, and a paper page drawn from it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import pytest

from tasks.ecg.readers import read_wfdb
from tasks.ecg.recording import Recording
from tasks.ecg.render import render_page
from tasks.ecg.training.mitdb import unpacked

ROOT = Path(__file__).parents[1]
MITDB = Path(os.environ.get("MITDB", ROOT.parent / "shared/data/ecg/mitdb.tar.xz"))
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not MITDB.exists(), reason="the MIT-BIH database is not here (MITDB= names it)"),
]


@pytest.fixture(scope="module")
def record_100() -> Iterator[list[Path]]:
    with unpacked(MITDB) as folder:
        yield [folder / "100.hea", folder / "100.dat"]


def read(*arguments: str | Path) -> dict[str, Any]:
    """What `python -m tasks run ecg … --json` answers."""
    command = [sys.executable, "-m", "tasks", "run", "ecg", *map(str, arguments), "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    assert answer["kind"] == "ecg"
    return dict(answer["result"])


def labels(result: dict[str, Any]) -> dict[str, int]:
    return {each["label"]: each["count"] for each in result["classes"]}


def twelve_leads(record: Recording) -> Recording:
    """Ten seconds on a whole page: MLII as II and, in other heights, as the other limb leads; V5 as V1 to V6."""
    limb, chest = (record.leads[name][: int(10 * record.rate)] for name in ("MLII", "V5"))
    heights = {"I": 0.6, "II": 1.0, "III": 0.5, "aVR": -0.8, "aVL": 0.3, "aVF": 0.7}
    leads = {name: limb * height for name, height in heights.items()}
    return Recording(record.rate, leads | {f"V{number}": chest for number in range(1, 7)}, "wfdb")


def test_record_100_is_read(record_100: list[Path]) -> None:
    result = read(*record_100)
    assert result["lead"] == "MLII"
    assert 74 < result["heart_rate_bpm"] < 77
    assert abs(len(result["beats"]) - 2273) <= 5  # its annotated beats
    assert labels(result)["N"] > 2150
    assert result["disclaimer"].startswith("Not a medical device")


def test_a_page_drawn_from_record_100_is_read_the_same(record_100: list[Path], tmp_path: Path) -> None:
    page = tmp_path / "page.png"
    cv2.imwrite(str(page), render_page(twelve_leads(read_wfdb(record_100))))
    result = read(page)
    assert result["source"] == "page"
    assert 70 < result["heart_rate_bpm"] < 78
    truth = [beat["time_s"] for beat in read(*record_100)["beats"] if beat["time_s"] < 10]
    assert abs(len(result["beats"]) - len(truth)) <= 1
    assert set(labels(result)) <= {"N", "A", "?"}
