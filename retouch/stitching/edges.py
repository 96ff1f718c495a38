"""Edges, of what is painted from an enlarged crop: as narrow as a photo's own.

Around an edge each point takes its colour from a little further away from it: what
lies between two sides shrinks to a line, and no new colour comes about (warp
sharpening).
"""

import numpy as np

from retouch.faces.crop import Pixels
from retouch.smoothing import smoothed
from retouch.stitching import flow

# In pixels of the crop: how wide drawn edges are, and how steep an edge they pull to.
WIDE, PULL = 0.6, 3.0
STEEP = 10.0  # of 255, from one of its pixels to the next: half an edge
REACH = 6  # of its pixels, from which a point may be told


def narrowed(picture: Pixels, enlarged: float) -> Pixels:
    """Return a picture (H, W, C), which was enlarged so much, with narrower edges."""
    if enlarged <= 1:
        return picture
    wide = WIDE * enlarged
    steep = enlarged * np.hypot(*np.gradient(smoothed(picture @ flow.LUMINANCE, wide)))
    down, across = np.gradient(smoothed(steep / (steep + STEEP), wide))
    pull = np.float32(PULL * enlarged**2 * min(enlarged - 1, 1))
    return flow.fetch(picture, -pull * np.stack([across, down], -1), linear=True)
