"""Which operations go with values: NumPy's with arrays, Keras' with tensors."""

from typing import Any

import numpy as np


def maths(values: Any) -> Any:
    """Return the module whose functions take these values."""
    if isinstance(values, np.ndarray):
        return np
    from keras import ops

    return ops
