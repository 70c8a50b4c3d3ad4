"""What was found: a line for each figure, as a table on the terminal and in var/stack/report.json."""

import json
import os
import platform
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Literal

from tests.stack import KEPT

Verdict = Literal["", "ok", "MISSED", "FAILED", "left out"]
WIDTHS = (8, 56, 22, 12, 8)


@dataclass(frozen=True)
class Line:
    """One figure. MISSED: a mere figure beyond its aim; FAILED: something that was promised does not hold."""

    step: str
    what: str
    figure: str
    aim: str = ""
    verdict: Verdict = ""

    def text(self) -> str:
        cells = (self.step, self.what, self.figure, self.aim, self.verdict)
        return "  ".join(cell.ljust(width) for cell, width in zip(cells, WIDTHS, strict=True)).rstrip()


HEAD = Line("step", "what", "figure", "aim")


class Report:
    """Lines as they come; each is printed at once, and all of them as a table at the end."""

    def __init__(self, project: str) -> None:
        self.project = project
        self.lines: list[Line] = []
        self.step = ""
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return time.monotonic() - self._began

    @property
    def failed(self) -> bool:
        return any(line.verdict == "FAILED" for line in self.lines)

    def say(self, text: str) -> None:
        print(f"[{self.seconds:6.1f} s] {text}", flush=True)

    def add(self, what: str, figure: object, aim: str = "", verdict: Verdict = "") -> None:
        line = Line(self.step, what, str(figure), aim, verdict)
        self.lines.append(line)
        self.say(line.text())

    def within(self, what: str, figure: float, most: float, unit: str) -> None:
        """A figure that should not pass an aim: a miss is told, and fails nothing."""
        self.add(what, f"{figure:.1f} {unit}", f"<= {most:g} {unit}", "ok" if figure <= most else "MISSED")

    def none_of(self, what: str, found: int, of: int | None = None) -> None:
        """What must not happen at all."""
        told = str(found) if of is None else f"{found} of {of}"
        self.add(what, told, "0", "FAILED" if found else "ok")

    def holds(self, what: str, true: bool, figure: object = "") -> None:
        self.add(what, figure, "", "ok" if true else "FAILED")

    def write(self) -> None:
        """The table, and var/stack/report.json."""
        KEPT.mkdir(parents=True, exist_ok=True)
        told = {
            "at": datetime.now(UTC).isoformat(timespec="seconds"), "project": self.project,
            "seconds": round(self.seconds, 1), "passed": not self.failed,
            "machine": {"system": platform.platform(), "cores": os.cpu_count()},
            "lines": [asdict(line) for line in self.lines],
        }  # fmt: skip
        (KEPT / "report.json").write_text(json.dumps(told, indent=2) + "\n", "utf-8")
        print("\n" + "\n".join([HEAD.text(), *(line.text() for line in self.lines)]))
        counts = [f"{sum(line.verdict == word for line in self.lines)} {word}" for word in ("ok", "MISSED", "FAILED")]
        print(f"\n{', '.join(counts)} in {self.seconds:.0f} s", flush=True)
