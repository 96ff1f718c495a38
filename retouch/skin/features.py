"""Teeth and eyes: whiter, clearer, never of another colour; and red pupils."""

import numpy as np

from retouch.faces.crop import Pixels
from retouch.geometry import LEFT_EYE, RIGHT_EYE
from retouch.skin.canvas import Canvas
from retouch.smoothing import ramp

TOOTH_LIGHT, TOOTH_RED = (32.0, 52.0), (20.0, 12.0)  # L and a* of teeth, gums beyond
YELLOW_TEETH, YELLOW_EYES, RED_EYES = 3.0, 2.0, 2.0  # a* and b* that are left
LESS = 0.6  # of the colour beyond that goes
WHITER, CLEARER = 4.0, 4.0  # L that teeth and the whites of eyes gain
IRIS_GAIN = 1.35  # of its light, which leaves its hue alone
PUPIL = 12.0, 30.0  # L, below which a pupil stays black
FLASH = (40.0, 80.0)  # levels by which red outshines green and blue in a flash's eye


def whitened(canvas: Canvas, lab: Pixels) -> Pixels:
    """Return the Lab picture with whiter teeth."""
    teeth = canvas.area("teeth") * ramp(lab[..., 0], *TOOTH_LIGHT)
    teeth = teeth * (1 - ramp(lab[..., 1], *TOOTH_RED[::-1]))
    change = np.zeros_like(lab)
    change[..., 0] = WHITER * (1 - ramp(lab[..., 0], 80, 96))
    change[..., 2] = -LESS * (lab[..., 2] - YELLOW_TEETH).clip(0)
    return lab + change * teeth[..., None]


def brightened(canvas: Canvas, lab: Pixels) -> Pixels:
    """Return the Lab picture with clearer eyes: whites whiter, irises lighter.

    More light on a colour scales X, Y and Z alike, hence a* and b*, and keeps its hue.
    """
    white = canvas.area("white") * ramp(lab[..., 0], 25, 45)
    change = np.zeros_like(lab)
    change[..., 0] = CLEARER * (1 - ramp(lab[..., 0], 80, 95))
    change[..., 1] = -LESS * (lab[..., 1] - RED_EYES).clip(0)
    change[..., 2] = -LESS * (lab[..., 2] - YELLOW_EYES).clip(0)
    result = lab + change * white[..., None]
    iris = canvas.area("iris") * ramp(lab[..., 0], *PUPIL)
    gain = (1 + (IRIS_GAIN - 1) * iris[..., None]) ** (1 / 3)
    lit = np.concatenate([(lab[..., :1] + 16) * gain - 16, lab[..., 1:] * gain], -1)
    return np.where(iris[..., None] > 0, lit, result).astype(np.float32)


def unreddened(canvas: Canvas, image: Pixels) -> Pixels:
    """Return the picture (RGB) with a flash's red pupils dark again."""
    eyes = np.maximum(
        *(canvas.polygon(canvas.landmarks[e], 0.02) for e in (LEFT_EYE, RIGHT_EYE))
    )
    calm = image[..., 1:].mean(-1)
    red = ramp(image[..., 0] - image[..., 1:].max(-1), *FLASH)
    flash = canvas.blurred(eyes * red, 0.004)
    result = image.copy()
    result[..., 0] += flash * (calm - image[..., 0]).clip(None, 0)
    return result
