"""What tells a search the way, written into a graph, against the same in Keras."""

import numpy as np
import pytest

from retouch.inversion.keras_losses import KerasLosses
from retouch.inversion.search import Descent, Losses
from retouch.inversion.written_losses import KNOBS, WrittenLosses
from retouch.models import Model

SEVERAL = 2


@pytest.fixture(scope="module")
def model():
    return Model.load("default128")


@pytest.fixture(scope="module")
def both(model):
    twin = model.in_keras
    written = WrittenLosses(model.generator, model.identity)
    return written, KerasLosses(twin.generator, twin.identity)


@pytest.fixture(scope="module")
def faces(model):
    """Latents, and the pictures of others with masks that end softly."""
    drawn, latents = (model.generator.sample(SEVERAL, seed=i) for i in (1, 2))
    images, rng = model.decode(drawn), np.random.default_rng(0)
    masks = rng.uniform(-0.5, 1.5, (*images.shape[:3], 1)).clip(0, 1)
    return latents, images, masks.astype(np.float32)


@pytest.mark.parametrize("name", [*KNOBS[1:], "all"])
def test_losses_and_slopes_are_those_of_keras(both, faces, name):
    latents, *seen = faces
    knobs = np.float32([0.3, *(name in (knob, "all") for knob in KNOBS[1:])])
    told = []
    for losses in both:
        targets = losses.targets(*seen)
        told.append(losses.at(latents, targets, knobs))
    (one, slope), (other, wanted) = told
    assert one.shape == (SEVERAL,) and slope.shape == latents.shape
    np.testing.assert_allclose(one, other, 1e-4)
    assert np.abs(slope - wanted).mean() < 1e-3 * np.abs(wanted).mean()
    assert np.corrcoef(slope.ravel(), wanted.ravel())[0, 1] > 0.9999


def test_a_picture_itself_is_at_no_distance(both, model):
    latents = model.generator.sample(SEVERAL, seed=1)
    images, written = model.decode(latents), both[0]
    targets = written.targets(images, np.ones_like(images[..., :1]))
    losses, slope = written.at(latents, targets, np.float32([0, 1, 1, 1, 1, 0, 0]))
    assert losses.max() < 1e-4 and np.abs(slope).max() < 1e-3


def test_a_face_alone_is_told_what_it_is_told_beside_others(both, faces):
    knobs = np.float32([0, 1, 1, 0.2, 0.8, 0.002, 0])
    losses: Losses = both[0]
    together = losses.at(faces[0], losses.targets(*faces[1:]), knobs)
    latents, *seen = (part[1:] for part in faces)
    alone = losses.at(latents, losses.targets(*seen), knobs)
    for one, other in zip(together, alone, strict=True):
        np.testing.assert_allclose(one[1:], other, 1e-3, 1e-6)


def test_a_descent_goes_as_adam_does_in_keras():
    from generators.adam import Adam

    rng = np.random.default_rng(0)
    start, *slopes = rng.standard_normal((6, 2, 3, 4)).astype("f4")
    descent, adam = Descent(start), Adam(0.05, first=0.8, second=0.9)
    tensors, state = [start], adam.start([start])
    for slope in slopes:
        descent.step(slope, 0.05)
        tensors, state = adam.apply(state, [slope], tensors)
    np.testing.assert_allclose(descent.now, np.asarray(tensors[0]), 1e-5, 1e-6)
