"""MIT-BIH's symbols as targets: the seed's 8 classes to learn and show, AAMI's groups to be judged by."""

import numpy as np
from numpy.typing import NDArray

CLASSES = ("N", "L", "R", "A", "V", "/", "!", "E")

AAMI = ("N", "S", "V", "F", "Q")
_AAMI_OF = {"N": "NLRBej", "S": "AaJSn", "V": "V!Er", "F": "F", "Q": "/fQ"}
GROUP = {symbol: group for group, symbols in _AAMI_OF.items() for symbol in symbols}

# A fusion beat is half of each, and too rare to learn alone: the network is taught to be in doubt.
_BLENDS = {
    **{symbol: {symbol: 1.0} for symbol in CLASSES},
    **{symbol: {"A": 1.0} for symbol in "aJS"},
    **{symbol: {"N": 1.0} for symbol in "ej"},
    "F": {"N": 0.5, "V": 0.5},
    "f": {"/": 0.5, "N": 0.5},
}


def targets(symbols: list[str]) -> NDArray[np.float32]:
    """(n, 8) the wanted probabilities; a row of zeros for what is not learned (Q)."""
    rows = np.zeros((len(symbols), len(CLASSES)), np.float32)
    for row, symbol in zip(rows, symbols, strict=True):
        for name, share in _BLENDS.get(symbol, {}).items():
            row[CLASSES.index(name)] = share
    return rows


def groups(symbols: list[str]) -> NDArray[np.int64]:
    """The AAMI group of each symbol, as an index into `AAMI`."""
    return np.array([AAMI.index(GROUP[symbol]) for symbol in symbols], np.int64)


def group_probabilities(probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, 8) → (n, 5): the sums over each group's classes. F has no class of its own and is never said."""
    summed = np.zeros((len(probabilities), len(AAMI)), np.float32)
    for column, name in enumerate(CLASSES):
        summed[:, AAMI.index(GROUP[name])] += probabilities[:, column]
    return summed
