"""What one picture of a face shows: who it is, action units, pose and quality.

Nothing here guides an edit, and no generator is loaded.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import laplace

from pretrained.loading import load_action_units, load_judge
from pretrained.registry import library
from retouch.errors import FaceError
from retouch.expressions import openface
from retouch.faces.detect import Detector
from retouch.faces.identity import apart, comparable, described, landmarks_of
from retouch.geometry import Face
from retouch.photos.levels import pixels_of
from retouch.photos.photo import Photo
from scorers.action_units import HIGHEST
from scorers.facenet import Facenet

Floats = NDArray[np.float32]
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
GLAD = "happy"
# Units of ours that part an emotion from neutral faces seven times in ten, or better.
TRUSTED = ("AU06", "AU12", "AU25", "AU26")
LEAST_GAP = 2.0  # of trusted units together: faces less apart show the same expression


@dataclass(frozen=True, eq=False)
class Measures:
    """What was measured of one face."""

    descriptor: Floats  # (128,)
    facenet: Floats | None  # (512,)
    units: Mapping[str, float]  # 0-5
    trusted: Mapping[str, float]  # units that mean something, not cut off at 0
    pose: tuple[float, float, float]  # degrees: to the side, up, turned
    happy: float  # by the judge, in deviations
    sharpness: float  # of the crop: edges' edges against contrast

    def distance(self, other: "Measures") -> float:
        return float(apart(self.descriptor, other.descriptor))

    def facenet_distance(self, other: "Measures") -> float | None:
        if self.facenet is None or other.facenet is None:
            return None
        return float(apart(self.facenet, other.facenet))

    def agreement(self, other: "Measures") -> float:
        """Return 1 for the same trusted units, 0 for the most different there can be.

        Any two faces agree well: they share most zeros. So this tells that nothing
        else happened; how much of an expression arrived is what `gone` tells.
        """
        gaps = [abs(self.units[name] - other.units[name]) for name in self.trusted]
        return 1 - float(np.mean(gaps)) / 5

    def gone(self, start: "Measures", end: "Measures") -> float | None:
        """Return the part of the way from one face's expression to another's.

        It is the projection upon the way between the two in the trusted units: 0 at
        the start, 1 at the end, more beyond it. What a unit gains that the two have
        alike counts as nothing, so neither zeros in both nor noise across the way can
        pass for a transfer. Units go on below 0 here: a mouth whose corners hang rises
        far before its unit leaves 0. Faces that hardly differ have no way: None.
        """
        way = end._strengths() - start._strengths()
        if np.linalg.norm(way) < LEAST_GAP:
            return None
        return float((self._strengths() - start._strengths()) @ way / (way @ way))

    def apart(self, other: "Measures") -> float:
        """Return how far two faces' trusted units lie apart, without bounds."""
        return float(np.linalg.norm(self._strengths() - other._strengths()))

    def _strengths(self) -> NDArray[np.float64]:
        return np.array(list(self.trusted.values()), np.float64)

    def turned(self, other: "Measures") -> float:
        """Return the degrees between two poses, the largest of the three."""
        pairs = zip(self.pose, other.pose, strict=True)
        return max(abs(a - b) for a, b in pairs)


class Assessor:
    """Measures faces; loads its models once."""

    def __init__(self) -> None:
        self.detector, shelf = Detector(), library()
        self.units, self.judge = load_action_units(shelf), load_judge(shelf, "judge")
        self.openface = openface.available()

    @cached_property
    def facenet(self) -> Facenet | None:
        """The second opinion on identity, where its package is installed."""
        return Facenet.installed()

    def face(self, photo: Photo, name: str, number: int = 0) -> Face:
        """Return a face of a photo, the largest if none is asked for."""
        faces = self.detector.find(photo.pixels)
        if number >= len(faces):
            shown = f"no face {number}, counted from 0" if faces else "no face"
            raise FaceError(
                f"'{name}' shows {shown}, which was to be measured. Take the picture"
                " out of the folder, or replace it."
            )
        return faces[number]

    def see(self, photo: Photo, face: Face) -> Measures:
        """Measure a face, its landmarks read anew, as they must be after an edit."""
        face = self.detector.again(photo.pixels, face)
        crops = comparable(photo.pixels, [face])
        images, marks = np.clip(crops[0].image[None], -1, 1), landmarks_of(crops)
        descriptors = described(crops)
        scores = self.judge.score(descriptors, marks)[0]
        side, up = self.units.expressions.poses(marks)[0]
        units, trusted = self._units(images, marks)
        return Measures(
            descriptors[0],
            None if self.facenet is None else self.facenet.embed(images)[0],
            units,
            trusted,
            (float(side), float(up), face.roll),
            float(scores[self.judge.names.index(GLAD)]),
            sharpness(images[0]),
        )

    def _units(
        self, images: Floats, marks: Floats
    ) -> tuple[Mapping[str, float], Mapping[str, float]]:
        """Return all units, and the trusted ones without bounds."""
        if self.openface:
            pixels = pixels_of(images[0])
            found = openface.action_units(np.pad(pixels, [(64, 64), (64, 64), (0, 0)]))
            if found:
                return found, found
            raise FaceError(
                "OpenFace found no face in a crop that holds one. Take"
                f" {openface.PROGRAM} off the PATH to use retouch's own estimate."
            )
        scores = self.units.unbounded(images, marks)[0].tolist()
        every = dict(zip(self.units.names, scores, strict=True))
        bounded = {name: min(max(score, 0.0), HIGHEST) for name, score in every.items()}
        return bounded, {name: every[name] for name in TRUSTED}


def sharpness(crop: Floats) -> float:
    """Return the deviation of the Laplacian against that of the luminance."""
    grey = crop @ LUMA
    return float(laplace(grey).std() / (grey.std() + 1e-6))
