"""The copies of a photo in which faces are looked for, cheapest and likeliest first."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from retouch.faces.crop import Window
from retouch.faces.grey import Grey
from retouch.geometry import Similarity

SEEN = 80  # pixels: the side of the smallest face that a detector sees
SMALLEST = 40  # pixels: the side of the smallest face looked for when nothing is said
BUDGET = 3e6  # pixels of a copy that is searched in one piece
SQUARE = 480  # pixels: the side of turned copies
TILE, OVERLAP = 1696, 256  # pixels of a copy
STRIP, COMMON = 1024, 128  # pixels of a copy: a strip's height, and what two share
BORDERS = 1.5, 2.0  # sides of bordered copies, in sides of the photo
BORDERED = 400  # pixels: their side, since what fills the photo is large
SPREAD = 49  # pixels of a copy over which contrast is evened


class Look(NamedTuple):
    """One copy of the photo: a window of it, resized, or a turned square."""

    transform: Similarity  # photo -> copy
    size: tuple[int, int]
    window: Window | None = None  # None: a square with a mirrored border
    even: bool = False

    def copy(self, grey: Grey) -> NDArray[np.uint8]:
        """Return the copy's pixels (H, W)."""
        if self.window is not None:
            return grey.resized(self.window, self.size)
        copy = grey.square(self.transform, self.size[0])
        return evened(copy) if self.even else copy


def rounds(width: int, height: int, smallest: float | None) -> Iterator[list[Look]]:
    """Yield what to search together; each only if the rounds before found nothing.

    First the upright photo; then with a mirrored border, for a face may fill the photo,
    and with its contrast evened, without which dark skin and hard light are missed more
    often; then quarter turns, and the turns between them. Fine tiles, which cost the
    most, are searched where the smallest face is told.
    """
    finest = min(2.0, SEEN / (smallest or SMALLEST))
    whole = reduced(width, height, finest, BUDGET)
    fine = smallest and whole.transform.scale < finest
    yield [whole, *(_tiles(width, height, finest) if fine else [])]
    bordered = [_turned(width, height, 0, BORDERED, border=b) for b in BORDERS]
    yield [*bordered, *(look._replace(even=True) for look in bordered)]
    yield [_turned(width, height, angle, SQUARE) for angle in (90, 180, 270)]
    between = (45, 135, 225, 315)
    yield [_turned(width, height, angle, SQUARE) for angle in between]


def reduced(width: int, height: int, finest: float, budget: float) -> Look:
    """Return the whole photo, at the finest within a budget of pixels."""
    scale = min(finest, float(np.sqrt(budget / (width * height))))
    return _window(Window(0, 0, width, height), scale)


def pieces(width: int, height: int, finest: float, budget: float) -> Iterator[Look]:
    """Yield the same in strips, which can be searched side by side.

    Where two meet, what is higher than their common part is in neither as a whole:
    larger faces are seen in coarser copies.
    """
    scale = reduced(width, height, finest, budget).transform.scale
    step, common = round(STRIP / scale), round(COMMON / scale)
    for top in range(0, max(1, height - common), step):
        bottom = min(height, top + step + common)
        yield _window(Window(0, top, width, bottom), scale)


def evened(copy: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the copy with about the same light and contrast everywhere."""
    field = copy.astype(np.float32)
    field -= _mean(field)
    contrast = np.sqrt(_mean(field**2).clip(0)) + 8
    return np.rint(128 + 45 * field / contrast).clip(0, 255).astype(np.uint8)


def _mean(field: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the means of squares of SPREAD pixels; edges mirror what is inside.

    By sums alone: SciPy's filter takes 140 ms to load, a fifth of finding a face.
    """
    before = SPREAD // 2
    sums = np.pad(field, (before + 1, SPREAD - 1 - before), "symmetric")
    sums = sums.astype(np.float64).cumsum(0).cumsum(1)
    high, low = slice(SPREAD, None), slice(None, -SPREAD)
    total = sums[high, high] - sums[high, low] - sums[low, high] + sums[low, low]
    return (total / SPREAD**2).astype(np.float32)


def _window(window: Window, scale: float) -> Look:
    rows, columns = window.shape
    size = max(1, round(columns * scale)), max(1, round(rows * scale))
    to_window = Similarity.shifting(-window.left, -window.top)
    return Look(Similarity.scaling(scale) @ to_window, size, window)


def _tiles(width: int, height: int, scale: float) -> Iterator[Look]:
    side, step = round(TILE / scale), round((TILE - OVERLAP) / scale)
    for top in range(0, max(1, height - side + step), step):
        for left in range(0, max(1, width - side + step), step):
            right, bottom = min(width, left + side), min(height, top + side)
            yield _window(Window(left, top, right, bottom), scale)


def _turned(
    width: int, height: int, angle: float, largest: int, border: float = 1
) -> Look:
    """Return the square that holds the whole photo, turned clockwise by the angle."""
    turn = Similarity.turning(angle)
    reach = np.abs(turn.linear) @ (width, height)
    extent = border * float(reach.max())
    scale = min(2.0, largest / extent)
    side = max(1, round(extent * scale))
    turn = Similarity.scaling(scale) @ turn
    x, y = side / 2 - turn((width / 2, height / 2))
    return Look(Similarity.shifting(x, y) @ turn, (side, side))
