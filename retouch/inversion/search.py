"""The search for latents whose pictures are like given ones, down a loss's slope."""

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from retouch.errors import FaceError
from retouch.inversion.plan import Inversion, Plan

Floats = NDArray[np.float32]

# Short memories: 40 steps ended at .206, with .9 and .99 at .215.
MEAN_KEPT, SQUARE_KEPT = np.float32(0.8), np.float32(0.9)


class Losses(Protocol):
    """Tells how unlike latents' pictures are to given ones, and what lessens that."""

    def targets(self, images: Floats, masks: Floats) -> Sequence[Floats]:
        """Return what pictures are compared with, computed once."""

    def at(
        self, latents: Floats, targets: Sequence[Floats], knobs: Floats
    ) -> tuple[Floats, Floats]:
        """Return the losses (N,), and the slope of each by its latents.

        Args:
            knobs: how firmly styles are tied, and the weights of the terms.
        """


class Descent:
    """Adam (Kingma and Ba, 2015), on arrays."""

    def __init__(self, start: Floats):
        self.now, self._steps = start, 0
        self._mean, self._square = np.zeros((2, *start.shape), np.float32)

    def step(self, slope: Floats, rate: float) -> None:
        """Go on, down a slope."""
        self._steps += 1
        self._mean += (1 - MEAN_KEPT) * (slope - self._mean)
        self._square += (1 - SQUARE_KEPT) * (slope**2 - self._square)
        rate *= np.sqrt(1 - SQUARE_KEPT**self._steps) / (1 - MEAN_KEPT**self._steps)
        move = self._mean / (np.sqrt(self._square) + np.float32(1e-8))
        self.now = self.now - np.float32(rate) * move


def searched(
    losses: Losses,
    plan: Plan,
    parts: Sequence[Floats],
    say: Callable[[int, Floats], None],
) -> Inversion:
    """Search for the latents of images, by their masks and from latents on."""
    images, masks, start = (np.asarray(part, np.float32) for part in parts)
    descent, best = Descent(start), start.copy()
    least = np.full(len(start), np.inf, np.float32)
    table, way, interrupted = [], [], False
    try:
        targets = losses.targets(images, masks)
        for i in range(plan.length):
            rate, *knobs = plan.numbers(i)
            told, slope = losses.at(descent.now, targets, np.array(knobs, np.float32))
            better = told < least
            least[better], best[better] = told[better], descent.now[better]
            descent.step(slope, rate)
            table.append(told)
            if i in plan.kept:
                way.append(best.copy())
            say(i, told)
    except KeyboardInterrupt:
        interrupted = True
    if table and not np.isfinite(least).all():
        raise FaceError(
            "The search for a face's latents came to numbers that are not finite;"
            " the model's weights may be damaged: retouch models verify."
        )
    rows = np.array(table, np.float32).reshape(-1, len(start))
    snaps = np.array(way, np.float32).reshape(-1, *start.shape)
    return Inversion(best, rows, snaps, interrupted)
