"""Cutting a crop out of a photo, and laying one back: antialiased both ways."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from retouch.cores import together
from retouch.geometry import Similarity

Pixels = NDArray[np.float32]  # (H, W, C)
MARGIN = 3  # pixels that bicubic interpolation and the shrinking filter may touch
LINEAR = 2.0  # an enlargement after which linear interpolation is good enough


class Window(NamedTuple):
    """A rectangle of whole pixels: rows top..bottom, columns left..right."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def slices(self) -> tuple[slice, slice]:
        return slice(self.top, self.bottom), slice(self.left, self.right)

    @property
    def shape(self) -> tuple[int, int]:
        return self.bottom - self.top, self.right - self.left

    def shared(self, other: "Window") -> "Window":
        """Return what it has in common with another one; nothing of it, else."""
        left, top = max(self.left, other.left), max(self.top, other.top)
        right, bottom = min(self.right, other.right), min(self.bottom, other.bottom)
        return Window(left, top, max(left, right), max(top, bottom))

    def within(self, other: "Window") -> "Window":
        """Return it counted from the corner of another one."""
        left, top = other.left, other.top
        return Window(
            self.left - left, self.top - top, self.right - left, self.bottom - top
        )

    def grown(self, by: int) -> "Window":
        """Return it with so many pixels more on each side."""
        return Window(self.left - by, self.top - by, self.right + by, self.bottom + by)


def window_of(transform: Similarity, size: int, shape: tuple[int, ...]) -> Window:
    """Return the smallest window of a photo of `shape` that holds the crop."""
    square = [(0, 0), (size, 0), (size, size), (0, size)]
    corners = transform.inverse(square)
    low = np.floor(corners.min(0)).clip(0, (shape[1], shape[0])).astype(int)
    high = np.ceil(corners.max(0)).clip(0, (shape[1], shape[0])).astype(int)
    return Window(int(low[0]), int(low[1]), int(high[0]), int(high[1]))


def cut(
    photo: NDArray[Any], transform: Similarity, size: int, *, linear: bool = False
) -> Pixels:
    """Return the crop (size, size, C) that the transform takes the photo to.

    What lies outside the photo is its mirror image; `coverage` tells which.

    Args:
        linear: interpolate linearly, a little softer and several times faster.
    """
    to_photo = transform.inverse
    corners = to_photo([(0, 0), (size, 0), (size, size), (0, size)])
    reach = MARGIN * max(1.0, to_photo.scale)
    low = np.floor(corners.min(0) - reach).astype(int)
    high = np.ceil(corners.max(0) + reach).astype(int)
    if (low >= 0).all() and (high <= (photo.shape[1], photo.shape[0])).all():
        region = photo[low[1] : high[1], low[0] : high[0]].astype(np.float32)
    else:
        rows = _mirrored(low[1], high[1], photo.shape[0])
        columns = _mirrored(low[0], high[0], photo.shape[1])
        region = photo[rows[:, None], columns[None]].astype(np.float32)
    move = transform @ Similarity.shifting(*low)
    return _warp(region, move, size, size, linear=linear)


def uncut(
    crop: NDArray[Any], transform: Similarity, window: Window, *, linear: bool = False
) -> Pixels:
    """Return the crop laid back into the photo's pixels of the window.

    Beyond the crop its edge pixels are repeated.

    Args:
        linear: interpolate as masks want it, within the range of the crop's values.
    """
    left, top, right, bottom = window
    corners = transform([(left, top), (right, top), (right, bottom), (left, bottom)])
    reach = MARGIN * max(1.0, transform.scale)
    low = np.floor(corners.min(0) - reach).astype(int)
    high = np.ceil(corners.max(0) + reach).astype(int)
    rows = np.arange(low[1], high[1]).clip(0, crop.shape[0] - 1)
    columns = np.arange(low[0], high[0]).clip(0, crop.shape[1] - 1)
    region = crop[rows[:, None], columns[None]].astype(np.float32)
    to_window = Similarity.shifting(-left, -top) @ transform.inverse
    to_window = to_window @ Similarity.shifting(*low)
    return _warp(region, to_window, *window.shape[::-1], linear=linear)


def resized(crop: Pixels, size: int) -> Pixels:
    """Return the crop at another size, antialiased."""
    if crop.shape[0] == size:
        return crop
    return _scaled(crop, size, size, Image.Resampling.BICUBIC)


def window_touched(
    plane: NDArray[Any], transform: Similarity, shape: tuple[int, ...]
) -> Window:
    """Return the part of a photo that a plane of a crop, (S, S), can touch above 0."""
    if not plane.any():
        return Window(0, 0, 0, 0)
    rows, columns = (np.flatnonzero(plane.any(i)) for i in (1, 0))
    top, left = rows[0] - 2, columns[0] - 2
    side = max(rows[-1] + 3 - top, columns[-1] + 3 - left)
    return window_of(Similarity.shifting(-left, -top) @ transform, side, shape)


def coverage(transform: Similarity, size: int, shape: tuple[int, ...]) -> Pixels:
    """Return (size, size) with 1 where the crop shows the photo, 0 beyond its edge."""
    y, x = np.mgrid[:size, :size] + 0.5
    points = transform.inverse(np.stack([x, y], -1))
    inside = (points >= 0) & (points <= (shape[1], shape[0]))
    return np.asarray(inside.all(-1), np.float32)


def _mirrored(start: int, stop: int, length: int) -> NDArray[np.int64]:
    index = np.arange(start, stop) % (2 * length)
    return np.where(index < length, index, 2 * length - 1 - index)


def _warp(
    region: Pixels,
    transform: Similarity,
    width: int,
    height: int,
    *,
    linear: bool = False,
) -> Pixels:
    """Scale with a proper filter if the scale is far from 1; then move.

    Pillow's bicubic AFFINE is avoided: it bends straight slopes, so that an enlarged
    crop shows its pixel grid. What was enlarged twice or more is safely linear.
    """
    if (kept := _unmoved(region, transform, width, height)) is not None:
        return kept
    rows, columns = region.shape[:2]
    scale = transform.scale
    inverse = transform.inverse.matrix
    if scale < 1 or (scale >= LINEAR and not linear):
        size = max(1, round(columns * scale)), max(1, round(rows * scale))
        region = _scaled(region, *size, _filter(scale, linear))
        inverse = inverse * (np.array(size) / (columns, rows))[:, None]
    if scale < LINEAR and not linear:
        return _move_cubic(region, inverse, (height, width))
    planes = np.moveaxis(region, -1, 0)
    moved = together(lambda p: _move_linear(p, inverse, (height, width)), planes)
    return np.stack(moved, -1)


def _unmoved(
    region: Pixels, transform: Similarity, width: int, height: int
) -> Pixels | None:
    """Return the part of a region that is shifted by whole pixels, if that is all."""
    left, top = -transform.x, -transform.y
    whole = left.is_integer() and top.is_integer()
    if (transform.a, transform.b) != (1, 0) or not whole:
        return None
    part = region[int(top) : int(top) + height, int(left) : int(left) + width]
    inside = left >= 0 <= top and part.shape[:2] == (height, width)
    return part.copy() if inside else None


def _filter(scale: float, linear: bool) -> Image.Resampling:
    if linear:
        return Image.Resampling.BILINEAR
    return Image.Resampling.LANCZOS if scale < 1 else Image.Resampling.BICUBIC


def _move_linear(
    plane: Pixels, inverse: NDArray[np.float64], shape: tuple[int, int]
) -> Pixels:
    kind = Image.Transform.AFFINE
    image = Image.fromarray(np.ascontiguousarray(plane))
    data = tuple(inverse.ravel())
    moved = image.transform(shape[::-1], kind, data, Image.Resampling.BILINEAR)
    return np.asarray(moved)


def _move_cubic(
    region: Pixels, inverse: NDArray[np.float64], shape: tuple[int, int]
) -> Pixels:
    from retouch.sampling import sampled  # by SciPy: finding faces does without

    down, across = np.indices(shape, sparse=True)
    columns, rows = (
        x * (across + 0.5) + y * (down + 0.5) + shift - 0.5 for x, y, shift in inverse
    )
    return sampled(region, rows, columns)


def _scaled(field: Pixels, width: int, height: int, kind: Image.Resampling) -> Pixels:
    def resize(plane: Pixels) -> NDArray[np.float32]:
        image = Image.fromarray(np.ascontiguousarray(plane))
        return np.asarray(image.resize((width, height), kind))

    return np.stack(together(resize, np.moveaxis(field, -1, 0)), -1)
