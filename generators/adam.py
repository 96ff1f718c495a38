"""Adam (Kingma and Ba, 2015) as a pure function, for trainings and inversions.

Keras' own optimisers cannot be applied without side effects on TensorFlow.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops

Tensors = list[Any]  # of tensors, such as the values of a network's variables


def averaged(means: Tensors, tensors: Tensors, decay) -> Tensors:
    """Move exponential moving averages towards the tensors."""
    return [m + (1 - decay) * (t - m) for m, t in zip(means, tensors, strict=True)]


@dataclass(frozen=True)
class Adam:
    """The constants of the optimiser; its state is a list of tensors."""

    rate: float
    first: float = 0.9
    second: float = 0.99
    warm_up: int = 0  # steps
    decay_over: int = 0  # steps of a cosine down to a fiftieth; 0 stays

    def start(self, tensors: Tensors) -> Tensors:
        """Return the state before the first step."""
        zeros = [ops.zeros_like(t) for t in tensors]
        return [ops.zeros(()), *zeros, *zeros]

    def apply(self, state: Tensors, gradients: Tensors, tensors: Tensors):
        """Return the new tensors and the new state."""
        half = len(tensors) + 1
        step = state[0] + 1
        means = averaged(state[1:half], gradients, self.first)
        squares = averaged(state[half:], [g * g for g in gradients], self.second)
        rate = self._rate(step) * ops.sqrt(1 - self.second**step)
        rate = rate / (1 - self.first**step)
        moved = [
            t - rate * m / (ops.sqrt(s) + 1e-8)
            for t, m, s in zip(tensors, means, squares, strict=True)
        ]
        return moved, [step, *means, *squares]

    def _rate(self, step):
        rate = self.rate
        if self.warm_up:
            rate = rate * ops.minimum(1.0, step / self.warm_up)
        if self.decay_over:
            part = ops.minimum(1.0, step / self.decay_over)
            rate = rate * (0.02 + 0.49 * (1 + ops.cos(np.pi * part)))
        return rate
