"""What edited faces look like: drawn by the generator, laid into photos and crops."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from retouch.edits.way import Way
from retouch.faces.detect import Detector
from retouch.geometry import Face, Similarity
from retouch.models import Model
from retouch.settings import Settings
from retouch.stitching.change import Change
from retouch.stitching.stitch import Piece, stitch

Floats = NDArray[np.float32]


class Renderer:
    """Draws faces at both ends of a way and stitches what is between them."""

    def __init__(self, model: Model, detector: Detector):
        self.model, self.detector = model, detector

    def laid(
        self, pixels: NDArray, faces: Sequence[Face], way: Way, settings: Settings
    ) -> NDArray:
        """Return a photo's pixels (H, W, 3) with its faces gone a way."""
        place = self.model.template, self.model.generator.resolution
        placed = [face.transform(*place) for face in faces]
        pieces = self._pieces(faces, placed, way)
        names = settings.regions
        return stitch(pixels, pieces, method=settings.stitch, regions=names)

    def shown(
        self, images: Floats, faces: Sequence[Face], way: Way, settings: Settings
    ) -> Floats:
        """Return crops (N, R, R, 3) with their faces gone a way.

        Args:
            faces: as they lie in the crops.
        """
        crops = np.rint(_levels(images)).astype(np.uint8)
        pieces = self._pieces(faces, [Similarity.scaling(1.0)] * len(faces), way)
        how = {"method": settings.stitch, "regions": settings.regions}
        laid = [stitch(c, [p], **how) for c, p in zip(crops, pieces, strict=True)]  # type: ignore[arg-type]
        return np.stack(laid).astype(np.float32) / np.float32(127.5) - 1

    def _pieces(
        self, faces: Sequence[Face], placed: Sequence[Similarity], way: Way
    ) -> list[Piece]:
        before, after = (_levels(self.model.draw(z)) for z in (way.start, way.end))
        pieces = []
        for face, place, old, new in zip(faces, placed, before, after, strict=True):
            there = face.moved(place)
            marks = self._landmarks(old, there), self._landmarks(new, there)
            change = Change(old, new, marks=marks, fine=way.fine)
            pieces.append(Piece(face, place, change))
        return pieces

    def _landmarks(self, picture: Floats, face: Face) -> NDArray[np.float64]:
        """Return the landmarks of a drawn face near those of the one in the photo."""
        pixels = np.rint(picture).astype(np.uint8)
        return self.detector.again(pixels, face).landmarks


def _levels(images: Floats) -> Floats:
    return np.clip(images * np.float32(127.5) + np.float32(127.5), 0, 255)
