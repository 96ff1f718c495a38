"""Every network that ships plays the role that its row says."""

import numpy as np
import pytest
from keras import ops

from generators.gradients import differentiate
from pretrained import dlib_files
from pretrained.loading import load
from pretrained.registry import library
from retouch.contracts import Encoder, Exact, Looking, conditions, exact
from retouch.geometry import TEMPLATES

SHAPED = ("stylegan2", "vae", "cvae", "vqvae", "glow")  # drawn from latents alone
ROWS = [row for row in library().shipped.rows() if row.architecture in SHAPED]
GENERATORS = sorted(row.name for row in ROWS if row.kind == "generator")
ENCODERS = sorted(
    row.name
    for row in library().shipped.rows()
    if row.kind == "encoder" and row.name.removesuffix("-encoder") in GENERATORS
)


@pytest.fixture(scope="module", params=GENERATORS)
def generator(request):
    return load(library(), request.param, "generator")


@pytest.fixture(scope="module")
def drawn(generator):
    return generator.sample(1, seed=3)


def test_a_generator_draws_images_of_its_latents(generator):
    latents = generator.sample(2, seed=1)
    assert latents.shape == (2, *generator.latent_shape)
    images = ops.convert_to_numpy(generator.decode(latents))
    assert images.shape == (2, generator.resolution, generator.resolution, 3)
    assert np.isfinite(images).all()
    assert np.abs(images).mean() < 1
    assert generator.crop in TEMPLATES


def test_a_generator_draws_the_same_of_the_same_seed(generator, drawn):
    every = drawn, *(generator.sample(1, seed=seed) for seed in (3, 4))
    first, again, other = map(ops.convert_to_numpy, every)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_generator_says_how_far_latents_are_from_people(generator):
    mean = np.asarray(generator.mean_latent, np.float32)
    assert mean.shape == tuple(generator.latent_shape)
    far = np.stack([mean, mean + 9 * np.ones_like(mean)])
    near, beyond = ops.convert_to_numpy(generator.penalty(ops.convert_to_tensor(far)))
    assert near < beyond


def test_a_picture_has_a_slope_in_its_latents(generator, drawn):
    start = ops.convert_to_tensor(drawn)
    _, slope = differentiate(lambda z: (ops.mean(generator.decode(z)), None), start)
    slope = ops.convert_to_numpy(slope)
    assert np.isfinite(slope).all() and slope.any()


def test_conditions_are_the_tail_of_a_latent(generator):
    names = conditions(generator)
    assert len(names) < np.prod(generator.latent_shape)


@pytest.mark.parametrize("name", ENCODERS)
def test_an_encoder_gives_latents_of_its_generator(name):
    encoder = load(library(), name, "encoder")
    generator = load(library(), name.removesuffix("-encoder"), "generator")
    size = generator.resolution
    images = np.random.default_rng(0).uniform(-1, 1, (2, size, size, 3))
    latents = encoder.encode(ops.convert_to_tensor(images.astype(np.float32)))
    assert latents.shape == (2, *generator.latent_shape)
    assert isinstance(encoder, Encoder)
    assert not isinstance(encoder, Looking) or encoder.looks > 0


def test_a_flow_is_its_own_encoder():
    glow = load(library(), "glow", "generator")
    assert isinstance(glow, Encoder) and isinstance(glow, Exact) and exact(glow)


def test_an_embedder_tells_how_far_apart_people_are():
    identity = dlib_files.identity(crop="tight")
    images = np.random.default_rng(0).uniform(-1, 1, (2, 128, 128, 3))
    images = ops.convert_to_tensor(images.astype(np.float32))
    assert identity.embed(images).shape == (2, 128)
    looks, who = identity.gaps(images, identity.aims(images))
    assert np.abs(ops.convert_to_numpy(who)).max() < 1e-4
    assert np.abs(ops.convert_to_numpy(looks)).max() < 1e-4
