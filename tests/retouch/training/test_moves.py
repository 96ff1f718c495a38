"""Moves learnt from a crowd that is known."""

import numpy as np
import pytest

from retouch.training.crowd import SHAPES, shapes
from retouch.training.moves import Crowd, Recipe, learn
from tests.retouch.drawing import drawn_face

QUICK = Recipe(reading=250, expecting=300, read_at_once=32, expect_at_once=64)


def _crowd(side):
    """Return people whose latents are straight in two traits, and a little noise."""
    rng = np.random.default_rng(0)
    rows = 6 if side else 2
    traits = rng.normal(size=(600, 2)).astype("f4")
    slopes = rng.normal(size=(2, rows, 4)).astype("f4")
    latents = np.einsum("nt,trw->nrw", traits, slopes)
    latents += 0.1 * rng.normal(size=latents.shape)
    told = traits.copy()
    told[:50, 1] = np.nan  # not known of everybody
    latents, ones = latents.astype("f4"), np.ones(600, "f4")
    names = ("happy", "age")
    return Crowd(latents, latents, told, names, ones, 2, side), traits, slopes


@pytest.mark.parametrize("side", [2, 0])
def test_what_moves_latents_in_people_is_learnt(side):
    crowd, traits, slopes = _crowd(side)
    moves = learn(crowd, QUICK)
    read = moves.read(crowd.latents)
    for i in range(2):
        assert np.corrcoef(read[:, i], traits[:, i])[0, 1] > 0.95
    step = moves.typical(read + np.float32([1, 0])) - moves.typical(read)
    along = np.corrcoef(step.mean(0).ravel(), slopes[0].ravel())[0, 1]
    assert along > 0.95
    assert moves.rest.shape == (side**2,)
    assert (moves.rest < 0.5).all()  # of a spread of 1 and more


def test_the_same_seed_learns_the_same():
    crowd, _, _ = _crowd(0)
    few = Recipe(reading=5, expecting=5)
    first, second = (learn(crowd, few).typical(np.zeros((1, 2), "f4")) for _ in "ab")
    np.testing.assert_array_equal(first, second)


def test_shapes_are_measured_in_deviations_and_freed_of_turns():
    rng = np.random.default_rng(0)
    plain = drawn_face(100).landmarks
    many = plain + rng.normal(0, 1.5, (80, 68, 2))
    many[40:, 66:68, 1] += 6  # the lower lips of half of them
    many[40:, 65, 1] += 6
    told = shapes(many.astype("f4"))
    assert told.shape == (80, len(SHAPES) + 2)
    np.testing.assert_allclose(told.std(0), 1, atol=1e-3)
    opened = told[:, SHAPES.index("mouth-open")]
    assert opened[40:].mean() > opened[:40].mean() + 1
    for turn in told[:, -2:].T:
        assert np.abs(turn @ told[:, : len(SHAPES)] / 80).max() < 0.05
