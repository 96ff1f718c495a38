"""Lines: the folds and wrinkles of a face, which get deeper with age, or fill.

Those that a generator draws are soft. Skin folds where it has folded: so the photo's
own lines are found, dark valleys that are long, and their light is changed at its own
size. What an edit draws beside them is there by then, and gets as crisp.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import find_objects, gaussian_filter, label

from retouch.cores import together
from retouch.edits.manner import LINES
from retouch.faces.crop import Pixels, uncut, window_touched
from retouch.geometry import Similarity
from retouch.smoothing import smoothed
from retouch.stitching import flow
from retouch.stitching.change import Change, Masks
from retouch.stitching.pen import lay, seen
from retouch.stitching.thing import Thing

# Lines are looked for on a face of at most so many pixels, by Gaussians of these widths
# in parts of it; narrower ones than a pixel's part tell nothing.
FINEST, WIDTHS, NARROWEST = 640.0, (0.0025, 0.005, 0.01), 0.7
BENDS = (2, 0), (0, 2), (1, 1)  # down, across, and both: slopes that are taken twice
LONG = 2.0  # times as steep must valleys be across as along
NEAR, BENT = 0.02, 0.4  # so near, and so straight at least, must a line be
SEEN, LEAST = 0.02, 0.05  # so deep is a line, and so long in parts of the face
DEEPER, FILLED = 0.75, 0.9  # what is added to their depth at strength 1, or taken
DARKEST, LIGHTEST = 0.18, 0.35  # of the logarithm of light, that it changes by at most
STRENGTH, STRONGEST = 2.0, 1.5  # deviations as read that are one; more does no more
DARK = 12.0  # of 255: what is darker has no lines
ROUGH, AROUND = 2.2, 0.03  # times as rough as skin is on the whole: that is hair
SMOOTHEST = 0.02  # of the logarithm of light: no skin is less rough
Field = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Lines(Thing):
    """Lines of a face that get deeper or shallower."""

    unit: float  # the face's size in crop pixels
    strength: float  # above 0 deeper, below filled

    def _drawn(self, photo: NDArray[Any], transform: Similarity) -> None:
        window = window_touched(self.where, transform, photo.shape)
        if not min(window.shape):
            return
        own = seen(photo, window)
        shown = uncut(self.where[..., None], transform, window, linear=True)[..., 0]
        gain = self._gain(own, shown.clip(0, 1), self.unit / transform.scale)
        now = (own + DARK) * np.exp(gain)[..., None] - DARK
        lay(photo, window, now, shown > 0)

    def _gain(self, own: Pixels, shown: Field, unit: float) -> Field:
        """Return by which factors light grows, their logarithm, (h, w)."""
        coarse = max(1.0, unit / FINEST)
        height, width = shown.shape
        size = max(1, round(width / coarse)), max(1, round(height / coarse))
        light = np.log(own @ flow.LUMINANCE + DARK)
        light, skin = (_resized(plane, size) for plane in (light, shown))
        unit /= coarse
        depth, ways = valleys(light, unit)
        depth = unspotted(depth * straight(depth, ways, unit), unit)
        depth *= _smooth_skin(light, skin, unit)
        if self.strength > 0:
            gain, most = -DEEPER * self.strength * depth, DARKEST
        else:
            gain, most = (1 - np.exp(FILLED * self.strength)) * depth, LIGHTEST
        most *= max(abs(self.strength), 1e-6)
        gain = most * np.tanh(gain / most) * skin
        return _resized(np.asarray(gain, np.float32), (width, height))


def lined(change: Change, masks: Masks, unit: float) -> tuple[Lines, ...]:
    """Return the lines that change, if any are meant."""
    where, asked = masks.things.get(LINES), change.asked.get(LINES, 0.0)
    if where is None or not asked:
        return ()
    strength = float(np.clip(asked / STRENGTH, -STRONGEST, STRONGEST))
    return (Lines(masks.wider, where, unit, strength),)


def valleys(light: Field, unit: float) -> tuple[Field, Field]:
    """Return how deep long dark valleys are in a plane of light, and how they run.

    Across a valley light bends most, along it hardly; in spots it bends both ways.

    Returns:
        depths (h, w), and (2, h, w), ways of unit length at twice their angle.
    """
    deepest = np.zeros_like(light)
    ways = np.zeros((2, *light.shape), np.float32)
    widths = [unit * part for part in WIDTHS if unit * part >= NARROWEST]
    jobs = [(width, order) for width in widths for order in BENDS]
    bends = together(lambda job: gaussian_filter(light, job[0], order=job[1]), jobs)
    for i, width in enumerate(widths):
        down, across, both = bends[len(BENDS) * i :][: len(BENDS)]
        mean, way = (down + across) / 2, np.stack([(across - down) / 2, both])
        spread = np.hypot(*way)
        long = mean + spread - LONG * np.abs(mean - spread)
        # What a Gaussian valley as wide as that bends, told as its depth:
        depth = 2**1.5 * width**2 * long
        ways = np.where(depth > deepest, way / np.maximum(spread, 1e-9), ways)
        deepest = np.maximum(deepest, depth)
    return deepest, ways


def straight(depth: Field, ways: Field, unit: float) -> Field:
    """Return how straight valleys are, (h, w): what is near in one runs the same way.

    Around freckles and in stubble it does not.
    """
    near = max(NEAR * unit, NARROWEST)
    planes = [*(depth * way for way in ways), depth]
    *along, whole = together(lambda plane: gaussian_filter(plane, near), planes)
    share = np.hypot(*along) / np.maximum(whole, 1e-9)
    return np.asarray(((share - BENT) / (1 - BENT)).clip(0), np.float32)


def unspotted(depth: Field, unit: float) -> Field:
    """Return the depth of valleys, nothing of short ones: pores, spots, stubble."""
    numbers, _ = label(depth > SEEN, np.ones((3, 3)))
    boxes = find_objects(numbers)
    far = [np.hypot(*(s.stop - s.start for s in box)) for box in boxes]
    long = np.array([0, *(x >= LEAST * unit for x in far)], np.float32)
    return depth * gaussian_filter(long[numbers], max(WIDTHS[0] * unit, NARROWEST))


def _smooth_skin(light: Field, skin: Field, unit: float) -> Field:
    """Return 1 on smooth skin, less where it is far rougher than elsewhere: hair."""
    fine = light - gaussian_filter(light, max(WIDTHS[0] * unit, NARROWEST))
    rough = np.sqrt(smoothed(fine**2, AROUND * unit).clip(0))
    own = rough[skin > 0.5]
    usual = max(float(np.median(own)) if len(own) else 0.0, SMOOTHEST)
    return 1 / (1 + (rough / (ROUGH * usual)) ** 4)


def _resized(plane: Field, size: tuple[int, int]) -> Field:
    """Return a plane in another size (width, height)."""
    if plane.shape[::-1] == size:
        return plane
    kind = Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(plane).resize(size, kind), np.float32)
