import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from retouch.faces.crop import coverage, cut, resized, uncut, window_of
from retouch.geometry import Similarity
from tests.retouch.drawing import texture

SHAPE = (240, 300)


@st.composite
def transforms(draw, least=0.05, most=8.0):
    """Draw a crop's size and a way to it from the middle of a photo of SHAPE."""
    size = draw(st.integers(32, 160))
    scale, angle = draw(st.floats(least, most)), draw(st.floats(-3.1, 3.1))
    assume(size / scale < 320)
    turn = Similarity(scale * np.cos(angle), scale * np.sin(angle), 0.0, 0.0)
    x, y = size / 2 - turn((SHAPE[1] / 2, SHAPE[0] / 2))
    return size, Similarity.shifting(x, y) @ turn


def places(width, height, left=0, top=0):
    """Return each pixel's own centre (H, W, 2)."""
    y, x = np.mgrid[top : top + height, left : left + width] + 0.5
    return np.stack([x, y], -1).astype(np.float32)


@settings(max_examples=60, deadline=None)
@given(transforms())
def test_a_crop_holds_what_lies_at_its_pixels(drawn):
    size, transform = drawn
    crop = cut(places(SHAPE[1], SHAPE[0]), transform, size)
    wanted = transform.inverse(places(size, size))
    margin = 12 / min(1, transform.scale)
    low, high = margin, np.array(SHAPE[::-1]) - margin
    inside = ((wanted > low) & (wanted < high)).all(-1)
    error = np.abs(crop - wanted)[inside].max(initial=0)
    assert error * min(1, transform.scale) < 0.02


@settings(max_examples=60, deadline=None)
@given(transforms(), st.booleans())
def test_a_crop_laid_back_lies_where_it_belongs(drawn, linear):
    size, transform = drawn
    window = window_of(transform, size, SHAPE)
    laid = uncut(places(size, size), transform, window, linear=linear)
    wanted = transform(places(*window.shape[::-1], window.left, window.top))
    margin = 12 * max(1, transform.scale)
    inside = ((wanted > margin) & (wanted < size - margin)).all(-1)
    error = np.abs(laid - wanted)[inside].max(initial=0)
    assert error / max(1, transform.scale) < (0.15 if linear else 0.02)


@settings(max_examples=30, deadline=None)
@given(transforms(), st.integers(0, 99))
def test_linear_interpolation_stays_within_the_crops_values(drawn, seed):
    size, transform = drawn
    crop = np.random.default_rng(seed).uniform(0, 1, (size, size, 1)) > 0.5
    window = window_of(transform, size, SHAPE)
    laid = uncut(crop, transform, window, linear=True)
    assert laid.min() >= 0 and laid.max() <= 1.00001


@settings(max_examples=20, deadline=None)
@given(transforms(least=0.9, most=3.0))
def test_cutting_and_laying_back_gives_the_photo(drawn):
    size, transform = drawn
    photo = texture(*SHAPE, fine=3.0)
    window = window_of(transform, size, SHAPE)
    laid = uncut(cut(photo, transform, size), transform, window)
    place = transform(places(*window.shape[::-1], window.left, window.top))
    inside = ((place > 8) & (place < size - 8)).all(-1)
    error = np.abs(laid - photo[window.slices])[inside]
    assert error.max(initial=0) < 4


def test_beyond_the_photo_a_crop_shows_its_mirror_image_and_coverage_is_0():
    photo = texture(40, 40)
    transform = Similarity.shifting(20, 0)
    crop = cut(photo, transform, 40)
    assert crop[:, :20] == pytest.approx(crop[:, 20:][:, ::-1], abs=1e-3)
    assert not coverage(transform, 40, photo.shape)[:, :20].any()
    assert coverage(transform, 40, photo.shape)[:, 20:].all()


def test_a_flat_crop_stays_flat_at_another_size():
    flat = np.full((50, 50, 2), 7.0, np.float32)
    assert resized(flat, 128) == pytest.approx(np.full((128, 128, 2), 7.0))
    assert resized(flat, 50) is flat


def test_a_crop_that_neither_scales_nor_turns_is_a_slice():
    photo = texture(60, 80)
    crop = cut(photo, Similarity.shifting(-20, -10), 32)
    assert crop == pytest.approx(photo[10:42, 20:52], abs=1e-3)


@pytest.mark.parametrize("linear", [False, True])
def test_shrinking_is_antialiased(linear):
    stripes = np.zeros((256, 256, 1), np.float32)
    stripes[:, ::2] = 255
    crop = cut(stripes, Similarity.scaling(1 / 7.3), 32, linear=linear)
    assert np.abs(crop[2:-2, 2:-2] - 127.5).max() < 8


@given(transforms())
def test_coverage_is_where_the_photo_is(drawn):
    size, transform = drawn
    cover = coverage(transform, size, SHAPE)
    place = transform.inverse(places(size, size))
    inside = ((place >= 0) & (place <= SHAPE[::-1])).all(-1)
    assert np.array_equal(cover == 1, inside)


@given(transforms())
def test_a_window_lies_in_the_photo_and_holds_the_crop(drawn):
    size, transform = drawn
    window = window_of(transform, size, SHAPE)
    assert 0 <= window.left <= window.right <= SHAPE[1]
    assert 0 <= window.top <= window.bottom <= SHAPE[0]
    inside = transform.inverse(np.random.default_rng(0).uniform(0, size, (50, 2)))
    inside = inside[((inside > 0) & (inside < SHAPE[::-1])).all(-1)]
    low, high = (window.left, window.top), (window.right, window.bottom)
    assert ((inside >= low) & (inside <= high)).all()


@pytest.mark.parametrize("linear", [False, True])
@pytest.mark.parametrize("shift", [(0, 0), (-7, 12)])
def test_a_shift_by_whole_pixels_changes_none(shift, linear):
    photo = texture(90, 90)
    crop = cut(photo, Similarity.shifting(*shift), 70, linear=linear)
    rows, columns = (np.arange(70) - step for step in shift[::-1])
    mirrored = [np.where(i < 0, -1 - i, i) for i in (rows, columns)]
    mirrored = [np.where(i >= 90, 179 - i, i) for i in mirrored]
    np.testing.assert_array_equal(crop, photo[mirrored[0][:, None], mirrored[1]])
