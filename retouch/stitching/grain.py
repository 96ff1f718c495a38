"""Grain: the photo's own finest detail, for what is painted from an enlarged crop.

A patch of skin beside the painted part gives spectrum, strength and the channels'
correlation; noise folded with it looks alike everywhere and repeats nothing
(spot noise, van Wijk 1991). The seed is fixed, and the tile's edges meet.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, minimum_filter

from retouch.faces.crop import Pixels, Window
from retouch.geometry import Points, Similarity

ENLARGED = (2.0, 4.0)  # photo pixels for one of the crop: grain starts, and is whole
TILE = 512  # photo pixels a side
PATCH = (16, 96)  # the smallest and the largest patch's side
REACH = 5  # crop pixels: a patch's side where it is between those
STEP = 2  # crop pixels between the places looked at
PLACES = 24  # that are nearest to what is painted
FINEST, COARSEST = 1.0, 4.0  # photo pixels: grain is finer than this
OUTLIER = 3.0  # deviations: a pore, a hair or an edge counts as no more


def beside(
    photo: NDArray[Any], transform: Similarity, skin: Pixels, cover: Pixels
) -> Pixels | None:
    """Return a tile (TILE, TILE, 3), 0 to 255, of the grain of the skin near cover.

    None if the crop is hardly enlarged, or no skin lies bare around.
    """
    least, most = ENLARGED
    part = (1 / transform.scale - least) / (most - least)
    if part <= 0 or not cover.any():
        return None
    places = transform.inverse(_nearest(skin, cover))
    found = [_fine(photo, place, transform.scale) for place in places]
    patches = [patch for patch in found if patch is not None]
    if not patches:
        return None
    patches.sort(key=lambda patch: float(_deviation(patch).mean()))
    return _tile(patches[len(patches) // 2]) * np.float32(min(part, 1.0))


def laid(tile: Pixels, band: Window, cover: Pixels) -> Pixels:
    """Return what a band whose paint shows as cover (h, w, 1) lacks in grain.

    The photo's own still has 1 - cover of its deviation; variances add up.
    """
    rows = np.arange(band.top, band.bottom) % TILE
    columns = np.arange(band.left, band.right) % TILE
    return np.asarray(tile[rows[:, None], columns] * np.sqrt(cover * (2 - cover)))


def _nearest(skin: Pixels, cover: Pixels) -> Points:
    """Return crop points on bare skin, those nearest to the middle of cover."""
    bare = (minimum_filter(skin, REACH) > 0.9) & (cover == 0)
    grid = np.zeros_like(bare)
    grid[::STEP, ::STEP] = bare[::STEP, ::STEP]
    points = np.argwhere(grid)[:, ::-1] + 0.5
    y, x = np.indices(cover.shape) + 0.5
    middle = [float((axis * cover).sum() / cover.sum()) for axis in (x, y)]
    order = np.argsort(np.hypot(*(points - middle).T), kind="stable")
    return np.asarray(points[order[:PLACES]], np.float64)


def _fine(photo: NDArray[Any], place: Points, scale: float) -> Pixels | None:
    """Return the fine detail of the patch around a place, or None beyond the edge."""
    side = int(np.clip(REACH / scale, *PATCH))
    width = float(np.clip(0.5 / scale, FINEST, COARSEST))
    margin = int(3 * width)
    left, top = np.floor(place).astype(int) - side // 2 - margin
    right, bottom = (int(edge) + side + 2 * margin for edge in (left, top))
    if min(left, top) < 0 or bottom > photo.shape[0] or right > photo.shape[1]:
        return None
    levels = np.float32(np.iinfo(photo.dtype).max / 255)
    pixels = photo[top:bottom, left:right] / levels
    fine = pixels - gaussian_filter(pixels, (width, width, 0), truncate=3)
    fine = fine[margin : margin + side, margin : margin + side]
    most = OUTLIER * _deviation(fine)
    return np.asarray((fine - fine.mean((0, 1))).clip(-most, most), np.float32)


def _deviation(patch: Pixels) -> NDArray[np.float32]:
    """Return each channel's standard deviation, as its median tells it."""
    away = np.abs(patch - np.median(patch, (0, 1)))
    return np.asarray(1.4826 * np.median(away, (0, 1)), np.float32)


def _tile(patch: Pixels) -> Pixels:
    """Return noise with the spectrum of a patch, the channels going together."""
    white = np.random.default_rng(0).standard_normal((TILE, TILE))
    shape = np.fft.rfft2(patch, (TILE, TILE), (0, 1))
    tile = np.fft.irfft2(np.fft.rfft2(white)[..., None] * shape, (TILE, TILE), (0, 1))
    return (tile / patch.shape[0]).astype(np.float32)
