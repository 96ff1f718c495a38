"""What moves latents."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from retouch.edits.climb import Ascent, Climber, Pull
from retouch.edits.edit import Direction, View
from scorers.latent import LatentTraits, Space

SIZE = 4
SHAPE = (SIZE * SIZE, 3)
NAMES = ("attractive", "age", "gender")


def _traits():
    rng = np.random.default_rng(0)
    count = SIZE * SIZE * 3
    axes = np.linalg.qr(rng.normal(size=(count, count)))[0].astype("f4")
    deviations = np.linspace(0.5, 2, count).astype("f4")
    slopes = rng.normal(size=(count, 3)).astype("f4") / 6
    space = Space(np.zeros(SHAPE, "f4"), axes, deviations)
    return LatentTraits(space, NAMES, slopes, np.zeros(3, "f4"), np.ones(3, "f4"))


class Eyes:
    """A guide of pictures of a few pixels, linear in them."""

    names, telling = NAMES, np.ones(3, bool)
    slopes = np.random.default_rng(2).normal(size=(SIZE * SIZE * 3, 3)).astype("f4") / 6

    def look(self, images):
        flat = ops.reshape(images, (-1, SIZE * SIZE * 3))
        traits = ops.matmul(flat, self.slopes)
        return flat, traits, traits


class Plain:
    """A generator and embedder in one whose picture is the latent itself."""

    def decode(self, latents):
        return ops.reshape(latents, (-1, SIZE, SIZE, 3))

    def embed(self, images):
        return ops.reshape(images, (-1, SIZE * SIZE * 3))


def _view(count=3, budget=100.0):
    latents = np.random.default_rng(1).normal(size=(count, *SHAPE)).astype("f4")
    images = latents.reshape(count, SIZE, SIZE, 3)
    return View(images, np.ones((count, SIZE, SIZE, 1), "f4"), latents, budget)


def _ascent(**more):
    climber = Climber(Plain(), _traits(), Eyes())
    return Ascent(climber, "attractive", ("age", "gender"), **more)


def test_strength_zero_moves_nothing():
    view = _view()
    for edit in (Direction.of(_traits(), "age", ()), _ascent()):
        np.testing.assert_array_equal(edit.apply(Plain(), view, 0), view.latents)


@given(strength=st.floats(-3, 3))
@settings(max_examples=20, deadline=None)
def test_the_opposite_strength_undoes_a_direction(strength):
    edit, view = Direction.of(_traits(), "age", ("gender",)), _view()
    there = View(view.images, view.masks, edit.apply(None, view, strength))
    back = edit.apply(None, there, -strength)
    np.testing.assert_allclose(back, view.latents, atol=1e-5)


@pytest.mark.parametrize("strength", [1.0, -1.0])
def test_ascent_moves_both_readers_the_way_it_is_asked(strength):
    view, traits = _view(), _traits()
    moved = _ascent().apply(Plain(), view, strength)
    reading = np.asarray(traits.score(moved)) - np.asarray(traits.score(view.latents))
    seen = (moved - view.latents).reshape(3, -1) @ Eyes.slopes
    assert (strength * reading[:, 0] > 0.2).all()
    assert (strength * seen[:, 0] > 0.2).all()


def test_ascent_leaves_the_kept_traits_of_the_latent_alone():
    view, traits = _view(), _traits()
    moved = _ascent().apply(Plain(), view, 1.0)
    change = np.asarray(traits.score(moved)) - np.asarray(traits.score(view.latents))
    np.testing.assert_allclose(change[:, 1:], 0, atol=1e-3)


class Misled(Eyes):
    """A guide whose second reader sees the opposite and cannot tell."""

    telling = np.zeros(3, bool)

    def look(self, images):
        descriptors, traits, second = super().look(images)
        return descriptors, traits, -second


def test_a_reader_that_cannot_tell_a_trait_has_no_say_in_it():
    view = _view()
    plain = Climber(Plain(), _traits(), Eyes(), Pull(second=0.0))
    misled = Climber(Plain(), _traits(), Misled())
    moved = [
        Ascent(climber, "attractive").apply(Plain(), view, 1.0)
        for climber in (plain, misled)
    ]
    np.testing.assert_allclose(*moved, atol=1e-5)


def test_every_face_of_a_batch_has_its_own_strength():
    view, strengths = _view(), np.array([0, 0.5, -0.5], "f4")
    for edit in (Direction.of(_traits(), "age", ()), _ascent()):
        moved = edit.apply(Plain(), view, strengths)
        np.testing.assert_array_equal(moved[0], view.latents[0])
        for i in (1, 2):
            row = slice(i, i + 1)
            part = View(view.images[row], view.masks[row], view.latents[row], 100.0)
            alone = edit.apply(Plain(), part, strengths[i])
            np.testing.assert_allclose(moved[i], alone[0], atol=1e-4)


def test_an_ascent_ends_where_the_identity_budget_does():
    view, tight = _view(), _view(budget=0.3)
    free, held = (_ascent().apply(Plain(), v, 2.0) - v.latents for v in (view, tight))
    wide, narrow = (np.linalg.norm(x.reshape(3, -1), axis=1) for x in (free, held))
    assert (narrow < 0.35).all() and (wide > 2 * narrow).all()


def test_an_ascent_until_a_score_leaves_those_alone_that_have_it():
    view, edit = _view(), _ascent(steps=60)
    now = np.asarray(Eyes().look(view.images)[1])[:, 0]
    goal = float(now.max()) - 0.01
    moved = edit.until(Plain(), view, goal)
    seen = np.asarray(Eyes().look(moved.reshape(view.images.shape))[1])[:, 0]
    best = int(np.argmax(now))
    np.testing.assert_array_equal(moved[best], view.latents[best])
    short = now < goal
    assert short.sum() == 2
    assert (seen[short] > now[short] + 0.3 * (goal - now[short])).all()


def test_two_ascents_give_the_same_bytes():
    first, second = (_ascent().apply(Plain(), _view(), 1.0).tobytes() for _ in "ab")
    assert first == second
