"""statsforecast on the same series: run by .venv/statsforecast, knows nothing of ours.

    python peer_statsforecast.py TRAIN.npz RESULT.npz

TRAIN.npz: one array [n] a series, by name. RESULT.npz: NAME/MODEL -> [3, 48] mean, lower and upper 95 %, and seconds
per model. The CPU time is this process's; compilation happens before it is taken.
"""

import sys
import time
import warnings

import numpy as np
from statsforecast.models import MSTL, AutoARIMA, AutoETS

HORIZON, WEEKS_3 = 48, 504
MODELS = {
    "MSTL": (MSTL(season_length=[24, 168], trend_forecaster=AutoETS(model="ZZN")), None),
    "AutoARIMA": (AutoARIMA(season_length=24, max_p=2, max_q=2, max_P=1, max_Q=1, approximation=True), WEEKS_3),
}


def main(source: str, target: str) -> None:
    """Every model on every series."""
    warnings.simplefilter("ignore")
    series = dict(np.load(source))
    found = {}
    for name, (model, last) in MODELS.items():
        forecast(model, next(iter(series.values())), last)
        began = time.process_time()
        for number, values in series.items():
            found[f"{number}/{name}"] = forecast(model, values, last)
        found[f"seconds/{name}"] = np.array(time.process_time() - began)
    np.savez(target, **found)  # type: ignore[arg-type]


def forecast(model: object, values: np.ndarray, last: int | None) -> np.ndarray:
    """[3, 48]; the seasonal naive and infinite intervals where the model fails, which is what it costs it."""
    past = values[-last:] if last else values
    try:
        told = model.forecast(y=past, h=HORIZON, level=[95])  # type: ignore[attr-defined]
        answer = np.array([told["mean"], told["lo-95"], told["hi-95"]], dtype=float)
    except Exception:  # noqa: BLE001  # whatever it stumbles over counts as the naive answer
        answer = np.full((3, HORIZON), np.nan)
    naive = np.resize(values[-24:], HORIZON)
    return np.where(np.isfinite(answer), answer, np.array([naive, naive, naive]))


if __name__ == "__main__":
    main(*sys.argv[1:])
