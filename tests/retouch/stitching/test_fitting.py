import numpy as np

from retouch.stitching.fitting import _around_brows, _lit, _unlike
from tests.retouch.drawing import drawn_face

SIDE = 64
SKIN = np.ones((SIDE, SIDE, 1), np.float32)


def flat(level):
    return np.full((SIDE, SIDE, 3), level, np.float32)


def test_a_light_face_over_a_dark_one_keeps_its_contrast():
    image = flat(200)
    image[30:34, 30:34] = 50  # an eye
    lit = _lit(image, flat(80), SKIN)
    ratio = lit[32, 32] / lit[5, 5]
    assert np.abs(lit[5, 5] - 80).max() < 3
    assert np.abs(ratio - 0.25).max() < 0.03 and lit.min() > 10


def test_what_a_gain_cannot_reach_is_added():
    assert np.abs(_lit(flat(40), flat(200), SKIN) - 200).max() < 1


def test_hair_is_told_from_skin_and_skin_from_a_little_other_skin():
    own = flat(150)
    hair = own.copy()
    hair[:, 40:] = 30
    unlike = _unlike(own, hair)
    assert unlike[:, :30].max() == 0 and unlike[:, 50:].min() == 1
    assert _unlike(own, own + 20).max() == 0


def test_the_painted_face_ends_above_the_brows_and_is_its_own_between_them():
    points = drawn_face().landmarks * SIDE
    outer, below = _around_brows(points, SIDE)
    x, y = points[17:27].mean(0).astype(int)
    mouth = points[48:].mean(0).astype(int)
    assert outer[y, x] == 0 and outer[mouth[1], mouth[0]] == 0
    assert below[mouth[1], mouth[0]] == 1 and below[0].max() < 0.5
    assert outer[y, 0] == 1
