"""What following an expression aims at, and what it leaves alone."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
KEPT = ("age", "gender", "skin-color")


@dataclass(frozen=True, eq=False)
class Aim:
    """What a face is to gain at alpha 1."""

    expression: Floats  # (N, K), in deviations
    happier: Floats  # (N,), by the guide
