"""Pictures between their pixels: what SciPy reads there, in less than half the time.

Where places lie among the pixels is worked out once for all planes of a picture. Cubic
splines as Unser (1999) tells them; quicker cubics, hardly softer, as Keys (1981) does.
"""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import spline_filter

from retouch.cores import together

Field = NDArray[np.float32]  # (..., C)
Places = NDArray[Any]
Shares = Callable[[Field], list[NDArray[Any]]]
BLOCK = 1 << 15  # places read at once: what is known of them stays near the core
NEXT = 2  # pixels beyond a place on which it may depend
BEYOND = 12  # pixels beyond an edge of which splines may tell


def sampled(
    field: Field,
    rows: Places,
    columns: Places,
    *,
    linear: bool = False,
    quick: bool = False,
    mirrored: bool = False,
) -> Field:
    """Return what a field (H, W, C) shows at places of any shape, (..., C).

    Args:
        rows: of the places; 0 is the first pixel's centre.
        linear: read straight between pixels, and not along cubic splines.
        quick: read along cubics that depend on no more than their neighbours.
        mirrored: beyond its edges the field is mirrored; else they are repeated.
    """
    splines = not (linear or quick)
    room = BEYOND if splines else NEXT
    mode: Literal["symmetric", "edge"] = "symmetric" if mirrored else "edge"
    planes = [np.pad(plane, room, mode) for plane in np.moveaxis(field, -1, 0)]
    if splines:
        planes = together(_spline, planes)
    shares = _straight if linear else _turned if quick else _bent

    def read(start: int) -> Field:
        down, across = (
            _within(places.ravel()[start : start + BLOCK], length, room, mirrored)
            for places, length in zip((rows, columns), field.shape, strict=False)
        )
        return _read(planes, down, across, shares)

    blocks = together(read, range(0, rows.size, BLOCK))
    return np.concatenate(blocks).reshape(*rows.shape, -1)


def _spline(plane: Field) -> Field:
    """Return the heights of the splines that run through a plane's values."""
    return np.asarray(spline_filter(plane, output=np.float32))


def _within(places: Places, length: int, room: int, mirrored: bool) -> Places:
    """Return where places lie in a field that got so much room on each side."""
    if mirrored:
        away = np.abs(places + 0.5)
        places = np.minimum(away, 2 * length - away) - 0.5
    return places.clip(NEXT - room, length - 1 + room - NEXT) + room


def _read(planes: list[Field], down: Places, across: Places, shares: Shares) -> Field:
    """Return what planes show at places well within them, (N, C)."""
    top, left = np.floor(down), np.floor(across)
    rows, columns = shares(_single(down - top)), shares(_single(across - left))
    width = planes[0].shape[1]
    before = len(rows) // 2 - 1  # pixels above and left of it
    first = (top * width + left).astype(np.intp) - before * (width + 1)
    flats = [plane.ravel() for plane in planes]
    lines, result = np.zeros((2, len(planes), len(down)), np.float32)
    for i, row in enumerate(rows):
        lines[:] = 0
        for j, column in enumerate(columns):
            place = first + (i * width + j)
            for flat, line in zip(flats, lines, strict=True):
                line += column * flat.take(place, mode="wrap")  # unchecked: none is out
        result += row * lines
    return np.ascontiguousarray(result.T)


def _single(part: Places) -> Field:
    return np.asarray(part, np.float32)


def _straight(part: Field) -> list[NDArray[Any]]:
    return [1 - part, part]


def _bent(part: Field) -> list[NDArray[Any]]:
    rest = 1 - part
    first, last = rest * rest * rest / 6, part * part * part / 6
    second, third = (2 / 3 + x * x * (x - 2) / 2 for x in (part, rest))
    return [first, second, third, last]


def _turned(part: Field) -> list[NDArray[Any]]:
    """Return the shares of Keys' cubics, whose slopes are those between neighbours."""
    rest = 1 - part
    first, last = -part * rest * rest / 2, -rest * part * part / 2
    second, third = (1 + x * x * (1.5 * x - 2.5) for x in (part, rest))
    return [first, second, third, last]
