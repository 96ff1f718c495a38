"""Layers: what to do to a photo, planned in crop space, done at its own size."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retouch.cores import cores, together
from retouch.faces.crop import Pixels, Window, cut, uncut, window_touched
from retouch.geometry import Similarity
from retouch.sampling import sampled
from retouch.stitching import edges, grain
from retouch.stitching.thing import Thing
from retouch.stitching.toning import Toning

BAND = 1 << 19  # photo pixels worked on at once
LOWEST = 16  # rows of what is worked on
FAINT = 1e-3  # a reach that nobody sees, and rounding may cause
RIM, FADED = 2.0, 8.0  # crop pixels: so many are left, over so many things fade
STILL, NEARLY = 0.01, 0.1  # photo pixels: a shorter move is none; or none in a film
SPLINE = 12  # photo pixels around a point that its cubic spline depends on


@dataclass(frozen=True, eq=False)
class Layers:
    """Pixels are moved, then lit, then painted over; from 0 to 255 as the crops are."""

    reach: Pixels  # (S, S), above 0 where the photo may change
    moves: Pixels  # (S, S, 2), crop pixels to where a point's new colour lies
    light: Pixels  # (S, S, 3), is added
    paint: Pixels  # (S, S, 3), is laid over
    cover: Pixels  # (S, S), how much of the paint shows
    skin: Pixels | None = None  # (S, S), whose grain the paint takes on, if any
    crisp: bool = False  # whether the paint's edges are to be narrow in large photos
    things: tuple[Thing, ...] = ()  # are laid over what is painted, too
    wider: int = 0  # crop pixels by which these planes are wider on each side
    toning: Toning | None = None  # of a photo in black and white: what changes gets it

    def lay(
        self, photo: NDArray[Any], transform: Similarity, *, linear: bool = False
    ) -> None:
        """Write into the photo (H, W, 3), 8 or 16 bit; transform leads to the crop.

        Args:
            linear: interpolate layers linearly, and pixels by quick cubics: a little
                softer and far faster.
        """
        before = None if self.toning is None else photo.copy()
        drawn = self.moves.any() or self.light.any() or self.cover.any()
        if self.reach.any() and drawn:
            wide = Similarity.shifting(self.wider, self.wider) @ transform
            self._laid(photo, wide, linear=linear)
        for thing in self.things:
            thing.draw(photo, transform)
        if self.toning is not None:
            changed = (photo != before).any(-1)
            photo[changed] = self.toning.toned(photo[changed])

    def flat(self, photo: NDArray[Any], transform: Similarity) -> "Layers":
        """Return layers that show things as light, in a photo of 8 bit.

        So they can be carried along, at the crop's own size. What reaches beyond it
        fades before its rim, which would be repeated.
        """
        if not self.things:
            return self
        wide = Similarity.shifting(self.wider, self.wider)
        crop = cut(photo, wide @ transform, len(self.reach))
        before = np.rint(crop).clip(0, 255).astype(np.uint8)
        shown = before.copy()
        for thing in self.things:
            thing.draw(shown, wide.inverse)
        depth = np.arange(len(crop), dtype=np.float32)
        fade = ((np.minimum(depth, depth[::-1]) - RIM) / FADED).clip(0, 1)
        light = (shown.astype(np.float32) - before) * np.outer(fade, fade)[..., None]
        reach = np.maximum(self.reach, light.any(-1))
        return replace(self, reach=reach, light=self.light + light, things=())

    def _laid(
        self, photo: NDArray[Any], transform: Similarity, *, linear: bool
    ) -> None:
        changed = bool(self.moves.any() or self.light.any())
        window = window_touched(self.reach, transform, photo.shape)
        turn = transform.inverse.linear.T.astype(np.float32)
        longest = np.hypot(*np.moveaxis(self.moves, -1, 0)).max() / transform.scale
        source = _Source.around(photo, window, ceil(longest) + SPLINE)
        planes = np.concatenate([self.moves @ turn, self.light], -1)
        covered = window_touched(self.cover, transform, photo.shape)
        tile = self._grain(photo, transform)

        def lay(band: Window) -> None:
            reach = uncut(self.reach[..., None], transform, band, linear=True)
            reached = reach[..., 0] > FAINT
            if changed:
                laid = uncut(planes, transform, band, linear=linear)
                moves = laid[..., :2]
                colour = source.fetch(band, moves, reached, quick=linear)
                colour += laid[..., 2:]
            else:
                colour = source.fetch(band)
            if min((part := band.shared(covered)).shape):
                cover, paint = self._painted(transform, part, linear=linear)
                seen = colour[part.within(band).slices]
                seen += cover * (paint - seen)
                seen += 0 if tile is None else grain.laid(tile, part, cover)
            photo[band.slices][reached] = source.encode(colour[reached])

        for band in _bands(window, ceil(np.prod(window.shape) / BAND)):
            together(lay, _bands(band, cores()))

    def _painted(
        self, transform: Similarity, part: Window, *, linear: bool
    ) -> tuple[Pixels, Pixels]:
        """Return cover (h, w, 1) and paint (h, w, 3) in a part of the photo."""
        wide = int(edges.REACH / transform.scale) if self.crisp else 0
        planes = np.concatenate([self.cover[..., None], self.paint], -1)
        laid = uncut(planes, transform, part.grown(wide), linear=linear)
        inside = slice(wide, len(laid) - wide), slice(wide, laid.shape[1] - wide)
        paint = laid[..., 1:]
        if self.crisp:
            paint = edges.narrowed(paint, 1 / transform.scale)
        return laid[..., :1][inside].clip(0, 1), paint[inside]

    def _grain(self, photo: NDArray[Any], transform: Similarity) -> Pixels | None:
        if self.skin is None:
            return None
        return grain.beside(photo, transform, self.skin, self.cover)


@dataclass(frozen=True, eq=False)
class _Source:
    """A copy of the photo's pixels around a window, for fetching from."""

    pixels: NDArray[Any]
    left: int
    top: int

    @classmethod
    def around(cls, photo: NDArray[Any], window: Window, margin: int) -> "_Source":
        left, top = max(0, window.left - margin), max(0, window.top - margin)
        bottom, right = window.bottom + margin, window.right + margin
        return cls(photo[top:bottom, left:right].copy(), left, top)

    @property
    def levels(self) -> np.float32:
        """The photo's values for one of 0 to 255."""
        return np.float32(np.iinfo(self.pixels.dtype).max / 255)

    def fetch(
        self,
        band: Window,
        moves: Pixels | None = None,
        reached: NDArray[np.bool_] | None = None,
        *,
        quick: bool = False,
    ) -> Pixels:
        """Return the band's pixels from 0 to 255, those that are reached moved."""
        if moves is None or reached is None:
            inside = Window(
                band.left - self.left,
                band.top - self.top,
                band.right - self.left,
                band.bottom - self.top,
            )
            return np.asarray(self.pixels[inside.slices] / self.levels, np.float32)
        down, across = moves[..., 1], moves[..., 0]
        reach = SPLINE + ceil(np.abs(down).max())
        first = max(0, band.top - self.top - reach)
        rows_read = slice(first, band.bottom - self.top + reach)
        pixels = np.asarray(self.pixels[rows_read] / self.levels, np.float32)
        top, left = band.top - self.top - first, band.left - self.left
        rows = np.arange(top, top + band.shape[0])[:, None]
        columns = np.arange(left, left + band.shape[1])
        result = pixels[top:, left:][: len(rows), : len(columns)].copy()
        still = NEARLY if quick else STILL
        moved = reached & ((np.abs(down) > still) | (np.abs(across) > still))
        if moved.any():
            where = (rows + down)[moved], (columns + across)[moved]
            result[moved] = sampled(pixels, *where, quick=quick, mirrored=True)
        return result

    def encode(self, colour: Pixels) -> NDArray[Any]:
        largest = np.iinfo(self.pixels.dtype).max
        rounded = np.rint(colour * self.levels).clip(0, largest)
        return rounded.astype(self.pixels.dtype)


def _bands(window: Window, count: int) -> Iterator[Window]:
    """Yield parts of a window, one below the other, so many if they are not low."""
    count = max(1, min(count, window.shape[0] // LOWEST))
    rows = np.linspace(window.top, window.bottom, count + 1).astype(int).tolist()
    for top, bottom in pairwise(rows):
        yield Window(window.left, top, window.right, bottom)
