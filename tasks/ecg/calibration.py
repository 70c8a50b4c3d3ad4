"""From the network's logits to probabilities that mean what they say."""

from typing import cast

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def calibrated(logits: Floats, temperature: float, bias: Floats) -> Floats:
    """Softmax of logits / temperature + bias, (n, classes), as Guo et al. 2017 with a shift of the class priors."""
    scaled = logits / temperature + bias
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return cast(Floats, (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32))
