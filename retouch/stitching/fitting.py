"""Fitting a painted face into a photo: under its light, with a soft rim."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from retouch.faces.crop import Pixels, resized
from retouch.faces.face_crop import FaceCrop
from retouch.geometry import LEFT_BROW, NOSE, RIGHT_BROW, Face, Similarity
from retouch.stitching import mask
from retouch.stitching.change import Change
from retouch.stitching.stitch import Piece

LIGHT, LIT = 0.14, 48  # the light's width in crops, and pixels at which it is compared
START, FADE = 0.12, 0.45  # above the brows, in distances from the nose's base to them
RIM = 0.12  # of the crop, where the painted face fades
DARKEST, LIGHTEST = 0.25, 1.7  # gains of light; what is missing beyond is added
ALIKE, UNLIKE = 24.0, 60.0  # of 255: around the brows, skin on skin, and hair on skin
NEAR = 0.03  # of the crop: how broadly that is compared


def fitted(
    pixels: NDArray[Any], face: Face, transform: Similarity, image: Pixels
) -> Piece:
    """Return an image as a piece whose light is the photo's and whose rim is soft."""
    size = image.shape[0]
    seen = FaceCrop.at(pixels, face, transform, size, linear=True)
    own = seen.levels
    skin = mask.draw(face, transform, size, pixels.shape, ["skin"])[..., None]
    lit_image = _lit(image, own, skin)
    outer, below = _around_brows(seen.landmarks, size)
    visible = below * _off_rim(size) * (1 - outer * _unlike(own, lit_image))
    marks = seen.landmarks, seen.landmarks
    return Piece(face, transform, Change(own, lit_image, marks), visible)


def _lit(image: Pixels, own: Pixels, skin: Pixels) -> Pixels:
    """Return an image under the photo's light: multiplied, as light is.

    So a light face over a dark one keeps its contrast, and black stays black.
    """
    broad = _broad(np.concatenate([own * skin, image * skin, skin], -1))
    weight = np.maximum(broad[..., 6:], 0.05)
    wanted, known = broad[..., :3] / weight, broad[..., 3:6] / weight
    # Where no skin is near both are nearly 0, and nothing is told of the light.
    gain = np.clip((wanted + 1) / (known + 1), DARKEST, LIGHTEST)
    return (gain * image + wanted - gain * known).astype(np.float32)


def _unlike(own: Pixels, image: Pixels) -> Pixels:
    """Return 1 where one is hair and the other skin, (R, R)."""
    gap = np.abs(own - image).mean(-1)
    gap = gaussian_filter(gap, NEAR * len(gap))
    return _soft((gap - ALIKE) / (UNLIKE - ALIKE))


def _broad(field: Pixels) -> Pixels:
    small = resized(field, LIT)
    small = gaussian_filter(small, (LIGHT * LIT, LIGHT * LIT, 0), truncate=2.5)
    return resized(small, field.shape[0])


def _around_brows(points: NDArray[Any], size: int) -> tuple[Pixels, Pixels]:
    """Return what is 1 above and beside the brows, and what is 1 below: both soft.

    Hair is not on every forehead, so the face ends a little above them.
    """
    brows = np.concatenate([points[LEFT_BROW], points[RIGHT_BROW]])
    up = brows.mean(0) - points[NOSE][-3]
    length = float(np.hypot(*up))
    up = up / length
    centres = (np.arange(size) + 0.5).astype(np.float32)

    def along(x: float, y: float) -> tuple[Pixels, NDArray[Any]]:
        return centres[None] * x + centres[:, None] * y, brows @ (x, y)

    (height, tops), (across, sides) = along(*up), along(-up[1], up[0])
    height = (height - tops.max()) / length
    beside = np.maximum(sides.min() - across, across - sides.max()) / length
    outer = np.maximum(_soft(height / START), _soft(beside / START))
    return outer, _soft(1 - (height - START) / FADE)


def _off_rim(size: int) -> Pixels:
    depth = np.minimum(np.arange(size), np.arange(size)[::-1]) / (RIM * size)
    return _soft(np.minimum(depth[:, None], depth[None]))


def _soft(ramp: NDArray[Any]) -> Pixels:
    t = np.clip(ramp, 0, 1).astype(np.float32)
    return t * t * (3 - 2 * t)
