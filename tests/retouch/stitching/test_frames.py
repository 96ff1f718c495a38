"""Glasses: where a frame lies, what it does to a photo, and what it leaves alone."""

from dataclasses import replace

import numpy as np
import pytest

from retouch.edits.manner import GLASSES, Manner
from retouch.faces.crop import cut
from retouch.geometry import LEFT_EYE, RIGHT_EYE, TIGHT, Similarity
from retouch.stitching.change import Change
from retouch.stitching.frames import BEHIND, EARS, FITS, HALF_HEAD, HEAD, Frame
from retouch.stitching.stitch import Piece, stitch
from tests.retouch.drawing import closed, drawn_face

SIZE = 128
FACE = closed(drawn_face(200)).moved(Similarity.shifting(100, 60))
TO_CROP = FACE.transform(TIGHT, SIZE)
WORN = Manner(
    fine=False, where=frozenset({"eyes"}), still=True, things=frozenset({GLASSES})
)
STILL = (TO_CROP(FACE.landmarks),) * 2
EYES = [FACE.landmarks[eye].mean(0) for eye in (LEFT_EYE, RIGHT_EYE)]


def photo(depth=np.uint8):
    return np.full((400, 400, 3), 180 * (np.iinfo(depth).max // 255), depth)


def piece(pixels, strength, visible=None, uncovered=None):
    levels = np.float32(np.iinfo(pixels.dtype).max / 255)
    before = cut(pixels, TO_CROP, SIZE) / levels
    # What a generator draws of glasses does not matter.
    change = Change(before, before + 1, STILL, WORN, asked={GLASSES: strength})
    return Piece(FACE, TO_CROP, change, visible, uncovered)


def darkened(pixels, *pieces, regions=("face",), method="difference"):
    result = stitch(pixels, pieces, regions=regions, method=method).astype(float)
    return (pixels - result).mean(-1) / np.iinfo(pixels.dtype).max


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_rims_lie_around_both_eyes_which_stay_as_they_are(depth):
    pixels = photo(depth)
    gone = darkened(pixels, piece(pixels, 1.0))
    rims = gone > 0.3
    assert rims.sum() > 300
    for x, y in (eye.astype(int) for eye in EYES):
        assert not rims[y - 4 : y + 5, x - 8 : x + 9].any()
        assert np.abs(gone[y - 2 : y + 5, x - 4 : x + 5]).max() < 0.06
        for way in (rims[:y, x], rims[y:, x], rims[y, :x], rims[y, x:]):
            assert way.any()


def test_the_stronger_the_thicker_and_none_at_nothing():
    pixels = photo()
    sums = [darkened(pixels, piece(pixels, s)).clip(0).sum() for s in (0.3, 1, 2)]
    assert 0 < sums[0] < 0.7 * sums[1] < 0.7 * 0.8 * sums[2]
    for strength in (0.0, -1.0):
        assert not darkened(pixels, piece(pixels, strength)).any()


def head(degrees=0.0, half=HALF_HEAD):
    """Landmarks of a head that is so wide, turned to the picture's right."""
    turn = np.radians(degrees)
    ears = {EARS[0]: (-half, 0, -BEHIND), EARS[1]: (half, 0, -BEHIND)}
    marks = np.zeros((68, 2))
    for at, (x, y, z) in (HEAD | ears).items():
        marks[at] = 200 + x * np.cos(turn) + z * np.sin(turn), 200 + y
    return marks


def test_a_frame_turns_with_the_head():
    def widths(degrees):
        _, _, glass = Frame(head(degrees), 2.0).outlines
        return [np.ptp(outline[:, 0]) for outline in glass]

    left, right = widths(0)
    assert left == pytest.approx(right)
    left, right = widths(25)  # to the picture's right
    assert right < 0.9 * left


def test_a_frame_is_as_wide_as_the_head():
    small, usual, large = (Frame(head(half=h), 2.0).fit for h in (50, HALF_HEAD, 74))
    assert (small, usual) == pytest.approx((FITS[0], 1.0))
    assert large == pytest.approx(74 / HALF_HEAD)
    # On a turned head the hidden ear says nothing.
    assert Frame(head(30), 2.0).fit == pytest.approx(1.0)


def test_the_far_arm_of_a_turned_head_is_hidden():
    assert [len(Frame(head(d), 2.0).outlines[1]) for d in (-40, 0, 40)] == [1, 2, 1]


def test_an_arm_ends_where_hair_hides_it():
    frame = Frame(head(-40), 2.0)  # its left ear, at the picture's right, is seen
    window = frame.window((400, 400))
    free = np.ones(window.shape, np.float32)
    assert frame.seen(free, window)[1] == 1.0
    (arm,) = frame.outlines[1]
    left, right = arm[:, 0].min(), arm[:, 0].max()
    free[:, round((left + right) / 2) - window.left :] = 0
    shown = replace(frame, shown=frame.seen(free, window))
    assert 0.3 < shown.shown[1] < 0.7
    (short,) = shown.outlines[1]
    assert short[:, 0].max() < (left + right) / 2 + 4


def test_edges_that_look_up_shine_and_rims_cast_a_shadow_below():
    pixels = photo()
    gone = darkened(pixels, piece(pixels, 2.0))
    x, y = EYES[0].astype(int)
    column = gone[:, x]
    lower = np.flatnonzero(column[y:] > 0.3) + y
    above, below = column[lower[0]], column[lower[-1]]
    assert above < below  # the upper edge gives back more
    assert 0.02 < column[lower[-1] + 4] < 0.3
    assert not np.abs(gone[: y - 40]).any()


def test_hands_and_what_hides_eyes_stay_and_hair_lies_under_rims():
    pixels, half = photo(), np.ones((SIZE, SIZE), np.float32)
    half[:, : SIZE // 4] = 0
    middle = int(TO_CROP.inverse([(SIZE / 4, 0)])[0, 0])
    one = np.ones_like(half)
    hand = darkened(pixels, piece(pixels, 1.0, half, half))
    hair = darkened(pixels, piece(pixels, 1.0, half, one))
    assert not hand[:, : middle - 1].any() and hand[:, middle + 8 :].any()
    assert hair[:, : middle - 4].any()
    assert not darkened(pixels, piece(pixels, 1.0, 0 * one, one)).any()


def test_they_are_worn_where_eyes_may_change():
    pixels = photo()
    assert not darkened(pixels, piece(pixels, 1.0), regions=("mouth",)).any()
    assert darkened(pixels, piece(pixels, 1.0), regions=("eyes",)).any()


def test_they_are_put_on_a_replaced_face_too():
    """The generator's picture shows none."""
    pixels = photo()
    bare, worn = (darkened(pixels, piece(pixels, s), method="replace") for s in (0, 1))
    assert (worn - bare > 0.3).sum() > 300
