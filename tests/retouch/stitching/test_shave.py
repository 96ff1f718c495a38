"""Shaving: what is left of a beard, and of everything else."""

import numpy as np
import pytest

from retouch.edits.manner import BEARD, LINES, Manner
from retouch.faces.crop import Window, cut, uncut
from retouch.stitching.beard import grows
from retouch.stitching.change import Change
from retouch.stitching.stitch import Piece, stitch
from tests.retouch.stitching.changed import FACE, PHOTO, SIZE, STILL, TO_CROP, hill

SHAVING = Manner(
    fine=False, where=frozenset({BEARD}), still=True, things=frozenset({BEARD})
)
SKIN = np.full((SIZE, SIZE, 3), (200, 150, 115), np.float32)
DENSE = grows(STILL[0], SIZE)[..., None]
CHIN = 0.35 * STILL[0][8] + 0.65 * STILL[0][57]


def bearded(darkest, lightest):
    """Return skin with hairs as bright as that where beards grow, (S, S, 3)."""
    rng = np.random.default_rng(0)
    hairs = rng.uniform(darkest, lightest, (SIZE, SIZE, 1)).astype(np.float32)
    return SKIN + DENSE * (hairs - SKIN)


def shaved(own, much, drawn=SKIN):
    """Return a crop of whose beard so much less is asked for, and of the photo."""
    window = Window(0, 0, PHOTO.shape[1], PHOTO.shape[0])
    photo = np.rint(uncut(own, TO_CROP, window).clip(0, 255)).astype(np.uint8)
    change = Change(own, drawn, STILL, SHAVING, asked={BEARD: -much})
    result = stitch(photo, [Piece(FACE, TO_CROP, change)])
    return [cut(x.astype(np.float32), TO_CROP, SIZE) for x in (result, photo)]


def on_chin(crop):
    x, y = CHIN.astype(int)
    return crop[y - 3 : y + 4, x - 8 : x + 9]


@pytest.mark.parametrize("shades", [(0, 70), (90, 230)])  # a black beard, a grey one
def test_skin_shows_where_hair_was_and_hairs_stay_but_fainter(shades):
    after, before = map(on_chin, shaved(bearded(*shades), 1.2))
    assert np.abs(after.mean((0, 1)) - SKIN[0, 0]).max() < 30
    light, was = (np.log(crop.mean(-1)) for crop in (after, before))
    assert 0.1 < light.std() / was.std() < 0.6
    alike = np.corrcoef(light.ravel(), was.ravel())[0, 1]
    assert alike > 0.8


def test_the_more_is_asked_for_the_more_is_cut():
    own = bearded(10, 70)
    light = [on_chin(shaved(own, much)[0]).mean() for much in (0.0, 0.3, 0.6, 1.2, 2.4)]
    assert (np.diff(light) > 0).all()


def test_eyes_lips_and_what_lies_beside_a_face_stay_as_they_are():
    after, before = shaved(bearded(10, 70), 1.2, drawn=SKIN * np.float32(0.9))
    marks = STILL[0]
    for place in (marks[36:48].mean(0), marks[[51, 62]].mean(0), marks[30], (3, 125)):
        x, y = np.array(place).astype(int)
        np.testing.assert_allclose(after[y, x], before[y, x], atol=1)


def test_who_has_no_hair_to_lose_keeps_each_pixel():
    after, before = shaved(SKIN, 1.2, drawn=SKIN * np.float32(0.8))
    assert np.abs(after - before).max() < 1.5
    np.testing.assert_array_equal(*shaved(bearded(10, 70), 0.0))


def test_a_background_beside_the_drawn_jaw_is_no_skin():
    across = np.abs(np.arange(SIZE) + 0.5 - STILL[0][8, 0])
    narrow = SKIN.copy()
    narrow[:, across > 0.8 * np.abs(STILL[0][[4, 12], 0] - STILL[0][8, 0]).min()] = 235
    as_wide, as_narrow = (shaved(bearded(10, 70), 1.2, d)[0] for d in (SKIN, narrow))
    assert np.abs(as_wide - as_narrow).max() < 15


def test_years_lay_no_light_on_a_beard_and_do_on_a_bare_chin():
    older = Manner(colour=0.0, things=frozenset({LINES}))
    low = 0.6 * STILL[0][8] + 0.4 * STILL[0][57]  # where hair is dense
    x, y = np.rint(low).astype(int)

    def darkened(own):
        drawn = own - 60 * hill(0.06, low / SIZE)
        change = Change(own, drawn, STILL, older)
        window = Window(0, 0, PHOTO.shape[1], PHOTO.shape[0])
        photo = np.rint(uncut(own, TO_CROP, window).clip(0, 255)).astype(np.uint8)
        after = stitch(photo, [Piece(FACE, TO_CROP, change)]).astype(np.float32)
        return cut(photo - after, TO_CROP, SIZE)[y - 2 : y + 3, x - 3 : x + 4].mean()

    assert darkened(SKIN) > 8 > 4 > darkened(bearded(20, 140))
