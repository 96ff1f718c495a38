"""Straight moves fitted to what a guide sees, with networks of a few numbers."""

import numpy as np
import pytest
from keras import ops

from retouch.training.straight_moves import GOAL, STRENGTH, Search, Seeker, with_moves
from scorers.latent import LatentTraits, Space

SIZE = 12
NAMES = ("age", "gender", "beard")
SEARCH = Search(people=24, batch=8, rate=0.02, steps=150, slack=0.0, length=1e-3)
rng = np.random.default_rng(0)
SLOPES = rng.normal(size=(SIZE, 3)).astype("f4") / 4
LATENTS = rng.normal(size=(24, SIZE)).astype("f4")


class Eyes:
    """A guide that is linear in the picture."""

    names = NAMES

    def look(self, images):
        traits = ops.matmul(images, SLOPES)
        return images, traits, traits


class Plain:
    """A generator whose picture is the latent itself."""

    def __init__(self, conditions=()):
        self.conditions = conditions

    def decode(self, latents):
        return latents


def _reader():
    axes, ones = np.eye(SIZE, dtype="f4"), np.ones(SIZE, "f4")
    space = Space(np.zeros(SIZE, "f4"), axes, ones)
    some = rng.normal(size=(SIZE, 3)).astype("f4")  # that learnt nothing of pictures
    return LatentTraits(space, NAMES, some, np.zeros(3, "f4"), np.ones(3, "f4"))


@pytest.mark.parametrize("name", NAMES)
def test_a_move_raises_its_trait_to_the_goal_and_no_other(name):
    seeker = Seeker(Plain(), _reader(), Eyes(), LATENTS, SEARCH)
    gains = STRENGTH * seeker.move(name) @ SLOPES
    expected = GOAL * (np.array(NAMES) == name)
    np.testing.assert_allclose(gains, expected, atol=0.15)
    seen = seeker.response(seeker.move(name))
    np.testing.assert_allclose([seen[n] for n in NAMES], gains, atol=0.006)


def test_a_slider_moves_its_own_number_and_no_other_ones():
    seeker = Seeker(Plain(NAMES), _reader(), Eyes(), LATENTS, SEARCH)
    move = seeker.move("gender")
    np.testing.assert_array_equal(move[[-3, -1]], 0)
    assert move[-2] > 0.5
    gains = STRENGTH * move @ SLOPES
    assert gains[1] > 0.9 * GOAL and np.abs(gains[[0, 2]]).max() < 0.15


def test_only_what_the_guide_sees_gets_a_move():
    reader, seen = with_moves(_reader(), Plain(), Eyes(), LATENTS)
    assert reader.moved == tuple(seen) == NAMES
