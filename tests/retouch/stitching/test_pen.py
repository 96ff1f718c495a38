import numpy as np
import pytest
from scipy.interpolate import CubicSpline

from retouch.faces.crop import Window
from retouch.stitching import pen


@pytest.mark.parametrize("seed", range(20))
def test_a_curve_goes_through_its_points_as_a_spline_does(seed):
    rng = np.random.default_rng(seed)
    points = rng.uniform(-1, 9, (4, 2)).cumsum(0) * rng.uniform(1, 100)
    steps = np.hypot(*np.diff(points, axis=0).T)
    along = np.concatenate([[0], steps.cumsum()])
    evenly = np.linspace(0, along[-1], pen.ALONG)
    wanted = CubicSpline(along, points)(evenly)
    np.testing.assert_allclose(pen.curve(points), wanted, atol=1e-9)


def test_points_that_coincide_make_a_curve_too():
    points = np.array([(0.0, 0), (0, 0), (4, 1), (9, 0)])
    curve = pen.curve(points)
    assert np.isfinite(curve).all()
    np.testing.assert_allclose(curve[[0, -1]], points[[0, -1]], atol=1e-6)


def test_a_rim_thinner_than_a_pixel_is_no_dashed_line():
    around = np.linspace(0, 2 * np.pi, 200)
    way = np.stack([np.cos(around), np.sin(around)], -1)
    outer, inner = (20 + way * (far, 0.8 * far) for far in (14.4, 14.0))
    ring = pen.filled([([outer], 255), ([inner], 0)], Window(0, 0, 40, 40))
    covered = [
        ring[np.hypot(*(np.mgrid[:40, :40] + 0.5 - point[::-1, None, None])) < 2].sum()
        for point in (outer + inner)[::5] / 2
    ]
    assert min(covered) > 0.5 * max(covered) > 0
