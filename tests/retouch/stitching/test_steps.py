from dataclasses import replace

import numpy as np

from retouch.edits.manner import BROAD, LINES, NOTHING, Manner
from retouch.geometry import LOWER_INSIDE
from retouch.sampling import sampled
from retouch.stitching import flow
from retouch.stitching.change import Change
from retouch.stitching.flow import warped
from retouch.stitching.steps import RIM, calmed, reached
from retouch.stitching.stitch import Piece, stitch
from tests.retouch.stitching.changed import CROP, FACE, PHOTO, SIZE, TO_CROP, hill


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


def test_a_jaw_moves_as_one():
    was = TO_CROP(FACE.landmarks)
    lower, jumpy = was.copy(), was.copy()
    lower[:17, 1] += 5 - 3 * np.linspace(-1, 1, 17) ** 2
    jumpy[4, 0] -= 6
    nothing = np.zeros((SIZE, SIZE, 3), np.float32)

    def steps(now):
        change = calmed(Change(nothing, nothing, marks=(was, now)), SIZE)
        return change.marks[1] - was

    assert np.abs(steps(lower) - (lower - was)).max() < 0.2
    assert np.abs(steps(jumpy)).max() < 3


def test_a_jaw_that_is_drawn_aside_stays_and_its_light_with_it():
    was = TO_CROP(FACE.landmarks)
    wider, aside = was.copy(), was.copy()
    wider[:8, 0] -= 6
    wider[9:17, 0] += 6
    aside[:17] += np.linspace((10.0, -4.0), (10.0, 4.0), 17)  # turned and tilted
    aside[48:68, 0] += 4
    drawn = 100 * hill(0.03, was[6] / SIZE) + CROP

    def change(now, things=(LINES,)):
        after = warped(drawn, was, now)
        manner = Manner(things=frozenset(things))
        return calmed(Change(CROP, after, marks=(was, now), manner=manner), SIZE)

    assert np.abs(change(aside).marks[1] - was).max() < 1
    # A face that pulls a mouth aside is another thing.
    assert np.abs(change(aside, things=()).marks[1] - was)[:17, 0].max() > 5
    assert np.abs((change(wider).marks[1] - wider)[[0, 16]]).max() < 2
    x, y = was[6].astype(int)
    assert change(aside).after[y, x, 0] > 0.9 * drawn[y, x, 0]


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


def test_a_mouth_ends_where_its_corners_are_moved_to():
    was = TO_CROP(FACE.landmarks)
    now = was + np.array([3.0, -4.0])
    change = Change(CROP, CROP, marks=(was, now))
    half = np.broadcast_to(np.float32([-1.5, 2.0]), (SIZE, SIZE, 2))
    marks = reached(change, half).marks[1]
    np.testing.assert_allclose(marks[RIM], was[RIM] + np.array([1.5, -2.0]), atol=0.01)
    # The lower lip goes along as a whole.
    lower = marks[LOWER_INSIDE] - now[LOWER_INSIDE]
    np.testing.assert_allclose(lower, np.full((3, 2), (-1.5, 2.0)), atol=0.01)
    others = np.setdiff1d(np.arange(68), [*RIM, *LOWER_INSIDE])
    assert np.array_equal(marks[others], now[others])


def test_corners_are_followed_to_where_they_come_from():
    was = TO_CROP(FACE.landmarks)
    now = was.copy()
    now[48:, 1] -= 2
    now[RIM[:4], 0] += [-3, 3, -3, 3]
    moves = flow.between(was, now, SIZE)
    change = reached(Change(CROP, CROP, marks=(was, now)), moves)
    x, y = change.marks[1][RIM].T - 0.5
    back = change.marks[1][RIM] + sampled(moves, y, x, linear=True)
    np.testing.assert_allclose(back, was[RIM], atol=0.2)
    np.testing.assert_allclose(change.marks[1][[48, 54]], now[[48, 54]], atol=0.3)


def test_nobody_frowns_where_no_expression_is_meant():
    was = TO_CROP(FACE.landmarks)
    now = was.copy()
    now[17:27, 1] += 6  # brows
    now[48:, 0] += 5  # lips
    now[[3, 4, 5], 0] -= 8  # a cheek
    after = warped(CROP, was, now)
    calm = replace(BROAD, calm=True)
    moved, freely = (
        calmed(Change(CROP, after, (was, now), manner), SIZE)
        for manner in (calm, BROAD)
    )
    steps = moved.marks[1] - was
    assert not steps[17:27].any() and not steps[36:].any() and steps[4, 0] < -2
    assert np.abs(freely.marks[1] - was)[17:27, 1].min() > 4
    # What is drawn there lies there again, so that it lights nothing beside it.
    x, y = was[17:27].mean(0).astype(int)
    near = slice(y - 6, y + 7), slice(x - 8, x + 9)
    gaps = (np.abs(change.after - CROP)[near].mean() for change in (moved, freely))
    assert next(gaps) < 0.8 * next(gaps)
    both = replace(BROAD, calm=True) | BROAD
    assert not both.calm and (NOTHING | calm).calm
