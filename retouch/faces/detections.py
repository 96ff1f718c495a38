"""Squares in which detectors saw a face: where they lie, and which are the same."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retouch.geometry import Points, Similarity


@dataclass(frozen=True)
class Sighting:
    """A square that a detector marked: the unit square, moved into the photo."""

    frame: Similarity
    score: float

    @classmethod
    def of(cls, box: Any, score: float, back: Similarity) -> "Sighting":
        """Return what dlib's box in a copy is; back leads from there to the photo."""
        frame = Similarity(box.width(), 0, box.left(), box.top())
        return cls(back @ frame, float(score))

    def is_near(self, other: "Sighting") -> bool:
        """Tell whether both mark the same face, turned however."""
        gap = self.frame((0.5, 0.5)) - other.frame((0.5, 0.5))
        sides = np.array([self.frame.scale])
        return bool(_near(gap[None], sides, other.frame.scale)[0])

    def is_part_of(self, other: "Sighting") -> bool:
        """Tell whether it marks a small part of what the other does."""
        return self.lies_in(other) and self.frame.scale < other.frame.scale / 2

    def lies_in(self, other: "Sighting") -> bool:
        """Tell whether it marks a part of what the other does, or not much more."""
        gap = np.hypot(*(self.frame((0.5, 0.5)) - other.frame((0.5, 0.5))))
        side = other.frame.scale
        return bool(gap < side / 2 and self.frame.scale < 2 * side)


def turned(frame: Similarity, degrees: float) -> Similarity:
    """Return a frame turned clockwise about its centre."""
    turn = Similarity.turning(degrees)
    x, y = (0.5, 0.5) - turn((0.5, 0.5))
    return frame @ Similarity.shifting(x, y) @ turn


def best(sightings: list[Sighting]) -> list[Sighting]:
    """Keep of sightings of the same face the one with the highest score."""
    centres = np.array([s.frame((0.5, 0.5)) for s in sightings]).reshape(-1, 2)
    sides = np.array([s.frame.scale for s in sightings])
    scores = np.array([s.score for s in sightings])
    return [sightings[i] for i in apart(centres, sides, scores)]


def apart(
    centres: Points, sides: NDArray[Any], scores: NDArray[Any], most: int | None = None
) -> list[int]:
    """Return which squares to keep, of those of the same face the one that scores best.

    Args:
        most: how many at the most; None: all.
    """
    left = np.ones(len(scores), bool)
    kept: list[int] = []
    for i in np.argsort(-scores, kind="stable").tolist():
        if len(kept) == most:
            break
        if left[i]:
            kept.append(i)
            left &= ~_near(centres - centres[i], sides, sides[i])
    return kept


def _near(gaps: NDArray[Any], sides: NDArray[Any], side: float) -> NDArray[np.bool_]:
    low, high = np.minimum(sides, side), np.maximum(sides, side)
    return (np.hypot(*gaps.T) < 0.3 * low) & (high < 1.5 * low)
