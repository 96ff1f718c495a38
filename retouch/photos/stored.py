"""Pixels as files store them: black and white, grey, palette, CMYK; RGB and back.

Faces are found and changed in RGB. A pixel that was not changed is given back by
looking up what was stored for it, so nothing hangs on a conversion being undone.
"""

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from retouch.photos.levels import differing, eight_bit

Kind = Literal["bilevel", "grey", "palette", "rgb", "cmyk"]
Samples = NDArray[Any]  # uint8 or uint16


@dataclass(frozen=True, eq=False)
class Stored:
    """What a file stores for each pixel."""

    kind: Kind
    samples: Samples  # (H, W), or (H, W, 3) of rgb, or (H, W, 4) of cmyk
    alpha: Samples | None = None  # (H, W)
    palette: NDArray[np.uint8] | None = None  # (N, 4), RGBA

    @property
    def top(self) -> int:
        """The value of white: 255 or 65535."""
        return int(np.iinfo(self.samples.dtype).max)

    def rgb(self) -> Samples:
        """Return the pixels in RGB, (H, W, 3)."""
        if self.kind == "palette":
            assert self.palette is not None
            return self.palette[:, :3][self.samples]
        if self.kind == "cmyk":
            return _rgb_of_inks(self.samples)
        if self.kind == "rgb":
            return self.samples
        return np.repeat(self.samples[..., None], 3, axis=2)

    def turned(self, orientation: int) -> "Stored":
        """Return this as EXIF's orientation, 1 to 8, wants it shown."""
        rows = slice(None, None, -1 if orientation in (3, 4, 7, 8) else 1)
        columns = slice(None, None, -1 if orientation in (2, 3, 6, 7) else 1)

        def turn(plane: Samples) -> Samples:
            plane = plane.swapaxes(0, 1) if orientation >= 5 else plane
            return np.ascontiguousarray(plane[rows, columns])

        if orientation == 1:
            return self
        alpha = None if self.alpha is None else turn(self.alpha)
        return replace(self, samples=turn(self.samples), alpha=alpha)

    def in_eight_bits(self) -> "Stored":
        """Return this with 16-bit samples rounded to 8 bits."""
        if self.samples.dtype == np.uint8:
            return self
        alpha = None if self.alpha is None else eight_bit(self.alpha)
        return replace(self, samples=eight_bit(self.samples), alpha=alpha)


def restored(original: Stored, rgb: Samples, alpha: Samples | None) -> Stored:
    """Return RGB pixels as the original stored them, exactly where they are the same.

    Grey takes the luma of colours (exact where red, green and blue are equal), and
    black and white becomes grey once there is a grey. CMYK keeps a pixel's black as
    far as the new colour lets it; what is written reads back as the RGB given. New
    colours are added to a palette; if it cannot hold them, the pixels become RGB.
    """
    if original.kind == "palette":
        return _indexed(original, rgb, alpha) or Stored("rgb", rgb, alpha)
    if original.kind == "cmyk":
        changed = differing(rgb, original.rgb())
        inks = original.samples.copy()
        inks[changed] = _inks_of_rgb(rgb[changed], inks[changed])
        return Stored("cmyk", inks, alpha)
    if original.kind == "rgb":
        return Stored("rgb", rgb, alpha)
    grey = luma(rgb)
    black_and_white = original.kind == "bilevel" and np.isin(grey, (0, 255)).all()
    return Stored("bilevel" if black_and_white else "grey", grey, alpha)


def luma(rgb: Samples) -> Samples:
    """Return the grey of RGB pixels by Rec. 601; equal channels stay what they are."""
    total = np.full(rgb.shape[:-1], 1 << 15, np.uint32)
    for channel, weight in enumerate((19595, 38470, 7471)):  # their sum is 1 << 16
        total += rgb[..., channel] * np.uint32(weight)
    return (total >> 16).astype(rgb.dtype)


def _rgb_of_inks(inks: Samples) -> Samples:
    top = np.iinfo(inks.dtype).max
    rgb = np.empty((*inks.shape[:-1], 3), inks.dtype)
    white = top - inks[..., 3].astype(np.uint32)
    for channel in range(3):
        light = (top - inks[..., channel]) * white
        rgb[..., channel] = (light + np.uint32(top // 2)) // np.uint32(top)
    return rgb


def _inks_of_rgb(rgb: Samples, old: Samples) -> Samples:
    """Return (N, 4) inks that give (N, 3) colours, with the old black if possible.

    No colour is lost: an ink is rounded by at most a half, which the paper left
    white by black, at most 1, makes smaller before it is rounded once more.
    """
    top = np.uint32(np.iinfo(rgb.dtype).max)
    black = np.minimum(old[..., 3], top - rgb.max(-1))
    white = (top - black).astype(np.uint32)[..., None]
    light = (rgb * top + white // 2) // np.maximum(white, 1)
    inks = np.concatenate([top - light, black[..., None]], -1)
    return np.where(white == 0, old, inks).astype(rgb.dtype)


def _indexed(original: Stored, rgb: Samples, alpha: Samples | None) -> Stored | None:
    """Return the pixels in the original's palette, or None if it cannot hold them."""
    assert original.palette is not None
    if alpha is None:
        alpha = np.full(rgb.shape[:-1], 255, np.uint8)
    wanted = np.ascontiguousarray(np.dstack([rgb, alpha])).view(np.uint32)[..., 0]
    known = np.ascontiguousarray(original.palette).view(np.uint32)[:, 0]
    changed = wanted != known[original.samples]
    colours = np.concatenate([known, np.setdiff1d(wanted[changed], known)])
    if len(colours) > 256:
        return None
    order = np.argsort(colours, kind="stable")
    indices = original.samples.copy()
    indices[changed] = order[np.searchsorted(colours[order], wanted[changed])]
    palette = colours[:, None].view(np.uint8)
    return replace(original, samples=indices, palette=palette)
