"""statsmodels within a budget: every evaluation of a likelihood looks at the clock first."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from tasks.energy.forecasting.candidate import Deadline


def watched(model: Any, deadline: Deadline) -> Any:
    """The same model; its likelihood raises OutOfTime when the deadline has passed, which stops the optimiser."""
    evaluate = model.loglike

    def loglike(*args: Any, **kwargs: Any) -> Any:
        deadline.check()
        return evaluate(*args, **kwargs)

    model.loglike = loglike
    return model


@contextmanager
def quiet() -> Iterator[None]:
    """Without the warnings of fits that did not converge: validation judges them.

    Raises:
        ValueError: linear algebra failed within.
    """
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            yield
        except np.linalg.LinAlgError as error:
            raise ValueError("Its equations have no answer.") from error
