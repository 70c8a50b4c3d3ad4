"""A forecast costs what it may cost: fits that would go on are stopped, and the result says who answers instead."""

import time
from typing import Any

import numpy as np
import pytest
from statsmodels.tsa.statespace.sarimax import SARIMAX

from tasks.energy.forecasting import arima, smoothing
from tasks.energy.forecasting.baseline import NAIVE
from tasks.energy.forecasting.candidate import Candidate, Deadline, OutOfTime
from tasks.energy.forecasting.candidates import CANDIDATES
from tasks.energy.forecasting.engine import forecast
from tasks.energy.forecasting.fitting import watched
from tasks.energy.series import Series
from tests.energy_series import Array, household, series

ROUNDS = 100_000
NOISE = np.random.default_rng(5).gamma(2.0, size=900)


def stubborn() -> Any:
    """SARIMAX(3,0,3)(2,1,2)24 on noise, by a simplex that never thinks it is done."""
    return SARIMAX(NOISE[-504:], order=(3, 0, 3), seasonal_order=(2, 1, 2, 24), simple_differencing=True)


def endless(given: Series, deadline: Deadline) -> Array:
    model = watched(stubborn(), deadline)
    fitted = model.fit(method="nm", maxiter=ROUNDS, maxfun=ROUNDS, xtol=0.0, ftol=0.0, disp=False)
    return np.asarray(fitted.forecast(given.horizon))


ENDLESS = Candidate("SARIMAX without end", "Never done.", lambda given: "", endless)


def stopping(given: Series, deadline: Deadline) -> Array:
    raise OutOfTime


GOOD = tuple(one for one in CANDIDATES if one.name == "AR with profile, log")
STOPPED = Candidate("never in time", "Stopped.", lambda given: "", stopping)


def test_a_fit_of_ten_minutes_is_stopped_at_its_budget_and_a_named_fallback_answers() -> None:
    model = stubborn()
    began = time.thread_time()
    for _ in range(3):
        model.loglike(model.start_params)
    assert (time.thread_time() - began) / 3 * ROUNDS > 600, "the fit would not take ten minutes"
    found = forecast(series(NOISE), budget=1.0, candidates=(NAIVE, ENDLESS))
    assert found.seconds < 1.3
    assert found.model == NAIVE.name
    assert "SARIMAX without end took too long: Stopped after 0.4" in found.fallback
    assert found.fallback.endswith(f"Instead answers: {NAIVE.name}.")
    stopped = next(one for one in found.trials if one.model == ENDLESS.name)
    assert stopped.mase is None
    assert stopped.note.startswith("Stopped after")


def test_all_candidates_together_keep_to_the_budget_on_a_busy_machine_too() -> None:
    found = forecast(series(household(70 * 24), 14 * 24), budget=0.5)
    assert found.seconds < 0.75
    assert found.model
    assert len(found.mean) == 14 * 24


def test_next_to_no_budget_still_gives_an_answer_that_says_so() -> None:
    found = forecast(series(household(28 * 24)), budget=1e-9)
    assert set(found.model.removeprefix("median of ").split(" and ")) == {NAIVE.name, f"{NAIVE.name}, long"}
    assert "AR with profile, log took too long" in found.fallback
    assert found.fallback.endswith(f"Instead answers: {found.model}.")
    assert np.isfinite(found.upper_95).all()


@pytest.mark.parametrize("candidate", [one for one in CANDIDATES if "naive" not in one.name], ids=lambda one: one.name)
def test_every_candidate_stops_when_its_deadline_has_passed(candidate: Candidate) -> None:
    asked = series(household(28 * 24) - ("level" in candidate.name))
    assert candidate.unfit(asked) == ""
    with pytest.raises(OutOfTime):
        candidate.predict(asked, Deadline(0.0))


@pytest.mark.parametrize("candidate", [arima.CANDIDATE, smoothing.CANDIDATES[1]], ids=lambda one: one.name)
def test_statsmodels_stops_between_two_evaluations(candidate: Candidate) -> None:
    asked = series(household(28 * 24))
    with pytest.raises(OutOfTime):
        candidate.predict(asked, Deadline(0.004))  # imports the library, which takes a second
    began = time.thread_time()
    with pytest.raises(OutOfTime):
        candidate.predict(asked, Deadline(0.004))
    assert time.thread_time() - began < 1


def test_a_candidate_that_fails_or_runs_away_is_named_and_does_not_answer() -> None:
    def failing(given: Series, deadline: Deadline) -> Array:
        raise ValueError("Its equations have no answer.")

    wild = Candidate("wild", "Away.", lambda given: "", lambda given, deadline: np.full(given.horizon, 1e12))
    holes = Candidate("holes", "None.", lambda given: "", lambda given, deadline: np.full(given.horizon, np.nan))
    failed = Candidate("failing", "No.", lambda given: "", failing)
    singular = Candidate(
        "singular", "No.", lambda given: "", lambda given, deadline: np.linalg.inv(np.zeros((2, 2)))[0]
    )
    found = forecast(series(household(21 * 24)), candidates=(NAIVE, wild, holes, failed, singular))
    notes = {one.model: one.note for one in found.trials}
    assert found.model == NAIVE.name
    assert notes["wild"] == "Its forecast ran away."
    assert notes["holes"] == "It gave no numbers."
    assert notes["failing"] == notes["singular"] == "Its equations have no answer."


def test_one_that_fails_only_on_the_whole_series_is_left_out_and_named() -> None:
    count = 21 * 24

    def late(given: Series, deadline: Deadline) -> Array:
        if len(given.values) == count:
            raise ValueError("It gave up.")
        return household(count)[len(given.values) :][: given.horizon]

    found = forecast(series(household(count)), candidates=(NAIVE, Candidate("late", "Late.", lambda given: "", late)))
    assert found.model == NAIVE.name
    assert "late could not be used: It gave up." in found.fallback
    assert found.fallback.endswith(f"Instead answers: {NAIVE.name}.")


def test_one_that_is_stopped_while_a_model_answers_is_told_in_its_trial_alone() -> None:
    found = forecast(series(household(70 * 24)), budget=20.0, candidates=(NAIVE, *GOOD, STOPPED))
    assert "naive" not in found.model
    assert found.fallback == ""
    assert next(one for one in found.trials if one.model == STOPPED.name).note.startswith("Stopped after")
