"""What is stored for a pixel and its RGB: exact where nothing changed, and back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retouch.photos.stored import Stored, luma, restored

SOME = settings(max_examples=30, deadline=None)
SEEDS = st.integers(0, 10_000)
DTYPES = st.sampled_from([np.uint8, np.uint16])


def random(shape, seed, dtype=np.uint8):
    top = np.iinfo(dtype).max
    return np.random.default_rng(seed).integers(0, top, shape, dtype, endpoint=True)


@SOME
@given(SEEDS, DTYPES)
def test_cmyk_is_exact_where_unchanged_and_reads_back_as_the_rgb_given(seed, dtype):
    original = Stored("cmyk", random((6, 5, 4), seed, dtype))
    rgb = original.rgb().copy()
    assert (restored(original, rgb, None).samples == original.samples).all()
    rgb[2:4] = random((2, 5, 3), seed + 1, dtype)
    again = restored(original, rgb, None)
    assert (again.rgb() == rgb).all()
    assert (again.samples[[0, 1, 4, 5]] == original.samples[[0, 1, 4, 5]]).all()


def test_a_slight_change_of_cmyk_keeps_the_black():
    original = Stored("cmyk", np.full((1, 1, 4), (40, 60, 80, 50), np.uint8))
    rgb = original.rgb() - np.uint8(3)
    assert restored(original, rgb, None).samples[0, 0, 3] == 50


@SOME
@given(SEEDS, DTYPES)
def test_grey_is_exact_where_channels_are_equal_and_luma_elsewhere(seed, dtype):
    grey = random((6, 5), seed, dtype)
    original = Stored("grey", grey)
    assert (restored(original, original.rgb(), None).samples == grey).all()
    rgb = random((6, 5, 3), seed, dtype)
    expected = rgb @ (0.299, 0.587, 0.114)
    assert np.abs(luma(rgb) - expected).max() < 0.51 + np.iinfo(dtype).max * 1e-5


def test_black_and_white_stays_so_until_there_is_a_grey():
    original = Stored("bilevel", np.array([[0, 255]], np.uint8))
    rgb = original.rgb()
    assert restored(original, 255 - rgb, None).kind == "bilevel"
    assert restored(original, rgb // 2, None).kind == "grey"


def paletted(colours, seed=0):
    indices = random((8, 8), seed) % np.uint16(colours)
    indices = indices.astype(np.uint8)
    palette = random((colours, 4), seed + 1)
    return Stored("palette", indices, palette[:, 3][indices], palette)


@pytest.mark.parametrize("colours", [1, 7, 256])
def test_a_palette_is_exact_where_unchanged(colours):
    original = paletted(colours)
    again = restored(original, original.rgb(), original.alpha)
    assert (again.samples == original.samples).all()
    assert (again.palette == original.palette).all()


def test_a_palette_takes_up_new_colours_while_it_has_room():
    original = paletted(250)
    rgb = original.rgb().copy()
    rgb[0, :6] = random((6, 3), 9)
    again = restored(original, rgb, original.alpha)
    assert again.kind == "palette"
    assert (again.rgb() == rgb).all()
    assert (again.palette[:, 3][again.samples] == original.alpha).all()
    assert (again.samples[1:] == original.samples[1:]).all()
    rgb[0] = random((8, 3), 10)
    again = restored(original, rgb, original.alpha)
    assert again.kind == "rgb"
    assert (again.samples == rgb).all()


def test_sixteen_bits_are_rounded_to_the_nearest_eight():
    every = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    eight = Stored("grey", every).in_eight_bits().samples
    assert (eight == np.rint(every / 257)).all()
