"""dlib's own descriptor, by dlib's own alignment: for reports, not for gradients."""

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


class Descriptors:
    """Turns crops and their landmarks into dlib's 128 numbers."""

    def __init__(self, file: Path):
        self.file = file

    @cached_property
    def _model(self) -> Any:
        import dlib

        return dlib.face_recognition_model_v1(str(self.file))

    def of(self, images: Floats, landmarks: Floats) -> Floats:
        """Return descriptors (N, 128) of images in [-1, 1]; landmarks in pixels."""
        pixels = np.rint(np.clip(images * 127.5 + 127.5, 0, 255)).astype(np.uint8)
        pairs = zip(pixels, landmarks, strict=True)
        rows = [
            self._model.compute_face_descriptor(image, _shape(image, points))
            for image, points in pairs
        ]
        return np.array(rows, np.float32).reshape(-1, 128)


def _shape(image: NDArray[np.uint8], landmarks: Floats) -> Any:
    import dlib

    height, width = image.shape[:2]
    # dlib counts from pixel centres, so a point in [n, n + 1) lies in its pixel n.
    points = [dlib.point(int(x), int(y)) for x, y in np.floor(landmarks)]
    return dlib.full_object_detection(dlib.rectangle(0, 0, width, height), points)
