"""A benchmark of several sections: printed as they end, kept together in one file, some alone by `--only`.

A section is a module of the benchmark's package with `measure(quick)` and `lines(figures)`; KEY, where it has one, is
what its figures are called in the file, else its own name is.
"""

import argparse
import importlib
import json
import time
from collections.abc import Sequence
from typing import Any

from tests.bench.figures import FOLDER, write

ABOUT = {"name", "at", "machine", "python", "versions", "seed"}  # what every benchmark's file says of itself


def run(package: str, sections: Sequence[str], packages: Sequence[str]) -> None:
    """Measure what the command line asks for, tell it, keep it.

    Args:
        package: of the benchmark, such as tests.bench.energy; its last name is the file's in var/bench.
        sections: in their order.
        packages: whose versions the file names.
    """
    chosen = _arguments(package, sections)
    names = chosen.only.split(",") if chosen.only else sections
    if unknown := sorted(set(names) - set(sections)):
        raise SystemExit(f"There is no section {', '.join(unknown)}. Name some of: {', '.join(sections)}.")
    for name in names:
        module = importlib.import_module(f"{package}.{name}")
        began = time.monotonic()
        figures = {**module.measure(chosen.quick), "quick": chosen.quick}
        figures["seconds"] = round(time.monotonic() - began, 1)
        print("\n" + "\n".join(module.lines(figures)), flush=True)
        print(f"  ({name} took {figures['seconds']:.0f} s)", flush=True)
        _keep(package.rsplit(".", 1)[-1], getattr(module, "KEY", name), figures, packages)


def _arguments(package: str, sections: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=f"python -m {package}")
    parser.add_argument("--quick", action="store_true", help="a part of everything, in a few minutes")
    parser.add_argument("--only", default="", help=f"sections: {','.join(sections)} (all of them)")
    return parser.parse_args()


def _keep(benchmark: str, key: str, figures: dict[str, Any], packages: Sequence[str]) -> None:
    """One section's figures among what the file has of the others."""
    file = FOLDER / f"{benchmark}.json"
    had = json.loads(file.read_text("utf-8")) if file.exists() else {}
    others = {name: value for name, value in had.items() if name not in ABOUT}
    write(benchmark, {**others, key: figures}, packages)
