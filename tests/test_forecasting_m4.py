"""M4 Hourly: the measures are the official ones, and the engine keeps what it promises on a few of the series."""

import numpy as np
import pytest

from tasks.energy.forecasting.candidates import CANDIDATES
from tasks.energy.forecasting.engine import forecast
from tasks.energy.series import HOUR, Series
from tests.bench.energy.m4 import Told, lines, members, scored, self_check
from tests.m4 import ABSENT, FOLDER, hourly, mase, msis, owa, smape

FAST = [one for one in CANDIDATES if not one.name.startswith("SARIMAX")]  # which takes all of the time here
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=ABSENT)


def test_the_seasonal_naive_scores_as_the_competition_published_it() -> None:
    check = self_check(hourly())
    assert check["mase"] == pytest.approx(1.193, abs=0.0005)
    assert check["smape"] == pytest.approx(13.912, abs=0.0005)
    assert owa(check["mase"], check["smape"]) == pytest.approx(0.6275, abs=0.0002)


def test_interval_scores_count_width_and_twenty_times_what_lies_outside() -> None:
    train = np.tile(np.arange(24.0), 3) + np.repeat([0.0, 2.0, 4.0], 24)  # the seasonal naive errs by 2
    test, lower, upper = np.array([5.0, 5.0]), np.array([4.0, 6.0]), np.array([6.0, 7.0])
    assert msis(train, test, lower, upper) == pytest.approx(((2 + 1) / 2 + 40 * 1 / 2) / 2)
    assert mase(train, test, test + 1) == pytest.approx(0.5)
    assert smape(np.array([0.5]), np.array([1.5])) == pytest.approx(100)


def test_a_handful_of_its_series_is_forecast_better_than_by_the_naive() -> None:
    some = hourly()[20::80]
    told = []
    for one in some:
        times = np.arange(len(one.train) + 48, dtype=np.int64) * HOUR
        found = forecast(Series(one.train, times, HOUR, calendar=False), budget=20.0, candidates=FAST)
        bounds = (found.lower_80, found.upper_80, found.lower_95, found.upper_95)
        told.append(Told(found.mean, *bounds, found.model, found.fallback, found.seconds))
    figures = scored(some, told)
    naive = np.mean([mase(one.train, one.test, np.tile(one.train[-24:], 2)) for one in some])
    assert figures["mase"] < 0.85 * naive
    assert figures["coverage_95"] > 0.85
    assert figures["fallbacks"] == []
    check = {"mase": 1.193, "smape": 13.91}
    printed = "\n".join(lines({"self_check": check, "series": len(some), "peers": {}, **figures}))
    assert f"{figures['owa']:.3f}" in printed
    assert some[0].name in printed


def test_who_answered_is_counted_by_name() -> None:
    assert list(members("seasonal naive")) == ["seasonal naive"]
    assert list(members("median of A, log; B and C")) == ["A, log", "B", "C"]
