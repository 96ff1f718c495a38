"""Moves of traits: what one person has less of than another."""

from dataclasses import replace

import numpy as np
import pytest

from retouch.edits.edit import View
from retouch.edits.moves import BARE, WEARS, TraitMove, teeth
from tests.scorers.people import latents, moves


@pytest.fixture(scope="module")
def view():
    own = 3 * latents(60)
    nothing = np.zeros((len(own), 1, 1, 1), np.float32)
    return View(nothing, nothing, own)


def test_who_has_no_beard_cannot_lose_one(view):
    known = moves()
    beard = known.read(view.latents)[:, known.names.index("beard")]
    less, more = (TraitMove(known, "beard").way(view, way) for way in (-1.0, 1.0))
    taken = less.change[:, known.names.index("beard")]
    shaved, bearded = beard < BARE["beard"], beard > BARE["beard"] + 1
    assert shaved.sum() > 3 and bearded.sum() > 3
    assert not taken[shaved].any() and (taken[bearded] < 0).mean() > 0.5
    # One grows as long as it is asked for, on everybody; no generator draws it.
    assert (more.apart["beard"] == 1).all()
    np.testing.assert_array_equal(more.end, more.start)
    # As much is taken as there is; skin is drawn as bare for a part of it as for all.
    shown = np.maximum(-1, np.minimum(BARE["beard"] - beard, 0))
    np.testing.assert_allclose(less.apart["beard"], shown)
    half = TraitMove(known, "beard").way(view, -0.5)
    assert (half.apart["beard"][bearded] == -0.5).all()
    np.testing.assert_array_equal(half.change[bearded], less.change[bearded])


def test_what_everybody_has_everybody_can_have_less_of(view):
    way = TraitMove(moves(), "happy").way(view, -1.0)
    assert (way.change[:, moves().names.index("happy")] < 0).mean() > 0.5


def test_glasses_are_put_on_nobody_who_is_to_look_older(view):
    known = replace(moves(), names=("age", "glasses", "weight"))
    older, younger = (
        TraitMove(known, "age").way(view, way).change[:, 1] for way in (1.0, -1.0)
    )
    assert known.wish("age", ("glasses",))[1] > 0  # in people they go together
    assert not older.any() and (younger < 0).any()


def test_years_bring_lines_to_a_face_and_neither_weight_nor_another_nose(view):
    known = replace(moves(), names=("weight", "age", "nose-width"))
    assert known.wish("age", ("weight", "nose-width")).all()  # in people they do
    change = TraitMove(known, "age").way(view, 1.0).change
    assert (change[:, 1] > 0).any() and not change[:, [0, 2]].any()


def test_glasses_are_put_on_who_wears_none_and_taken_off_nobody(view):
    known = replace(moves(), names=("age", "glasses", "weight"))
    own = known.read(view.latents)[:, 1]
    on, off = (TraitMove(known, "glasses").way(view, s) for s in (0.7, -1.0))
    assert (own > WEARS).any() and (own < WEARS).any()
    worn = np.where(own > WEARS, 0, np.float32(0.7))
    np.testing.assert_allclose(on.apart["glasses"], worn)
    np.testing.assert_array_equal(on.end, on.start)
    assert not off.leads


def test_gaze_is_as_asked_and_no_generator_draws_it(view):
    way = TraitMove(moves(), "gaze").way(view, -1.0)
    assert (way.apart["gaze"] == -1).all()
    np.testing.assert_array_equal(way.end, way.start)


def test_make_up_is_put_on_as_asked_and_taken_off_as_it_is_read(view):
    known = replace(moves(), names=("age", "eye_makeup", "weight"))
    on, off = (TraitMove(known, "eye_makeup").way(view, s) for s in (0.7, -1.0))
    np.testing.assert_allclose(on.apart["eye_makeup"], np.float32(0.7))
    assert on.change is None  # nothing is asked of the generator
    assert not off.apart["eye_makeup"].any()
    assert (off.change[:, 1] <= 0).all() and len(np.unique(off.change[:, 1])) > 1


def test_weight_widens_jaws_and_leaves_the_features(view):
    known = replace(moves(), names=("weight", "happy", "eyes-open"))
    way = TraitMove(known, "weight").way(view, -1.0)
    assert (way.apart["jaw-width"] < 0).all()
    assert (way.change[:, 0] < 0).any() and not way.change[:, 1:].any()


def test_teeth_are_those_of_a_broad_smile_whatever_else_is_asked(view):
    known = moves()
    place = known.names.index("happy")
    smiling = known.read(teeth(known, view.latents))[:, place]
    wished = TraitMove(known, "happy").way(view, 1.0)
    assert smiling.mean() > known.read(wished.end)[:, place].mean()
    # Of people of their kind: they differ less than they did.
    before, after = (
        own.std(0).mean() for own in (view.latents, teeth(known, view.latents))
    )
    assert after < before
