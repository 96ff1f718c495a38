"""Beards: where hair grows, how much of it, and what stays in front of it."""

from dataclasses import replace

import numpy as np
import pytest

from retouch.edits.manner import BEARD, Manner
from retouch.faces.crop import cut
from retouch.geometry import TIGHT, Similarity
from retouch.stitching import beard
from retouch.stitching.change import Change
from retouch.stitching.stitch import Piece, planned, stitch
from tests.retouch.drawing import closed, drawn_face

SIZE = 128
FACE = closed(drawn_face(200)).moved(Similarity.shifting(100, 60))
TO_CROP = FACE.transform(TIGHT, SIZE)
GROWING = Manner(where=frozenset({BEARD}), still=True, things=frozenset({BEARD}))
STILL = (TO_CROP(FACE.landmarks),) * 2
BARE = replace(GROWING, things=frozenset())
CHIN, NOSE, LIP = FACE.landmarks[8], FACE.landmarks[30], FACE.landmarks[51]


def photo(depth=np.uint8):
    """Return skin, and a face with dark brows."""
    skin = np.full((400, 400, 3), 180, depth)
    for x, y in FACE.landmarks[17:27].astype(int):
        skin[y - 3 : y + 4, x - 6 : x + 7] = 40
    return skin * (257 if depth == np.uint16 else 1)


def piece(pixels, amount, visible=None):
    """Return the face as a generator darkens it where hair grows."""
    levels = np.float32(np.iinfo(pixels.dtype).max / 255)
    before = cut(pixels, TO_CROP, SIZE) / levels
    dense = beard.grows(TO_CROP(FACE.landmarks), SIZE)[..., None]
    after = (before * (1 - amount * dense)).astype(np.float32)
    return Piece(FACE, TO_CROP, Change(before, after, STILL, GROWING), visible)


def darkened(pixels, result):
    return (pixels.astype(float) - result).mean(-1) / np.iinfo(pixels.dtype).max


def test_hair_grows_alike_on_both_halves_and_not_on_lips():
    marks = TO_CROP(FACE.landmarks)
    dense = beard.grows(marks, SIZE)
    x, y = marks.T.round().astype(int).clip(0, SIZE - 1)
    there = dense[y, x]
    assert np.abs(there[:17] - there[:17][::-1]).max() < 0.05
    assert np.abs(dense - dense[:, ::-1]).mean() < 0.01
    assert there[[5, 11]].min() > 0.5  # along the jaw
    assert there[[30, 36, 45, 50, 52, 57]].max() < 0.2


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_the_more_a_generator_darkens_the_longer_and_denser_is_the_hair(depth):
    pixels = photo(depth)
    gone = [
        darkened(pixels, stitch(pixels, [piece(pixels, amount)]))
        for amount in (0.2, 0.5, 0.9)
    ]
    sums = [part.sum() for part in gone]
    assert 0 < sums[0] < 0.7 * sums[1] < 0.7 * 0.9 * sums[2]
    x, y = CHIN.astype(int)
    assert gone[2][y - 20 : y, x - 20 : x + 20].mean() > 0.1
    # Hair is no shade: hairs stand beside skin.
    assert gone[0][y - 20 : y, x - 20 : x + 20].std() > 0.02


def test_where_no_hair_grows_no_pixel_changes():
    pixels = photo()
    gone = darkened(pixels, stitch(pixels, [piece(pixels, 0.9)])) != 0
    assert not gone[: int(NOSE[1])].any()
    assert gone[int(LIP[1]) :].any()


def test_what_is_in_front_of_a_beard_keeps_each_of_its_pixels():
    pixels, visible = photo(), np.ones((SIZE, SIZE), np.float32)
    visible[:, : SIZE // 2] = 0
    result = stitch(pixels, [piece(pixels, 0.9, visible)])
    changed = darkened(pixels, result) != 0
    middle = int(TO_CROP.inverse([(SIZE / 2, SIZE / 2)])[0, 0])
    assert not changed[:, : middle - 1].any() and changed[:, middle + 8 :].any()


def test_who_is_drawn_lighter_gets_no_hair():
    pixels = photo()
    one = piece(pixels, -0.3)
    bare = replace(one, change=replace(one.change, manner=BARE))
    np.testing.assert_array_equal(stitch(pixels, [one]), stitch(pixels, [bare]))


def test_a_beard_has_the_colour_of_the_brows():
    pixels = photo()
    pixels[(pixels == 40).all(-1)] = (90, 60, 20)
    result = stitch(pixels, [piece(pixels, 1.0)])
    x, y = CHIN.astype(int)
    part = result[y - 30 : y, x - 30 : x + 30].reshape(-1, 3)
    red, green, blue = part[part.sum(1).argsort()[:50]].mean(0)
    assert red > green + 10 > blue + 20


def test_hair_that_leaves_the_picture_leaves_no_trace_in_it():
    pixels = photo()
    whole = stitch(pixels, [piece(pixels, 0.9)])
    left, below = 150, int(CHIN[1]) - 8
    shift = Similarity.shifting(-left, 0)
    face, part = FACE.moved(shift), pixels[:below, left:]
    change = piece(pixels, 0.9).change
    moved = Piece(face, TO_CROP @ Similarity.shifting(left, 0), change)
    result = stitch(np.ascontiguousarray(part), [moved]).astype(int)
    assert np.abs(result - whole[:below, left:]).max() <= 2


def test_hair_that_is_carried_as_light_ends_before_the_crop_does():
    """Its last row was repeated down the neck."""
    pixels = photo()
    layers = planned(pixels, piece(pixels, 0.9))
    flat = layers.flat(pixels, TO_CROP)
    hair = np.abs(flat.light - layers.light).max(-1)
    assert not flat.things and hair.max() > 30
    assert (flat.reach[hair > 0] > 0).all()
    hair[2:-2, 2:-2] = 0
    assert not hair.any()
