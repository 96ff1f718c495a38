from concurrent.futures import Future
from dataclasses import replace

import numpy as np
import pytest

from retouch.settings import Settings
from retouch.stitching.layers import Layers
from retouch.video.edit_effect import EditEffect
from retouch.video.live_edit import FADE, LATE, LiveEdit, carried, mixed, none
from retouch.video.track import Tracker
from tests.retouch import clips

SETTINGS = Settings(steps=0)
FADED = FADE + 0.1  # seconds after which a key shows wholly


class AtOnce:
    """Does what is to be done beside the loop when it is asked for."""

    def __init__(self):
        self.count = 0

    def submit(self, work, *parts):
        self.count += 1
        job = Future()
        job.set_result(work(*parts))
        return job


@pytest.fixture
def effect(retoucher):
    task = retoucher.editing({"smile": 1.0}, SETTINGS)
    return LiveEdit(retoucher, task, SETTINGS, AtOnce())


def shown(effect, tracker, pixels, *times):
    """Return what becomes of a frame at some times, the last one's."""
    for time in times:
        after = effect.apply(pixels, tracker.follow(pixels, time), time)
    return after.astype(int)


def test_frames_come_as_they_are_until_the_edit_is_known_which_then_fades_in(effect):
    tracker, before = Tracker(effect.retoucher.detector), clips.PORTRAIT.astype(int)
    changes = [
        np.abs(shown(effect, tracker, clips.PORTRAIT, time) - before).mean()
        for time in (0.0, 0.04, 0.04 + FADE / 2, 0.04 + FADED)
    ]
    assert changes[0] == changes[1] == 0 < changes[2] < 0.8 * changes[3]
    # The face as the key saw it: landmarks are steadied from frame to frame.
    plain, first = (
        EditEffect(effect.retoucher, effect.task, SETTINGS),
        Tracker(tracker.detector),
    )
    seen = first.follow(clips.PORTRAIT, 0.0)
    own = plain.apply(clips.PORTRAIT, seen, 0.0).astype(int)
    after = shown(effect, tracker, clips.PORTRAIT, 0.1 + FADED)
    changed = np.abs(own - before).max(-1) > 8
    assert changed.mean() > 0.01
    assert np.abs(own - after)[changed].mean() < 0.2 * np.abs(own - before).mean(
        where=changed[..., None]
    )


def test_the_edit_goes_with_the_face_and_is_not_worked_out_anew(effect):
    tracker, beside = Tracker(effect.retoucher.detector), effect._beside
    times = 0.0, 0.04, 0.04 + FADED
    first = shown(effect, tracker, clips.PORTRAIT, *times) - clips.PORTRAIT
    for i in range(1, 9):
        pixels = np.roll(clips.PORTRAIT, 2 * i, 1)
        last = shown(effect, tracker, pixels, times[-1] + 0.04 * i) - pixels
    assert beside.count == 1
    there = np.roll(first, 16, 1)
    assert np.abs(last - there).mean() < 0.35 * np.abs(there).mean()
    shown(effect, tracker, pixels, LATE + 1.0)
    assert beside.count == 2


def test_a_camera_in_black_and_white_shows_no_colour(retoucher):
    task = retoucher.editing({"glasses": 1.0}, SETTINGS)
    effect = LiveEdit(retoucher, task, SETTINGS, AtOnce())
    tracker = Tracker(retoucher.detector)
    grey = np.repeat(clips.PORTRAIT.mean(-1, keepdims=True), 3, -1).astype(np.uint8)
    for share in (0.5, 1.0):
        after = shown(effect, tracker, grey, 0.0, 0.04, 0.04 + share * FADED)
        assert np.abs(after - grey).max() > 20
        assert np.ptp(after, axis=-1).max() <= 1


def test_nothing_is_drawn_over_what_comes_before_the_face(effect):
    tracker = Tracker(effect.retoucher.detector)
    shown(effect, tracker, clips.PORTRAIT, 0.0, 0.04, 0.04 + FADED)
    (track,) = tracker.tracks
    left, top = track.face.landmarks[48:].min(0).astype(int) - 12
    right, bottom = track.face.landmarks[48:].max(0).astype(int) + 12
    hidden = clips.PORTRAIT.copy()
    hidden[top:bottom, left:right] = (20, 60, 200)
    after = effect.apply(hidden, [track], 0.1 + FADED).astype(int)
    middle = np.s_[top + 8 : bottom - 8, left + 8 : right - 8]
    assert np.abs(after - hidden)[middle].mean() < 1
    assert np.abs(after - hidden).max() > 10  # elsewhere it is still edited


def test_a_person_that_is_left_alone_stays_as_it_is(effect):
    tracks = Tracker(effect.retoucher.detector).follow(clips.PORTRAIT, 0.0)
    effect.resume({"0 way": np.array(False)})
    for time in (0.0, 1.0, 2 * LATE):
        np.testing.assert_array_equal(
            effect.apply(clips.PORTRAIT, tracks, time), clips.PORTRAIT
        )
    assert effect._beside.count == 0
    assert not effect.state()["0 way"]


@pytest.mark.parametrize("thing", ["beard", "glasses"])
def test_things_are_carried_as_light(retoucher, thing):
    """They vanished whenever a face moved."""
    settings = replace(SETTINGS, identity=0.6)
    task = retoucher.editing({thing: 1.0}, settings)
    effect = LiveEdit(retoucher, task, settings, AtOnce())
    tracker = Tracker(retoucher.detector)
    still = shown(effect, tracker, clips.PORTRAIT, 0.0, 0.04, 0.04 + FADED)
    still -= clips.PORTRAIT
    pixels = np.roll(clips.PORTRAIT, 6, 1)
    moved = shown(effect, tracker, pixels, 0.1 + FADED) - pixels
    assert np.abs(still).max() > 30
    assert np.abs(moved).mean() > 0.7 * np.abs(still).mean()


def empty(size, wider=0):
    plane = np.zeros((size, size), np.float32)
    colours = np.zeros((size, size, 3), np.float32)
    return Layers(plane, colours[..., :2], colours, colours, plane, wider=wider)


def test_layers_that_are_wider_than_their_crop_stay_so():
    assert none(empty(48, 8)).wider == 8
    moves = np.zeros((48, 48, 2), np.float32)
    assert carried(empty(48, 8), moves).wider == 8
    assert mixed(empty(48, 8), empty(48, 8), 0.5).wider == 8


def test_layers_are_carried_and_mixed():
    size = 32
    nothing = none(empty(size))
    y, x = np.mgrid[:size, :size].astype(np.float32)
    hill = np.exp(-((x - 12) ** 2 + (y - 16) ** 2) / 20)
    light, paint = (np.repeat(p[..., None], 3, 2) for p in (40 * hill, 0 * hill + 200))
    one = replace(nothing, light=light, paint=paint, cover=hill)
    moves = np.tile(np.float32([-5, 0]), (size, size, 1))
    gone = carried(one, moves)
    assert np.unravel_index(gone.light[..., 0].argmax(), (size, size)) == (16, 17)
    half = mixed(nothing, one, 0.5)
    np.testing.assert_allclose(half.light, one.light / 2)
    np.testing.assert_allclose(half.cover, one.cover / 2)
    np.testing.assert_allclose(half.paint[16, 12], 200)
