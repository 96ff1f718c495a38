"""Beautify: a climb in what people differ in, judged by the picture that it gives.

What is climbed are a dozen numbers of a wish, through the moves learnt from people and
through the generator, so that no face leaves what people look like. Each number is
tried a step further; the guide says what that does to the picture that the photo will
show. Where all readings together come nearest to what is wished is found by least
squares (Gauss-Newton), and how far to go on that way by a last row of pictures.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from retouch.edits.edit import View
from retouch.edits.way import Way
from scorers.guide import Guide
from scorers.judge import FREED
from scorers.moves import Moves

Floats = NDArray[np.float32]
# What may change of a face. Light, skin, hair, age, gender and make-up may not.
FREE = (
    *("attractive", "eyes-open", "eye-width", "brow-height", "brow-gap"),
    *("lip-thickness", "jaw-width", "chin-length", "nose-width", "nose-length"),
    *("mouth-width", "corners-up", "weight", "saturation"),
)
PLAIN, AMOUNT = "attractive", 1.0  # the wish at strength 1 that a climb begins at
WISHED = "attractive", FREED  # what the guide is asked for
GOAL = 0.7  # deviations that strength 1 wishes for; identity ends the way before
STEP = 0.8  # deviations by which each number is tried
# How far the descriptor may move in the crop at strength 1, and how that grows.
REACH, GROWTH = 0.165, 0.55
SHARES = 0.4, 0.7, 1.0, 1.4, 2.0  # of the way found, that are drawn
HELD: Mapping[str, float] = {"eye_makeup": 6.0, "lip_makeup": 6.0, "weight": 4.0}
HOLD = 3.0  # on the square of any other kept trait's drift
IDENTITY = 10.0  # on the square of the descriptor's move
LENGTH = 0.05  # on the square of the step beyond the plain wish
AT_ONCE = 8  # pictures that are drawn together


@dataclass(frozen=True, eq=False)
class Beauty:
    """A climb to more of what raters like, while what is kept stays."""

    moves: Moves
    guide: Guide
    keep: tuple[str, ...] = ()

    def way(self, view: View, strengths: Floats, goals: Floats) -> Way:
        """Return the ways of all faces.

        Args:
            strengths: how far each may go, (N,).
            goals: deviations that each shall gain, (N,).
        """
        rows = zip(strengths, goals, strict=True)
        changes = [self._climbed(view, i, *row) for i, row in enumerate(rows)]
        return Way.learnt(view.latents, np.stack(changes), self.moves)

    def _climbed(self, view: View, row: int, strength: float, goal: float) -> Floats:
        """Return how the traits of one face change, (traits,)."""
        nothing = np.zeros(len(self.moves.names), np.float32)
        if strength <= 0 or goal <= 0:
            return nothing
        plain, was = nothing.copy(), self._sees(view.images[row : row + 1])
        plain[self.moves.names.index(PLAIN)] = AMOUNT * strength
        seen = self._seen(view, row, plain + np.vstack([nothing, self._steps])) - was
        best = plain + self._solved(seen, goal) @ self._steps / STEP
        tried = np.stack([nothing, plain, *(share * best for share in SHARES)])
        seen = np.vstack([0 * was, self._seen(view, row, tried[1:]) - was])
        far = np.linalg.norm(seen[:, : self._who], axis=1)
        reach = min(view.budget, REACH * strength**GROWTH)
        costs = ((seen @ self._readings - self._wanted(goal)) ** 2).sum(1)
        return tried[int(np.argmin(np.where(far <= reach, costs, np.inf)))]

    def _solved(self, seen: Floats, goal: float) -> Floats:
        """Return the step of each free number after which least is amiss, (free,)."""
        slopes = (seen[1:] - seen[0]) / STEP @ self._readings
        amiss = self._wanted(goal) - seen[0] @ self._readings
        square = slopes @ slopes.T + LENGTH * np.eye(len(slopes))
        return np.linalg.solve(square, slopes @ amiss).astype(np.float32)

    def _seen(self, view: View, row: int, changes: Floats) -> Floats:
        """Return what the guide sees of one face after each change, (K, inputs)."""
        start = np.repeat(view.latents[row : row + 1], len(changes), 0)
        whole = Way.learnt(start, changes, self.moves)
        parts = range(0, len(changes), AT_ONCE)
        assert view.show is not None
        shown = (view.show(whole[i : i + AT_ONCE], row) for i in parts)
        return np.concatenate([self._sees(images) for images in shown])

    def _wanted(self, goal: float) -> Floats:
        """Return what the readings shall change by."""
        wanted = np.zeros(self._readings.shape[1], np.float32)
        wanted[: 2 * len(WISHED)] = goal
        return wanted

    @cached_property
    def _readings(self) -> Floats:
        """What counts of what is seen: the wished, the kept, and who it is."""
        judge, who = self.guide.judge, self._who
        own = np.zeros_like(judge.slopes)
        own[:who] = judge.descriptor_slopes
        wished = [judge.names.index(name) for name in WISHED]
        kept = [name for name in self.keep if name in judge.names]
        held = judge.slopes[:, [judge.names.index(name) for name in kept]]
        weights = np.sqrt([HELD.get(name, HOLD) for name in kept])
        same = np.sqrt(IDENTITY) * np.eye(len(own), who)
        parts = judge.slopes[:, wished], own[:, wished], held * weights, same
        return np.concatenate(parts, 1).astype(np.float32)

    @cached_property
    def _steps(self) -> Floats:
        """A step of each number that may change, (free, traits)."""
        names = self.moves.names
        free = [names.index(name) for name in FREE if name in names]
        return STEP * np.eye(len(names), dtype=np.float32)[free]

    @property
    def _who(self) -> int:
        """How many of the guide's inputs tell who it is."""
        return len(self.guide.judge.descriptor_slopes)

    def _sees(self, images: Floats) -> Floats:
        return np.asarray(self.guide.sees(images))
