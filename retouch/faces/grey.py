"""A photo's brightness, at its own size and halved again and again."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from retouch.faces.crop import Window, cut
from retouch.geometry import Similarity
from retouch.photos.levels import eight_bit

Brightness = NDArray[np.uint8]  # (H, W)

STRIP = 128  # rows that become grey at once
PART = 256  # pixels: where a part of a photo may begin and end
NEAR = 0.6  # of a frame's side, around it: half, and what filters reach
LEAST = 64  # pixels: the shorter side of a copy that is halved no further


class Grey:
    """Cuts copies of any size from the coarsest half that is fine enough."""

    def __init__(self, pixels: Brightness, origin: tuple[int, int] = (0, 0)):
        """Take the brightness of a photo, or of its part from an origin on."""
        self._origin = origin
        self._levels = [np.ascontiguousarray(pixels)]
        while min(self._levels[-1].shape) > LEAST:
            half = Image.fromarray(self._levels[-1]).reduce(2)
            self._levels.append(np.asarray(half))

    @classmethod
    def near(cls, photo: NDArray[Any], frame: Similarity) -> "Grey":
        """Return that of a photo's part, to cut squares up to twice a frame's side of.

        Its halves begin where those of the whole photo do, so that these are the same.
        """
        ends = -NEAR, 1 + NEAR
        corners = frame([(x, y) for x in ends for y in ends]) / PART
        low = np.floor(corners.min(0)).clip(0).astype(int) * PART
        high = np.ceil(corners.max(0)).clip(0).astype(int) * PART
        part = photo[low[1] : high[1], low[0] : high[0]]
        if not part.size:
            return cls.of(photo)
        return cls(_brightness(part), (int(low[0]), int(low[1])))

    @classmethod
    def of(cls, photo: NDArray[Any]) -> "Grey":
        """Return that of a photo (H, W), (H, W, 1) or of colours, 8 or 16 bit."""
        return cls(_brightness(photo))

    @property
    def size(self) -> tuple[int, int]:
        """Return the photo's width and height."""
        height, width = self._levels[0].shape
        return width, height

    def resized(self, window: Window, size: tuple[int, int]) -> Brightness:
        """Return a window of the photo as a copy of that width and height."""
        level, factor = self._fitting(size[0] / (window.right - window.left))
        left, top, right, bottom = (place / factor for place in window)
        if factor == 1 and size == (right - left, bottom - top):
            rows, columns = slice(window.top, window.bottom), slice(*window[::2])
            return np.ascontiguousarray(level[rows, columns])
        right, bottom = min(right, level.shape[1]), min(bottom, level.shape[0])
        box, bilinear = (left, top, right, bottom), Image.Resampling.BILINEAR
        return np.asarray(Image.fromarray(level).resize(size, bilinear, box=box))

    def square(self, transform: Similarity, size: int) -> Brightness:
        """Return the square that the transform takes the photo to, mirrored beyond."""
        level, factor = self._fitting(transform.scale)
        place = Similarity.shifting(*self._origin) @ Similarity.scaling(factor)
        transform = transform @ place
        crop = cut(level[..., None], transform, size, linear=True)
        return np.rint(crop[..., 0]).clip(0, 255).astype(np.uint8)

    def _fitting(self, scale: float) -> tuple[Brightness, int]:
        """Return what is just finer than a copy of that scale, and its reduction."""
        halvings = int(np.log2(max(1.0, 1 / scale)))
        at = min(halvings, len(self._levels) - 1)
        return self._levels[at], 2**at


def _brightness(photo: NDArray[Any]) -> Brightness:
    if photo.dtype not in (np.uint8, np.uint16):
        raise ValueError(f"A photo is uint8 or uint16; got {photo.dtype}.")
    photo = eight_bit(photo)
    if photo.ndim == 3:
        photo = photo[..., :3] if photo.shape[2] >= 3 else photo[..., 0]
    # In strips that fit the processor's cache, three times as fast.
    pixels = np.empty(photo.shape[:2], np.uint8)
    for top in range(0, len(pixels), STRIP):
        strip = Image.fromarray(np.ascontiguousarray(photo[top : top + STRIP]))
        pixels[top : top + STRIP] = np.asarray(strip.convert("L"))
    return pixels
