from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from retouch.edits.manner import BROAD, EVEN, LINES, Manner
from retouch.faces.crop import uncut
from retouch.stitching import mask
from retouch.stitching.change import Change
from retouch.stitching.stitch import Piece, stitch
from tests.retouch.drawing import texture
from tests.retouch.stitching.changed import (
    ALL,
    CROP,
    FACE,
    PHOTO,
    SIZE,
    STILL,
    TO_CROP,
    hill,
    piece,
)

UNLIT = replace(BROAD, where=frozenset({"eyes", "nose", "mouth"}))


def test_light_is_added_to_the_photos_own_pixels():
    spot = 30 * hill(0.03, (0.42, 0.55))
    drawn = np.full_like(CROP, 120)
    result = stitch(PHOTO, [piece(drawn + spot, drawn)])
    gain = result.astype(float) - PHOTO
    assert 20 < gain.max() <= 31
    fine = gain - uncut(spot, TO_CROP, ALL)
    assert np.abs(fine - gaussian_filter(fine, (3, 3, 0))).max() < 2


@settings(max_examples=15, deadline=None)
@given(st.tuples(*[st.floats(-40, 40)] * 3), st.floats(-40, 40), st.floats(0, 6.3))
def test_a_cast_over_the_whole_face_leaves_no_edge(cast, slope, angle):
    y, x = np.mgrid[:SIZE, :SIZE] / SIZE - 0.5
    tilt = slope * (x * np.cos(angle) + y * np.sin(angle))[..., None]
    after = (CROP + np.float32(cast) + tilt).astype(np.float32)
    photo = np.full_like(PHOTO, 120).astype(np.uint16) * 257
    result = stitch(photo, [piece(after)])
    change = np.abs(result.astype(float) - photo).max(-1) / 257
    drawn = mask.draw(FACE, TO_CROP, SIZE, PHOTO.shape)[..., None]
    laid = uncut(drawn, TO_CROP, ALL)[..., 0]
    assert change[laid < 0.5].max() < 1
    assert change.max() < 2 + 0.15 * abs(slope)


def test_a_change_that_is_not_lit_moves_pixels_alone():
    spot = 40 * hill(0.05, (0.42, 0.55)) * np.float32([1, 1, 1])
    changed = Change(CROP, CROP + spot, STILL, manner=UNLIT)
    assert np.array_equal(stitch(PHOTO, [Piece(FACE, TO_CROP, changed)]), PHOTO)


def test_an_edge_that_no_landmark_marks_is_not_drawn_twice():
    marks = TO_CROP(FACE.landmarks)
    middle = int(marks[29, 1]) + 12  # between nose and mouth, and no landmark near
    low = np.mgrid[:SIZE, :SIZE][0][..., None] > middle
    crop = 120 + 60 * gaussian_filter(low.astype(np.float32), (1, 1, 0)) * np.ones(3)
    photo = np.rint(uncut(crop.astype("f4"), TO_CROP, ALL)).astype(np.uint8)
    crop, drawn = (np.float32(np.roll(crop, by, 0)) for by in (0, 1))
    change = Change(crop, drawn, marks=(marks, marks))
    light = stitch(photo, [Piece(FACE, TO_CROP, change)]).astype(int) - photo
    assert np.abs(light).max() < 5 < 20 < np.abs(drawn - crop)[2:-2].max()


def test_white_skin_is_shaded_in_the_colour_of_its_shadows():
    lower = np.mgrid[:SIZE, :SIZE][0][..., None] / SIZE  # from white down to tan
    crop = np.float32([250, 245, 240]) - lower * np.float32([20, 120, 170])
    photo = np.rint(uncut(crop.astype("f4"), TO_CROP, ALL)).astype(np.uint8)
    after = crop - 30 * hill(0.05, (0.42, 0.55))  # where it is white still
    change = Change(crop.astype("f4"), after, STILL, manner=BROAD)
    loss = photo - stitch(photo, [Piece(FACE, TO_CROP, change)]).astype(float)
    y, x = np.unravel_index(loss.sum(2).argmax(), loss.shape[:2])
    assert loss[y, x, 0] < 0.6 * loss[y, x, 1] < 0.6 * loss[y, x, 2]


def test_a_highlight_that_goes_gives_way_to_the_colour_of_skin():
    shade = np.mgrid[:SIZE, :SIZE][0][..., None] / SIZE  # as brown falls to black
    crop = np.float32([230, 150, 110]) * (1 - shade * np.ones(3, np.float32))
    goes, *rest = (hill(0.05, (x, 0.55)) for x in (0.35, 0.5, 0.65))
    crop += (goes + sum(rest)) * (np.float32([255, 245, 235]) - crop)
    photo = np.rint(uncut(crop.astype("f4"), TO_CROP, ALL)).astype(np.uint8)
    change = Change(crop.astype("f4"), (crop - 60 * goes).astype("f4"), STILL)
    change = replace(change, manner=BROAD)
    loss = photo - stitch(photo, [Piece(FACE, TO_CROP, change)]).astype(float)
    y, x = np.unravel_index(loss.sum(2).argmax(), loss.shape[:2])
    assert 5 < loss[y, x, 0] < 0.75 * loss[y, x, 1] < 0.75 * loss[y, x, 2]


def test_what_gets_lighter_beside_highlights_keeps_its_colour():
    brown, white = np.float32([120, 75, 55]), np.float32([255, 245, 235])
    lit, *shiny = (hill(0.05, (x, 0.55)) for x in (0.35, 0.5, 0.65))
    crop = brown + sum(shiny) * (white - brown)
    crop[:20, :20] = 60, 90, 160  # no photo in one tone
    photo = np.rint(uncut(crop.astype("f4"), TO_CROP, ALL)).clip(0, 255)
    photo = photo.astype(np.uint8)
    change = Change(crop.astype("f4"), (crop + 60 * lit).astype("f4"), STILL)
    change = replace(change, manner=BROAD)
    gain = stitch(photo, [Piece(FACE, TO_CROP, change)]) - photo.astype(float)
    y, x = np.unravel_index(gain.sum(2).argmax(), gain.shape[:2])
    assert gain[y, x, 0] > 5
    np.testing.assert_allclose(gain[y, x] / gain[y, x, 0], brown / 120, atol=0.15)


def test_a_face_that_is_drawn_flatter_keeps_its_contrast():
    spots = sum(60 * hill(0.04, (x, 0.55)) for x in (0.35, 0.45, 0.65))
    crop = (120 + spots - 40 * hill(0.04, (0.55, 0.5))) * np.ones(3, np.float32)
    photo = np.rint(uncut(crop.astype("f4"), TO_CROP, ALL)).astype(np.uint8)
    fold = -30 * hill(0.02, (0.4, 0.62))
    for after, least, most in ((0.6 * crop, 0, 6), (0.6 * crop + fold, 12, 40)):
        change = Change(crop.astype("f4"), after.astype("f4"), STILL)
        result = stitch(photo, [Piece(FACE, TO_CROP, change)]).astype(int)
        assert least <= np.abs(result - photo).max() <= most


def test_even_light_lightens_no_cheek_and_still_shades_what_is_small():
    photo = np.full_like(PHOTO, 120)
    own = np.full_like(CROP, 120)
    for width, least, most in ((0.15, 0, 4), (0.03, 5, 30)):
        after = own + 30 * hill(width, (0.42, 0.55))
        change = Change(own, after, STILL, manner=EVEN)
        gain = stitch(photo, [Piece(FACE, TO_CROP, change)]).astype(int) - photo
        assert least <= gain.max() <= most
    assert (EVEN | BROAD) == BROAD


def test_hair_that_is_drawn_over_skin_shades_nothing():
    spot = -60 * hill(0.05, (0.45, 0.5))
    hair = hill(0.08, (0.45, 0.5))[..., 0] > 0.2
    bare = np.ones((SIZE, SIZE), np.float32), np.where(hair, 0, 1).astype(np.float32)
    for seen, least, most in ((None, 20, 255), (bare, 0, 5), (bare[::-1], 0, 5)):
        change = Change(CROP, CROP + spot, STILL, bare=seen)
        result = stitch(PHOTO, [Piece(FACE, TO_CROP, change)]).astype(int)
        assert least <= np.abs(result - PHOTO).max() <= most


def test_light_fades_towards_hair_whose_shade_is_drawn_on_skin():
    across = np.mgrid[:SIZE, :SIZE][1]
    after = CROP - 40 * hill(0.04, (0.45, 0.5))
    result = []
    for edge in (0.0, 0.43):  # hair is from there to the left
        shown = np.where(across < edge * SIZE, 0, 1).astype(np.float32)
        change = Change(CROP, after, STILL, bare=(shown, shown))
        changed = stitch(PHOTO, [Piece(FACE, TO_CROP, change)]).astype(int) - PHOTO
        result.append(-changed.min())
    assert 0 < result[1] < 0.7 * result[0]


@pytest.mark.parametrize("colour", [(120, 120, 120), (120, 80, 60)])
def test_light_that_is_not_meant_to_be_fine_has_no_detail_and_the_photos_colour(colour):
    spot = 40 * hill(0.05, (0.42, 0.55)) * np.float32([1, 0.2, 0.2])
    spot += 20 * texture(SIZE, SIZE, 4, fine=1.0) / 255
    photo = np.full_like(PHOTO, colour).astype(np.uint16) * 257
    own = np.full_like(CROP, colour)
    changed = Change(own, own + spot, STILL, manner=BROAD)
    gain = stitch(photo, [Piece(FACE, TO_CROP, changed)]).astype(float) - photo
    y, x = np.unravel_index(gain.sum(2).argmax(), gain.shape[:2])
    assert gain[y, x].min() > 3 * 257
    np.testing.assert_allclose(
        gain[y, x] / gain[y, x, 0], np.array(colour) / colour[0], atol=0.01
    )
    assert np.abs(gain - gaussian_filter(gain, (4, 4, 0))).max() < 3 * 257


@pytest.mark.parametrize("fine", [True, False])
@pytest.mark.parametrize("width", [0.008, 0.05])
def test_an_iris_keeps_detail_and_colour_when_lids_are_painted(width, fine):
    middle = TO_CROP(FACE.landmarks[36:42]).mean(0) / SIZE
    dot = -120 * hill(width, middle) * np.float32([0.2, 1, 1])
    change = Change(CROP, CROP + dot, STILL, manner=Manner(fine))
    result = stitch(PHOTO, [Piece(FACE, TO_CROP, change)]).astype(float)
    x, y = np.floor(FACE.landmarks[36:42].mean(0)).astype(int)
    assert np.abs(result[y, x] - PHOTO[y, x]).max() < (40 if fine else 12)


@pytest.mark.parametrize("aging", [False, True])
def test_years_take_but_a_part_of_its_light_from_dark_skin_too(aging):
    manner = Manner(colour=0.0, things=frozenset({LINES} if aging else ()))

    def part(level):
        photo, drawn = np.full_like(PHOTO, level), np.full_like(CROP, level)
        shadow = 50 * hill(0.03, (0.42, 0.55))
        change = Change(drawn, drawn - shadow, STILL, manner)
        result = stitch(photo, [Piece(FACE, TO_CROP, change)])
        return float((photo - result.astype(float)).max()) / level

    dark, fair = part(60), part(200)
    assert 0.1 < fair < 0.2
    assert (dark < 0.21) == aging
