"""What was to be expected of a meter, hour by hour: a robust regression that a few wrong readings cannot bend. Pure.

For each hour of the day a regression of its own: kind of day, the season's first harmonic, and, where the temperature
is known, degrees below and above a comfortable range, of the hour and of the day before it. Weights after Huber
(1964), refitted a few times, so that what does not fit counts little. A working day that looks like a Sunday is taken
for one: nobody knows every holiday.
"""

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from tasks.energy.anomalies.robust import median, scale
from tasks.energy.forecasting.calendar import BRIDGE, HOLIDAY, SATURDAY, day_kinds, local_parts
from tasks.energy.series import DAY
from tasks.metering.usage import Usage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

HEATING, COOLING = 16.0, 20.0  # degrees Celsius between which most buildings want neither
_ROUNDS, _HUBER = 5, 1.5
_SEASON = 300  # days: with fewer the year's wave would be guessed
_KINDS = {0: 0, 1: 1, 2: 1, 3: 1, 4: 2, 5: 3, 6: 4, 7: 4}  # Monday, midweek, Friday, Saturday, Sunday or holiday
_FEW_KINDS = {0: 0, 1: 0, 2: 0, 3: 0, 4: 0, 5: 1, 6: 2, 7: 2}
_HOLIDAYS = 6  # of which the usual course of holidays is known; fewer are taken for Sundays
_FREE = 3  # days that may look like a Sunday within a fortnight


@dataclass(frozen=True, slots=True)
class Expected:
    """A meter's days laid out as a matrix of local days and steps of the day.

    Attributes:
        day: [n] which day a step of the usage belongs to, from 0 on.
        slot: [n] which step of its day it is by the wall's clock.
        ordinals: [days] local dates.
        kwh: [days, slots] measured; NaN where nothing was.
        model: [days, slots] expected from kind of day, season and temperature.
        kinds: [days] as tasks.energy.forecasting.calendar has them, but for bridges.
        free: [days] whether it is a weekend, a holiday, or a day that looks like one.
        degrees: [days] mean temperature; None: unknown.
    """

    day: "NDArray[np.int64]"
    slot: "NDArray[np.int64]"
    ordinals: "NDArray[np.int64]"
    kwh: "Floats"
    model: "Floats"
    kinds: "NDArray[np.int64]"
    free: "NDArray[np.bool_]"
    degrees: "Floats | None"

    @property
    def residual(self) -> "Floats":
        """[days, slots] measured less expected; NaN where nothing was measured."""
        return self.kwh - self.model

    def flat(self, of: "Floats") -> "Floats":
        """[n] a matrix's values at the usage's steps."""
        return np.asarray(of[self.day, self.slot])


def expected(usage: Usage, temperature: "Floats | None", holidays: frozenset[date]) -> Expected:
    """What was to be expected. Steps of a day or less; two weeks at least.

    Args:
        temperature: [n] degrees Celsius beside the usage's steps, NaN where unknown.
    """
    ordinals, hours, _ = local_parts(usage.times, usage.zone)
    slots = max(1, DAY // usage.step)
    day = ordinals - ordinals[0]
    slot = np.minimum(np.round(hours * 3600).astype(np.int64) // usage.step, slots - 1)
    days = np.arange(ordinals[0], ordinals[-1] + 1)
    kwh = np.full((len(days), slots), np.nan)
    kwh[day, slot] = np.where(usage.filled, np.nan, usage.kwh)
    warmth = _warmth(temperature, day, slot, kwh.shape)
    kinds = _kinds(days, holidays)
    design = _design(days, kinds, warmth, slots)
    model = _fitted(design, kwh)
    if len(days) >= 35 and slots > 1:
        free = _as_on_sunday(design, kwh, model, kinds)
        if free.any():
            kinds = np.where(free, 6, kinds)
            model = _fitted(_design(days, kinds, warmth, slots), kwh)
    degrees = None if warmth is None else warmth.mean(axis=1)
    return Expected(day, slot, days, kwh, model, kinds, kinds >= SATURDAY, degrees)


def _kinds(days: "NDArray[np.int64]", holidays: frozenset[date]) -> "NDArray[np.int64]":
    """0..6 as the weekday, 7 a holiday. Of a day between two free ones nobody knows who takes it off."""
    weekdays = (days - 1) % 7
    kinds = day_kinds(days, weekdays, holidays)
    return np.where(kinds == BRIDGE, weekdays, kinds)


def _warmth(
    temperature: "Floats | None", day: "NDArray[np.int64]", slot: "NDArray[np.int64]", shape: tuple[int, int]
) -> "Floats | None":
    """[days, slots] degrees without holes; None where less than half of them is known."""
    if temperature is None or np.isfinite(temperature).mean() < 0.5:
        return None
    found = np.full(shape[0] * shape[1], np.nan)
    found[day * shape[1] + slot] = temperature
    known = np.isfinite(found)
    at = np.arange(len(found))
    return np.asarray(np.interp(at, at[known], found[known]).reshape(shape))


def _design(days: "NDArray[np.int64]", kinds: "NDArray[np.int64]", warmth: "Floats | None", slots: int) -> "Floats":
    """[slots, days, p] what the expectation is made of."""
    many = len(days)
    groups = _KINDS if many >= 56 else _FEW_KINDS
    if (kinds == HOLIDAY).sum() >= _HOLIDAYS:
        groups = groups | {HOLIDAY: max(groups.values()) + 1}
    group = np.array([groups[int(kind)] for kind in kinds])
    columns = [np.tile((group == one)[:, None], (1, slots)).astype(float) for one in sorted(set(groups.values()))]
    if many >= _SEASON:
        angle = 2 * np.pi * days / 365.2425
        columns += [np.tile(wave(angle)[:, None], (1, slots)) for wave in (np.sin, np.cos)]
    if warmth is not None:
        columns += _degrees(warmth)
    return np.ascontiguousarray(np.stack(columns, axis=2).transpose(1, 0, 2))


def _degrees(warmth: "Floats") -> "list[Floats]":
    """Degrees outside of the range: of the step, of the day before it, and of the days before that."""
    long = warmth.ravel()
    slots = warmth.shape[1]
    total = np.concatenate((np.full(slots, long[0]), long)).cumsum()
    day = np.concatenate(([total[slots - 1]], total[slots:] - total[:-slots]))[1:] / slots if slots > 1 else long
    days = np.convolve(np.concatenate((np.full(2, day[0]), day[::slots])), np.ones(3) / 3, "valid")
    slow = np.repeat(days, slots)[: len(long)]
    parts = [long, slow] if slots == 1 else [long, day, slow]
    cold = [np.maximum(HEATING - part, 0).reshape(warmth.shape) for part in parts]
    hot = [np.maximum(part - COOLING, 0).reshape(warmth.shape) for part in parts]
    return [*cold, *hot, hot[0] ** 2 / 10]


def _fitted(design: "Floats", kwh: "Floats") -> "Floats":
    """[days, slots] Huber's regression for each slot, all slots at once."""
    target = kwh.T
    there = np.isfinite(target)
    values = np.where(there, target, 0.0)
    weight = there.astype(float)
    ridge = 1e-6 * np.eye(design.shape[2])
    found = np.zeros_like(values)
    for _ in range(_ROUNDS):
        weighted = design * weight[:, :, None]
        normal = weighted.transpose(0, 2, 1) @ design
        size = np.trace(normal, axis1=1, axis2=2)[:, None, None] / design.shape[2] + 1e-12
        right = (weighted * values[:, :, None]).sum(axis=1)
        factors = np.linalg.solve(normal + ridge * size, right[:, :, None])
        found = (design @ factors)[:, :, 0]
        off = np.abs(values - found)
        usual = scale(np.where(there, off, np.nan).T)[:, None] + 1e-9
        weight = there * np.minimum(1.0, _HUBER * usual / np.maximum(off, 1e-12))
    return found.T


def _as_on_sunday(design: "Floats", kwh: "Floats", model: "Floats", kinds: "NDArray[np.int64]") -> "NDArray[np.bool_]":
    """Working days whose course fits a Sunday's at least twice as well as their own."""
    sunday, working = kinds >= 6, kinds < 5
    if not (sunday & np.isfinite(kwh).any(axis=1)).any():
        return np.zeros(len(kinds), dtype=bool)
    own = kwh - model
    usual, as_sunday = (_profile(own + model, rows) for rows in (working, sunday))
    change = as_sunday - usual
    off = np.abs(own)
    other = np.abs(own - change)
    whole = np.isfinite(own).mean(axis=1) > 0.9
    found = np.zeros(len(kinds), dtype=bool)
    if whole.any():
        found[whole] = other[whole].mean(axis=1, where=np.isfinite(other[whole])) < 0.5 * off[whole].mean(
            axis=1, where=np.isfinite(off[whole])
        )
    return _alone(found & working & whole)


def _alone(found: "NDArray[np.bool_]") -> "NDArray[np.bool_]":
    """Up to three within a fortnight: more are no holidays but another level."""
    around = np.convolve(found.astype(np.int64), np.ones(15, dtype=np.int64), "same")
    return found & (around[: len(found)] <= _FREE) if len(found) >= 15 else found


def _profile(kwh: "Floats", rows: "NDArray[np.bool_]") -> "Floats":
    some = kwh[rows]
    some = some[np.isfinite(some).any(axis=1)]
    return median(some) if len(some) else np.zeros(kwh.shape[1])
