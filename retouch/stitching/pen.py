"""A pen: hairs and outlines, no wider than they are, however small the photo."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from retouch.faces.crop import Pixels, Window
from retouch.geometry import Points
from retouch.smoothing import smoothed

SPACING = 1.0  # pixels between the points by which a stroke is drawn
# So many times as fine are outlines drawn, and so many pixels of that across: in small
# photos rims of glasses are thinner than a pixel.
FINER, ACROSS = 3, 768
ALONG = 40  # points of a curve
Shape = NDArray[np.float64]  # (N, 2), an outline


def strokes(joints: Points, thick: NDArray[Any], shape: tuple[int, int]) -> Pixels:
    """Return how much of each pixel is drawn over, by strokes that taper, (h, w).

    Args:
        joints: (N, J, 2), between which strokes are straight.
        thick: in pixels, (N,), where they begin.
    """
    joints = joints.astype(np.float32)
    long = np.hypot(*np.moveaxis(np.diff(joints, axis=1), -1, 0)).sum(1)
    count = int(np.ceil(long.max(initial=0) / SPACING)) + 1
    along = (np.arange(count, dtype=np.float32) + 0.5) / count
    before, past = np.divmod(along * (joints.shape[1] - 1), 1)
    first, past = before.astype(int), past[:, None]
    points = joints[:, first] * (1 - past) + joints[:, first + 1] * past
    area = ((thick * long / count)[:, None] * (1 - along)).astype(np.float32)
    # A rim of one pixel takes what lies half beyond the edge.
    height, width = shape
    near = np.floor(points - 0.5)
    right, under = np.moveaxis(points - 0.5 - near, -1, 0)
    x, y = np.moveaxis(near.astype(np.int32) + 1, -1, 0)
    area *= (x >= 0) & (x <= width) & (y >= 0) & (y <= height)
    place = y.clip(0, height) * (width + 2) + x.clip(0, width)
    plane: NDArray[Any] = np.zeros((height + 2) * (width + 2))
    for further, part in (
        (0, (1 - right) * (1 - under)),
        (1, right * (1 - under)),
        (width + 2, (1 - right) * under),
        (width + 3, right * under),
    ):
        weights = (part * area).ravel()
        plane += np.bincount((place + further).ravel(), weights, len(plane))
    inside = plane.reshape(height + 2, width + 2)[1:-1, 1:-1]
    return smoothed(inside, float(thick.mean()) / 3 if len(thick) else 0)


def curve(points: Points) -> Points:
    """Return the cubic curve through four points, evenly stepped, (ALONG, 2)."""
    steps = np.maximum(np.hypot(*np.diff(points, axis=0).T), 1e-6)
    along = np.concatenate([[0], np.cumsum(steps)]) / steps.sum()
    terms = np.linalg.solve(np.vander(along), points)
    return np.vander(np.linspace(0, 1, ALONG), len(points)) @ terms


def rounded(points: Points) -> Points:
    """Return points (N, 2) joined by cubics that hardly leave the straight way."""
    ends = 2 * points[[0, -1]] - points[[1, -2]]
    around = np.concatenate([ends[:1], points, ends[1:]])
    slopes = (around[2:] - around[:-2]) / 2
    past = np.linspace(0, 1, ALONG // len(points), endpoint=False)[:, None, None]
    steps, ease = np.diff(points, axis=0), past * (1 - past)
    bend = (1 - past) * (slopes[:-1] - steps) + past * (steps - slopes[1:])
    parts = points[:-1] + past * steps + ease * bend
    return np.concatenate([*np.moveaxis(parts, 1, 0), points[-1:]])


def filled(shapes: Iterable[tuple[Sequence[Shape], int]], window: Window) -> Pixels:
    """Return how much of each pixel some outlines fill, those given last on top."""
    height, width = window.shape
    finer = max(FINER, ACROSS // max(height, width, 1))
    canvas = Image.new("L", (width * finer, height * finer))
    pen = ImageDraw.Draw(canvas)
    for outlines, value in shapes:
        for outline in outlines:
            fine = (outline - (window.left, window.top)) * finer - 0.5
            pen.polygon([tuple(point) for point in fine], fill=value)
    small = canvas.resize((width, height), Image.Resampling.BOX)
    return np.asarray(small, np.float32) / np.float32(255)


def seen(photo: NDArray[Any], window: Window) -> Pixels:
    """Return a part of a photo, 8 or 16 bit, from 0 to 255, (h, w, 3)."""
    largest = np.iinfo(photo.dtype).max
    part = photo[window.slices].astype(np.float32)
    return np.asarray(part * np.float32(255 / largest))


def lay(
    photo: NDArray[Any], window: Window, now: Pixels, where: NDArray[np.bool_]
) -> None:
    """Write what a part of a photo is to look like into it, where it is to change."""
    largest = np.iinfo(photo.dtype).max
    levels = np.rint(now * np.float32(largest / 255)).clip(0, largest)
    photo[window.slices][where] = levels[where].astype(photo.dtype)
