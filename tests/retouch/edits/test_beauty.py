"""Beautify climbs what people differ in, and holds what is kept."""

import dataclasses

import numpy as np
import pytest
import skimage.data

from retouch.edits.beauty import (
    BESIDE,
    FREE,
    GOAL,
    OTHERS,
    REACH,
    TONES,
    Beauty,
    Terms,
    Tried,
)
from retouch.edits.way import Way
from retouch.faces.identity import looks
from retouch.photos.photo import read
from retouch.settings import Settings
from scorers.judge import FREED
from tests.climbs import hasty

SETTINGS = Settings(preset="fast")
ONE = np.ones(1, np.float32)
HASTY = hasty(FREE[:4], tries=3)


@pytest.fixture(scope="module")
def view(retoucher):
    session = retoucher.cut(read(skimage.data.astronaut()), SETTINGS)
    return retoucher.view(retoucher.invert([session], SETTINGS), SETTINGS)


@pytest.fixture(scope="module")
def climb(retoucher):
    model = retoucher.model
    return Beauty(model.moves, model.sight, SETTINGS.kept_traits)


@pytest.fixture(scope="module")
def way(climb, view):
    return climb.way(view, ONE, GOAL * ONE)


@pytest.fixture(scope="module")
@HASTY
def hurried(climb, view):
    return climb.way(view, ONE, GOAL * ONE)


def _seen(climb, view, change):
    """Return by how much the guide's readings of the shown crop change."""
    both = np.stack([0 * change, change])[:, climb._free]
    before, after = climb._seen(view, 0, both)[:, : len(climb.guide.judge.slopes)]
    gains = (after - before) @ climb.guide.judge.slopes
    far = np.linalg.norm((after - before)[:128])
    return dict(zip(climb.guide.names, gains, strict=True)), far


def test_the_climb_gains_by_what_its_reach_allows(climb, view, way):
    gains, far = _seen(climb, view, way.change[0])
    assert gains["attractive"] > 0.25 and gains[FREED] > 0.05
    assert 0.7 * REACH < far < 1.1 * REACH


def test_what_is_kept_moves_less_than_what_is_wished(climb, view, way):
    gains, _ = _seen(climb, view, way.change[0])
    kept = [abs(gains[name]) for name in climb.keep]
    assert np.mean(kept) < gains["attractive"] / 2
    limits = {"weight": 0.25, "eye_makeup": 0.15, "lip_makeup": 0.15}
    for name, limit in {**limits, "happy": OTHERS, "gender": OTHERS}.items():
        assert abs(gains[name]) < limit, (name, gains[name])


def test_what_is_gained_is_seen_in_either_framing(climb, view, way):
    crops = np.concatenate([view.show(way * share, 0) for share in (0, 1)])
    marks = np.repeat(view.marks, 2, 0)
    framed, aligned = climb.guide.sees(crops), climb.guide.told(*looks(crops, marks))
    place = climb.guide.names.index("attractive")
    slopes = climb.guide.judge.slopes[:, place]
    for seen in (np.asarray(framed), np.asarray(aligned)):
        assert (seen[1] - seen[0]) @ slopes > 0.2


@pytest.mark.parametrize("part", ["lids", "cheeks", "mouth"])
def test_how_light_cheeks_lids_and_beards_are_is_seen(climb, view, part):
    crop, marks = view.show(Way.none(view.latents), 0)[0], view.marks[0]
    middle, mouth = marks[36:48, 1].max() + 4, marks[33, 1] + 2
    rows = np.arange(len(crop))[:, None, None]
    where = {
        "lids": rows < middle,
        "cheeks": (rows >= middle) & (rows < mouth),
        "mouth": rows >= mouth,
    }[part]
    shown = [
        dataclasses.replace(view, show=lambda way, row, picture=picture: picture[None])
        for picture in ((crop + 0.1 * where).astype(np.float32), crop)
    ]
    nothing = np.zeros((1, len(climb._free)), np.float32)
    lit, own = (climb._seen(each, 0, nothing)[0, -len(TONES) :] for each in shown)
    lighter = dict(zip(("cheeks", "left", "right", "mouth"), lit - own, strict=True))
    wanted = {"lids": {"left", "right"}}.get(part, {part})
    assert {name for name, by in lighter.items() if by > 2.5} == wanted


# --- the search, on faces that are made up --------------------------------------

WHO, INPUTS, NUMBERS = 6, 9, 5  # inputs that tell who it is, all, and free numbers


def _face(seed, bent):
    """Return the terms, and what a made-up face shows after changes."""
    rng = np.random.default_rng(seed)
    slopes, curves = rng.normal(0, 0.1, (2, NUMBERS, INPUTS))
    kept = np.eye(INPUTS)[:, -2:]
    terms = Terms(rng.normal(0, 2, INPUTS), kept, np.full(2, OTHERS), WHO, 2.0, REACH)
    return terms, lambda changes: changes @ slopes + bent * changes**2 @ curves


def _searched(terms, shown, tries):
    tried = Tried(np.eye(NUMBERS), shown(np.eye(NUMBERS)))
    for _ in range(tries // BESIDE):
        steps = tried.next(terms, BESIDE)
        tried += Tried(steps, shown(steps))
    return tried


@pytest.mark.parametrize("bent", [0.0, 0.5])
@pytest.mark.parametrize("seed", range(4))
def test_a_search_gains_most_of_what_there_is_to_gain(seed, bent):
    terms, shown = _face(seed, bent)
    tried = _searched(terms, shown, 16)
    seen = shown(tried.best(terms)[None])
    rng = np.random.default_rng(0)
    others = rng.normal(0, 1, (20000, NUMBERS)) * rng.uniform(0, 1.5, (20000, 1))
    most = terms.goal - terms.costs(shown(others)).min()
    assert terms.goal - terms.costs(seen)[0] > 0.75 * most
    assert np.linalg.norm(seen[0, :WHO]) < 1.1 * REACH
    assert np.abs(seen[0] @ terms.kept).max() < OTHERS + 0.03


def test_no_change_is_tried_twice():
    tried = _searched(*_face(0, 0.5), 16).changes
    gaps = np.linalg.norm(tried[:, None] - tried, axis=-1)
    assert gaps[~np.eye(len(gaps), dtype=bool)].min() > 0.04


def test_where_nothing_is_gained_nothing_is_best():
    terms, shown = _face(0, 0.0)
    worse = Tried(np.eye(NUMBERS), shown(np.eye(NUMBERS)))
    worse = dataclasses.replace(worse, seen=worse.seen - terms.wished)
    assert not worse.best(terms).any()


def test_only_what_may_change_is_changed(climb, way):
    changed = {climb.moves.names[i] for i in np.flatnonzero(way.change[0])}
    assert changed <= set(FREE) and len(changed) > 5 and not way.manner.fine


@HASTY
def test_a_smaller_strength_goes_less_far(climb, view, hurried):
    _, far = _seen(climb, view, hurried.change[0])
    half = climb.way(view, ONE / 4, GOAL * ONE / 4)
    _, near = _seen(climb, view, half.change[0])
    assert 0 < near < far


def test_nothing_wished_is_nothing_done(climb, view):
    for strength, goal in ((0 * ONE, ONE), (ONE, 0 * ONE)):
        assert not climb.way(view, strength, goal).leads


def test_no_budget_leaves_the_face_as_it_is(climb, view):
    none = dataclasses.replace(view, budget=0.0)
    assert not climb.way(none, ONE, GOAL * ONE).leads


@HASTY
def test_the_same_face_climbs_the_same_way(climb, view, hurried):
    again = climb.way(view, ONE, GOAL * ONE)
    np.testing.assert_array_equal(again.change, hurried.change)
