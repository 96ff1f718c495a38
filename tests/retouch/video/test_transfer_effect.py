import dataclasses

import numpy as np
import pytest

from retouch.edits.way import Way
from retouch.expressions.transfer import Transfers
from retouch.expressions.transfer_options import Transferring
from retouch.photos.photo import Photo
from retouch.settings import Settings
from retouch.video.track import Tracker
from retouch.video.transfer_effect import TransferEffect
from tests.retouch import clips

SETTINGS = Settings(steps=0)


@pytest.fixture(scope="module")
def engine(retoucher):
    return Transfers(retoucher)


@pytest.fixture(scope="module")
def source(engine):
    """The portrait, its expression read as that of somebody who smiles less."""
    return engine.cut(Photo(clips.PORTRAIT), "The portrait", SETTINGS)


def effect_of(engine, source, lack):
    effect = TransferEffect(engine, source, Transferring(), SETTINGS)
    effect.shown = effect.shown + np.float32(lack)
    return effect


@pytest.fixture(scope="module")
def tracker(engine):
    tracker = Tracker(engine.retoucher.detector)
    tracker.follow(clips.PORTRAIT, 0.0)
    return tracker


def way(engine, source):
    """Return a way that is seen, as large as faces differ."""
    other = np.asarray(engine.retoucher.model.generator.sample(1, seed=1))
    start = engine.retoucher.invert([source], SETTINGS)[0].start
    return Way.straight(start, other) * 0.5


def test_a_face_that_shows_the_expression_goes_nowhere(engine, source, tracker):
    effect = TransferEffect(engine, source, Transferring(), SETTINGS)
    (track,) = tracker.tracks
    effect.ways[0] = way(engine, source)
    effect.lacks[0] = np.full(len(effect.shown), 1.0, np.float32)
    shown = effect.apply(clips.PORTRAIT, [track], 0.0)
    assert (shown != clips.PORTRAIT).mean() < 0.2
    effect.shown = effect.shown + np.float32(1.0)
    lacking = effect.apply(clips.PORTRAIT, [track], 0.0)
    gaps = [np.abs(p.astype(int) - clips.PORTRAIT).mean() for p in (shown, lacking)]
    assert gaps[0] < 0.2 * gaps[1] and gaps[1] > 0.5


def test_a_way_is_found_once_and_anew_for_a_face_that_lacks_more(
    engine, source, tracker, monkeypatch
):
    effect, (track,) = effect_of(engine, source, 1.0), tracker.tracks
    found = []
    plain = effect._find
    monkeypatch.setattr(effect, "_find", lambda *a: (found.append(0), plain(*a)))
    effect.apply(clips.PORTRAIT, [track], 0.0)
    first = effect.ways[0]
    effect.apply(clips.PORTRAIT, [track], 0.1)
    assert len(found) == 1 and effect.ways[0] is first
    effect.shown = effect.shown + np.float32(1.0)
    effect.apply(clips.PORTRAIT, [track], 0.2)
    assert len(found) == 2


def test_a_state_goes_on_as_if_nothing_had_been(engine, source, tracker):
    effect, (track,) = effect_of(engine, source, 1.0), tracker.tracks
    first = effect.apply(clips.PORTRAIT, [track], 0.0)
    again = effect_of(engine, source, 1.0)
    again.resume({name: value.copy() for name, value in effect.state().items()})
    np.testing.assert_array_equal(again.apply(clips.PORTRAIT, [track], 0.0), first)


def test_a_face_that_may_not_be_edited_stays(engine, source, tracker):
    (track,) = tracker.tracks
    tiny = dataclasses.replace(track.face, landmarks=track.face.landmarks * 0.05)
    small = dataclasses.replace(track, face=tiny)
    effect = effect_of(engine, source, 1.0)
    np.testing.assert_array_equal(
        effect.apply(clips.PORTRAIT, [small], 0.0), clips.PORTRAIT
    )
