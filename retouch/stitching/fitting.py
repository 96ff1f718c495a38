"""Fitting a painted face into a photo: under its light, with a soft rim."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from retouch.crop import Pixels, cut, resized
from retouch.geometry import LEFT_BROW, NOSE, RIGHT_BROW, Face, Similarity
from retouch.stitching import mask
from retouch.stitching.stitch import Change, Piece

LIGHT, LIT = 0.14, 48  # the light's width in crops, and pixels at which it is compared
START, FADE = 0.12, 0.45  # above the brows, in distances from the nose's base to them
RIM = 0.12  # of the crop, where the painted face fades


def fitted(pixels: NDArray, face: Face, transform: Similarity, image: Pixels) -> Piece:
    """Return an image as a piece whose light is the photo's and whose rim is soft."""
    size = image.shape[0]
    scale = np.float32(255 / np.iinfo(pixels.dtype).max)
    own = cut(pixels, transform, size, linear=True) * scale
    skin = mask.draw(face, transform, size, pixels.shape, ["skin"])[..., None]
    lit = _broad(np.concatenate([own * skin, image * skin, skin], -1))
    shade = (lit[..., :3] - lit[..., 3:6]) / np.maximum(lit[..., 6:], 0.05)
    visible = _below_brows(transform(face.landmarks), size) * _off_rim(size)
    lit_image = (image + shade).astype(np.float32)
    return Piece(face, transform, Change(own, lit_image), visible)


def _broad(field: Pixels) -> Pixels:
    small = resized(field, LIT)
    small = gaussian_filter(small, (LIGHT * LIT, LIGHT * LIT, 0), truncate=2.5)
    return resized(small, field.shape[0])


def _below_brows(points: NDArray, size: int) -> Pixels:
    """Return 1 up to the brows and 0 a little above: hair is not on every forehead."""
    brows = np.concatenate([points[LEFT_BROW], points[RIGHT_BROW]])
    up = brows.mean(0) - points[NOSE][-3]
    length = float(np.hypot(*up))
    up = up / length
    start = float((brows @ up).max()) + START * length
    centres = (np.arange(size) + 0.5).astype(np.float32)
    height = centres[None] * up[0] + centres[:, None] * up[1] - start
    return _soft(1 - height / (FADE * length))


def _off_rim(size: int) -> Pixels:
    depth = np.minimum(np.arange(size), np.arange(size)[::-1]) / (RIM * size)
    return _soft(np.minimum(depth[:, None], depth[None]))


def _soft(ramp: NDArray) -> Pixels:
    t = np.clip(ramp, 0, 1).astype(np.float32)
    return t * t * (3 - 2 * t)
