"""Who a face is: dlib's descriptor of it, and the distance between two.

Faces are aligned by dlib itself; ONNX Runtime runs its network, which gives the same
numbers to the sixth digit, ten times as fast.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pretrained.forward_models import network_of_dlib
from retouch.faces.face_crop import FaceCrop
from retouch.geometry import TIGHT, Face
from retouch.photos.levels import pixels_of
from scorers.dlib_layout import SIZE

Floats = NDArray[np.float32]
PADDING = 0.25  # of dlib's chip, around the face
COMPARED = 256  # pixels a side of the crops in which faces are compared


def comparable(
    photo: NDArray[Any], faces: Iterable[Face], *, linear: bool = False
) -> list[FaceCrop]:
    """Return the crops in which the faces of a photo are compared."""
    return [FaceCrop.of(photo, f, TIGHT, COMPARED, linear=linear) for f in faces]


def described(crops: Sequence[FaceCrop]) -> Floats:
    """Return the descriptors of faces, (N, 128)."""
    images = np.stack([crop.image for crop in crops])
    return descriptors(images, landmarks_of(crops))


def descriptors(images: Floats, landmarks: Floats) -> Floats:
    """Return those (N, 128) of images in [-1, 1] with landmarks in their pixels."""
    return looks(images, landmarks)[0]


def looks(images: Floats, landmarks: Floats) -> tuple[Floats, Floats]:
    """Return the same, and what shapes are read of, (N, 4096)."""
    pixels = pixels_of(images)
    chips = [_chip(*face) for face in zip(pixels, landmarks, strict=True)]
    whole = np.array(chips, np.float32).reshape(-1, SIZE, SIZE, 3) / 127.5 - 1
    seen = network_of_dlib()(whole)
    return seen[:, :128], seen[:, 128:]


def landmarks_of(crops: Sequence[FaceCrop]) -> Floats:
    """Return the landmarks of faces as readers take them, (N, 68, 2)."""
    return np.array([crop.landmarks for crop in crops], np.float32)


def apart(one: Floats, other: Floats) -> Floats:
    """Return how far descriptors (..., 128) lie apart; 0.6 is another person."""
    return np.asarray(np.linalg.norm(one - other, axis=-1))


def _chip(image: NDArray[np.uint8], landmarks: Floats) -> NDArray[np.uint8]:
    """Return the picture that dlib's network reads, (150, 150, 3)."""
    import dlib

    height, width = image.shape[:2]
    # dlib counts from pixel centres, so a point in [n, n + 1) lies in its pixel n.
    points = [dlib.point(int(x), int(y)) for x, y in np.floor(landmarks)]
    box = dlib.rectangle(0, 0, width, height)
    shape = dlib.full_object_detection(box, points)
    return np.asarray(dlib.get_face_chip(image, shape, SIZE, PADDING))
