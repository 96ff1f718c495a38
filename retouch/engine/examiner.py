"""What became of faces, judged by what guides no edit."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from retouch.engine.memory import Memory
from retouch.errors import SettingsError
from retouch.faces.detect import Detector
from retouch.faces.identity import apart, comparable, described, landmarks_of
from retouch.geometry import Face
from retouch.models import Model
from retouch.photos.photo import Photo
from scorers.judge import Judge

Floats = NDArray[np.float32]
Looks = tuple[Floats, Floats]  # descriptors and landmarks of faces


class Examiner:
    """Compares faces before and after; nothing it says guides an edit."""

    def __init__(self, model: Model, detector: Detector):
        if model.judge is None:
            raise SettingsError("The judge of faces is missing. Install retouch anew.")
        self.detector = detector
        self.judge: Judge = model.judge
        self._seen = Memory(_seen)

    def years(self, photo: Photo, faces: list[Face]) -> Floats:
        """Return how old the faces look, (N,)."""
        return self.judge.years(*self.seen(photo, faces))

    def compare(
        self, old: Looks, after: Photo, faces: list[Face], trait: str
    ) -> list[dict[str, Any]]:
        """Return for each face the fields of its report that tell the difference.

        Args:
            old: what was `seen` of them before.
        """
        again = [self.detector.again(after.pixels, face) for face in faces]
        new = self.seen(after, again)
        scores = self.judge.score(*old), self.judge.score(*new)
        seconds = tuple(self.judge.second_opinion(seen[0]) for seen in (old, new))
        gaps = apart(new[0], old[0])
        rows = [
            {"identity": float(gap), "changed": self._drift(scores, i)}
            for i, gap in enumerate(gaps)
        ]
        if trait in self.judge.names:
            place = self.judge.names.index(trait)
            for i, row in enumerate(rows):
                row["judged"] = pair(scores, i, place)
                row["second"] = pair(seconds, i, place)
        return rows

    def _drift(self, scores: tuple[Floats, Floats], row: int) -> dict[str, float]:
        change = scores[1][row] - scores[0][row]
        named = zip(self.judge.names, change, strict=True)
        return {name: round(float(value), 3) for name, value in named}

    def seen(self, photo: Photo, faces: list[Face]) -> Looks:
        """Return descriptors and landmarks of faces, in the crops that are compared."""
        looks = [self._seen(photo.pixels, face) for face in faces]
        descriptors, landmarks = zip(*looks, strict=True)
        return np.concatenate(descriptors), np.concatenate(landmarks)


def _seen(pixels: NDArray[Any], face: Face) -> Looks:
    crops = comparable(pixels, [face])
    return described(crops), landmarks_of(crops)


def pair(scores: Any, row: int, column: int) -> tuple[float, float]:
    """Return one score before and after."""
    return float(scores[0][row, column]), float(scores[1][row, column])
