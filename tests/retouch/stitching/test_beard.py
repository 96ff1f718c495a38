"""Beards: where hair grows, how much of it, and what stays in front of it."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

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
CHIN, BRIDGE, LIP = FACE.landmarks[8], FACE.landmarks[28], FACE.landmarks[51]


def photo(depth=np.uint8):
    """Return skin, and a face with dark brows."""
    skin = np.full((400, 400, 3), 180, depth)
    for x, y in FACE.landmarks[17:27].astype(int):
        skin[y - 3 : y + 4, x - 6 : x + 7] = 40
    return skin * (257 if depth == np.uint16 else 1)


def piece(pixels, much, visible=None, hair=None):
    """Return the face with so much of a beard asked for."""
    levels = np.float32(np.iinfo(pixels.dtype).max / 255)
    drawn = cut(pixels, TO_CROP, SIZE) / levels
    change = Change(drawn, drawn, STILL, GROWING, asked={BEARD: much})
    return Piece(FACE, TO_CROP, change, visible, hair=hair)


def darkened(pixels, result):
    return (pixels.astype(float) - result).mean(-1) / np.iinfo(pixels.dtype).max


def test_hair_grows_alike_on_both_halves_and_not_on_lips():
    marks = TO_CROP(FACE.landmarks)
    dense = beard.grows(marks, SIZE)
    x, y = marks.T - 0.5
    there = map_coordinates(dense, (y, x), order=1)
    assert np.abs(there[:17] - there[:17][::-1]).max() < 0.05
    assert np.abs(dense - dense[:, ::-1]).mean() < 0.01
    assert there[[5, 11]].min() > 0.5  # along the jaw
    assert there[[30, 36, 45, 50, 52, 57]].max() < 0.2


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_the_more_is_asked_for_the_longer_and_denser_is_the_hair(depth):
    pixels = photo(depth)
    gone = [
        darkened(pixels, stitch(pixels, [piece(pixels, much)]))
        for much in (0.5, 1.2, 2.4)
    ]
    sums = [part.sum() for part in gone]
    assert 0 < sums[0] < 0.7 * sums[1] < 0.7 * 0.9 * sums[2]
    x, y = CHIN.astype(int)
    assert gone[2][y - 20 : y, x - 20 : x + 20].mean() > 0.3
    # Hair is no shade: hairs stand beside skin.
    assert gone[0][y - 20 : y, x - 20 : x + 20].std() > 0.02


def test_where_no_hair_grows_no_pixel_changes():
    pixels = photo()
    gone = darkened(pixels, stitch(pixels, [piece(pixels, 2.4)])) != 0
    assert not gone[: int(BRIDGE[1])].any()
    assert gone[int(LIP[1]) :].any()


def test_what_is_in_front_of_a_beard_keeps_each_of_its_pixels():
    pixels, visible = photo(), np.ones((SIZE, SIZE), np.float32)
    visible[:, : SIZE // 2] = 0
    result = stitch(pixels, [piece(pixels, 2.4, visible)])
    changed = darkened(pixels, result) != 0
    middle = int(TO_CROP.inverse([(SIZE / 2, SIZE / 2)])[0, 0])
    assert not changed[:, : middle - 1].any() and changed[:, middle + 8 :].any()


def test_who_is_asked_for_less_gets_no_hair():
    pixels = photo()
    for much in (0.0, -1.2):
        np.testing.assert_array_equal(stitch(pixels, [piece(pixels, much)]), pixels)


def test_a_beard_has_the_colour_of_the_brows():
    pixels = photo()
    pixels[(pixels == 40).all(-1)] = (90, 60, 20)
    result = stitch(pixels, [piece(pixels, 1.2)])
    x, y = CHIN.astype(int)
    part = result[y - 30 : y, x - 30 : x + 30].reshape(-1, 3)
    red, green, blue = part[part.sum(1).argsort()[:50]].mean(0)
    assert red > green + 10 > blue + 20


def test_hair_that_leaves_the_picture_leaves_no_trace_in_it():
    pixels = photo()
    whole = stitch(pixels, [piece(pixels, 2.4)])
    left, below = 150, int(CHIN[1]) - 8
    shift = Similarity.shifting(-left, 0)
    face, part = FACE.moved(shift), pixels[:below, left:]
    change = piece(pixels, 2.4).change
    moved = Piece(face, TO_CROP @ Similarity.shifting(left, 0), change)
    result = stitch(np.ascontiguousarray(part), [moved]).astype(int)
    assert np.abs(result - whole[:below, left:]).max() <= 2


def test_hair_that_is_carried_as_light_ends_before_the_crop_does():
    """Its last row was repeated down the neck."""
    pixels = photo()
    layers = planned(pixels, piece(pixels, 2.4))
    flat = layers.flat(pixels, TO_CROP)
    hair = np.abs(flat.light - layers.light).max(-1)
    assert not flat.things and hair.max() > 30
    assert (flat.reach[hair > 0] > 0).all()
    hair[2:-2, 2:-2] = 0
    assert not hair.any()


def test_hair_beyond_the_jaw_has_its_own_colour_whatever_lies_behind_it():
    """It was a part of the light behind it: green before a lawn, black at night."""
    pixels = photo()
    pixels[(pixels == 40).all(-1)] = (120, 90, 60)
    pixels[int(CHIN[1]) + 1 :] = 0
    result = stitch(pixels, [piece(pixels, 2.4)])[int(CHIN[1]) + 1 :]
    seen = result[result.max(-1) > 20].astype(int)
    assert len(seen) > 50
    red, green, blue = seen.mean(0)
    assert red > 1.2 * green > 1.2 * 1.2 * blue


@pytest.mark.parametrize(("skin", "hair"), [(180, 40), (90, 30), (60, 20)])
def test_hair_is_seen_on_skin_of_every_colour(skin, hair):
    pixels = np.where(photo() == 180, skin, hair).astype(np.uint8)
    result = stitch(pixels, [piece(pixels, 1.2)])
    x, y = CHIN.astype(int)
    chin = result[y - 25 : y - 5, x - 20 : x + 20].mean(-1)
    assert chin.mean() < 0.75 * skin and chin.std() > 0.05 * skin


def grey(pixels):
    """Return which pixels are as bright as skin, and without its colour."""
    red, _, blue = np.moveaxis(pixels.astype(int), -1, 0)
    return (np.abs(red - blue) < 12) & (red > 100)


def tanned():
    return (photo() * np.array([1.0, 0.78, 0.62])).astype(np.uint8)


def temples(colour):
    """Return a face without a beard and with it, if there is hair beside it."""
    pixels = tanned()
    place = np.zeros(pixels.shape[:2], bool)
    for side in (0, SIZE - 8):
        (left, top), (right, below) = TO_CROP.inverse([(side, 30), (side + 8, 70)])
        place[int(top) : int(below), int(left) : int(right)] = True
    hair = cut(np.float32(place[..., None]), TO_CROP, SIZE)[..., 0]
    pixels[place] = colour
    return [stitch(pixels, [piece(pixels, 2.4, hair=known)]) for known in (None, hair)]


def test_a_scarf_beside_a_face_dyes_no_beard():
    bald, wrapped = temples((220, 170, 20))
    x, y = CHIN.astype(int)
    chin = slice(y - 25, y), slice(x - 25, x + 25)
    assert np.array_equal(bald[chin], wrapped[chin])


def test_no_hair_grows_beyond_the_jaw_of_a_turned_face():
    marks = FACE.landmarks.copy()
    middle = marks[33, 0]
    left = marks[:, 0] < middle
    marks[left, 0] = middle + 0.3 * (marks[left, 0] - middle)
    turned = replace(piece(photo(), 0.5), face=replace(FACE, landmarks=marks))
    gone = darkened(photo(), stitch(photo(), [turned]))
    jaw = beard.filled(marks[:17], len(gone), 2.0, 0.0)
    assert gone[jaw > 0].max() > 0.1 and gone[jaw == 0].max() < 0.05


def test_who_is_grey_at_the_temples_gets_a_beard_with_grey_hair_in_it():
    bald, maned = temples(170)
    x, y = CHIN.astype(int)
    chin = slice(y - 25, y), slice(x - 25, x + 25)
    assert grey(bald[chin]).mean() < 0.02 < 0.1 < grey(maned[chin]).mean() < 0.6


def test_a_grey_beard_stays_grey_where_it_is():
    pixels, rng = tanned(), np.random.default_rng(0)
    x, y = CHIN.astype(int)
    own = slice(y - 45, y), slice(x - 60, x + 1)  # the left half
    strands = rng.uniform(90, 230, (45, 61, 1)).repeat(3, -1)
    pixels[own] = strands.astype(np.uint8)
    result = stitch(pixels, [piece(pixels, 2.4)])
    left, right = (
        grey(result[y - 25 : y, x + side - 12 : x + side + 12]).mean()
        for side in (-25, 30)
    )
    assert left > 0.2 > 0.02 > right


def test_no_hair_grows_where_no_skin_is_seen():
    pixels = photo()
    flesh = np.ones((SIZE, SIZE), np.float32)
    flesh[:, SIZE // 2 :] = 0
    half = replace(piece(pixels, 1.2), flesh=flesh)
    grown = [darkened(pixels, stitch(pixels, [p])) for p in (piece(pixels, 1.2), half)]
    left = grown[0].copy()
    left[:, int(CHIN[0]) + 6 :] = 0  # strands hang over the edge a little
    right = grown[1][:, int(CHIN[0]) + 12 :]
    assert left.max() > 0.1 and not right.any()
    beside = slice(None, int(CHIN[0]) - 12)
    assert np.abs(grown[0] - grown[1])[:, beside].mean() < 0.02
