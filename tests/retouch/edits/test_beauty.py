"""Beautify climbs what people differ in, and holds what is kept."""

import dataclasses

import numpy as np
import pytest
import skimage.data

from retouch.edits.beauty import FREE, GOAL, REACH, Beauty
from retouch.edits.way import Way
from retouch.engine.retoucher import Retoucher
from retouch.photos.photo import read
from retouch.settings import Settings
from scorers.judge import FREED

SETTINGS = Settings(preset="fast")
ONE = np.ones(1, np.float32)


@pytest.fixture(scope="module")
def engine():
    return Retoucher.load()


@pytest.fixture(scope="module")
def view(engine):
    session = engine.cut(read(skimage.data.astronaut()), SETTINGS)
    return engine.view(engine.invert([session], SETTINGS), SETTINGS)


@pytest.fixture(scope="module")
def climb(engine):
    return Beauty(engine.model.moves, engine.model.sight, SETTINGS.kept_traits)


@pytest.fixture(scope="module")
def way(climb, view):
    return climb.way(view, ONE, GOAL * ONE)


def _seen(climb, view, change):
    """Return by how much the guide's readings of the shown crop change."""
    way = Way.learnt(view.latents, change[None], climb.moves)
    who, after, _ = map(np.asarray, climb.guide.look(view.show(way, 0)))
    own, before, _ = map(np.asarray, climb.guide.look(view.images))
    gains = dict(zip(climb.guide.names, (after - before)[0], strict=True))
    return gains, np.linalg.norm(who - own)


def test_the_climb_gains_within_its_reach(climb, view, way):
    gains, far = _seen(climb, view, way.change[0])
    assert gains[FREED] > 0.05 and gains["attractive"] > 0.05
    assert 0 < far <= REACH + 1e-3


def test_what_is_kept_moves_less_than_what_is_wished(climb, view, way):
    gains, _ = _seen(climb, view, way.change[0])
    kept = [abs(gains[name]) for name in climb.keep]
    assert max(kept) < 0.25 and np.mean(kept) < gains[FREED]


def test_only_what_may_change_is_changed(climb, way):
    changed = {climb.moves.names[i] for i in np.flatnonzero(way.change[0])}
    assert changed <= set(FREE) and len(changed) > 5 and not way.fine


def test_a_smaller_strength_goes_less_far(climb, view, way):
    _, far = _seen(climb, view, way.change[0])
    half = climb.way(view, ONE / 4, GOAL * ONE / 4)
    _, near = _seen(climb, view, half.change[0])
    assert 0 < near < far


def test_nothing_wished_is_nothing_done(climb, view):
    for strength, goal in ((0 * ONE, ONE), (ONE, 0 * ONE)):
        assert not climb.way(view, strength, goal).leads


def test_no_budget_leaves_the_face_as_it_is(climb, view):
    none = dataclasses.replace(view, budget=0.0)
    assert not climb.way(none, ONE, GOAL * ONE).leads


def test_the_same_face_climbs_the_same_way(climb, view, way):
    np.testing.assert_array_equal(climb.way(view, ONE, GOAL * ONE).change, way.change)
