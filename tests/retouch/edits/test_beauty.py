"""Beautify climbs what people differ in, and holds what is kept."""

import dataclasses

import numpy as np
import pytest
import skimage.data

from retouch.edits.beauty import FREE, GOAL, OTHERS, REACH, Aim, Beauty, Tried
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


def test_the_climb_gains_by_what_its_reach_allows(climb, view, way):
    gains, far = _seen(climb, view, way.change[0])
    assert gains["attractive"] > 0.25 and gains[FREED] > 0.05
    assert 0.8 * REACH < far < 1.1 * REACH


def test_what_is_kept_moves_less_than_what_is_wished(climb, view, way):
    gains, _ = _seen(climb, view, way.change[0])
    kept = [abs(gains[name]) for name in climb.keep]
    assert np.mean(kept) < gains["attractive"] / 2
    for name in ("weight", "eye_makeup", "lip_makeup", "happy", "gender"):
        assert abs(gains[name]) < 0.15


@pytest.mark.parametrize("inside", [True, False])
def test_how_light_the_face_is_is_seen_and_nothing_around_it(climb, view, inside):
    where = (view.masks[0] > 0) == inside

    def lit(way, row):
        return np.where(where, view.images[row] + 0.1, view.images[row])[None]

    nothing = np.zeros((1, len(climb._free)), np.float32)
    pictures = (lit, lambda way, row: view.images[row : row + 1])
    views = [dataclasses.replace(view, show=show) for show in pictures]
    tones = [climb._seen(each, 0, nothing)[0, -1] for each in views]
    assert tones[0] - tones[1] == pytest.approx(5.0 if inside else 0.0, abs=1e-3)


# --- the search, on faces that are made up --------------------------------------

WHO, INPUTS, NUMBERS = 6, 9, 5  # inputs that tell who it is, all, and free numbers


def _face(seed, bent):
    """Return an aim, and what a made-up face shows after changes."""
    rng = np.random.default_rng(seed)
    slopes, curves = rng.normal(0, 0.1, (2, NUMBERS, INPUTS))
    kept = np.eye(INPUTS)[:, -2:]
    aim = Aim(rng.normal(0, 2, INPUTS), kept, np.full(2, OTHERS), WHO, 2.0, REACH)
    return aim, lambda changes: changes @ slopes + bent * changes**2 @ curves


def _searched(aim, shown, tries):
    tried = Tried(np.eye(NUMBERS), shown(np.eye(NUMBERS)))
    for _ in range(tries):
        step = tried.next(aim)[None]
        tried += Tried(step, shown(step))
    return tried


@pytest.mark.parametrize("bent", [0.0, 0.5])
@pytest.mark.parametrize("seed", range(4))
def test_a_search_gains_most_of_what_there_is_to_gain(seed, bent):
    aim, shown = _face(seed, bent)
    tried = _searched(aim, shown, 15)
    seen = shown(tried.best(aim)[None])
    rng = np.random.default_rng(0)
    others = rng.normal(0, 1, (20000, NUMBERS)) * rng.uniform(0, 1.5, (20000, 1))
    most = aim.goal - aim.costs(shown(others)).min()
    assert aim.goal - aim.costs(seen)[0] > 0.75 * most
    assert np.linalg.norm(seen[0, :WHO]) < 1.1 * REACH
    assert np.abs(seen[0] @ aim.kept).max() < OTHERS + 0.03


def test_no_change_is_tried_twice():
    tried = _searched(*_face(0, 0.5), 15).changes
    gaps = np.linalg.norm(tried[:, None] - tried, axis=-1)
    assert gaps[~np.eye(len(gaps), dtype=bool)].min() > 0.04


def test_where_nothing_is_gained_nothing_is_best():
    aim, shown = _face(0, 0.0)
    worse = Tried(np.eye(NUMBERS), shown(np.eye(NUMBERS)))
    worse = dataclasses.replace(worse, seen=worse.seen - aim.wished)
    assert not worse.best(aim).any()


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
