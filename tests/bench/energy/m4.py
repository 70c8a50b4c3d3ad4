"""The forecast engine on the 414 hourly series of the M4 competition, beside statsforecast.

Models are chosen on each series' own past alone, by `tasks.energy.forecasting.engine` as it ships and with the budget
that a series may cost; the hidden 48 hours are read when everything is forecast. CPU is counted in the processes that
work, validation and all that did not come to an end included.
"""

import os
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.m4 import ABSENT, FOLDER, HORIZON, Hourly, hourly, mase, msis, owa, smape

KEY = "m4_hourly"
NAIVE_MASE, NAIVE_SMAPE = 1.193, 13.91  # the official scores of the seasonal naive
BUDGET = 1.0  # CPU-seconds a series
AIMS = {"mase": 0.887, "owa": 0.476, "msis": 7.54, "cpu_s_per_series": 1.0}
WORST = 10
ROOT = Path(__file__).parents[3]
PEER = ROOT / ".venv/statsforecast/bin/python"
HOUR = 3600

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Told:
    """What was forecast for one series: [48] each, by whom, and the CPU time."""

    mean: Array
    lower_80: Array
    upper_80: Array
    lower_95: Array
    upper_95: Array
    model: str
    fallback: str
    seconds: float


def measure(quick: bool) -> dict[str, Any]:
    """All 414 series; of each eighth one when it shall be quick."""
    if not FOLDER.is_dir():
        raise SystemExit(f"bench-energy {ABSENT}.")
    every = hourly()
    check = self_check(every)
    some = every[::8] if quick else every
    with ProcessPoolExecutor(2, initializer=ready) as pool:
        told = list(pool.map(forecast, [one.train for one in some], chunksize=4))
    found = scored(some, told)
    print(row("Nightshift", found), flush=True)  # the peers take as long again
    return {"self_check": check, "series": len(some), **found, "peers": peers(some)}


def self_check(every: list[Hourly]) -> dict[str, float]:
    """The seasonal naive must score as the competition published it, or nothing that follows means anything."""
    naive = [np.tile(one.train[-24:], 2) for one in every]
    found = {
        "mase": float(np.mean([mase(one.train, one.test, mean) for one, mean in zip(every, naive, strict=True)])),
        "smape": float(np.mean([smape(one.test, mean) for one, mean in zip(every, naive, strict=True)])),
    }
    print(f"M4 Hourly, self-check: seasonal naive {found['mase']:.3f} / {found['smape']:.2f}", flush=True)
    if len(every) != 414 or abs(found["mase"] - NAIVE_MASE) > 0.0006 or abs(found["smape"] - NAIVE_SMAPE) > 0.006:
        raise SystemExit(f"The protocol is off: it should be {NAIVE_MASE} / {NAIVE_SMAPE} on 414 series.")
    return found


def ready() -> None:
    """Imports in each process, which no series pays for."""
    from tasks.energy.forecasting import engine

    assert engine.MOST_STEPS[HOUR] >= HORIZON


def forecast(train: Array) -> Told:
    """One series, as the engine answers it; its dates are not known."""
    from tasks.energy.forecasting.engine import forecast as ours
    from tasks.energy.series import Series

    times = np.arange(len(train) + HORIZON, dtype=np.int64) * HOUR
    began = time.process_time()
    found = ours(Series(train, times, HOUR, calendar=False), budget=BUDGET)
    seconds = time.process_time() - began
    bounds = (found.lower_80, found.upper_80, found.lower_95, found.upper_95)
    return Told(found.mean, *bounds, found.model, found.fallback, seconds)


def scored(some: list[Hourly], told: list[Told]) -> dict[str, Any]:
    """Official measures over all, CPU, and where the losses are."""
    pairs = list(zip(some, told, strict=True))
    mases = [mase(one.train, one.test, said.mean) for one, said in pairs]
    smapes = [smape(one.test, said.mean) for one, said in pairs]
    seconds = [said.seconds for said in told]
    return {
        "mase": float(np.mean(mases)),
        "smape": float(np.mean(smapes)),
        "owa": owa(float(np.mean(mases)), float(np.mean(smapes))),
        "msis": float(np.mean([msis(one.train, one.test, said.lower_95, said.upper_95) for one, said in pairs])),
        "coverage_95": float(np.mean([inside(one.test, said.lower_95, said.upper_95) for one, said in pairs])),
        "coverage_80": float(np.mean([inside(one.test, said.lower_80, said.upper_80) for one, said in pairs])),
        "cpu_s_per_series": float(np.mean(seconds)),
        "cpu_s_most": float(max(seconds)),
        "fallbacks": Counter(said.fallback for said in told if said.fallback).most_common(),
        "members": Counter(name for said in told for name in members(said.model)).most_common(),
        "worst": worst(pairs, mases, smapes),
    }


def members(model: str) -> Iterator[str]:
    """The names in "median of A; B and C"."""
    for name in model.removeprefix("median of ").split("; "):
        yield from name.split(" and ")


def inside(test: Array, lower: Array, upper: Array) -> float:
    """Share of the truth within."""
    return float(((test >= lower) & (test <= upper)).mean())


def worst(pairs: list[tuple[Hourly, Told]], mases: list[float], smapes: list[float]) -> list[dict[str, Any]]:
    """The series that cost most of the OWA."""
    parts = [owa(one, other) for one, other in zip(mases, smapes, strict=True)]
    order = sorted(range(len(parts)), key=lambda number: -parts[number])[:WORST]
    return [
        {
            "series": pairs[number][0].name,
            "share": parts[number] / sum(parts),
            "mase": mases[number],
            "smape": smapes[number],
            "naive_mase": mase(pairs[number][0].train, pairs[number][0].test, np.tile(pairs[number][0].train[-24:], 2)),
            "model": pairs[number][1].model,
        }
        for number in order
    ]


def peers(some: list[Hourly]) -> dict[str, Any]:
    """statsforecast's models on the same series; {} where it is not installed."""
    if not PEER.exists():
        return {}
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "train.npz", Path(folder) / "told.npz"
        np.savez(source, **{one.name: one.train for one in some})  # type: ignore[arg-type]
        script = Path(__file__).with_name("peer_statsforecast.py")
        calm = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
        subprocess.run([PEER, script, source, target], check=True, env=calm)
        told = dict(np.load(target))
    names = [key.removeprefix("seconds/") for key in told if key.startswith("seconds/")]
    return {name: peer(name, some, told) for name in names}


def peer(name: str, some: list[Hourly], told: dict[str, Array]) -> dict[str, float]:
    """One of them, by the same measures."""
    said = [(one, *told[f"{one.name}/{name}"]) for one in some]
    mases = float(np.mean([mase(one.train, one.test, mean) for one, mean, _, _ in said]))
    smapes = float(np.mean([smape(one.test, mean) for one, mean, _, _ in said]))
    return {
        "mase": mases,
        "smape": smapes,
        "owa": owa(mases, smapes),
        "msis": float(np.mean([msis(one.train, one.test, lower, upper) for one, _, lower, upper in said])),
        "coverage_95": float(np.mean([inside(one.test, lower, upper) for one, _, lower, upper in said])),
        "cpu_s_per_series": float(told[f"seconds/{name}"]) / len(some),
    }


def lines(figures: dict[str, Any]) -> list[str]:
    """The table."""
    check = {"mase": NAIVE_MASE, "smape": NAIVE_SMAPE, **figures["self_check"]}
    rows = {"Nightshift": figures, **{f"statsforecast {name}": each for name, each in figures["peers"].items()}}
    head = f"  {'':26}{'MASE':>8}{'sMAPE':>8}{'OWA':>8}{'MSIS':>8}{'95 %':>8}{'CPU s':>8}"
    naive = f"  {'seasonal naive':26}{check['mase']:8.3f}{check['smape']:8.2f}{owa(check['mase'], check['smape']):8.3f}"
    aims = f"  {'asked':26}{AIMS['mase']:8.3f}{'':8}{AIMS['owa']:8.3f}{AIMS['msis']:8.2f}{'93-97 %':>8}{1:8.2f}"
    return [
        f"M4 Hourly, {figures['series']} of 414 series, 48 hours ahead",
        head,
        naive,
        aims,
        *(row(name, each) for name, each in rows.items()),
        f"  80 % intervals hold {figures['coverage_80']:.1%}; the dearest series took {figures['cpu_s_most']:.2f} s.",
        f"  Answered by: {', '.join(f'{name} {count}' for name, count in figures['members'])}.",
        *fallbacks(figures["fallbacks"]),
        "  The largest losses (share of all, MASE, the naive's, sMAPE, model):",
        *(
            f"    {each['series']:5} {each['share']:6.1%} {each['mase']:6.2f} {each['naive_mase']:6.2f}"
            f" {each['smape']:6.1f}  {each['model']}"
            for each in figures["worst"]
        ),
    ]


def row(name: str, each: dict[str, float]) -> str:
    """One line of the table."""
    return (
        f"  {name:26}{each['mase']:8.3f}{each['smape']:8.2f}{each['owa']:8.3f}{each['msis']:8.2f}"
        f"{each['coverage_95']:8.1%}{each['cpu_s_per_series']:8.2f}"
    )


def fallbacks(found: list[tuple[str, int]]) -> list[str]:
    """Those that were named in results."""
    total = sum(count for _, count in found)
    return [f"  Fallbacks: {total}."] + [f"    {count} x {words}" for words, count in found[:5]]
