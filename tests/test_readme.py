"""README says what the code does."""

import re
import subprocess

import pytest

from deploy import readme
from deploy.settings import ROOT
from models.vitals import ALARMS

TEXT = readme.README.read_text("utf-8")


def test_its_tables_and_diagram_are_those_of_the_code() -> None:
    assert readme.rewritten(TEXT) == TEXT, "run `make fix`"


def test_its_make_targets_exist() -> None:
    targets = subprocess.run(["make", "-C", str(ROOT), "help"], capture_output=True, text=True, check=True).stdout
    named = set(re.findall(r"`make ([a-z-]+)`", TEXT))
    assert {"run", "test", "setup", "train", "bench", "bench-engine", "bench-scans", "faults", "lint", "fix"} <= named
    for target in named:
        assert re.search(rf"\b{target}\b", targets), f"README names `make {target}`"


def test_it_tells_every_alarm() -> None:
    for name, title in ALARMS.items():
        assert f"| {title} (`{name}`) |" in TEXT


def test_its_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", TEXT):
        if not target.startswith("http"):
            assert (ROOT / target).exists(), target


@pytest.mark.parametrize("name", sorted(path.name for path in (ROOT / "requirements").glob("*.txt")))
def test_locks_name_no_host_and_no_path_of_a_machine(name: str) -> None:
    for line in (ROOT / "requirements" / name).read_text("utf-8").splitlines():
        assert "://" not in line
        assert not re.search(r"--(extra-)?index|--find-links|file:|@ ", line), line
