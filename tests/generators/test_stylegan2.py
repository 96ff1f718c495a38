from dataclasses import replace

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from generators.gradients import differentiate
from generators.stylegan2 import Config, Discriminator, StyleGAN2, official

SMALL = Config(16, (12, 8, 6), width=8, inputs=6, depth=2)


def normal(*shape, seed=0):
    rng = np.random.default_rng([seed, *shape])
    return rng.standard_normal(shape).astype(np.float32)


def filled(config=SMALL, **kw):
    """Return a network none of whose weights is as it starts."""
    network = StyleGAN2(config, **kw)
    for i, variable in enumerate(network.weights):
        variable.assign(normal(*variable.shape, seed=i))
    return network


def latents(network, count, seed=0):
    return normal(count, *network.latent_shape, seed=seed)


def array(tensor):
    return ops.convert_to_numpy(ops.copy(tensor))


def close(one, other, share=1e-5):
    one, other = array(one), array(other)
    return np.abs(one - other).max() <= share * np.abs(other).max()


# --- plans ----------------------------------------------------------------------


@st.composite
def configs(draw):
    start, levels = draw(st.sampled_from([4, 8])), draw(st.integers(1, 3))
    channels = draw(st.lists(st.integers(1, 12), min_size=levels, max_size=levels))
    code = draw(st.integers(0, 2))
    return Config(
        start << (levels - 1),
        tuple(channels),
        width=draw(st.sampled_from([1, 2, 4, 8])),
        inputs=draw(st.integers(1, 5)),
        depth=draw(st.integers(0, 2)),
        code=code,
        noise=draw(st.booleans()),
        clamp=draw(st.sampled_from([None, 0.5])),
    )


@settings(max_examples=25, deadline=None)
@given(config=configs(), count=st.integers(1, 3))
def test_every_plan_decodes_a_batch_as_it_does_its_images_alone(config, count):
    network = filled(config)
    codes = latents(network, count)
    images = array(network.decode(codes))
    assert images.shape == (count, config.resolution, config.resolution, 3)
    assert images.dtype == np.float32
    for one, image in zip(codes, images, strict=True):
        assert close(network.decode(one[None])[0], image, 1e-4)


@settings(max_examples=10, deadline=None)
@given(config=configs())
def test_a_clamp_bounds_what_each_resolution_adds(config):
    images = array(
        filled(replace(config, clamp=0.5)).decode(normal(2, *config.latent_shape))
    )
    assert np.abs(images).max() <= 0.5 * len(config.channels) + 1e-5


def test_the_published_plans():
    large, small = official(1024), official(256, base=16384)
    assert large.channels == (512, 512, 512, 512, 512, 256, 128, 64, 32)
    assert small.channels == (512, 512, 512, 512, 256, 128, 64)
    assert official(256).channels == (512, 512, 512, 512, 512, 256, 128)
    assert large.latent_shape == (18, 512) and small.latent_shape == (14, 512)
    assert (large.start, large.inputs, large.depth, large.noise) == (4, 512, 8, True)


@pytest.mark.parametrize("resolution", [63, 4, 16])
def test_a_plan_that_leads_elsewhere_is_refused(resolution):
    with pytest.raises(ValueError, match=f"cannot lead to {resolution} px"):
        Config(resolution, (8, 8, 8, 8))


def test_a_code_that_fills_no_rows_is_refused():
    with pytest.raises(ValueError, match="whole rows"):
        Config(16, (8, 8, 8), width=24, code=1)


def test_the_precision_of_a_network_is_that_of_its_layers():
    network = filled(dtype="mixed_bfloat16")
    mapping = network.mapping._flatten_layers()
    critic = Discriminator(16, (4, 6), dtype="mixed_bfloat16")
    for layer in (*network._flatten_layers(), *critic._flatten_layers()):
        exact = layer in mapping  # it is small, and all else builds on it
        assert layer.compute_dtype == ("float32" if exact else "bfloat16"), layer
        assert layer.variable_dtype == "float32"


def test_half_precision_decodes_nearly_the_same():
    exact = filled(SMALL, name="exact").decode(latents(filled(), 2))
    rough = filled(SMALL, name="rough", dtype="mixed_bfloat16").decode(
        latents(filled(), 2)
    )
    error = array(rough) - array(exact)
    assert rough.dtype == exact.dtype
    assert 0 < error.std() < 0.03 * array(exact).std()


# --- latents and styles ---------------------------------------------------------


def test_styles_render_what_their_latents_decode():
    for config in (SMALL, replace(SMALL, code=2)):
        network = filled(config)
        codes = latents(network, 2)
        styles = network.styles(codes)
        rendered = network.render(styles, network.code(codes))
        assert np.array_equal(array(rendered), array(network.decode(codes)))


def test_a_row_feeds_a_convolution_and_the_colours_before_it():
    network = filled()
    codes, fed = latents(network, 1), []
    before = [array(style) for block in network.styles(codes) for style in block]
    for row in range(SMALL.layers):
        moved = codes.copy()
        moved[:, row] += 1
        after = [array(style) for block in network.styles(moved) for style in block]
        pairs = enumerate(zip(before, after, strict=True))
        fed.append([i for i, (a, b) in pairs if not np.array_equal(a, b)])
    # In order: conv, rgb | up, conv, rgb | up, conv, rgb.
    assert fed == [[0], [1, 2], [3], [4, 5], [6], [7]]


def test_the_spatial_code_takes_the_constants_place():
    network = filled(replace(SMALL, code=2))
    codes = latents(network, 1)
    assert codes.shape == (1, 6 + 4, 8)
    assert array(network.code(codes)).shape == (1, 4, 4, 2)
    moved = codes.copy()
    moved[:, -1] += 1  # the lowest pixels of the code
    change = np.abs(array(network.decode(moved)) - array(network.decode(codes)))
    assert change[0, -4:].mean() > 5 * change[0, :4].mean()


def test_the_gradient_reaches_every_row():
    network = filled(replace(SMALL, code=2))
    codes = ops.convert_to_tensor(latents(network, 2))

    def function(codes):
        return ops.mean(ops.square(network.decode(codes))), None

    _, slopes = differentiate(function, codes)
    assert np.abs(array(slopes)).max(-1).min() > 0


def test_the_gradient_is_the_slope():
    network = filled()
    at, towards = latents(network, 1), latents(network, 1, seed=1)

    def function(codes):
        return ops.mean(ops.square(network.decode(codes))), None

    ends = (float(function(at + step * towards)[0]) for step in (2e-3, -2e-3))
    _, slopes = differentiate(function, ops.convert_to_tensor(at))
    found = np.sum(array(slopes) * towards)
    assert found == pytest.approx((next(ends) - next(ends)) / 4e-3, rel=2e-2)


# --- noise ----------------------------------------------------------------------


def test_stored_noise_is_the_same_every_time():
    network = filled()
    codes = latents(network, 2)
    images = array(network.decode(codes))
    assert np.array_equal(images, array(network.decode(codes)))
    assert not close(network.decode(codes, noise=None), images, 1e-2)


def test_fresh_noise_follows_its_seed():
    network = filled()
    codes = latents(network, 2)
    first, same, other = (array(network.decode(codes, noise=n)) for n in (5, 5, 6))
    assert np.array_equal(first, same)
    assert not close(other, first, 1e-2)


def test_every_image_and_layer_has_noise_of_its_own():
    network = filled()
    fields = [
        array(block._field(i, 5, 2))
        for block in network.blocks
        for i in range(len(block.convolutions))
    ]
    drawn = [image.ravel()[:16] for field in fields for image in field]
    likeness = np.abs(np.corrcoef(drawn)) - np.eye(len(drawn))
    assert likeness.max() < 0.95


def test_noise_without_strength_changes_nothing():
    network = filled()
    for block in network.blocks:
        block.strength.assign(np.zeros(len(block.convolutions)))
    codes = latents(network, 1)
    assert close(network.decode(codes), network.decode(codes, noise=None))


def test_a_network_without_noise_ignores_seeds():
    network = filled(replace(SMALL, noise=False))
    codes = latents(network, 1)
    images = [array(network.decode(codes, noise=n)) for n in ("stored", None, 3)]
    assert np.array_equal(images[0], images[1]) and np.array_equal(images[0], images[2])


# --- the prior ------------------------------------------------------------------


def test_truncation_draws_to_the_mean():
    network = filled()
    z = normal(3, SMALL.inputs)
    mean = array(network.mean_latent)[0]
    whole, half, none = (array(network.map(z, truncation=t)) for t in (1, 0.5, 0))
    assert whole.shape == (3, SMALL.layers, SMALL.width)
    np.testing.assert_allclose(none, np.broadcast_to(mean, none.shape), atol=1e-6)
    np.testing.assert_allclose(half, (whole + none) / 2, atol=1e-6)
    np.testing.assert_allclose(whole[:, 0], array(network.mapping(z)), atol=1e-6)


def test_the_mapping_sees_only_the_direction_of_its_noise():
    network, z = filled(), normal(3, SMALL.inputs)
    assert close(network.mapping(7 * z), network.mapping(z))


@pytest.mark.parametrize("depth", [0, 2])
def test_samples_follow_their_seed(depth):
    network = filled(replace(SMALL, depth=depth))
    first, same, other = (array(network.sample(4, seed=s)) for s in (1, 1, 2))
    assert first.shape == (4, *network.latent_shape)
    assert np.array_equal(first, same) and not close(other, first, 1e-2)
    mean = array(network.sample(4, seed=1, truncation=0))
    assert close(mean, np.broadcast_to(array(network.mean_latent), mean.shape)) or depth


def test_without_a_mapping_samples_are_normal_about_the_mean():
    network = filled(replace(SMALL, depth=0))
    mean, spread = array(network.mean_latent), array(network.spread)
    units = (array(network.sample(500, seed=0)) - mean) / spread
    assert np.abs(units.mean(0)).max() < 0.25 and np.abs(units.std(0) - 1).max() < 0.2
    penalties = array(network.penalty(network.sample(500, seed=0)))
    assert penalties.mean() == pytest.approx(1, abs=0.05)


def test_the_penalty_counts_squared_spreads():
    network = filled()
    mean, spread = array(network.mean_latent), array(network.spread)
    codes = np.stack([mean, mean + spread, mean - 2 * spread])
    np.testing.assert_allclose(array(network.penalty(codes)), [0, 1, 4], atol=1e-4)


# --- the discriminator ----------------------------------------------------------


def test_the_discriminator_halves_its_features_and_judges_each_image():
    critic = Discriminator(32, (4, 6, 8, 10))
    features = critic.features(normal(8, 32, 32, 3))
    shapes = [tuple(feature.shape) for feature in features]
    assert shapes == [(8, 32, 32, 4), (8, 16, 16, 6), (8, 8, 8, 8), (8, 4, 4, 10)]
    judged, whole = critic.judge(features), critic(normal(8, 32, 32, 3))
    assert tuple(judged.shape) == (8,)
    assert np.array_equal(array(judged), array(whole))


@pytest.mark.parametrize("count", [1, 2, 4, 8])
def test_the_last_channel_is_how_a_group_of_the_batch_varies(count):
    critic, images = Discriminator(16, (4, 6, 8)), normal(count, 4, 4, 8)
    found = array(critic._with_deviation(ops.convert_to_tensor(images)))
    np.testing.assert_array_equal(found[..., :-1], images)
    groups = count // min(4, count)
    for i in range(count):
        members = images[i % groups :: groups]  # every so-manieth, as NVIDIA's
        expected = np.sqrt(members.var(0) + 1e-8).mean()
        np.testing.assert_allclose(found[i, ..., -1], expected, rtol=1e-5)


def test_a_residual_block_keeps_the_mean_square_at_the_start():
    keras.utils.set_random_seed(0)
    critic = Discriminator(32, (64, 64, 64))
    smooth = np.broadcast_to(normal(16, 1, 1, 3), (16, 32, 32, 3))
    for feature in critic.features(smooth):
        assert 0.5 < np.mean(array(feature)[:, 2:-2, 2:-2] ** 2) < 2
