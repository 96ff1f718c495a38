"""Where two pictures differ, in one channel or several."""

import numpy as np
import pytest

from retouch.photos.levels import differing


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [(), (1,), (3,), (4,)])
def test_a_pixel_differs_where_any_of_its_samples_does(kind, channels):
    rng = np.random.default_rng(0)
    one = rng.integers(0, 3, (9, 7, *channels)).astype(kind)
    other = rng.integers(0, 3, (9, 7, *channels)).astype(kind)
    wanted = (one != other).reshape(9, 7, -1).any(-1)
    assert wanted.any() and differing(one, other).dtype == bool
    np.testing.assert_array_equal(differing(one, other), wanted)
    assert not differing(one, one).any()
