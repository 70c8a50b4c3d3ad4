"""The forecast engine on the 414 hourly series of the M4 competition, beside statsforecast.

Models and their weights are chosen on each series' own past alone, by `tasks.energy.forecasting.engine` as it ships.
"""

from typing import Any

import numpy as np

from tests.m4 import ABSENT, FOLDER, hourly, mase, smape

KEY = "m4_hourly"
NAIVE_MASE, NAIVE_SMAPE = 1.193, 13.91  # the official scores of the seasonal naive


def measure(quick: bool) -> dict[str, Any]:
    """All 414 series; of each eighth one when it shall be quick."""
    if not FOLDER.is_dir():
        raise SystemExit(f"bench-energy {ABSENT}.")
    return {"self_check": self_check()}


def self_check() -> dict[str, float]:
    """The seasonal naive must score as the competition published it, or nothing that follows means anything."""
    every = hourly()
    naive = [np.tile(one.train[-24:], 2) for one in every]
    found = {
        "mase": float(np.mean([mase(one.train, one.test, mean) for one, mean in zip(every, naive, strict=True)])),
        "smape": float(np.mean([smape(one.test, mean) for one, mean in zip(every, naive, strict=True)])),
    }
    print(f"M4 Hourly, self-check: seasonal naive {found['mase']:.3f} / {found['smape']:.2f}", flush=True)
    if len(every) != 414 or abs(found["mase"] - NAIVE_MASE) > 0.0006 or abs(found["smape"] - NAIVE_SMAPE) > 0.006:
        raise SystemExit(f"The protocol is off: it should be {NAIVE_MASE} / {NAIVE_SMAPE} on 414 series.")
    return found


def lines(figures: dict[str, Any]) -> list[str]:
    """The table."""
    check = figures["self_check"]
    return [f"M4 Hourly: seasonal naive {check['mase']:.3f} / {check['smape']:.2f}"]
