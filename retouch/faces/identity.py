"""Who a face is: dlib's descriptor of it, and the distance between two."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pretrained import dlib_files
from retouch.faces.face_crop import FaceCrop
from retouch.geometry import TIGHT, Face
from scorers.descriptor import Descriptors

Floats = NDArray[np.float32]
COMPARED = 256  # pixels a side of the crops in which faces are compared


@cache
def descriptors() -> Descriptors:
    """Return dlib's own reader of descriptors."""
    return Descriptors(dlib_files.locate(dlib_files.DESCRIPTOR))


def comparable(
    photo: NDArray[Any], faces: Iterable[Face], *, linear: bool = False
) -> list[FaceCrop]:
    """Return the crops in which the faces of a photo are compared."""
    return [FaceCrop.of(photo, f, TIGHT, COMPARED, linear=linear) for f in faces]


def described(crops: Sequence[FaceCrop]) -> Floats:
    """Return the descriptors of faces, (N, 128)."""
    images = np.stack([crop.image for crop in crops])
    return descriptors().of(images, landmarks_of(crops))


def landmarks_of(crops: Sequence[FaceCrop]) -> Floats:
    """Return the landmarks of faces as readers take them, (N, 68, 2)."""
    return np.array([crop.landmarks for crop in crops], np.float32)


def apart(one: Floats, other: Floats) -> Floats:
    """Return how far descriptors (..., 128) lie apart; 0.6 is another person."""
    return np.asarray(np.linalg.norm(one - other, axis=-1))
