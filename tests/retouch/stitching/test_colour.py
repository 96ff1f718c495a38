import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.color import rgb2lab

from retouch.stitching.colour import (
    LEAST_CONTRAST,
    MOST_CONTRAST,
    matched,
    to_lab,
    to_rgb,
)
from tests.retouch.drawing import texture

EVENLY = np.ones((40, 40), np.float32)


def test_lab_agrees_with_scikit_image():
    image = np.random.default_rng(0).uniform(0, 255, (50, 50, 3)).astype(np.float32)
    assert to_lab(image) == pytest.approx(rgb2lab(image / 255), abs=0.02)


def test_lab_and_back_is_where_it_started_also_outside_of_srgb():
    image = np.random.default_rng(0).uniform(-40, 300, (50, 50, 3)).astype(np.float32)
    assert to_rgb(to_lab(image)) == pytest.approx(image, abs=0.05)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 99), st.floats(0.1, 4), st.floats(-30, 30))
def test_means_meet_and_the_ratio_of_spreads_is_bounded(seed, contrast, shift):
    image = texture(40, 40, seed)
    model = (image - 127) * contrast + 127 + shift
    result = to_lab(matched(image, image, model, EVENLY))
    own, wanted = to_lab(image), to_lab(model)
    assert result.mean((0, 1)) == pytest.approx(wanted.mean((0, 1)), abs=0.1)
    ratio = result.std((0, 1)) / own.std((0, 1))
    assert (ratio < np.multiply(1.01, MOST_CONTRAST)).all()
    assert (ratio > 0.99 * LEAST_CONTRAST).all()


def test_only_weighted_pixels_count():
    image, model = texture(40, 40, 1), texture(40, 40, 1)
    weight = EVENLY.copy()
    weight[:, 20:] = 0
    model[:, 20:] = (255, 0, 0)
    assert matched(image, image, model, weight) == pytest.approx(image, abs=0.1)


def test_without_any_weight_colours_stay():
    image = texture(40, 40, 2)
    assert matched(image, image, image + 9, EVENLY * 0) is image
