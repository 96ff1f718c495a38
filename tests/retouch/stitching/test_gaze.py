"""Gaze: both irises move between lids which keep still, or nothing does."""

import numpy as np
import pytest

from retouch.edits.manner import GAZE, Manner
from retouch.faces.crop import cut
from retouch.geometry import LEFT_EYE, RIGHT_EYE, TIGHT, Similarity
from retouch.stitching.change import Change
from retouch.stitching.gaze import FURTHEST, STEP
from retouch.stitching.stitch import Piece, stitch
from tests.retouch.drawing import closed, drawn_face

SIZE = 128
FACE = closed(drawn_face(200)).moved(Similarity.shifting(100, 60))
TO_CROP = FACE.transform(TIGHT, SIZE)
LOOKS = Manner(
    fine=False, where=frozenset({"eyes"}), still=True, things=frozenset({GAZE})
)
STILL = (TO_CROP(FACE.landmarks),) * 2
EYES = [FACE.landmarks[eye] for eye in (LEFT_EYE, RIGHT_EYE)]
WIDTH = np.hypot(*(EYES[0][3] - EYES[0][0]))
Y, X = np.mgrid[:400, :400] + 0.5


def photo(aside=0.0, irises=(True, True)):
    """Skin, white eyes, and dark irises so many widths beside their middles."""
    pixels = np.full((400, 400, 3), 190, np.uint8)
    for eye, seen in zip(EYES, irises, strict=True):
        x, y = eye.mean(0)
        white = ((X - x) / WIDTH * 2) ** 2 + ((Y - y) / np.ptp(eye[:, 1]) * 2) ** 2 < 1
        pixels[white] = 230
        far = np.hypot(X - x - aside * WIDTH, Y - y)
        if seen:
            pixels[white & (far < 0.21 * WIDTH)] = 40
    return pixels


def looked(pixels, strength, visible=None):
    before = cut(pixels, TO_CROP, SIZE).astype(np.float32)
    change = Change(before, before, STILL, LOOKS, asked={GAZE: strength})
    return stitch(pixels, [Piece(FACE, TO_CROP, change, visible)])


def irises(pixels):
    """How many widths irises lie beside the middles of their eyes."""
    found = []
    for eye in EYES:
        x, y = eye.mean(0)
        near = (pixels[..., 0] < 120) & (np.hypot(X - x, Y - y) < WIDTH / 2)
        found.append((X[near].mean() - x) / WIDTH)
    return found


@pytest.mark.parametrize("strength", [1.0, -1.0, 0.5])
def test_irises_move_as_asked_and_nothing_else_does(strength):
    pixels = photo()
    result = looked(pixels, strength)
    assert irises(result) == pytest.approx([strength * STEP] * 2, abs=0.02)
    changed = (result != pixels).any(-1)
    for eye in EYES:
        (x, y), grown = eye.mean(0), 0.6 * WIDTH
        changed[(abs(X - x) < grown) & (abs(Y - y) < grown)] = False
    assert not changed.any()


def test_they_stay_between_the_corners():
    assert max(irises(looked(photo(0.15), 1.5))) < FURTHEST + 0.03
    assert irises(looked(photo(0.15), -1.0)) == pytest.approx([0.03] * 2, abs=0.02)


def test_both_look_elsewhere_or_none_does():
    squinting = photo(irises=(True, False))
    np.testing.assert_array_equal(looked(squinting, 1.0), squinting)
    hidden = np.ones((SIZE, SIZE), np.float32)
    hidden[:, SIZE // 2 :] = 0  # by hair, say: the other one looks
    result = looked(squinting, 1.0, hidden)
    left = irises(photo(irises=(True, True)))[0]
    near = (result[..., 0] < 120) & (X < 200)
    assert (X[near].mean() - EYES[0].mean(0)[0]) / WIDTH - left > STEP / 2


def test_closed_eyes_look_nowhere():
    face = FACE.landmarks.copy()
    for eye in (LEFT_EYE, RIGHT_EYE):
        face[eye, 1] = face[eye, 1].mean()
    pixels = photo()
    before = cut(pixels, TO_CROP, SIZE).astype(np.float32)
    marks = TO_CROP(face)
    change = Change(before, before, (marks, marks), LOOKS, asked={GAZE: 1.0})
    shut = type(FACE)(**{**vars(FACE), "landmarks": face})
    result = stitch(pixels, [Piece(shut, TO_CROP, change)])
    np.testing.assert_array_equal(result, pixels)
