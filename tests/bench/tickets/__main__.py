"""`make bench-tickets`: section by section, printed as they end, kept together in var/bench/tickets.json.

ARGS=--quick takes a part of everything; ARGS='--only sqlite,scan' some sections, the others' figures stay as they were.
"""

import argparse
import importlib
import importlib.util
import json
import time
from types import ModuleType
from typing import Any

from tests.bench.figures import FOLDER, write

SECTIONS = ("working", "scan", "sqlite", "postgresql", "agents", "assistant")
PACKAGES = ["numpy", "scikit-learn", "sqlalchemy", "flask", "gunicorn"]
ABOUT = {"name", "at", "machine", "python", "versions", "seed"}  # what every benchmark's file says of itself


def main() -> None:
    """Measure what was asked for, tell it, keep it."""
    chosen = arguments()
    names = chosen.only.split(",") if chosen.only else list(SECTIONS)
    if unknown := sorted(set(names) - set(SECTIONS)):
        raise SystemExit(f"There is no section {', '.join(unknown)}. Name some of: {', '.join(SECTIONS)}.")
    for module in filter(None, map(section, names)):
        name = module.__name__.rsplit(".", 1)[-1]
        began = time.monotonic()
        figures = {**module.measure(chosen.quick), "quick": chosen.quick}
        figures["seconds"] = round(time.monotonic() - began, 1)
        print("\n" + "\n".join(module.lines(figures)), flush=True)
        print(f"  ({name} took {figures['seconds']:.0f} s)", flush=True)
        keep(name, figures)


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.tickets")
    parser.add_argument("--quick", action="store_true", help="a part of everything, in a few minutes")
    parser.add_argument("--only", default="", help=f"sections: {','.join(SECTIONS)} (all of them)")
    return parser.parse_args()


def section(name: str) -> ModuleType | None:
    """The module of a section, or None where nobody wrote it yet."""
    path = f"{__package__}.{name}"
    return importlib.import_module(path) if importlib.util.find_spec(path) else None


def keep(key: str, figures: dict[str, Any]) -> None:
    """Put one section's figures among what the file has of the others."""
    file = FOLDER / "tickets.json"
    had = json.loads(file.read_text("utf-8")) if file.exists() else {}
    others = {name: value for name, value in had.items() if name not in ABOUT}
    write("tickets", {**others, key: figures}, PACKAGES)


if __name__ == "__main__":
    main()
