from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import binary_dilation, gaussian_filter

from retouch.edits.manner import BROAD, EVEN, NOTHING, WHOLE, Manner
from retouch.errors import SettingsError
from retouch.faces.crop import Window, cut, resized, uncut, window_of
from retouch.geometry import FFHQ, INNER_LIPS, Similarity
from retouch.stitching import layers, mask, mouths
from retouch.stitching.change import Change
from retouch.stitching.flow import warped
from retouch.stitching.steps import calmed
from retouch.stitching.stitch import METHODS, Piece, stitch
from tests.retouch.drawing import closed, drawn_face, placed_faces, templates, texture

SIZE = 128
FACE = drawn_face(160).moved(Similarity.shifting(90, 100))
TO_CROP = FACE.transform(FFHQ, SIZE)
PHOTO = np.rint(texture(340, 340, 3)).astype(np.uint8)
CROP = cut(PHOTO, TO_CROP, SIZE)
ALL = Window(0, 0, 340, 340)
PAINT = Manner(still=True)
UNLIT = replace(BROAD, where=frozenset({"eyes", "nose", "mouth"}))
MARKS = TO_CROP(FACE.landmarks)
STILL = MARKS, MARKS


def piece(after, before=CROP):
    return Piece(FACE, TO_CROP, Change(before, after, STILL))


def hill(width=0.1, centre=(0.5, 0.5)):
    y, x = np.mgrid[:SIZE, :SIZE] / SIZE
    square = (x - centre[0]) ** 2 + (y - centre[1]) ** 2
    return np.exp(-square / 2 / width**2).astype(np.float32)[..., None]


def lifted(crop, far, points):
    """Return the change that lifts some landmarks and does nothing else."""
    now = MARKS.copy()
    now[points, 1] -= far
    return Change(crop, warped(crop, MARKS, now), (MARKS, now))


def support(photo, piece, regions):
    """Return where the mask, laid back into the photo, is above 0."""
    piece = piece.fitted()
    transform, size = piece.transform, piece.change.size
    drawn = mask.draw(piece.face, transform, size, photo.shape, regions)
    inside = np.zeros(photo.shape[:2], bool)
    window = window_of(transform, size, photo.shape)
    if 0 not in window.shape:
        laid = uncut(drawn[..., None], transform, window, linear=True)
        inside[window.slices] = laid[..., 0] > 0
    return inside


@settings(max_examples=40, deadline=None)
@given(
    placed_faces(),
    templates,
    st.sampled_from(METHODS),
    st.sets(st.sampled_from(sorted(mask.REGIONS)), min_size=1),
    st.sampled_from([np.uint8, np.uint16]),
    st.integers(64, 160),
)
def test_outside_the_mask_every_pixel_is_the_same(
    placed, template, method, regions, kind, size
):
    shape, face = placed
    most = np.iinfo(kind).max
    photo = np.random.default_rng(0).integers(0, most, (*shape, 3), kind, True)
    kept = photo.copy()
    before, after = texture(size, size, 1), texture(size, size, 2)
    to_crop = face.transform(template, size)
    was = to_crop(face.landmarks)
    now = was + np.random.default_rng(3).normal(0, 1.5, was.shape)
    edited = Piece(face, to_crop, Change(before, after, (was, now)))
    result = stitch(photo, [edited], method=method, regions=regions)
    outside = ~support(photo, edited, regions)
    assert result.dtype == kind and result.shape == photo.shape
    assert np.array_equal(result[outside], photo[outside])
    assert np.array_equal(photo, kept)


@settings(max_examples=20, deadline=None)
@given(placed_faces(), templates, st.sampled_from(METHODS))
def test_an_unchanged_crop_leaves_the_whole_photo_as_it_is(placed, template, method):
    shape, face = placed
    photo = texture(*shape).astype(np.uint8)
    crop, to_crop = texture(96, 96, 1), face.transform(template, 96)
    marks = to_crop(face.landmarks)
    edit = Piece(face, to_crop, Change(crop, crop.copy(), (marks, marks)))
    result = stitch(photo, [edit], method=method)
    assert np.array_equal(result, photo) and result is not photo


def test_the_same_bytes_come_out_again():
    one, two = (stitch(PHOTO, [piece(texture(SIZE, SIZE, 5))]) for _ in range(2))
    assert np.array_equal(one, two)


def test_the_photos_own_pixels_move_and_keep_their_detail():
    result = stitch(PHOTO, [Piece(FACE, TO_CROP, lifted(CROP, 5, range(68)))])
    x, y = np.floor(TO_CROP.inverse(MARKS[30])).astype(int)
    fetched = PHOTO[y, x].astype(int)
    y -= round(5 / TO_CROP.scale)
    assert np.abs(result[y, x] - fetched).max() < 25
    centre = slice(y - 30, y + 30), slice(x - 30, x + 30)
    fine = [p[centre] - gaussian_filter(p[centre] * 1.0, 2) for p in (PHOTO, result)]
    assert fine[1].std() > 0.9 * fine[0].std()


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
        for mouth in (None, wide)
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
    change = mouthed(own, FACE, before=lips(0), after=lips(1), mouth=(striped, wide))
    result = stitch(photo, [Piece(own, TO_CROP, change)]).astype(int)
    gap = slice(*(int(FACE.landmarks[i, 1]) for i in (62, 66)))
    blue = (result[gap, x, 2] - result[gap, x, 0] > 60).mean()
    assert blue < 0.35


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


def test_landmarks_that_but_jitter_move_nothing():
    rng = np.random.default_rng(0)
    was = TO_CROP(FACE.landmarks)
    now = was + rng.uniform(-0.15, 0.15, was.shape)
    photo = np.random.default_rng(1).integers(0, 255, PHOTO.shape, np.uint8)
    change = Change(CROP, CROP + np.float32(0.01), marks=(was, now))
    assert (
        np.abs(stitch(photo, [Piece(FACE, TO_CROP, change)]) - photo.astype(int)).max()
        < 2
    )


def test_an_eye_moves_alone_only_if_it_moves_far():
    was = np.random.default_rng(0).uniform(50, 200, (68, 2))
    nothing = np.zeros((256, 256, 3), np.float32)
    lid, both = [37, 38], [37, 38, 43, 44]

    def raised(points, far):
        now = was.copy()
        now[points, 1] -= far
        change = calmed(Change(nothing, nothing, marks=(was, now)), 256.0)
        return was[:, 1] - change.marks[1][:, 1]

    assert not raised(lid, 1.5).any()
    assert raised(both, 1.5)[both].min() > 0.7
    assert raised(lid, 12)[lid].min() > 10 and np.abs(raised(lid, 12)[43:45]).max() < 2


def test_the_further_half_of_a_turned_mouth_widens_in_proportion():
    nothing = np.zeros((SIZE, SIZE, 3), np.float32)
    front = TO_CROP(FACE.landmarks)
    middle = front[51, 0]

    def widened(was, left, right):
        now = was.copy()
        now[[48, 60], 0] -= left
        now[[54, 64], 0] += right
        moved = calmed(Change(nothing, nothing, marks=(was, now)), SIZE).marks[1]
        return was[48, 0] - moved[48, 0], moved[54, 0] - was[54, 0]

    turned = front.copy()
    left = turned[:, 0] < middle
    turned[left, 0] = middle + 0.3 * (turned[left, 0] - middle)
    near = widened(turned, 8, 8)
    assert 0.25 < near[0] / near[1] < 0.5
    assert np.abs(np.subtract(*widened(front, 8, 8))) < 0.1
    lopsided = widened(front, 2, 12)
    assert lopsided[0] < 3 and lopsided[1] > 10


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


def test_a_jaw_moves_as_one():
    was = TO_CROP(FACE.landmarks)
    lower, jumpy = was.copy(), was.copy()
    lower[:17, 1] += np.linspace(2, 5, 17)
    jumpy[4, 0] -= 6
    nothing = np.zeros((SIZE, SIZE, 3), np.float32)

    def steps(now):
        change = calmed(Change(nothing, nothing, marks=(was, now)), SIZE)
        return change.marks[1] - was

    assert np.abs(steps(lower) - (lower - was)).max() < 0.2
    assert np.abs(steps(jumpy)).max() < 3


def test_landmarks_tell_where_the_photos_own_pixels_go():
    was = TO_CROP(FACE.landmarks)
    now = was.copy()
    now[17:27, 1] -= 6  # the brows go up
    change = Change(CROP, CROP + np.float32(0.01), marks=(was, now), manner=BROAD)
    result = stitch(PHOTO, [Piece(FACE, TO_CROP, change)])
    x, y = np.floor(TO_CROP.inverse(was[19])).astype(int)
    lifted = round(6 / TO_CROP.scale)
    old, new = PHOTO[y, x].astype(int), result[y - lifted, x].astype(int)
    assert np.abs(new - old).max() < 30


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


def test_where_a_face_is_bare_is_known_at_any_size():
    half = np.float32(np.mgrid[:SIZE, :SIZE][1] < SIZE / 2)
    change = Change(CROP, CROP, STILL, bare=(half, 1 - half)).resized(2 * SIZE)
    was, now = change.bare
    assert was.shape == now.shape == (2 * SIZE, 2 * SIZE)
    assert was[:, : SIZE - 4].min() > 0.99 > 0.01 > was[:, SIZE + 4 :].max()
    np.testing.assert_allclose(was + now, 1, atol=1e-5)


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


def test_a_mouth_that_only_moves_is_not_painted():
    photo = PHOTO.copy()
    x, y = np.floor(FACE.landmarks[48:].mean(0)).astype(int)
    photo[y, x - 20 : x + 20] = 0
    change = lifted(cut(photo, TO_CROP, SIZE), 2, range(48, 68))
    result = stitch(photo, [Piece(FACE, TO_CROP, change)])
    assert result[y - 8 : y + 8, x].min() < 30


def test_replacing_lays_the_crop_in_with_the_photos_colours():
    pattern = 60 * hill(0.03, (0.42, 0.55))
    yellow = np.float32([150, 140, 60]) + pattern
    photo = np.full_like(PHOTO, 120)
    result = stitch(photo, [piece(yellow)], method="replace").astype(float)
    x, y = np.floor(TO_CROP.inverse((74, 60))).astype(int)
    assert np.abs(result[y, x] - 120).max() < 6
    x, y = np.floor(TO_CROP.inverse((0.42 * SIZE, 0.55 * SIZE))).astype(int)
    assert result[y, x].mean() > 150


@pytest.mark.parametrize("method", METHODS)
def test_16_bits_are_worked_on_at_their_own_scale(method):
    edited = piece(CROP + 30 * hill(0.05))
    eight = stitch(PHOTO, [edited], method=method)
    sixteen = stitch(PHOTO.astype(np.uint16) * 257, [edited], method=method)
    assert np.abs(sixteen / 257 - eight).max() < 0.51
    assert (sixteen[100:250, 100:250] % 257 != 0).mean() > 0.2


def test_faces_are_laid_in_one_after_the_other():
    first, second = piece(CROP + 30 * hill(0.05)), piece(texture(SIZE, SIZE, 5))
    both = stitch(PHOTO, [first, second])
    assert np.array_equal(both, stitch(stitch(PHOTO, [first]), [second]))


def test_the_bands_leave_no_trace(monkeypatch):
    edited = piece(texture(SIZE, SIZE, 5))
    whole = stitch(PHOTO, [edited])
    monkeypatch.setattr(layers, "BAND", 1)
    bands = stitch(PHOTO, [edited])
    assert np.abs(whole.astype(int) - bands).max() <= 1


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


def test_crops_finer_than_the_photo_do_as_much_as_coarse_ones():
    coarse, fine = (
        stitch(PHOTO, [Piece(FACE, FACE.transform(FFHQ, size), change.resized(size))])
        for size in (256, 1024)
        for change in [Change(CROP, CROP + 30 * hill(0.05), STILL)]
    )
    assert np.abs(coarse.astype(int) - fine).max() < 5


def test_what_is_hidden_stays_as_it_is():
    change = Change(CROP, CROP + 30 * hill(), STILL)
    hidden = Piece(FACE, TO_CROP, change, np.zeros((SIZE, SIZE), "f4"))
    assert np.array_equal(stitch(PHOTO, [hidden]), PHOTO)


def test_a_hair_stays_though_the_photo_is_coarser_than_the_crop():
    factor = int(np.ceil(3 / TO_CROP.scale))
    fine = Similarity.scaling(factor) @ TO_CROP
    middle = fine(FACE.landmarks[33])
    spot = 60 * hill(0.08, TO_CROP(FACE.landmarks[33]) / SIZE)
    crop, lit = (resized(c, factor * SIZE) for c in (CROP, CROP + spot))
    visible = np.ones(crop.shape[:2], np.float32)
    across, down = np.floor(middle).astype(int)
    visible[down - 40 : down + 40, across - 3 : across + 3] = 0
    marks = fine(FACE.landmarks)
    change = Change(crop, lit, (marks, marks))
    result = stitch(PHOTO, [Piece(FACE, fine, change, visible)])
    x, y = np.floor(FACE.landmarks[33]).astype(int)
    assert np.array_equal(result[y - 5 : y + 5, x], PHOTO[y - 5 : y + 5, x])
    assert not np.array_equal(result[y, x - 20], PHOTO[y, x - 20])


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ((CROP, CROP[:64], STILL), r"after must be floats \(128, 128, 3\); received"),
        (
            (CROP, CROP, (MARKS, MARKS[:17])),
            "marks must be floats",
        ),
        ((CROP, CROP.astype(np.uint8), STILL), "received uint8"),
        ((CROP, CROP * np.float32(np.nan), STILL), "after must be finite"),
    ],
)
def test_a_change_that_does_not_fit_is_refused(fields, complaint):
    with pytest.raises(ValueError, match=complaint):
        Change(*fields)


def test_a_photo_that_is_not_8_or_16_bit_rgb_is_refused():
    with pytest.raises(ValueError, match="8 or 16 bit"):
        stitch(PHOTO / 255, [piece(CROP + 1)])
    with pytest.raises(ValueError, match="8 or 16 bit"):
        stitch(PHOTO[..., 0], [piece(CROP + 1)])


def test_an_unknown_method_is_refused():
    with pytest.raises(SettingsError, match="difference, replace; got 'blend'"):
        stitch(PHOTO, [], method="blend")


def test_what_is_worked_out_coarser_is_nearly_the_same():
    edited = piece(CROP + 40 * hill(0.12))
    fine, coarse = (stitch(PHOTO, [edited], finest=n) for n in (None, SIZE // 2))
    changed = np.abs(fine.astype(int) - PHOTO).max(-1) > 8
    gap = np.abs(coarse.astype(int) - fine)
    assert changed.any() and gap.any()
    assert gap[changed].mean() < 0.25 * np.abs(fine.astype(int) - PHOTO)[changed].mean()
    assert np.array_equal(stitch(PHOTO, [edited], finest=4 * SIZE), fine)


def test_what_leads_nowhere_may_be_meant_for_no_region():
    still = Piece(FACE, TO_CROP, Change(CROP, CROP.copy(), STILL, NOTHING))
    assert still.change.is_none
    assert np.array_equal(stitch(PHOTO, [still]), PHOTO)
