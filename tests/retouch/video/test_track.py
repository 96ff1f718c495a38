import dataclasses

import numpy as np
import pytest
from PIL import Image

from retouch.geometry import NOSE, Similarity
from retouch.video.track import OneEuro, Tracker, describe
from tests.retouch.clips import PORTRAIT, frames

STEP = 1 / 25


def test_what_trembles_in_place_is_held_still():
    rng, euro = np.random.default_rng(0), OneEuro()
    shaken = rng.normal(0, 0.01, (100, 68, 2)) + 5
    smooth = np.array([euro(p, i * STEP) for i, p in enumerate(shaken)])
    assert smooth[20:].std(0).mean() < 0.5 * shaken[20:].std(0).mean()


def test_what_moves_fast_is_followed_closely():
    way = np.linspace(0, 3, 50)  # faces, in two seconds
    lags = {}
    for haste in (0.0, OneEuro.haste):
        euro = OneEuro(haste=haste)
        last = [euro(np.full((1, 2), x), i * STEP) for i, x in enumerate(way)][-1]
        lags[haste] = 3 - last[0, 0]
    assert 0 < lags[OneEuro.haste] < 0.3 * lags[0.0]


def test_the_first_points_pass_as_they_are():
    points = np.random.default_rng(0).random((68, 2))
    np.testing.assert_array_equal(OneEuro()(points, 3.0), points)


def test_a_hidden_mouth_goes_where_the_eyes_go(detector):
    (track,) = Tracker(detector).follow(PORTRAIT, 0.0)
    before, scatter = track.face.landmarks, np.full(68, 0.002)
    moved = Similarity(1.1, 0.1, 20, -5)(before)
    torn = moved.copy()
    torn[48:] += 30
    face = dataclasses.replace(track.face, landmarks=torn)
    assert track.held(face, scatter) is face
    scatter[48:] = 0.015
    np.testing.assert_allclose(track.held(face, scatter).landmarks, moved, atol=1e-6)
    scatter[36:48] = 0.015  # eyes that are hidden carry nothing
    assert track.held(face, scatter) is face


def test_what_lies_over_a_mouth_makes_it_read_less_firmly(detector):
    (face,) = detector.glance(PORTRAIT, smallest=80)
    _, plain = detector.followed(PORTRAIT, face)
    covered, (x, y) = PORTRAIT.copy(), face.landmarks[48:].mean(0).astype(int)
    noise = np.random.default_rng(0).integers(0, 255, (10, 12, 3), np.uint8)
    reach = int(face.size / 4)
    patch = Image.fromarray(noise).resize((2 * reach, reach), Image.Resampling.BICUBIC)
    covered[y - reach // 2 : y - reach // 2 + reach, x - reach : x + reach] = patch
    _, hidden = detector.followed(covered, face)
    assert hidden[48:].mean() > 2 * plain[48:].mean() and plain[48:].mean() < 0.004


def test_a_wandering_face_keeps_its_number_and_its_landmarks(detector):
    tracker = Tracker(detector, every=4)
    shown = frames(9)
    tracks = [tracker.follow(pixels, i * STEP) for i, pixels in enumerate(shown)]
    numbers = [[track.number for track in found] for found in tracks]
    assert numbers == [[0]] * 9
    (face,) = detector.glance(shown[-1], smallest=80)
    error = np.hypot(*(tracks[-1][0].face.landmarks - face.landmarks).T)
    assert error.mean() < 0.06 * face.size


def test_trust_goes_quickly_and_comes_back_slowly(detector):
    (track,) = Tracker(detector).follow(PORTRAIT, 0.0)
    assert track.trust == 1
    levels = []
    for i, sure in enumerate([False] * 4 + [True] * 9, 1):
        track.judged(sure, i * STEP)
        track.add(track.seen, i * STEP)
        levels.append(track.trust)
    assert 0 < levels[0] < 0.8 and levels[3] == 0
    assert 0 < levels[5] < 0.5 and levels[-1] == 1


def test_a_face_whose_landmarks_lie_elsewhere_is_read_anew(detector):
    (face,) = detector.glance(PORTRAIT, smallest=80)
    beside = face.moved(Similarity.shifting(0.3 * face.size, 0))
    seen = detector.seen(PORTRAIT, beside)
    again, sure = detector.watched(PORTRAIT, beside, seen)
    gap = np.hypot(*(again.landmarks - face.landmarks).T).mean()
    assert sure and gap < 0.04 * face.size


def test_a_face_that_is_trusted_again_is_where_it_is_read(detector):
    (track,) = Tracker(detector).follow(PORTRAIT, 0.0)
    before = track.face
    for sure, shift in ((False, 0.2), (False, 0.4), (True, 0.6)):  # a head that turns
        seen = before.moved(Similarity.shifting(shift * before.size, 0))
        track.judged(sure, track.smooth.time + 0.12)
        track.add(seen, track.smooth.time + 0.12)
    np.testing.assert_array_equal(track.face.landmarks, seen.landmarks)
    assert track.trust > 0


def test_what_no_longer_looks_like_a_face_is_not_trusted(detector):
    tracker = Tracker(detector)
    tracker.follow(PORTRAIT, 0.0)
    left, top, right, bottom = (int(x) for x in tracker.tracks[0].face.box)
    turned = PORTRAIT.copy()
    turned[top:bottom, left:right] = 120  # as the back of a head
    face = tracker.tracks[0].face
    assert detector.watched(turned, face, detector.seen(turned, face))[1] is False


@pytest.mark.parametrize("before", [True, False])
def test_a_near_profile_is_trusted_as_it_was_before(detector, before):
    (face,) = detector.glance(PORTRAIT, smallest=80)
    seen = detector.seen(PORTRAIT, face)
    left, right, nose, mouth = seen.points
    points = np.array([left, right, left + 0.03 * (right - left), mouth])
    landmarks = face.landmarks.copy()
    landmarks[NOSE] += points[2] - nose
    near = dataclasses.replace(face, landmarks=landmarks)
    told = dataclasses.replace(seen, points=points)
    assert detector.watched(PORTRAIT, near, told, before) == (near, before)


def test_where_nobody_is_every_frame_is_looked_at(detector):
    tracker = Tracker(detector, every=100)
    empty = np.full_like(PORTRAIT, 90)
    shown = [empty, empty, PORTRAIT, PORTRAIT]
    counts = [len(tracker.follow(pixels, i * STEP)) for i, pixels in enumerate(shown)]
    assert counts == [0, 0, 1, 1]


def test_a_face_that_goes_is_dropped_and_known_again(detector):
    tracker = Tracker(detector, every=3, describe=describe)
    empty = np.full_like(PORTRAIT, 90)
    mirror = np.ascontiguousarray(PORTRAIT[:, ::-1])
    shown = [PORTRAIT, *[empty] * 8, PORTRAIT, *[empty] * 8, mirror]
    counts = []
    for i, pixels in enumerate(shown):
        tracker.frame = 0  # look in every frame
        counts.append([track.number for track in tracker.follow(pixels, i * STEP)])
    assert counts[0] == [0] and counts[9] == [0] and counts[18] == [0]
    assert counts[8] == [] and counts[17] == []
    assert tracker.known == 1


def test_without_descriptors_who_comes_is_somebody_new(detector):
    tracker = Tracker(detector, every=6)
    empty = np.full_like(PORTRAIT, 90)
    shown = [PORTRAIT, *[empty] * 30, PORTRAIT]
    last = [tracker.follow(pixels, i * STEP) for i, pixels in enumerate(shown)][-1]
    assert [track.number for track in last] == [1]


def test_a_state_taken_up_goes_on_as_if_never_stopped(detector):
    shown = frames(8)
    whole, first, second = (Tracker(detector, every=3) for _ in range(3))
    expected = [whole.follow(pixels, i * STEP) for i, pixels in enumerate(shown)]
    for i in range(5):
        first.follow(shown[i], i * STEP)
    state = {name: array.copy() for name, array in first.state().items()}
    second.resume(state)
    for i in range(5, 8):
        (track,) = second.follow(shown[i], i * STEP)
    np.testing.assert_array_equal(track.face.landmarks, expected[-1][0].face.landmarks)
    assert (track.number, track.frames) == (0, 8)
    np.testing.assert_array_equal(track.shape, expected[-1][0].shape)
