"""Make-up: where it lies, what it leaves alone, and that it follows the lid."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from retouch.edits.manner import MAKE_UP, Manner
from retouch.faces.crop import cut
from retouch.geometry import LEFT_EYE, RIGHT_EYE, TIGHT, Similarity
from retouch.stitching.change import Change
from retouch.stitching.stitch import Piece, stitch
from tests.retouch.drawing import closed, drawn_face

SIZE = 128
FACE = closed(drawn_face(300)).moved(Similarity.shifting(50, 50))
TO_CROP = FACE.transform(TIGHT, SIZE)
WORN = Manner(where=frozenset({"eyes"}), still=True, things=frozenset({MAKE_UP}))
EYES = [FACE.landmarks[eye] for eye in (LEFT_EYE, RIGHT_EYE)]


def photo(depth=np.uint8):
    return np.full((400, 400, 3), 180 * (np.iinfo(depth).max // 255), depth)


def darkened(pixels, strength, visible=None, face=FACE, **how):
    levels = np.float32(np.iinfo(pixels.dtype).max / 255)
    before = cut(pixels, TO_CROP, SIZE) / levels
    marks = TO_CROP(face.landmarks)
    change = Change(before, before, (marks, marks), WORN, asked={MAKE_UP: strength})
    result = stitch(pixels, [Piece(face, TO_CROP, change, visible)], **how)
    return (pixels - result.astype(float)).mean(-1) / np.iinfo(pixels.dtype).max


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
@pytest.mark.parametrize("method", ["difference", "replace"])
def test_lids_are_lined_and_all_beyond_the_eyes_stays(depth, method):
    pixels = photo(depth)
    gone = darkened(pixels, 1.0, method=method)
    far = np.ones_like(gone, bool)
    for eye in EYES:
        left, top = (eye.min(0) - 0.7 * np.ptp(eye[:, 0])).astype(int)
        right, bottom = (eye.max(0) + 0.7 * np.ptp(eye[:, 0])).astype(int)
        far[top:bottom, left:right] = False
        over, under = eye[1:3].mean(0).astype(int), eye[4:6].mean(0).astype(int)
        assert gone[over[1] - 4 : over[1] + 2, over[0]].max() > 0.3
        assert gone[under[1], under[0]] < 0.05
    assert not gone[far].any()


def test_the_stronger_the_darker_and_none_at_nothing():
    pixels = photo()
    sums = [darkened(pixels, s).sum() for s in (0.1, 0.5, 1, 2)]
    assert 0 < sums[0] < 0.5 * sums[1] and sums[1] < 0.8 * sums[2] < 0.8 * 0.8 * sums[3]
    for strength in (0.0, -1.0):
        assert not darkened(pixels, strength).any()


def test_the_line_lies_on_the_lashes_not_on_the_landmarks():
    """Those lie by a twentieth of the eye's width too low."""
    eye = EYES[0]
    off = 0.05 * np.ptp(eye[:, 0])
    lashes = np.zeros((400, 400), np.float32)
    xs = np.arange(int(eye[0, 0]), int(eye[3, 0]) + 1)
    ys = np.interp(xs, eye[:4, 0], eye[:4, 1]) - off
    lashes[ys.round().astype(int), xs] = 1
    lashes = gaussian_filter(lashes, 1)
    pixels = photo()
    pixels -= (90 * lashes / lashes.max()).astype(np.uint8)[..., None]
    gone = darkened(pixels, 0.5) / (pixels[..., 0] / 255)
    middle = int(eye[1:3, 0].mean())
    there = np.average(np.arange(400), weights=gone[:, middle] ** 4)
    lower = np.interp(middle, eye[:4, 0], eye[:4, 1])
    assert there < lower - 0.6 * off


def test_a_hand_in_front_is_not_made_up_and_neither_is_another_region():
    pixels = photo()
    assert not darkened(pixels, 1.0, np.zeros((SIZE, SIZE), np.float32)).any()
    assert not darkened(pixels, 1.0, regions=["mouth"]).any()


def test_an_eye_that_is_no_wider_than_a_pixel_stays():
    marks = FACE.landmarks.copy()
    marks[36:42] = marks[36:42].mean(0)
    face = replace(FACE, landmarks=marks)
    gone = darkened(photo(), 1.0, face=face)
    x, y = EYES[0].mean(0).astype(int)
    assert gone.any() and not gone[y - 15 : y + 16, x - 15 : x + 16].any()
