from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import binary_dilation, gaussian_filter

from retouch.edits.manner import BROAD
from retouch.faces.crop import cut, resized, uncut
from retouch.geometry import INNER_LIPS, Similarity
from retouch.stitching import layers, mouths
from retouch.stitching.change import Change, Mouth
from retouch.stitching.stitch import Piece, stitch
from tests.retouch.drawing import closed
from tests.retouch.stitching.changed import (
    ALL,
    FACE,
    PHOTO,
    SIZE,
    TO_CROP,
    lifted,
)


def lips(openness):
    """Return the crop with dark lips, or a mouth as bright as the eyes between them."""
    y, x = np.mgrid[:SIZE, :SIZE]
    skin = np.full((SIZE, SIZE, 3), 150.0, np.float32)
    for eye in np.split(TO_CROP(FACE.landmarks[36:48]), 2):
        across, down = eye.mean(0)
        skin[np.hypot((x - across) / 5, (y - down) / 3) < 1] = 235
    centre = TO_CROP(FACE.landmarks[48:]).mean(0)
    away = np.hypot((x - centre[0]) / 9, (y - centre[1]) / 4)
    skin[away < 1.2] = (90, 40, 40)
    skin[away < openness] = 235
    return gaussian_filter(skin, (0.7, 0.7, 0))


def scratched(crop):
    """Return a photo of the crop, a line across its mouth, and the mouth's middle."""
    photo = uncut(crop, TO_CROP, ALL)
    x, y = np.floor(FACE.landmarks[48:].mean(0)).astype(int)
    photo[y - 1 : y + 2, x - 12 : x + 12] = 0  # finer than the crops show
    return np.rint(photo).clip(0, 255).astype(np.uint8), x, y


def mouthed(was, now, **more):
    """Return a change of lips from one face's landmarks to another's."""
    marks = TO_CROP(was.landmarks), TO_CROP(now.landmarks)
    return Change(marks=marks, **more)


def test_a_mouth_that_opens_is_painted_and_the_old_lip_does_not_shine_through():
    photo, x, y = scratched(lips(0))
    own = closed(FACE)
    change = mouthed(own, FACE, before=lips(0), after=lips(1))
    result = stitch(photo, [Piece(own, TO_CROP, change)])
    plain = np.rint(uncut(lips(0), TO_CROP, ALL)).clip(0, 255).astype(np.uint8)
    unscratched = stitch(plain, [Piece(own, TO_CROP, change)])
    middle = slice(y - 2, y + 3), slice(x - 5, x + 6)
    assert np.abs(result[middle].astype(int) - unscratched[middle]).max() < 10
    assert result[y + 1 : y + 3, x - 5 : x + 6].min() > 190


def test_teeth_lie_behind_the_upper_lip_and_apart_from_one_another():
    marks = 4 * TO_CROP(FACE.landmarks)
    paint = np.full((4 * SIZE, 4 * SIZE, 3), 200, np.float32)
    x = int(marks[62, 0])
    paint[:, x - 1 : x + 2] -= 60
    left = mouths.relief(gaussian_filter(paint, (0, 1, 0)), marks)
    top, bottom = (int(marks[i, 1]) for i in (62, 66))
    beside = left[:, x + 12]
    assert beside[top + 1] < 0.85 and beside[bottom - 3] > 0.95
    assert (np.diff(beside[top : (top + bottom) // 2]) > 0).all()
    assert left[bottom - 3, x] < 0.9 * beside[bottom - 3]


def test_it_is_dark_behind_lips_that_have_hardly_parted():
    paint = np.full((4 * SIZE, 4 * SIZE, 3), 200, np.float32)
    wide = 4 * TO_CROP(FACE.landmarks)
    apart = wide[65:68] - wide[[63, 62, 61]]
    lightest, gape = [], mouths.opening(wide)
    for part in (1.0, 0.5, 0.25):
        marks = wide.copy()
        marks[65:68] = marks[[63, 62, 61]] + part * mouths.SLIT / gape * apart
        lightest.append(float(mouths.relief(paint, marks).max()))
    assert lightest[0] > 0.95 > 0.8 > lightest[1] > lightest[2] > 0.3


def test_no_mouth_is_darker_inside_than_the_haze_over_its_photo():
    photo, x, y = scratched(lips(0))
    photo[y - 1 : y + 2, x - 12 : x + 12] = (90, 40, 40)
    hazy = (60 + 0.5 * photo).astype(np.uint8)
    empty = 0.5 * lips(0)
    centre = TO_CROP(closed(FACE).landmarks[48:]).mean(0)
    down, across = np.mgrid[:SIZE, :SIZE]
    empty[np.hypot((across - centre[0]) / 9, (down - centre[1]) / 4) < 1] = 0
    change = mouthed(closed(FACE), FACE, before=lips(0), after=empty)
    shown = stitch(hazy, [Piece(closed(FACE), TO_CROP, change)])
    inside = slice(y - 2, y + 3), slice(x - 5, x + 6)
    least = hazy.reshape(-1, 3).min(0)
    assert (shown[inside].min((0, 1)) >= least - 4).all()


def test_a_lip_goes_down_with_the_mouth_that_opens_above_it():
    own = closed(FACE)
    low = FACE.landmarks.copy()
    low[55:60, 1] += 12
    low[65:68, 1] += 12
    photo, x, _ = scratched(lips(0))
    lip = int(own.landmarks[57, 1]) - 3
    photo[lip - 1 : lip + 2, x - 4 : x + 5] = (250, 0, 0)
    change = mouthed(own, replace(FACE, landmarks=low), before=lips(0), after=lips(1))
    result = stitch(photo, [Piece(own, TO_CROP, change)]).astype(int)
    red = result[:, x, 0] - result[:, x, 1] > 120
    assert lip + 8 < np.flatnonzero(red).mean() < lip + 16


def test_teeth_that_are_half_lips_are_taken_from_a_wider_mouth():
    photo, x, y = scratched(lips(0))
    own, grey = closed(FACE), lips(0)
    wide = lips(1), TO_CROP(FACE.landmarks)
    middle = slice(y - 1, y + 2), slice(x - 5, x + 6)
    seen = [
        stitch(photo, [Piece(own, TO_CROP, change)])[middle].mean()
        for mouth in (None, Mouth(*wide))
        for change in [mouthed(own, FACE, before=grey, after=grey + 1, mouth=mouth)]
    ]
    assert seen[0] < 100 < 180 < seen[1]


def test_lips_that_part_less_cover_teeth_that_lie_behind_them():
    own, marks = closed(FACE), TO_CROP(FACE.landmarks)
    wide = marks.copy()
    wide[55:60, 1] += 16
    wide[65:68, 1] += 16
    top, bottom = wide[62, 1], wide[66, 1]
    striped = lips(1)
    striped[int((top + bottom) / 2) :] = (0, 0, 250)  # the lower half of the teeth
    photo, x, _ = scratched(lips(0))
    change = mouthed(
        own, FACE, before=lips(0), after=lips(1), mouth=Mouth(striped, wide)
    )
    result = stitch(photo, [Piece(own, TO_CROP, change)]).astype(int)
    gap = slice(*(int(FACE.landmarks[i, 1]) for i in (62, 66)))
    blue = (result[gap, x, 2] - result[gap, x, 0] > 60).mean()
    assert blue < 0.35


def test_a_jaw_that_drops_leaves_the_upper_teeth_behind():
    own, photo = closed(FACE), scratched(lips(0))[0]
    x, middle = FACE.landmarks[48:].mean(0)
    top, bottom = (FACE.landmarks[i, 1] for i in (62, 66))
    high, low = (round(edge + (middle - edge) / 2) for edge in (top, bottom))
    for bite, teeth_below in ((1.0, True), (0.5, False)):
        mouth = Mouth(lips(1), TO_CROP(FACE.landmarks), bite)
        change = mouthed(own, FACE, before=lips(0), after=lips(1), mouth=mouth)
        result = stitch(photo, [Piece(own, TO_CROP, change)])
        above, below = (
            result[y, round(x) - 4 : round(x) + 5].mean() for y in (high, low)
        )
        assert above > 150
        assert (below > 150) == teeth_below


@pytest.mark.parametrize("lower", [-1, 14])
def test_lips_that_shall_not_part_are_as_far_apart_as_they_were(lower):
    was = TO_CROP(FACE.landmarks)
    now = was + 2.0
    now[mouths.LOWER_LIP, 1] += lower
    held = mouths.as_open(was, now)
    assert mouths.opening(held) == pytest.approx(mouths.opening(was), abs=1e-6)
    assert np.array_equal(held[:55], now[:55])


@pytest.mark.parametrize(("covered", "opens"), [(0.0, True), (0.3, False)])
def test_lips_half_of_which_are_hidden_do_not_part(covered, opens):
    photo, x, y = scratched(lips(0))
    own, grey = closed(FACE), lips(0)
    change = mouthed(own, FACE, before=grey, after=lips(1))
    marks = TO_CROP(FACE.landmarks)
    visible = np.ones((SIZE, SIZE), np.float32)
    left, right = marks[48, 0], marks[54, 0]
    visible[:, : int(left + covered * (right - left))] = 0
    piece = replace(Piece(own, TO_CROP, change), visible=visible)
    middle = slice(y - 1, y + 2), slice(x - 5, x + 6)
    assert (stitch(photo, [piece])[middle].mean() > 150) == opens


def test_teeth_in_view_are_not_stretched():
    was = TO_CROP(FACE.landmarks)
    now = was.copy()
    now[55:60, 1] += 20
    now[65:68, 1] += 20
    _, held = mouths.steadied(was, was, now)
    tall = mouths.opening(held) / mouths.opening(was)
    assert tall == pytest.approx(mouths.STRETCHED, abs=0.02)
    assert np.array_equal(held[:55], now[:55])
    shut = TO_CROP(closed(FACE).landmarks)
    np.testing.assert_allclose(mouths.steadied(shut, shut, now)[1], now, atol=1e-6)


@pytest.mark.parametrize(("apart", "left"), [(0.015, 0.0), (0.035, 0.5), (0.06, 1.0)])
def test_lips_part_fully_or_not_at_all(apart, left):
    shut = TO_CROP(closed(FACE).landmarks)
    now = shut.copy()
    now[mouths.LOWER_LIP, 1] += apart * (now[64, 0] - now[60, 0])
    _, held = mouths.steadied(shut, shut, now)
    part = mouths.opening(held) / mouths.opening(now)
    assert part == pytest.approx(left, abs=0.1)
    assert mouths.newness(shut, shut, held) == (float(left > 0), False)


def test_lips_that_touch_part_only_if_their_copys_part_further():
    own, copy = TO_CROP(closed(FACE).landmarks), TO_CROP(FACE.landmarks)
    was, now = mouths.steadied(own, copy, copy)
    assert not mouths.opening(was) and not mouths.opening(now)
    wide = copy.copy()
    wide[mouths.LOWER_LIP, 1] += 10
    was, now = mouths.steadied(own, copy, wide)
    assert not mouths.opening(was)
    assert mouths.opening(now) == pytest.approx(mouths.opening(wide))


def test_bared_teeth_are_as_bright_in_a_dark_face():
    dark = lips(0) / 3
    own = closed(FACE)
    after = np.where(lips(1) - lips(0) > 40, np.float32(200), dark)
    change = mouthed(own, FACE, before=dark, after=after)
    photo = np.rint(uncut(dark, TO_CROP, ALL)).clip(0, 255).astype(np.uint8)
    x, y = np.floor(FACE.landmarks[48:].mean(0)).astype(int)
    result = stitch(photo, [Piece(own, TO_CROP, change)])
    assert result[y + 1 : y + 3, x - 5 : x + 6].min() > 2 * photo.max()


def test_teeth_that_come_into_view_shine_on_nothing_around_them():
    own = closed(FACE)
    photo = np.rint(uncut(lips(0), TO_CROP, ALL)).clip(0, 255).astype(np.uint8)
    gap = mouths.filled(TO_CROP(FACE.landmarks)[INNER_LIPS], SIZE, 0, 0)[..., None]
    toothed, toothless = (
        stitch(photo, [Piece(own, TO_CROP, change)]).astype(int)
        for teeth in (235, 40)
        for after in [lips(0) * (1 - gap) + np.float32(teeth) * gap]
        for change in [mouthed(own, FACE, before=lips(0), after=after, manner=BROAD)]
    )
    gain = (toothed - toothless).max(-1)
    x, y = np.floor(FACE.landmarks[48:].mean(0)).astype(int)
    assert gain[y, x] > 100
    assert gain[~binary_dilation(gain > 30, iterations=4)].max() <= 2


def test_a_mouth_that_stays_open_keeps_its_teeth():
    photo, x, y = scratched(lips(0.6))
    change = mouthed(FACE, FACE, before=lips(0.6), after=lips(1))
    result = stitch(photo, [Piece(FACE, TO_CROP, change)])
    assert result[y - 3 : y + 4, x - 6 : x + 7].min() < 90


def test_a_mouth_that_closes_is_painted_and_no_tooth_is_left():
    photo, x, y = scratched(lips(1))
    photo[y - 1 : y + 2, x - 12 : x + 12] = 255
    change = mouthed(FACE, closed(FACE), before=lips(1), after=lips(0))
    result = stitch(photo, [Piece(FACE, TO_CROP, change)])
    assert result[y - 2 : y + 3, x - 5 : x + 6].max() < 150


def test_a_drawn_mouth_that_lies_elsewhere_is_not_painted():
    photo, x, y = scratched(lips(0))
    own, moved = closed(FACE), FACE.landmarks + np.array([0, 14.0])
    astray = replace(FACE, landmarks=moved)
    change = mouthed(closed(astray), astray, before=lips(0), after=lips(1))
    result = stitch(photo, [Piece(own, TO_CROP, change)])
    assert np.ptp(result[y - 3 : y + 4, x - 6 : x + 7]) > 80  # the scratch still shows


def test_nobody_can_tell_the_teeth_of_a_profile():
    shut = TO_CROP(closed(FACE).landmarks)
    wide = shut.copy()
    wide[mouths.LOWER_LIP, 1] += 10
    assert mouths.opening(mouths.steadied(shut, shut, wide)[1]) > 0.1
    middle = shut[51, 0]

    def turned(marks):
        moved, left = marks.copy(), marks[:, 0] < middle
        moved[left, 0] = middle + 0.15 * (marks[left, 0] - middle)
        return moved

    shut, wide = turned(shut), turned(wide)
    assert mouths.opening(mouths.steadied(shut, shut, wide)[1]) == pytest.approx(0)


def test_a_mouth_that_only_moves_is_not_painted():
    photo = PHOTO.copy()
    x, y = np.floor(FACE.landmarks[48:].mean(0)).astype(int)
    photo[y, x - 20 : x + 20] = 0
    change = lifted(cut(photo, TO_CROP, SIZE), 2, range(48, 68))
    result = stitch(photo, [Piece(FACE, TO_CROP, change)])
    assert result[y - 8 : y + 8, x].min() < 30


def test_paint_between_bands_leaves_no_trace(monkeypatch):
    own = closed(FACE)
    large = Similarity.scaling(3)
    photo = np.rint(resized(lips(0), 3 * SIZE)).clip(0, 255).astype(np.uint8)
    change = mouthed(own, FACE, before=lips(0), after=lips(1))
    opened = Piece(own.moved(TO_CROP).moved(large), large.inverse, change)
    whole = stitch(photo, [opened])
    assert np.abs(whole.astype(int) - photo).max() > 50
    monkeypatch.setattr(layers, "BAND", 1)
    assert np.abs(whole.astype(int) - stitch(photo, [opened])).max() <= 1
