"""The forecast of one series: candidates tried on its own past within a budget of CPU time, the best ones' median,
intervals from the errors made there. Nothing is hidden: every trial, and what answered in place of what, is told.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from threadpoolctl import threadpool_limits

from tasks.energy.forecasting import intervals
from tasks.energy.forecasting.baseline import NAIVE, SIMPLEST, simplest
from tasks.energy.forecasting.candidate import Candidate, Deadline, Forecast, OutOfTime, Trial
from tasks.energy.forecasting.candidates import CANDIDATES
from tasks.energy.forecasting.choice import Ranked, choose, named, ranked, together, weighted_median
from tasks.energy.forecasting.seasons import seasons
from tasks.energy.forecasting.validation import Tried, answer, trial, validate
from tasks.energy.forecasting.windows import Window, windows
from tasks.energy.series import DAY, HOUR, MONTH, Series

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

MOST_STEPS = {900: 31 * 96, 1800: 62 * 48, HOUR: 92 * 24, DAY: 731, MONTH: 36}
WORDS = {900: "quarter hours", 1800: "half hours", HOUR: "hours", DAY: "days", MONTH: "months"}
TOO_FAR = "A forecast {asked:,} {steps} ahead would be a guess with a number on it. Ask for {most:,} or fewer."
EMPTY = "There are no readings to forecast from."
NO_NUMBERS = "Some readings are no numbers. Clean the series first."


@dataclass(frozen=True, slots=True)
class Answer:
    """Who answered and what, [horizon]; `lost` says in sentences who could not."""

    given: "list[tuple[Ranked, Floats]]"
    lost: list[str]


def forecast(series: Series, *, budget: float = 1.0, candidates: Sequence[Candidate] | None = None) -> Forecast:
    """What is to come.

    Args:
        series: without holes; `horizon` says how far.
        budget: CPU-seconds for all fits together. What is not done by then is told in `trials` and `fallback`.
        candidates: instead of all.

    Raises:
        ValueError: no readings, or too many steps ahead; the text is for people.
    """
    _check(series)
    with threadpool_limits(1):  # one series, one core: the workers are the parallelism, and CPU time is this thread's
        began = time.thread_time()
        found = _forecast(series, Deadline(budget), CANDIDATES if candidates is None else candidates, began)
    return found


def _check(series: Series) -> None:
    most = MOST_STEPS.get(series.step, MOST_STEPS[HOUR])
    if series.horizon > most:
        raise ValueError(TOO_FAR.format(asked=series.horizon, steps=WORDS.get(series.step, "steps"), most=most))
    if len(series.values) == 0:
        raise ValueError(EMPTY)
    if not np.isfinite(series.values).all():
        raise ValueError(NO_NUMBERS)


def _forecast(series: Series, budget: Deadline, candidates: Sequence[Candidate], began: float) -> Forecast:
    if why := _hopeless(series):
        return plain(series, (), why, began)
    cuts = windows(series)
    if not cuts:
        return plain(series, (), "There are too few readings to try models on.", began)
    every = candidates if NAIVE in candidates else (NAIVE, *candidates)
    tried = validate(every, series, cuts, budget)
    order = ranked(cuts, tried, next(one for one in tried if one.candidate is NAIVE))
    if not order:
        return plain(series, _trials(cuts, tried), "No model came to an answer.", began)
    found = Answer([], [_stopped(one) for one in tried if one.stopped and not one.forecasts])
    chosen = choose(order, series)
    for members in (chosen, *([each] for each in order if each not in chosen)):
        _fit(series, members, budget, found)
        if found.given:
            return _told(series, cuts, tried, order, found, began)
    return plain(series, _trials(cuts, tried), " ".join(found.lost), began)


def _hopeless(series: Series) -> str:
    """Why no model is worth a try."""
    values = series.values
    if values.min() == values.max():
        return "All readings are zero." if values[0] == 0 else "All readings are the same."
    if len(values) < 2 * seasons(series.step).short:
        return f"{len(values)} {WORDS.get(series.step, 'steps')} are too few to try models on."
    return ""


def _fit(series: Series, members: Sequence[Ranked], budget: Deadline, found: Answer) -> None:
    """The members on the whole series, cheapest first, for as long as the budget lasts."""
    for each in sorted(members, key=lambda each: each.one.cost):
        one = each.one
        began = time.thread_time()
        try:
            found.given.append((each, answer(one.candidate, series, budget)))
        except OutOfTime:
            one.note = f"Stopped after {time.thread_time() - began:.2f} s, when the budget was spent."
            found.lost.append(_stopped(one))
        except ValueError as failed:
            one.note = str(failed)
            found.lost.append(f"{one.candidate.name} could not be used: {failed}")
        one.seconds += time.thread_time() - began


def _stopped(one: Tried) -> str:
    return f"{one.candidate.name} took too long: {one.note}"


def _told(
    series: Series,
    cuts: Sequence[Window],
    tried: Sequence[Tried],
    order: Sequence[Ranked],
    found: Answer,
    began: float,
) -> Forecast:
    given = sorted(found.given, key=lambda pair: pair[0].error)
    members = [each for each, _ in given]
    name = named([each.one.candidate.name for each in members])
    mean = weighted_median([told for _, told in given], [each.weight for each in members])
    past = together(members)
    width = intervals.calibrated(mean, series.values, cuts, past)
    trials = _trials(cuts, [each.one for each in order] + [one for one in tried if not one.forecasts])
    own = trial(name, cuts, past, sum(each.one.seconds for each in members), "")
    return Forecast(
        name,
        _reason(series, cuts, own, next(one for one in trials if one.model == NAIVE.name), past),
        mean,
        width.lower_80,
        width.upper_80,
        width.lower_95,
        width.upper_95,
        trials if len(members) == 1 else (own, *trials),
        _instead(found, members, name),
        time.thread_time() - began,
    )


def _instead(found: Answer, members: Sequence[Ranked], name: str) -> str:
    """Only where nothing but the season again answers; a model stopped beside others is told in its trial."""
    if not found.lost or any("naive" not in each.one.candidate.name for each in members):
        return ""
    return f"{' '.join(found.lost)} Instead answers: {name}."


def _trials(cuts: Sequence[Window], tried: Sequence[Tried]) -> tuple[Trial, ...]:
    return tuple(trial(one.candidate.name, cuts, one.forecasts, one.seconds, one.note) for one in tried)


def _reason(series: Series, cuts: Sequence[Window], own: Trial, naive: Trial, past: "Mapping[int, Floats]") -> str:
    steps, ahead = WORDS.get(series.step, "steps"), len(cuts[0].truth)
    last = f"the last {ahead} {steps}"
    tested = (
        f"on {last}, hidden from it"
        if len(past) == 1
        else f"on {len(past)} stretches as long as {last}, hidden from it"
    )
    if own.model == naive.model:
        return f"Nothing did better than the seasonal naive {tested}: its error was {own.mase:.2f} (MASE)."
    return f"Its error was {own.mase:.2f} (MASE) {tested}; the seasonal naive's was {naive.mase:.2f}."


def plain(series: Series, trials: tuple[Trial, ...], why: str, began: float) -> Forecast:
    """What answers where no model can: the last season again, or the mean of what is there."""
    season = seasons(series.step).short
    name, mean = simplest(series)
    width = intervals.naive(mean, series.values, season)
    return Forecast(
        name,
        f"{why} So the answer is {SIMPLEST[name]}, and its intervals are as wide as the changes seen so far.",
        mean,
        width.lower_80,
        width.upper_80,
        width.lower_95,
        width.upper_95,
        trials or (Trial(NAIVE.name, None, None, 0.0, why),),
        f"{why} Instead of a model answers: {name}.",
        time.thread_time() - began,
    )
