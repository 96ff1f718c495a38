"""Squares in which detectors saw a face: where they lie, and which are the same."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from retouch.geometry import Similarity


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
        gap = np.hypot(*(self.frame((0.5, 0.5)) - other.frame((0.5, 0.5))))
        low, high = sorted([self.frame.scale, other.frame.scale])
        return bool(gap < 0.3 * low and high < 1.5 * low)


def turned(frame: Similarity, degrees: float) -> Similarity:
    """Return a frame turned clockwise about its centre."""
    turn = Similarity.turning(degrees)
    x, y = (0.5, 0.5) - turn((0.5, 0.5))
    return frame @ Similarity.shifting(x, y) @ turn


def best(sightings: list[Sighting]) -> list[Sighting]:
    """Keep of sightings of the same face the one with the highest score."""
    kept: list[Sighting] = []
    for sighting in sorted(sightings, key=lambda s: -s.score):
        if not any(sighting.is_near(other) for other in kept):
            kept.append(sighting)
    return kept
