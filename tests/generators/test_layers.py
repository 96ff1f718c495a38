import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops
from scipy.signal import convolve2d

from generators.gradients import differentiate
from generators.layers import (
    GAIN,
    Affine,
    Colours,
    Convolution,
    Modulated,
    enlarge,
    scaled,
    shrink,
)

ROW = np.array([1, 3, 3, 1]) / 8
BINOMIAL = np.outer(ROW, ROW)


def normal(*shape, seed=0):
    rng = np.random.default_rng([seed, *shape])
    return rng.standard_normal(shape).astype(np.float32)


def filled(layer, spread=0.5):
    for i, variable in enumerate(layer.weights):
        variable.assign(spread * normal(*variable.shape, seed=i))
    return layer


def numpy(tensor):
    return ops.convert_to_numpy(ops.copy(tensor)).astype(np.float64)


# --- by loops and SciPy ---------------------------------------------------------


def spread_out(plane):
    """Put zeros between the pixels: (h, w) -> (2 h - 1, 2 w - 1)."""
    wide = np.zeros((2 * plane.shape[0] - 1, 2 * plane.shape[1] - 1))
    wide[::2, ::2] = plane
    return wide


def convolved(image, kernel):
    """Correlate (h, w, i) with (k, k, i, o) by loops, zeros around."""
    rim, (h, w, _) = len(kernel) // 2, image.shape
    image = np.pad(image, ((rim, rim), (rim, rim), (0, 0)))
    result = np.zeros((h, w, kernel.shape[3]))
    for y, x, o in np.ndindex(result.shape):
        window = image[y : y + len(kernel), x : x + len(kernel)]
        result[y, x, o] = (window * kernel[..., o]).sum()
    return result


def up_convolved(image, kernel):
    """Do as NVIDIA: zeros in between, the kernel turned round, the filter times 4."""
    h, w, inputs = image.shape
    result = np.zeros((2 * h, 2 * w, kernel.shape[3]))
    for i, o in np.ndindex(inputs, kernel.shape[3]):
        wide = convolve2d(spread_out(image[..., i]), kernel[..., i, o])
        result[..., o] += convolve2d(wide, 4 * BINOMIAL)[2:-2, 2:-2]
    return result


def modulated(layer, image, style, noise):
    """Compute one image as the paper writes it, with a kernel of its own."""
    kernel = numpy(layer.kernel.value)
    kernel = kernel.swapaxes(2, 3) if layer.up else kernel
    kernel = kernel * style[:, None]
    kernel = kernel / np.sqrt((kernel**2).sum((0, 1, 2)) + 1e-8)
    result = (up_convolved if layer.up else convolved)(image, kernel)
    result = result + noise[..., None] + numpy(layer.bias.value)
    return GAIN * np.where(result > 0, result, 0.2 * result)


# --- resampling -----------------------------------------------------------------


@pytest.mark.parametrize("channels", [1, 3])
def test_enlarging_is_zeros_in_between_and_the_filter(channels):
    images = normal(2, 5, 6, channels)
    found = numpy(enlarge(images))
    for n, c in np.ndindex(2, channels):
        wide = np.pad(spread_out(images[n, ..., c]), ((2, 2), (2, 2)))
        expected = convolve2d(wide, 4 * BINOMIAL, "valid")
        np.testing.assert_allclose(found[n, ..., c], expected, atol=1e-6)


def test_shrinking_is_the_filter_at_every_second_pixel():
    images = normal(2, 8, 6, 5)
    found = numpy(shrink(images))
    for n, c in np.ndindex(2, 5):
        expected = convolve2d(np.pad(images[n, ..., c], 1), BINOMIAL, "valid")
        np.testing.assert_allclose(found[n, ..., c], expected[::2, ::2], atol=1e-6)


def test_a_flat_image_stays_flat_when_resampled():
    flat = np.full((1, 8, 8, 3), 0.7, np.float32)
    for change in (enlarge, shrink):
        inside = numpy(change(flat))[:, 2:-2, 2:-2]
        np.testing.assert_allclose(inside, 0.7, atol=1e-6)


@pytest.mark.parametrize("size", [1, 3])
def test_a_convolution_downwards_filters_then_takes_every_second_place(size):
    layer = filled(Convolution(3, 4, size, down=True, activate=False))
    images, kernel = normal(1, 8, 8, 3), numpy(layer.kernel.value)
    rim = 1 + size // 2
    smooth = [
        convolve2d(np.pad(images[0, ..., c], rim), BINOMIAL, "valid") for c in range(3)
    ]
    every = convolved(np.stack(smooth, -1), kernel)
    first = size // 2
    expected = every[first : 8 + first : 2, first : 8 + first : 2]
    expected = expected + numpy(layer.bias.value)
    np.testing.assert_allclose(numpy(layer(images))[0], expected, atol=1e-5)


# --- layers ---------------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(
    count=st.integers(1, 3),
    inputs=st.integers(1, 5),
    outputs=st.integers(1, 5),
    size=st.integers(2, 6),
    up=st.booleans(),
    noisy=st.booleans(),
    seed=st.integers(0, 999),
)
def test_a_modulated_convolution_equals_the_papers(
    count, inputs, outputs, size, up, noisy, seed
):
    layer = filled(Modulated(inputs, outputs, width=4, up=up))
    images = normal(count, size, size, inputs, seed=seed)
    styles = normal(count, inputs, seed=seed)
    whole = size * (2 if up else 1)
    noise = normal(count, whole, whole, seed=seed) * noisy
    found, scales = layer(
        images, np.ones_like(styles), styles, noise if noisy else None
    )
    found = numpy(scaled(found, scales))
    for n in range(count):
        expected = modulated(layer, images[n], styles[n], noise[n])
        np.testing.assert_allclose(found[n], expected, atol=2e-4)


def test_scales_may_wait_for_the_next_layer():
    layer = filled(Modulated(3, 4, width=4))
    images, styles = normal(2, 4, 4, 3), normal(2, 3)
    scales = 1 + normal(2, 3, seed=1) ** 2
    waiting, factors = layer(images, scales, styles)
    at_once, same = layer(scaled(images, scales), np.ones_like(scales), styles)
    np.testing.assert_allclose(numpy(waiting), numpy(at_once), atol=1e-5)
    np.testing.assert_array_equal(numpy(factors), numpy(same))


def test_a_wide_convolution_of_one_image_is_that_of_many():
    layer = filled(Modulated(8, 256, width=4))
    images, styles = normal(2, 64, 64, 8), normal(2, 8)
    both, _ = layer(images, np.ones_like(styles), styles)
    one, _ = layer(images[:1], np.ones_like(styles[:1]), styles[:1])
    np.testing.assert_allclose(numpy(one)[0], numpy(both)[0], atol=1e-4)


def test_one_noise_serves_all_images():
    layer = filled(Modulated(3, 4, width=4))
    images, styles, noise = normal(3, 4, 4, 3), normal(3, 3), normal(1, 4, 4)
    shared, _ = layer(images, np.ones_like(styles), styles, noise)
    each, _ = layer(images, np.ones_like(styles), styles, np.repeat(noise, 3, 0))
    np.testing.assert_allclose(numpy(shared), numpy(each), atol=1e-6)


@pytest.mark.parametrize("count", [1, 2])
def test_a_clamp_bounds_what_leaves_a_layer(count):
    layer = filled(Modulated(3, 4, width=4))
    images, styles = normal(count, 4, 4, 3), normal(count, 3)
    free, scales = layer(images, np.ones_like(styles), styles)
    bound, ones = layer(images, np.ones_like(styles), styles, clamp=0.5)
    expected = np.clip(numpy(scaled(free, scales)), -0.5, 0.5)
    np.testing.assert_allclose(numpy(bound), expected, atol=1e-6)
    np.testing.assert_array_equal(numpy(ones), 1)


def test_colours_are_a_weighing_of_styled_channels():
    layer = filled(Colours(5, width=4))
    images, styles, scales = normal(2, 3, 3, 5), normal(2, 5), normal(2, 5, seed=1)
    styled = images * (styles * scales)[:, None, None]
    expected = styled @ numpy(layer.kernel.value)[0, 0] + numpy(layer.bias.value)
    np.testing.assert_allclose(
        numpy(layer(images, scales, styles)), expected, atol=1e-5
    )
    bound = numpy(layer(images, scales, styles, clamp=0.4))
    np.testing.assert_allclose(bound, np.clip(expected, -0.4, 0.4), atol=1e-5)


# --- as they start --------------------------------------------------------------


def test_layers_keep_the_mean_square_at_the_start():
    keras.utils.set_random_seed(0)
    images, styles = normal(4, 16, 16, 96), 1 + 0.5 * normal(4, 96)
    layer = Modulated(96, 128, width=8)
    found, scales = layer(images, np.ones_like(styles), styles)
    for outputs in (
        scaled(found, scales)[:, 1:-1, 1:-1],
        Convolution(96, 128)(images)[:, 1:-1, 1:-1],
        Affine(96, 512, scale=GAIN, activate=True)(normal(64, 96)) / GAIN,
    ):
        assert np.mean(numpy(outputs) ** 2) == pytest.approx(1.04, rel=0.06)


def test_an_up_convolution_keeps_the_mean_square_of_flat_images():
    keras.utils.set_random_seed(0)
    images = np.broadcast_to(normal(8, 1, 1, 96), (8, 6, 6, 96))
    styles = 1 + 0.5 * normal(8, 96)
    found, scales = Modulated(96, 256, width=8, up=True)(
        images, np.ones_like(styles), styles
    )
    inside = numpy(scaled(found, scales))[:, 4:-4, 4:-4]
    assert np.mean(inside**2) == pytest.approx(1.04, rel=0.2)


def test_styles_start_about_one():
    styles = numpy(Modulated(64, 8, width=32).style(normal(64, 32)))
    assert styles.mean() == pytest.approx(1, abs=0.1)
    assert styles.std() == pytest.approx(1, abs=0.1)


# --- gradients ------------------------------------------------------------------


def agree(function, at, towards, step=1e-4):
    """Whether the gradient, along a direction, is what the values say."""
    ends = (function(at + sign * step * towards) for sign in (1, -1))
    above, below = (float(value) for value, _ in ends)
    _, slopes = differentiate(function, ops.convert_to_tensor(at))
    found = np.sum(numpy(slopes) * towards)
    return found == pytest.approx((above - below) / (2 * step), rel=5e-3)


exact = pytest.mark.skipif(
    keras.backend.backend() == "jax", reason="JAX computes in 32 bits"
)


@exact
@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("up", [False, True])
def test_gradients_of_a_modulated_convolution_are_its_slopes(count, up):
    kw, size = {"width": 4, "dtype": "float64"}, 12 if up else 6
    layer, colours = filled(Modulated(4, 5, up=up, **kw)), filled(Colours(5, **kw))
    noise, own = normal(1, size, size).astype("float64"), normal(count, 5)
    weights = normal(count, size, size, 3)

    def function(styles):
        images = normal(count, 6, 6, 4).astype("float64")
        images, scales = layer(images, ops.ones_like(styles), styles, noise)
        return ops.sum(weights * colours(images, scales, own)), None

    styles = 1 + 0.3 * normal(count, 4).astype("float64")
    assert agree(function, styles, normal(count, 4, seed=1))


@exact
@pytest.mark.parametrize("down", [False, True])
def test_gradients_of_a_convolution_are_its_slopes(down):
    layer = filled(Convolution(3, 4, down=down, dtype="float64"))

    def function(images):
        return ops.mean(ops.square(layer(images))), None

    images = normal(2, 8, 8, 3).astype("float64")
    assert agree(function, images, normal(2, 8, 8, 3, seed=1))
