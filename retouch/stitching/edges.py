"""Edges, of what is painted from an enlarged crop: as narrow as a photo's own.

Around an edge each point takes its colour from a little further away from it: what
lies between two sides shrinks to a line, and no new colour comes about (warp
sharpening).
"""

import numpy as np
from scipy.ndimage import map_coordinates

from retouch.cores import together
from retouch.faces.crop import Pixels
from retouch.smoothing import smoothed
from retouch.stitching.flow import LUMINANCE

# In pixels of the crop: how wide drawn edges are, and how steep an edge they pull to.
WIDE, PULL = 0.6, 3.0
STEEP = 10.0  # of 255, from one of its pixels to the next: half an edge
REACH = 6  # of its pixels, from which a point may be told


def narrowed(picture: Pixels, enlarged: float) -> Pixels:
    """Return a picture (H, W, C), which was enlarged so much, with narrower edges."""
    if enlarged <= 1:
        return picture
    wide = WIDE * enlarged
    across = np.gradient(smoothed(picture @ LUMINANCE, wide))
    steep = enlarged * np.hypot(*across)
    edge = smoothed(steep / (steep + STEEP), wide)
    pull = PULL * enlarged**2 * min(enlarged - 1, 1)
    steps = [np.float32(pull) * step for step in np.gradient(edge)]
    where = [
        place - step for place, step in zip(np.indices(edge.shape), steps, strict=True)
    ]

    def fetched(plane: Pixels) -> Pixels:
        return np.asarray(map_coordinates(plane, where, order=1, mode="nearest"))

    return np.stack(together(fetched, np.moveaxis(picture, -1, 0)), -1)
