"""The commands that save, restore and change a stack, with a `docker` that only writes down what it is asked."""

import os
import subprocess
from pathlib import Path

import pytest

from deploy.settings import ROOT

DOCKER = """#!/bin/sh
echo "$*" >>"$LOG"
case "$*" in
    *"deploy.backup save -"*) echo an archive; exit "$STATUS" ;;
    "compose ps --services") printf '%s\\n' beat flower nginx postgres redis web worker-ecg worker-mail ;;
    *"run --rm --no-deps migrate") exit "$STATUS" ;;
    "compose ps --quiet"*) echo old1; echo old2 ;;
    "compose ps --all --quiet"*) echo old1; echo new1; echo old2; echo new2 ;;
    "compose up"*) exit "$STATUS" ;;
    "logs"*) echo "$4 has no database" ;;
esac
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "docker").write_text(DOCKER)
    (tmp_path / "docker").chmod(0o755)
    return tmp_path


def said(folder: Path, *command: str, status: int = 0) -> tuple[int, str]:
    """Its exit status and words, where Docker's commands end with `status`."""
    own = {"PATH": f"{folder}:{os.environ['PATH']}", "LOG": str(folder / "log"), "STATUS": str(status)}
    outside = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    done = subprocess.run(command, cwd=ROOT, env=outside | own, capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


def asked(folder: Path) -> list[str]:
    """What Docker was asked for."""
    return (folder / "log").read_text().splitlines() if (folder / "log").exists() else []


def test_a_backup_is_whole_and_its_owner_s_alone_whatever_its_name_and_a_failed_one_leaves_nothing(
    folder: Path,
) -> None:
    place = folder / "kept here"
    place.mkdir()
    odd = place / 'it\'s a "backup" of `today`, $(date).tar'
    assert said(folder, "make", "compose-backup", f"FILE={str(odd).replace('$', '$$')}") == (0, f"It is in {odd}.\n")
    assert odd.read_text() == "an archive\n"
    assert odd.stat().st_mode & 0o777 == 0o600
    status, words = said(folder, "make", "compose-backup", f"FILE={place}/other.tar", status=1)
    assert status
    assert "No backup was made. Is the stack up?" in words
    assert list(place.iterdir()) == [odd]


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (["make", "compose-restore"], "Say: make compose-backup"),
        (["make", "compose-restore", "FILE=/nowhere/a.tar"], "There is no file /nowhere/a.tar."),
        (["make", "compose-restore", "FILE=/dev/null", "REPLACE=no"], "Say REPLACE=yes, or leave it out"),
        (["make", "compose-backup", "FILE=/nowhere/a.tar"], "/nowhere is no folder that can be written to"),
        (["make", "compose-backup", "FILE=/dev/null"], "/dev/null is there already"),
        (["sh", "deploy/compose-backup.sh", "restore", "/dev/null", "file.tar"], "Say: make compose-backup"),
        (["sh", "deploy/compose-backup.sh", "save", "/tmp/a", "file.tar"], "Say: make compose-backup"),
    ],
)
def test_what_is_not_said_rightly_changes_nothing(folder: Path, words: list[str], answer: str) -> None:
    status, found = said(folder, *words)
    assert status
    assert answer in found
    assert asked(folder) == []


def test_new_containers_that_do_not_get_well_go_again_with_their_words_and_the_old_ones_stay(folder: Path) -> None:
    status, words = said(folder, "sh", "deploy/recreate.sh", "web", status=1)
    assert status == 1
    assert words.startswith("new1 has no database\nnew2 has no database\nweb in new containers does not get healthy")
    assert [each for each in asked(folder) if each.startswith(("stop", "rm"))] == ["rm --force new1", "rm --force new2"]
    (folder / "log").unlink()
    assert said(folder, "sh", "deploy/recreate.sh", "web") == (0, "")
    assert "--scale web=4 web" in asked(folder)[1]
    assert asked(folder)[2:] == ["stop old1", "rm old1", "stop old2", "rm old2"]


def test_an_upgrade_goes_from_images_over_tables_to_workers_and_fronts_and_leaves_databases_alone(folder: Path) -> None:
    assert said(folder, "sh", "deploy/upgrade.sh") == (0, "")
    deeds = [each for each in asked(folder) if not each.startswith(("compose ps", "stop", "rm"))]
    assert [each.partition(" --wait-timeout")[0] for each in deeds] == [
        "compose build",
        "compose run --rm --no-deps setup",
        "compose run --rm --no-deps migrate",
        *["compose up --detach --no-deps --no-build --no-recreate --wait"] * 3,
        "compose up --detach --no-deps --no-build beat flower setup migrate demo",
    ]
    assert [each.rpartition(" ")[2] for each in deeds[3:6]] == ["worker-ecg", "worker-mail", "web"]


def test_tables_that_do_not_come_leave_every_container_as_it_was(folder: Path) -> None:
    assert said(folder, "sh", "deploy/upgrade.sh", status=1)[0] == 1
    assert asked(folder)[-1] == "compose run --rm --no-deps migrate"
