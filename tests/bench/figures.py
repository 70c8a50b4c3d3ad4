"""What every benchmark leaves: a table on the terminal, and the figures with versions, seed and machine as JSON."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "var" / "bench"


def quantile(values: Sequence[float], share: float) -> float:
    """The value that `share` of the values do not exceed (nearest rank)."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(share * len(ranked)))]


def write(name: str, figures: Mapping[str, Any], packages: Sequence[str], seed: int | None = None) -> None:
    """Keep the figures of one benchmark in var/bench/<name>.json."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    told = {
        "name": name,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"cpu": platform.processor() or platform.machine(), "cores": os.cpu_count()},
        "python": platform.python_version(),
        "versions": {package: version(package) for package in packages},
        "seed": seed,
        **figures,
    }
    (FOLDER / f"{name}.json").write_text(json.dumps(told, indent=2) + "\n", "utf-8")


def table(title: str, rows: Sequence[tuple[str, str, str]]) -> None:
    """Print rows of (what, figure, aim)."""
    print(f"\n{title}")
    for what, figure, aim in rows:
        print(f"  {what:58} {figure:>18}   {aim}")
