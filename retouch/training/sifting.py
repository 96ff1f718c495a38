"""One picture of a source: the crop of its main face, or why it has none."""

import multiprocessing
import os
import signal
from functools import cache
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from retouch.errors import RetouchError
from retouch.faces import crop
from retouch.faces.detect import Detector
from retouch.faces.face_crop import FaceCrop
from retouch.faces.search_copies import SMALLEST
from retouch.geometry import TEMPLATES, TIGHT, CropTemplate, Face, anchors
from retouch.photos import photo
from retouch.photos.levels import eight_bit
from retouch.training.options import Recipe

LARGE = 2_000_000  # pixels of a picture, from which the detector sets its own limit


class Crop(NamedTuple):
    """A crop and its landmarks, in pixels of the crop."""

    image: NDArray[np.uint8]  # (R, R, 3)
    landmarks: NDArray[np.float32]  # (68, 2)


class Reject(NamedTuple):
    """Why a picture gives no crop, in a word and in figures."""

    reason: str
    detail: str = ""


def examine(path: Path, recipe: Recipe) -> Crop | Reject:
    """Return the crop of the picture's main face, or why there is none."""
    try:
        pixels = eight_bit(photo.read(path).pixels)
    except RetouchError as error:
        return Reject("unreadable", str(error).replace(str(path), path.name))
    faces = detector().find(pixels, smallest=_smallest(pixels, recipe))
    if not faces:
        return Reject("no face")
    return _cut(pixels, main_face(faces, pixels.shape), recipe)


def main_face(faces: list[Face], shape: tuple[int, ...]) -> Face:
    """Return the face that the picture is of: large, and near the middle."""
    middle = np.array([shape[1], shape[0]]) / 2

    def prominence(face: Face) -> float:
        distance = np.hypot(*(np.mean(anchors(face.landmarks), 0) - middle))
        return float(face.size / 2 - distance)

    return max(faces, key=prominence)


@cache
def detector() -> Detector:
    """Return this process' detector; loading its models takes a while."""
    return Detector()


def end_with_parent() -> None:
    """Leave Control-C to the process that hands out the work, and end when it ends.

    However it ends: a process that is killed cannot tell its workers.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def follow() -> None:
        parent.join()
        os._exit(1)

    Thread(target=follow, daemon=True).start()


def _smallest(pixels: NDArray[Any], recipe: Recipe) -> float | None:
    """Return the side of faces worth looking for, a little below what is kept."""
    side = recipe.resolution / recipe.enlarged
    side *= TIGHT.eyes / TEMPLATES[recipe.crop].eyes
    return None if pixels.size > 3 * LARGE else max(SMALLEST, 0.8 * side)


def _cut(pixels: NDArray[Any], face: Face, recipe: Recipe) -> Crop | Reject:
    size, template = recipe.resolution, TEMPLATES[recipe.crop]
    transform = face.transform(template, size)
    landmarks = transform(face.landmarks)
    covered = float(crop.coverage(transform, size, pixels.shape).mean())
    off = _eyes_off(landmarks / size, template)
    if reject := _ill_placed(transform.scale, covered, off, recipe):
        return reject
    image = FaceCrop.at(pixels, face, transform, size).picture
    return _poor(image, recipe) or Crop(image, landmarks.astype(np.float32))


def _ill_placed(
    enlarged: float, covered: float, off: float, recipe: Recipe
) -> Reject | None:
    if enlarged > recipe.enlarged:
        return Reject("too small", f"enlarged {enlarged:.2f} times")
    if covered < recipe.covered:
        return Reject("outside", f"{covered:.0%} of the crop lies in the picture")
    if off > recipe.astray:
        return Reject("turned", f"an eye lies {off:.2f} sides off its place")
    return None


def _poor(image: NDArray[np.uint8], recipe: Recipe) -> Reject | None:
    sharp, colourful = sharpness(image), saturation(image)
    if sharp < recipe.sharp:
        return Reject("blurred", f"sharpness {sharp:.3f}")
    if colourful < recipe.colourful:
        return Reject("grey", f"saturation {colourful:.3f}")
    return None


def _eyes_off(points: NDArray[Any], template: CropTemplate) -> float:
    """Return how far the eyes of a crop of side 1 lie from a facing person's."""
    half, height = 0.5 / template.eyes, 0.5 - template.centre / template.mouth
    left, right, _ = anchors(points)
    wanted = np.array([[0.5 - half, height], [0.5 + half, height]])
    return float(np.abs(np.array([left, right]) - wanted).max())


def _middle(image: NDArray[Any]) -> NDArray[np.float32]:
    rim = len(image) // 8
    return image[rim:-rim, rim:-rim].astype(np.float32)


def sharpness(image: NDArray[np.uint8]) -> float:
    """Return the Laplacian's deviation against that of the values."""
    grey = _middle(image).mean(-1)
    near = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
    return float((4 * grey[1:-1, 1:-1] - near).std() / (grey.std() + 1e-6))


def saturation(image: NDArray[np.uint8]) -> float:
    """Return the difference of the colours against the brightness: 0 is grey."""
    middle = _middle(image)
    high = middle.max(-1)
    return float((high - middle.min(-1)).sum() / (high.sum() + 1e-6))
