"""Networks that run forwards alone, against the same in Keras."""

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from encoders import compact, compact_graph
from generators import (
    expression_mask,
    expression_mask_graph,
    finisher,
    finisher_graph,
    stylegan2,
    stylegan2_graph,
)
from generators.weights import arrays
from pretrained import forward_models
from pretrained.forward import Running
from pretrained.forward_models import Embedder, Encoder, Generator, Stands
from pretrained.loading import load
from pretrained.registry import library
from retouch.errors import DependencyError

NEAR = 1e-4
SOME = settings(max_examples=30, deadline=None)


def _filled(network, seed=0):
    """Give a network weights none of which is as it starts."""
    rng = np.random.default_rng(seed)
    for variable in network.weights:
        variable.assign(rng.standard_normal(variable.shape) * 0.3)
    return network


def _near(one, other):
    one, other = np.asarray(one), np.asarray(other)
    return np.abs(one - other).max() <= NEAR * max(1, np.abs(other).max())


@SOME
@given(
    channels=st.lists(st.integers(1, 9), min_size=1, max_size=3),
    count=st.integers(1, 3),
    seed=st.integers(0, 99),
)
def test_a_written_generator_draws_what_the_network_draws(channels, count, seed):
    config = stylegan2.Config(
        4 << (len(channels) - 1), tuple(channels), width=8, depth=0, code=2, noise=False
    )
    network = _filled(stylegan2.StyleGAN2(config), seed)
    rng = np.random.default_rng(seed)
    latents = rng.standard_normal((count, *config.latent_shape), np.float32)
    written = Running(stylegan2_graph.network, arrays(network), rank=3)
    assert _near(written(latents), network.decode(latents))


@SOME
@given(
    channels=st.lists(st.integers(2, 9), min_size=1, max_size=3),
    code=st.sampled_from([0, 2]),
    seed=st.integers(0, 99),
)
def test_a_written_encoder_reads_what_the_network_reads(channels, code, seed):
    resolution = 4 << len(channels)
    config = compact.Config(resolution, tuple(channels), 3, 8, code, neck=5)
    network = _filled(compact.Compact(config), seed)
    images = np.random.default_rng(seed).uniform(-1, 1, (2, resolution, resolution, 3))
    written = Running(compact_graph.network, arrays(network))
    assert _near(written(images), network.encode(images.astype(np.float32)))


@SOME
@given(width=st.integers(1, 8), deep=st.integers(0, 3), seed=st.integers(0, 99))
def test_a_written_finisher_sharpens_as_the_network_does(width, deep, seed):
    network = _filled(finisher.Finisher(finisher.Config(16, width, deep)), seed)
    images = np.random.default_rng(seed).uniform(-1, 1, (2, 8, 12, 3))
    written = Running(finisher_graph.network, arrays(network))
    assert _near(written(images), network(images.astype(np.float32)))


@settings(max_examples=20, deadline=None)
@given(
    channels=st.lists(st.integers(1, 9), min_size=2, max_size=4),
    style=st.integers(1, 8),
    seed=st.integers(0, 99),
)
def test_a_written_mask_paints_what_the_network_paints(channels, style, seed):
    resolution = 8 << len(channels)
    config = expression_mask.Config(resolution, tuple(channels), style, manner=5)
    network = _filled(expression_mask.ExpressionMask(config), seed)
    rng = np.random.default_rng(seed)
    styles = rng.standard_normal((2, style))
    points = rng.uniform(0, 1, (2, config.size - style))
    latents = np.concatenate([styles, points], 1).astype(np.float32)
    written = Running(expression_mask_graph.network, arrays(network), rank=2)
    assert _near(written(latents), network.decode(latents))


def test_what_a_graph_cannot_hold_is_left_to_keras():
    plain = {"code": 24, "noise": False, "clamp": None}
    assert stylegan2_graph.can_write(plain)
    for other in ({"code": 0}, {"noise": True}, {"clamp": 256.0}):
        assert not stylegan2_graph.can_write(plain | other)


@pytest.fixture(scope="module")
def generator():
    shelf = library()
    row, weights = shelf.row("default", "generator"), shelf.weights("default")
    return Generator(row, weights, lambda: load(shelf, "default"))


@pytest.fixture(scope="module")
def encoder():
    shelf, name = library(), "default-encoder"
    return Encoder(shelf.row(name), shelf.weights(name), lambda: load(shelf, name))


@pytest.fixture(scope="module")
def embedder(generator):
    return Embedder(generator.crop)


@pytest.fixture(scope="module")
def images(generator):
    return generator.decode(generator.sample(2, seed=1))


def test_the_shipped_generator_is_the_one_with_slopes(generator, images):
    own = generator.differentiable
    latents = generator.sample(2, seed=1)
    assert np.allclose(latents, own.sample(2, seed=1), atol=1e-6)
    assert _near(images, own.decode(latents))
    assert _near(generator.penalty(latents), own.penalty(latents))
    assert _near(generator.tied(latents), own.tied(latents))
    assert generator.latent_shape == own.latent_shape
    assert (generator.resolution, generator.crop) == (own.resolution, own.crop)
    assert np.allclose(generator.mean_latent, np.asarray(own.mean_latent))


def test_the_shipped_encoder_is_the_one_with_slopes(encoder, images):
    own = encoder.differentiable
    assert encoder.looks == own.looks
    assert _near(encoder.encode(images), own.encode(images))


def test_an_encoder_shrinks_pictures_that_are_larger_than_its_own(encoder, images):
    large = images.repeat(2, 1).repeat(2, 2)
    assert _near(encoder.encode(large), encoder.encode(images))


def test_the_shipped_embedder_is_the_one_with_slopes(embedder, images):
    own = embedder.differentiable
    assert _near(embedder.embed(images), own.embed(images))
    for one, other in zip(embedder.sees(images), own.sees(images), strict=True):
        assert _near(one, other)


def test_the_shipped_finisher_is_the_one_with_slopes(images):
    network = forward_models.load(library(), "default-finisher", "finisher")
    own, finished = network.differentiable, network.finish(images)
    assert _near(finished, own.finish(images))
    assert not np.array_equal(finished, images)
    top, _, left, _ = finisher_graph.edges(own.config.window, images.shape[1])
    np.testing.assert_array_equal(finished[:, :top], images[:, :top])
    np.testing.assert_array_equal(finished[:, :, :left], images[:, :, :left])


def test_the_shipped_mask_is_the_one_with_slopes():
    network = forward_models.load(library(), "mask", "generator")
    own = network.differentiable
    latents = np.asarray(own.sample(2, seed=1))
    assert _near(network.decode(latents), own.decode(latents))
    for one, other in zip(network.person(3, 1), own.person(3, 1), strict=True):
        np.testing.assert_array_equal(one, other)
    for name, values in own.shapes.items():
        np.testing.assert_array_equal(network.shapes[name], values)
    assert network.latent_shape == own.latent_shape
    assert (network.resolution, network.crop) == (own.resolution, own.crop)


def test_a_network_without_a_twin_is_loaded_in_keras():
    assert not isinstance(forward_models.load(library(), "vae", "generator"), Stands)


def test_networks_run_forwards_without_tensorflow():
    check = (
        "import sys, numpy as np;"
        "from pretrained.forward_models import Embedder;"
        "Embedder().embed(np.zeros((1, 64, 64, 3), np.float32));"
        "sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", check]).returncode == 0


def test_slopes_name_what_to_install_where_keras_is_missing(embedder, monkeypatch):
    monkeypatch.setitem(sys.modules, "keras", None)
    with pytest.raises(DependencyError, match="pip install tensorflow keras"):
        Embedder().differentiable  # noqa: B018
    with pytest.raises(DependencyError, match="keras is not installed"):
        load(library(), "vae", "generator")


def test_the_runtime_notes_nothing_of_its_use(tmp_path):
    check = (
        "import numpy as np; from pretrained.forward_models import Embedder;"
        "Embedder().embed(np.zeros((1, 64, 64, 3), np.float32))"
    )
    places = {"HOME": tmp_path, "XDG_CACHE_HOME": tmp_path / "cache"}
    env = os.environ | {name: str(path) for name, path in places.items()}
    env.pop("ORT_DISABLE_TELEMETRY", None)
    done = subprocess.run([sys.executable, "-c", check], env=env, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    left = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not [path for path in left if "retouch" not in path.parts], left


def test_a_missing_runtime_is_named_with_its_remedy(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(DependencyError, match="pip install onnxruntime"):
        Running(compact_graph.network, {})


def test_nobody_sees_where_a_finished_window_ends(images):
    network = forward_models.load(library(), "default-finisher", "finisher")
    window = network.differentiable.config.window
    top, bottom, left, right = finisher_graph.edges(window, images.shape[1])
    added = np.abs(network.finish(images) - images)[:, top:bottom, left:right]
    rim = added[:, [0, -1]].max(), added[:, :, [0, -1]].max()
    assert max(rim) < 0.01 * added.max()
    assert finisher_graph.fading(window, 256).max() == 1
