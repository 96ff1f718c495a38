"""Blemishes: what passes is taken away, what is the person's own stays."""

from functools import cache

import numpy as np
from scipy import ndimage
from scipy.ndimage import gaussian_filter, grey_closing, grey_dilation

from pretrained.forward import Forward
from pretrained.registry import library
from retouch.faces.crop import Pixels
from retouch.geometry import LEFT_BROW, LEFT_EYE, RIGHT_BROW, RIGHT_EYE
from retouch.photos.lab import to_rgb
from retouch.skin.canvas import Canvas
from retouch.smoothing import ramp
from scorers.blemishes import STAIN, bands, network, seen

WEIGHTS = "healing"
MORE = 1.1  # than fits: a shape that is not quite the blemish's fits too weakly
STEPS = 0.6, 3.5  # times what the network says, at least and at most
EDGE, WHOLE = 0.01, 0.02  # of the face's size: what is fitted is finer, and how far
SURE = 0.2  # how much is to be seen before the picture counts as the network does
# How skin itself varies at that width: in lightness more than in colour.
VARIES = np.array([[0.6, -0.035, -0.02], [-0.035, 0.08, -0.01], [-0.02, -0.01, 0.07]])
RARE = np.linalg.inv(VARIES + 0.01 * np.eye(3)).astype(np.float32)
AROUND, GREENER = 0.06, 4.0  # of the face's size; a* below the skin so far around
DOUBT = (0.5, 1.1)  # Lab: fainter stains are none, stronger ones are taken wholly
# Of the surest skin beside it, which counts as SURELY at least: from there a stain is
# on skin, and may be taken.
HALF, SOME, SURELY = 0.6, 0.2, 0.6
MOSTLY = (0.3, 0.5)  # part of a stain on skin: from there it begins to be taken, and is
# Landmarks of what is red by nature or by paint, and how far that goes around them, in
# parts of the face's size: nostrils with their rims, lids with the eyes' corners, and
# what is made up between them and the brows.
RED = (
    (np.r_[31:36], 0.03),
    (np.r_[LEFT_EYE], 0.035),
    (np.r_[RIGHT_EYE], 0.035),
    (np.r_[LEFT_EYE, LEFT_BROW], 0.0),
    (np.r_[RIGHT_EYE, RIGHT_BROW], 0.0),
)
BARELY = 0.05  # of what grows: a spot's edge
DONOR = 1.6  # a spot's widths away lies the skin whose pores it takes
SPOT = 0.02  # of the face's size: marks are narrower
DARKER = (3.0, 6.0)  # L below its surroundings: a mark begins, and is one


@cache
def healer() -> Forward:
    """Return the network with the weights that ship."""
    return Forward(network, library().weights(WEIGHTS, "scorer"))


def healed(canvas: Canvas) -> Pixels:
    """Return the picture without its blemishes, (S, S, 3)."""
    stains = _held(canvas, _fitted(canvas, _found(canvas)))
    stains *= _certain(stains)[..., None]
    lab = canvas.lab - _taken(canvas, stains)[..., None] * stains
    return canvas.image + to_rgb(lab) - to_rgb(canvas.lab)


def _found(canvas: Canvas) -> Pixels:
    """Return the Lab that blemishes add, as the face and its mirror image show it."""
    shown = seen(*bands(canvas.lab, canvas.size))
    straight, mirrored = healer()(np.stack([shown, shown[:, ::-1]]))
    return STAIN * (straight + mirrored[:, ::-1]) / 2


def _fitted(canvas: Canvas, stains: Pixels) -> Pixels:
    """Return stains as strong as the picture shows them.

    In doubt the network says too little. How far the picture's own detail has the
    stain's shape tells how strong it is, the more in colours of which skin itself has
    little (least squares so weighted, held by what the network says).
    """
    skin = canvas.skin + 1e-3
    shape, detail = (x - canvas.around(x, EDGE, skin) for x in (stains, canvas.lab))
    alike = shape @ RARE
    pair = np.stack([(alike * x).sum(-1) for x in (detail, shape)], -1)
    fit, own = np.moveaxis(canvas.around(pair, WHOLE, skin), -1, 0)
    part = MORE * (fit + SURE) / (own + SURE)
    return part.clip(*STEPS)[..., None] * stains


def _certain(stains: Pixels) -> Pixels:
    """Return how far stains are strong enough to be some, (S, S)."""
    return ramp(np.sqrt((stains**2).sum(-1)), *DOUBT)


def _taken(canvas: Canvas, stains: Pixels) -> Pixels:
    """Return 1 where stains are on skin, 0 where they are not, (S, S).

    What lies on both is taken whole or left whole, by where most of it is: half a spot
    is one, too. Where the parsing doubts all skin, its edge is where it doubts it more.
    """
    reach = 2 * round(WHOLE * canvas.size) + 1
    sure = grey_dilation(canvas.skin, (reach, reach)).clip(SURELY)
    skin = canvas.skin / sure
    mass = (stains**2).sum(-1) + 1e-3
    free = ramp(skin, 0, HALF) * (1 - _red(canvas))
    share = canvas.around(free[..., None], WHOLE, mass)[..., 0]
    return ramp(share, *MOSTLY) * ramp(skin, 0, SOME)


def _red(canvas: Canvas) -> Pixels:
    """Return where skin is red without any blemish, (S, S)."""
    areas = [canvas.polygon(canvas.landmarks[part], wide) for part, wide in RED]
    return canvas.blurred(np.maximum.reduce(areas), EDGE)


def _held(canvas: Canvas, stains: Pixels) -> Pixels:
    """Return stains that leave the skin no greener than it is around."""
    clean = canvas.skin * (1 - _certain(stains)) + 1e-3
    around = canvas.around(canvas.lab[..., 1:2], AROUND, clean)
    redder = canvas.lab[..., 1] - around[..., 0] + GREENER
    held = stains.copy()
    held[..., 1] = np.minimum(stains[..., 1], redder.clip(0))
    return held


def grown(fine: Pixels, where: Pixels, skin: Pixels) -> Pixels:
    """Return the detail (H, W, 3) of skin beside each spot, as far as `where` says."""
    result = np.zeros_like(fine)
    for box in ndimage.find_objects(ndimage.label(where > BARELY)[0]):
        if donor := _donor(box, skin, where):
            result[box] += where[box][..., None] * fine[donor]
    return result


def _donor(
    box: tuple[slice, slice], skin: Pixels, where: Pixels
) -> tuple[slice, slice] | None:
    """Return the nearest place of a box's size that shows whole skin, if any does."""
    height, width = (s.stop - s.start for s in box)
    for angle in np.arange(8) * np.pi / 4:
        down = round(DONOR * height * np.sin(angle))
        right = round(DONOR * width * np.cos(angle))
        rows = slice(box[0].start + down, box[0].stop + down)
        columns = slice(box[1].start + right, box[1].stop + right)
        inside = min(rows.start, columns.start) >= 0
        if not (inside and rows.stop <= len(skin) and columns.stop <= skin.shape[1]):
            continue
        place = rows, columns
        if skin[place].min() > 0.5 and where[place].max() < BARELY:
            return place
    return None


def marks(canvas: Canvas, lab: Pixels) -> Pixels:
    """Return where moles and freckles are: dark, narrow, on bare skin; (S, S)."""
    light = gaussian_filter(lab[..., 0], 0.6)
    reach = 2 * round(SPOT * canvas.size) + 1
    depth = grey_closing(light, (reach, reach)) - light
    spots = ramp(depth, *DARKER) * (canvas.skin > 0.3)
    return grey_dilation(spots, (3, 3)).astype(np.float32)


def unmarked(canvas: Canvas, image: Pixels, where: Pixels) -> Pixels:
    """Return the picture without its marks: their surroundings grow over them."""
    where = where * canvas.skin
    fill = canvas.around(image, 0.015, canvas.skin * (1 - where))
    own = canvas.around(image, 0.004, np.maximum(where, 1e-3))
    return image + where[..., None] * (fill - own)
