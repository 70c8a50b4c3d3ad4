"""README and the guides that stand beside the code say what it does."""

import re
import subprocess
from pathlib import Path

import pytest

from deploy import readme
from deploy.settings import ROOT
from models.vitals import ALARMS

TEXT = readme.README.read_text("utf-8")
GUIDES = [ROOT / "deploy" / "README.md", ROOT / "workers" / "README.md", *ROOT.glob("tasks/*/README.md")]
TEXTS = [readme.README, ROOT / "CONTRIBUTING.md", *sorted(GUIDES)]


def test_its_tables_and_diagram_are_those_of_the_code() -> None:
    assert readme.rewritten(TEXT) == TEXT, "run `make fix`"


def test_the_make_targets_that_they_name_exist() -> None:
    targets = subprocess.run(["make", "-C", str(ROOT), "help"], capture_output=True, text=True, check=True).stdout
    named = {name for path in TEXTS for name in re.findall(r"`make ([a-z-]+)", path.read_text("utf-8"))}
    assert {"run", "test", "setup", "train", "bench", "bench-engine", "bench-scans", "faults", "lint", "fix"} <= named
    for target in named:
        assert re.search(rf"\b{target}\b", targets), f"A guide names `make {target}`"


def test_the_guide_of_operators_tells_every_alarm() -> None:
    text = (ROOT / "deploy" / "README.md").read_text("utf-8")
    for name, title in ALARMS.items():
        assert f"| {title} (`{name}`) |" in text


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_their_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)", path.read_text("utf-8")):
        if not target.startswith("http"):
            assert (path.parent / target).exists(), target


def test_readme_leads_to_every_guide() -> None:
    for path in GUIDES:
        assert f"]({path.relative_to(ROOT)})" in TEXT, path


@pytest.mark.parametrize("name", sorted(path.name for path in (ROOT / "requirements").glob("*.txt")))
def test_locks_name_no_host_and_no_path_of_a_machine(name: str) -> None:
    for line in (ROOT / "requirements" / name).read_text("utf-8").splitlines():
        assert "://" not in line
        assert not re.search(r"--(extra-)?index|--find-links|file:|@ ", line), line
