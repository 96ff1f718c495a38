import numpy as np
import pytest

from retouch.settings import Settings
from retouch.video.edit_effect import EditEffect
from retouch.video.track import Tracker
from tests.retouch import clips

SETTINGS = Settings(steps=0)


@pytest.fixture(scope="module")
def effect(retoucher):
    return EditEffect(retoucher, retoucher.editing({"age": 1.0}, SETTINGS), SETTINGS)


def test_a_persons_way_is_found_once_and_used_again(retoucher, effect):
    tracker, shown = Tracker(retoucher.detector), clips.frames(2)
    first, second = (
        effect.apply(pixels, tracker.follow(pixels, i / 25), i / 25)
        for i, pixels in enumerate(shown)
    )
    for before, after in zip(shown, (first, second), strict=True):
        changed = (before != after).any(-1)
        assert 0.02 < changed.mean() < 0.5
    assert list(effect.ways) == [0]
    again = EditEffect(effect.retoucher, effect.task, SETTINGS)
    again.resume({name: way.copy() for name, way in effect.state().items()})
    tracks = tracker.tracks
    np.testing.assert_array_equal(again.apply(shown[1], tracks, 0.04), second)


def test_a_person_that_is_left_alone_stays_as_it_is(retoucher, effect):
    tracks = Tracker(retoucher.detector).follow(clips.PORTRAIT, 0.0)
    alone = EditEffect(effect.retoucher, effect.task, SETTINGS)
    alone.resume({"0 way": np.array(False)})
    assert alone.apply(clips.PORTRAIT, tracks, 0.0) is clips.PORTRAIT
