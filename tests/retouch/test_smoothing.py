import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from retouch.smoothing import LARGE, smoothed


@pytest.mark.parametrize("width", [0.0, 1.5, 4.0, 40.0])
@pytest.mark.parametrize("shape", [(48, 80), (48, 80, 3), (LARGE + 1, 20)])
@pytest.mark.parametrize("reach", [4.0, 6.0])
def test_smoothing_agrees_with_scipys_filter(shape, width, reach):
    field = np.random.default_rng(0).uniform(0, 255, shape).astype(np.float32)
    widths = (width, width, 0) if len(shape) == 3 else width
    expected = gaussian_filter(field, widths, truncate=reach)
    found = smoothed(field, width, reach)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=2e-3)
