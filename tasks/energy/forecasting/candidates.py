"""All candidates, cheapest first: the first of them are validated whatever the budget."""

from tasks.energy.forecasting import arima, autoregression, baseline, regression, smoothing
from tasks.energy.forecasting.candidate import Candidate

CANDIDATES: tuple[Candidate, ...] = (
    *baseline.CANDIDATES,
    *autoregression.CANDIDATES,
    *smoothing.CANDIDATES,
    *regression.CANDIDATES,
    arima.CANDIDATE,
)
