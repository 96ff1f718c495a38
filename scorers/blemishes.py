"""The healing network: what blemishes that pass have added to a skin's colour.

A picture is taken apart into bands of detail, each as wide as a part of the face (a
Laplacian pyramid without shrinking; Burt and Adelson, 1983). From them the network says
of each pixel which CIELAB colour a blemish has added to the skin; what is left without
it is the skin below, with its own pores. Moles, freckles, scars, folds and strands of
hair are taught to be none.
It is written once, for a builder: Keras trains it, the forward runtime runs it.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

Floats = NDArray[np.float32]

EDGES = (0.0035, 0.007, 0.014, 0.03)  # widths at which bands end, of the face's size
BANDS = len(EDGES)
WIDTHS = (24, 40, 56)  # channels at halves, quarters, eighths of the size
STEPS = 2 ** len(WIDTHS)  # a picture's sides are multiples of this
GREY = np.array([55, 12, 15], np.float32)  # Lab of a skin that is nothing
DETAIL, COLOUR = 0.2, 0.04  # which bring Lab to ordinary size
STAIN = 10.0  # Lab for what the network says


def bands(lab: Floats, size: float) -> tuple[Floats, Floats]:
    """Return the bands of a Lab picture, (H, W, BANDS, 3), and what is left of it.

    Args:
        size: the face's, in pixels.
    """
    found, before = [], lab
    for edge in EDGES:
        spread = edge * size
        after = gaussian_filter(lab, (spread, spread, 0), truncate=3)
        found.append(before - after)
        before = after
    return np.stack(found, -2), before


def seen(detail: Floats, rest: Floats) -> Floats:
    """Return what the network sees of bands and rest, (H, W, 3 * BANDS + 3)."""
    flat = detail.reshape(*detail.shape[:2], -1) * DETAIL
    colour = (rest - GREY) * COLOUR
    return np.concatenate([flat, colour], -1).astype(np.float32)


def unseen(seen: Floats) -> Floats:
    """Return the Lab picture of which the network sees this, (..., H, W, 3)."""
    parts = seen.reshape(*seen.shape[:-1], BANDS + 1, 3)
    return parts[..., :BANDS, :].sum(-2) / DETAIL + parts[..., BANDS, :] / COLOUR + GREY


def network(build: Any, image: Any) -> Any:
    """Return the stains (N, H, W, 3), in STAIN of Lab, of what is seen."""
    x, sides = image, []
    for i, width in enumerate(WIDTHS):
        x = build.conv(x, f"down{i}", width, 3, stride=2, act=True)
        y = build.conv(x, f"down{i}_first", width, 3, act=True)
        x = build.relu(build.add(x, build.conv(y, f"down{i}_second", width, 3)))
        sides.append(x)
    for i, width in reversed(list(enumerate(WIDTHS[:-1]))):
        x = build.doubled(build.conv(x, f"up{i}", width, 1))
        x = build.relu(build.add(x, build.conv(sides[i], f"side{i}", width, 1)))
        x = build.conv(x, f"join{i}", width, 3, act=True)
    return build.doubled(build.conv(x, "stain", 3, 3))
