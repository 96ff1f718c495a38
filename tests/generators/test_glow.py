import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops
from scipy.stats import norm

from generators.flows import Mixing, Step, folded, unfolded
from generators.glow import Config, Glow
from generators.gradients import differentiate

SMALL = Config(8, steps=(2, 2), hidden=(8, 8))


def filled(config=SMALL, spread=0.1, seed=0):
    """Return a flow none of whose weights is as it starts."""
    network, rng = Glow(config), np.random.default_rng(seed)
    for variable in network.trainable_variables:
        noise = spread * rng.standard_normal(variable.shape)
        variable.assign(variable.value + noise.astype(np.float32))
    return network


def images(count, size=8, seed=0):
    rng = np.random.default_rng(seed)
    return rng.uniform(-1, 1, (count, size, size, 3)).astype(np.float32)


def array(tensor):
    return ops.convert_to_numpy(tensor)


def jacobian(function, point):
    """Return the slopes of all that a function gives, a row each."""
    values = ops.convert_to_tensor(point)
    rows = [
        differentiate(lambda x, i=i: (ops.reshape(function(x), (-1,))[i], None), values)
        for i in range(point.size)
    ]
    return np.stack([array(slopes).ravel() for _, slopes in rows])


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 1000))
def test_what_is_encoded_decodes_to_itself(seed):
    network, pictures = filled(seed=seed), images(2, seed=seed)
    again = array(network.decode(network.encode(pictures)))
    assert np.abs(again - pictures).max() < 1e-3


def test_what_is_decoded_encodes_to_itself():
    network = filled(spread=0.03)
    noise = array(network.sample(2, seed=1, temperature=1.0))
    again = array(network.encode(network.decode(noise)))
    assert np.abs(again - noise).max() < 1e-3


def test_the_log_determinant_is_that_of_the_jacobian():
    network = filled(Config(4, steps=(2, 1), hidden=(6, 6)))
    point = images(1, 4) / 2
    slopes = jacobian(lambda x: network.parted(x)[0], point)
    expected = np.linalg.slogdet(slopes.astype(np.float64))[1]
    found = float(array(network.parted(point)[1])[0])
    assert found == pytest.approx(expected, abs=1e-3)


def test_the_bits_are_those_of_the_change_of_variables():
    network, pictures = filled(), images(2)
    values = ((pictures + 1) * 127.5 + 0.5) / 256 - 0.5
    noise, gain = (array(x) for x in network.parted(values))
    likelihood = norm.logpdf(noise).sum(1) + gain
    expected = 8 - likelihood / (192 * np.log(2))
    assert np.allclose(array(network.bits(pictures)), expected, atol=1e-4)


def test_folding_loses_nothing():
    pictures = images(2)
    assert (array(unfolded(folded(pictures))) == pictures).all()


def test_a_mixing_is_the_matrix_of_its_factors_and_its_inverse():
    layer, rng = Mixing(6, 0), np.random.default_rng(0)
    pixels = rng.standard_normal((1, 2, 2, 6)).astype(np.float32)
    mixed, gain = layer.forward(pixels)
    matrix = array(layer.forward(np.eye(6, dtype=np.float32)[None, None])[0])[0, 0]
    assert np.allclose(array(mixed), pixels @ matrix, atol=1e-5)
    # It begins as a rotation, which keeps volumes.
    assert float(array(gain)) == pytest.approx(0, abs=1e-4)
    assert np.allclose(matrix @ matrix.T, np.eye(6), atol=1e-5)
    assert np.allclose(array(layer.inverse(mixed)), pixels, atol=1e-5)


def test_adapted_steps_begin_with_normal_channels():
    step, rng = Step(6, 4, 0), np.random.default_rng(0)
    pixels = (3 + 5 * rng.standard_normal((8, 4, 4, 6))).astype(np.float32)
    after = array(step.adapt(pixels))
    assert np.allclose(after.mean((0, 1, 2)), 0, atol=1e-3)
    scaled = array(step.scale.forward(pixels)[0])
    assert np.allclose(scaled.std((0, 1, 2)), 1, atol=1e-2)


def test_a_low_temperature_keeps_to_the_mean():
    network = filled()
    cold, warm = (array(network.sample(4, seed=2, temperature=t)) for t in (0.1, 1.0))
    assert np.allclose(10 * cold, warm, atol=1e-5)
    assert (array(network.penalty(cold)) < array(network.penalty(warm))).all()
    assert (array(network.sample(4, seed=2, temperature=1.0)) == warm).all()


def test_decoding_has_slopes_in_the_latents():
    network = filled()
    noise = network.sample(1, seed=0)
    _, slope = differentiate(lambda z: (ops.sum(network.decode(z)), None), noise)
    assert np.abs(array(slope)).max() > 0


def test_levels_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="halved"):
        Config(12, steps=(1, 1, 1), hidden=(4, 4, 4))
    with pytest.raises(ValueError, match="hidden"):
        Config(16, steps=(1, 1), hidden=(4,))
