from dataclasses import replace

import numpy as np
import pytest

from retouch.edits.manner import WHOLE, Manner
from retouch.stitching import mouths
from retouch.stitching.change import Change
from retouch.stitching.flow import warped
from retouch.stitching.stitch import Piece, stitch
from tests.retouch.stitching.changed import CROP, FACE, PHOTO, SIZE, TO_CROP, hill

PAINT = Manner(still=True)


def test_paint_lies_on_both_cheeks_in_the_skins_own_colour():
    marks = TO_CROP(FACE.landmarks)
    skin = np.broadcast_to(np.float32([200, 150, 120]), (SIZE, SIZE, 3))
    photo = np.broadcast_to(np.uint8([150, 112, 90]), PHOTO.shape)
    left, right = (0.5 * (marks[n] + marks[48 if n == 5 else 54]) for n in (5, 11))

    def laid(*places):
        drawn = skin - sum(np.float32(80) * hill(0.05, at / SIZE) for at in places)
        change = Change(skin.copy(), drawn, marks=(marks, marks), manner=PAINT)
        done = stitch(photo, [Piece(FACE, TO_CROP, change)]).astype(float)
        spots = [np.rint(TO_CROP.inverse(at)).astype(int) for at in (left, right)]
        return [done[y, x] for x, y in spots]

    both, alone = laid(left, right), laid(left)
    assert max(np.abs(spot - photo[0, 0]).max() for spot in alone) <= 2  # a shadow
    for spot in both:
        assert spot.max() < 120
        np.testing.assert_allclose(spot / spot.max(), photo[0, 0] / 150, atol=0.01)


@pytest.mark.parametrize(("manner", "darker"), [(WHOLE, False), (PAINT, True)])
def test_lids_are_darkened_by_make_up_alone(manner, darker):
    marks = TO_CROP(FACE.landmarks)
    skin = np.full((SIZE, SIZE, 3), 170, np.float32)
    liner = sum(hill(0.015, marks[n] / SIZE) for n in (36, 45))
    change = Change(skin, skin - 80 * liner, marks=(marks, marks), manner=manner)
    photo = np.full_like(PHOTO, 170)
    result = stitch(photo, [Piece(FACE, TO_CROP, change)]).astype(float) - 170
    gains = [result[y, x - 4 : x + 5] for x, y in FACE.landmarks[[36, 45]].astype(int)]
    assert all(gain.min() < -15 if darker else gain.min() > -4 for gain in gains)


def test_lips_are_painted_where_they_are_though_drawn_elsewhere():
    was = TO_CROP(FACE.landmarks)
    now = was.copy()
    now[48:, 1] += 5  # the lips are drawn lower
    lip, chin = was[[57, 66]].mean(0), (was[57] + was[8]) / 2
    lips = mouths.on_lips(was, SIZE)[..., None]
    drawn = warped(CROP * (1 - lips * np.float32([0, 0.2, 0.2])), was, now)
    lipstick = replace(PAINT, fine=False, where=frozenset({"mouth"}))
    change = Change(CROP, drawn, marks=(was, now), manner=lipstick)
    result = stitch(PHOTO, [Piece(FACE, TO_CROP, change)]).astype(int)
    gain = result - PHOTO
    x, y = np.floor(TO_CROP.inverse(lip)).astype(int)
    left = (result / np.maximum(PHOTO, 1))[y - 1 : y + 2, x - 4 : x + 5]
    assert left[..., 0].min() > 0.8 > 0.75 > left[..., 1:].max()  # they get red
    assert np.ptp(left, (0, 1)).max() < 0.05  # what lips show is theirs
    x, y = np.floor(TO_CROP.inverse(chin)).astype(int)
    assert not gain[y, x].any()
