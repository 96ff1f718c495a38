"""What lies between pixels is what SciPy reads there."""

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from retouch.sampling import BLOCK, sampled

FIELD = np.random.default_rng(0).uniform(0, 255, (21, 30, 2)).astype(np.float32)


def places(count, beyond):
    """Return rows and columns, of which some lie beyond the field's edges."""
    rng = np.random.default_rng(1)
    rows, columns = FIELD.shape[:2]
    return (
        rng.uniform(-beyond, rows - 1 + beyond, count),
        rng.uniform(-beyond, columns - 1 + beyond, count),
    )


@pytest.mark.parametrize("linear", [True, False])
@pytest.mark.parametrize("mirrored", [True, False])
def test_places_are_read_as_scipy_reads_them(linear, mirrored):
    where = places(BLOCK + 7, 8)
    order, mode = 1 if linear else 3, "reflect" if mirrored else "nearest"
    wanted = [
        map_coordinates(plane, where, order=order, mode=mode)
        for plane in np.moveaxis(FIELD, -1, 0)
    ]
    read = sampled(FIELD, *where, linear=linear, mirrored=mirrored)
    assert read.dtype == np.float32
    np.testing.assert_allclose(read, np.stack(wanted, -1), atol=1e-3)


def test_quick_cubics_run_through_pixels_and_along_parabolas():
    rows, columns = np.mgrid[1:10, 1:10]
    read = sampled(FIELD, rows, columns, quick=True)
    np.testing.assert_allclose(read, FIELD[1:10, 1:10], atol=1e-3)
    y, x = np.mgrid[:21, :30].astype(np.float32)
    parabolas = (0.3 * y**2 + 0.2 * x**2 - 0.1 * x * y + x)[..., None]
    down, across = (p.clip(1, 18) for p in places(500, 0))
    wanted = 0.3 * down**2 + 0.2 * across**2 - 0.1 * across * down + across
    read = sampled(parabolas, down, across, quick=True)[..., 0]
    np.testing.assert_allclose(read, wanted, atol=1e-3)
    far = sampled(FIELD, *places(300, 8), quick=True)
    assert np.isfinite(far).all() and np.ptp(far) < 1.5 * np.ptp(FIELD)


def test_places_may_have_any_shape_and_lie_far_away():
    rows, columns = (p.reshape(3, 4, 5) for p in places(60, 0))
    read = sampled(FIELD, rows, columns)
    assert read.shape == (3, 4, 5, 2)
    np.testing.assert_array_equal(read[1, 2], sampled(FIELD, rows[1, 2], columns[1, 2]))
    far = sampled(FIELD, rows - 1000, columns)
    np.testing.assert_allclose(far, sampled(FIELD, 0 * rows - 10, columns), atol=1e-3)


def test_a_mirror_shows_the_field_turned_around():
    rows, columns = places(100, 0)
    above = sampled(FIELD, -1 - rows, columns, mirrored=True)
    np.testing.assert_allclose(
        above, sampled(FIELD, rows, columns, mirrored=True), atol=1e-3
    )


def test_what_is_read_lies_in_memory_as_pictures_do():
    read = sampled(FIELD, *(p.reshape(3, 4, 5) for p in places(60, 0)))
    assert read.flags.c_contiguous
