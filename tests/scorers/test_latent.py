"""Traits read from latents."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scorers.latent import LatentTraits, Space, held_out_skill, ridge

SHAPE = (3, 8)


def _latents(count=400, seed=0):
    rng = np.random.default_rng(seed)
    mixing = rng.normal(size=(24, 24)) * np.linspace(0.2, 2, 24)
    return (rng.normal(size=(count, 24)) @ mixing).reshape(-1, *SHAPE).astype("f4")


def _traits(dimensions=24):
    latents = _latents()
    space = Space.fit(latents, dimensions)
    coordinates = np.asarray(space.coordinates(latents))
    rng = np.random.default_rng(1)
    truth = rng.normal(size=(dimensions, 3)).astype("f4") / 5
    targets = coordinates @ truth
    slopes, offsets = ridge(coordinates, targets, 1e-3)
    names = ("smile", "age", "light")
    return latents, LatentTraits(space, names, slopes, offsets, np.ones(3, "f4"))


def test_coordinates_have_unit_variance_and_do_not_correlate():
    latents = _latents()
    space = Space.fit(latents, 12)
    coordinates = np.asarray(space.coordinates(latents))
    np.testing.assert_allclose(np.cov(coordinates.T), np.eye(12), atol=0.01)


def test_offset_undoes_coordinates():
    latents = _latents()
    space = Space.fit(latents, 24)
    back = np.asarray(space.offset(space.coordinates(latents))) + space.mean
    np.testing.assert_allclose(back, latents, atol=1e-2)


@given(wanted=st.permutations(("smile", "age", "light")))
@settings(max_examples=6, deadline=None)
def test_a_step_raises_its_trait_by_one_and_keeps_the_others(wanted):
    latents, traits = _traits()
    name, *keep = wanted
    step = traits.step(name, tuple(keep))
    moved = latents + np.asarray(traits.space.offset(step[None]))
    change = (np.asarray(traits.score(moved)) - np.asarray(traits.score(latents)))[0]
    expected = np.zeros(3)
    expected[traits.index(name)] = 1
    np.testing.assert_allclose(change, expected, atol=1e-3)


def test_no_shorter_move_has_the_same_effect():
    _, traits = _traits()
    step = traits.step("smile", ("age",))
    slopes = traits.slopes[:, :2]
    rng = np.random.default_rng(2)
    for _ in range(20):
        other = step + rng.normal(size=step.shape)
        missing = np.array([1, 0]) - other @ slopes
        other = other + slopes @ np.linalg.solve(slopes.T @ slopes, missing)
        assert np.linalg.norm(other) >= np.linalg.norm(step) - 1e-4


def test_a_move_fitted_on_pictures_goes_before_the_regression():
    _, traits = _traits()
    moves = np.zeros_like(traits.slopes)
    moves[3, 1] = 0.5
    fitted = replace(traits, moves=moves)
    np.testing.assert_array_equal(fitted.step("age", ("smile",)), moves[:, 1])
    np.testing.assert_array_equal(fitted.step("smile"), traits.step("smile"))
    wider = fitted.joined("charm", traits.slopes[:, 0], 0.5)
    assert wider.moved == fitted.moved == ("age",) and traits.moved == ()


def test_ridge_without_restraint_is_least_squares():
    rng = np.random.default_rng(3)
    inputs = rng.normal(size=(50, 4))
    targets = rng.normal(size=(50, 2))
    slopes, offsets = ridge(inputs, targets, 1e-9)
    full = np.linalg.lstsq(np.c_[inputs, np.ones(50)], targets, rcond=None)[0]
    np.testing.assert_allclose(np.r_[slopes, offsets[None]], full, atol=1e-5)


def test_skill_is_high_for_a_rule_and_absent_for_noise():
    rng = np.random.default_rng(4)
    inputs = rng.normal(size=(300, 5))
    targets = np.stack([inputs @ np.arange(5), rng.normal(size=300)], 1)
    rule, noise = held_out_skill(inputs, targets, 1.0)
    assert rule > 0.99 and abs(noise) < 0.3


def test_an_unknown_trait_has_no_index():
    _, traits = _traits()
    with pytest.raises(ValueError, match="not in tuple"):
        traits.index("beard")
