"""Moves learnt from people."""

import numpy as np
import pytest
from scipy.ndimage import correlate

from pretrained.loading import load_moves
from pretrained.registry import library
from retouch.edits.moves import ALONG, EXPRESSION
from tests.scorers.people import NAMES, latents, moves


@pytest.fixture(scope="module")
def shipped():
    return load_moves(library(), "default-moves")


@pytest.mark.parametrize("side", [2, 0])
def test_no_change_moves_nothing_at_all(side):
    known, own = moves(side), latents(4, side=side)
    still = known.moved(own, np.zeros((4, 3), "f4"))
    assert still.tobytes() == own.tobytes()


def test_what_moves_far_is_drawn_anew_and_what_hardly_moves_stays():
    known, own = moves(), latents(1)
    change = np.float32([[0.002, 0, 0]])
    base = known.typical(known.read(own))
    near = known.moved(own, change)
    step = known.typical(known.read(own) + change) - base
    np.testing.assert_allclose(near, own + step, atol=0.02)
    far = known.moved(own, np.float32([[40, 0, 0]]))
    there = known.typical(known.read(own) + np.float32([[40, 0, 0]]))
    np.testing.assert_allclose(far[:, 2:], there[:, 2:], atol=1e-3)
    # Styles have no places: nothing of them is lost.
    np.testing.assert_allclose((far - own)[:, :2], (there - base)[:, :2], atol=1e-5)


def test_places_are_read_as_a_convolution_reads_them():
    known, own = moves(), latents(1)
    code = ((own - known.mean) / known.spread)[0, 2:].reshape(2, 2, 4)
    kernel = known.weights["read.near"]
    wanted = np.zeros((2, 2, 6))
    for out in range(6):
        for into in range(4):
            wanted[..., out] += correlate(
                code[..., into], kernel[:, :, into, out], mode="constant"
            )
    from scorers.moves import _convolved

    np.testing.assert_allclose(_convolved(code[None], kernel)[0], wanted, atol=1e-5)


@pytest.mark.parametrize("goal", [0.3, -0.3])
def test_a_search_finds_how_far_to_go(shipped, goal):
    own = np.repeat(shipped.mean[None], 2, 0)
    change = shipped.wish("happy", EXPRESSION)
    goals = np.float32([goal, 2 * goal])
    factors = shipped.factors(own, change, "happy", goals)
    moved = shipped.moved(own, (np.sign(goals) * factors)[:, None] * change)
    gained = (shipped.read(moved) - shipped.read(own))[:, shipped.names.index("happy")]
    np.testing.assert_allclose(gained, goals, atol=0.05)


def test_a_goal_of_nothing_is_reached_at_once():
    known = moves()
    factors = known.factors(latents(2), known.wish("happy"), "happy", np.zeros(2, "f4"))
    np.testing.assert_array_equal(factors, 0)


def test_the_opposite_change_leads_back(shipped):
    """What was typical comes back; what was lost of a person's own does not."""
    own = shipped.typical(0.3 * np.eye(len(shipped.names), dtype=np.float32)[:6])
    change = np.tile(shipped.wish("happy", EXPRESSION), (6, 1)) * np.float32(0.5)
    there = shipped.moved(own, change)
    back = shipped.moved(there, -change)
    away, left = (np.square(x - own).mean() for x in (there, back))
    assert left < 0.2 * away


def test_what_belongs_to_a_trait_goes_along():
    known = moves()
    alone, along = known.wish("age"), known.wish("age", ("beard", "unknown"))
    np.testing.assert_allclose(alone, [0, 1, 0])
    np.testing.assert_allclose(along, [0, 1, 0.4])
    assert NAMES[2] == "beard"


def test_what_goes_along_is_known_to_the_moves_that_ship(shipped):
    for name, others in ALONG.items():
        assert {name, *others} <= set(shipped.names)


def test_every_face_moves_as_if_it_were_alone(shipped):
    rng = np.random.default_rng(0)
    own = shipped.mean + 0.5 * rng.normal(size=(3, *shipped.mean.shape)).astype("f4")
    change = rng.normal(size=(3, len(shipped.names))).astype("f4")
    whole = shipped.moved(own, change)
    for i in range(3):
        alone = shipped.moved(own[i : i + 1], change[i : i + 1])
        np.testing.assert_allclose(whole[i : i + 1], alone, atol=1e-4)


@pytest.mark.parametrize("side", [0, 2])
def test_plainer_people_lie_between_their_own_and_what_is_typical(side):
    own, made = latents(3, side=side), moves(side)
    typical = made.typical(made.read(own))
    np.testing.assert_allclose(made.plainer(own, 1.0), own, atol=1e-6)
    np.testing.assert_allclose(made.plainer(own, 0.0), typical, atol=1e-6)
    half = made.plainer(own, 0.5)
    np.testing.assert_allclose(half, (own + typical) / 2, atol=1e-6)
