"""Shapes: lengths between landmarks, checked by measuring them again."""

import numpy as np
import pytest

from retouch.edits.directions import DIRECTIONS
from retouch.edits.moves import SHAPES as MOVED
from retouch.geometry import MIRRORED, Similarity
from retouch.stitching.change import Change
from retouch.stitching.shapes import SHAPES, reshaping
from retouch.stitching.stitch import Piece, stitch
from tests.retouch.drawing import drawn_face
from tests.retouch.stitching.changed import CROP, FACE, PHOTO, STILL, TO_CROP

MARKS = drawn_face(200).landmarks


def lengths(marks):
    """Return how long each shape is, as it is measured in people."""
    y = marks[:, 1]

    def apart(one, other):
        return np.hypot(*(marks[one] - marks[other]))

    eyes = (marks[36:42].mean(0) + marks[42:48].mean(0)) / 2
    open_by = [y[[41, 40]] - y[[37, 38]], y[[46, 47]] - y[[44, 43]]]
    return {
        "eyes-open": np.mean(open_by),
        "eye-width": apart(36, 39) + apart(42, 45),
        "brow-height": eyes[1] - y[17:27].mean(),
        "brow-gap": apart(21, 22),
        "lip-thickness": apart(51, 62) + apart(66, 57),
        "jaw-width": apart(4, 12),
        "chin-length": apart(57, 8),
        "nose-width": apart(31, 35),
        "nose-length": apart(27, 33),
    }


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("strength", [-1.0, 0.5, 2.0])
def test_a_shape_grows_by_deviations_of_people_and_no_other_does(name, strength):
    was = lengths(MARKS)
    now = lengths(MARKS + reshaping(MARKS, {name: strength}))
    grown = {other: now[other] / was[other] - 1 for other in was}
    asked = strength * SHAPES[name].deviation
    assert grown[name] == pytest.approx(asked, rel=0.12)
    del grown[name]
    grown.pop("chin-length", 0)  # which begins at the lower lip
    assert max(map(abs, grown.values())) < 0.25 * abs(asked)


@pytest.mark.parametrize("name", SHAPES)
def test_both_sides_change_alike_however_a_head_is_tilted(name):
    steps = reshaping(MARKS, {name: 1.0})
    mirrored = MARKS[MIRRORED] * (-1, 1)
    np.testing.assert_allclose(
        reshaping(mirrored, {name: 1.0})[MIRRORED] * (-1, 1), steps, atol=1e-9
    )
    tilt = Similarity(0.8, 0.6, 30, -20)
    tilted = tilt(MARKS + steps) - tilt(MARKS)
    np.testing.assert_allclose(reshaping(tilt(MARKS), {name: 1.0}), tilted, atol=1e-9)


def test_the_further_half_of_a_turned_face_has_its_share_alone():
    turned, middle = MARKS.copy(), MARKS[51, 0]
    left = turned[:, 0] < middle
    turned[left, 0] = middle + 0.4 * (turned[left, 0] - middle)
    steps = np.abs(reshaping(turned, {"jaw-width": 1.0})[[4, 12], 0])
    assert 0.3 < steps[0] / steps[1] < 0.5


def test_what_nobody_knows_as_a_shape_moves_nothing():
    assert not reshaping(MARKS, {"beard": 1.0, "gaze": 1.0}).any()


def test_every_shape_has_its_slider_and_a_photo_shows_it():
    for name in SHAPES:
        (known,) = (own for own in DIRECTIONS.values() if own.trait == name)
        assert name in MOVED and name in known.manner.things
        asked = {name: 1.0}
        change = Change(CROP, CROP, STILL, known.manner, asked=asked)
        result = stitch(PHOTO, [Piece(FACE, TO_CROP, change)])
        moved = (result != PHOTO).any(-1)
        assert moved.sum() > 200
