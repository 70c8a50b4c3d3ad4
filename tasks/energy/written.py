"""A forecast as a table."""

from tasks.energy.result import Ahead
from tasks.tables import csv_lines

HEADER = ("time", "mean", "lower 80 %", "upper 80 %", "lower 95 %", "upper 95 %")


def forecast_csv(told: Ahead) -> bytes:
    """A line for each step; the unit stands in the header."""
    header = [HEADER[0], *(f"{name} ({told.unit})" for name in HEADER[1:])]
    rows = (
        (step.time, step.mean, step.lower_80, step.upper_80, step.lower_95, step.upper_95) for step in told.forecast
    )
    return b"".join(csv_lines(header, rows))
