"""A photo of a drawn face, and changes of it to be stitched in."""

import numpy as np

from retouch.faces.crop import Window, cut
from retouch.geometry import FFHQ, Similarity
from retouch.stitching.change import Change
from retouch.stitching.flow import warped
from retouch.stitching.stitch import Piece
from tests.retouch.drawing import drawn_face, texture

SIZE = 128
FACE = drawn_face(160).moved(Similarity.shifting(90, 100))
TO_CROP = FACE.transform(FFHQ, SIZE)
PHOTO = np.rint(texture(340, 340, 3)).astype(np.uint8)
CROP = cut(PHOTO, TO_CROP, SIZE)
ALL = Window(0, 0, 340, 340)
MARKS = TO_CROP(FACE.landmarks)
STILL = MARKS, MARKS


def piece(after, before=CROP):
    return Piece(FACE, TO_CROP, Change(before, after, STILL))


def hill(width=0.1, centre=(0.5, 0.5)):
    y, x = np.mgrid[:SIZE, :SIZE] / SIZE
    square = (x - centre[0]) ** 2 + (y - centre[1]) ** 2
    return np.exp(-square / 2 / width**2).astype(np.float32)[..., None]


def lifted(crop, far, points):
    """Return the change that lifts some landmarks and does nothing else."""
    now = MARKS.copy()
    now[points, 1] -= far
    return Change(crop, warped(crop, MARKS, now), (MARKS, now))
