import numpy as np
import pytest

from retouch.faces.crop import resized
from retouch.stitching.edges import narrowed

SIDE, ENLARGED = 32, 4


def step():
    """Return a picture whose left half is dark, enlarged, and where the edge lies."""
    drawn = np.full((SIDE, SIDE, 3), (180, 160, 150), np.float32)
    drawn[:, : SIDE // 2] = (60, 20, 20)
    drawn[:, SIDE // 2] = (120, 90, 85)
    return resized(drawn, ENLARGED * SIDE)


def between(picture):
    """Return how many of a row's pixels lie between both sides."""
    row = picture[len(picture) // 2, :, 1]
    return int(((row > 40) & (row < 140)).sum())


def test_an_edge_becomes_narrower_and_no_colour_is_new():
    picture = step()
    result = narrowed(picture, ENLARGED)
    assert between(result) < 0.7 * between(picture)
    assert result.min() >= picture.min() - 1e-3
    assert result.max() <= picture.max() + 1e-3


def test_both_sides_stay():
    picture = step()
    result = narrowed(picture, ENLARGED)
    for part in (slice(0, 40), slice(92, 128)):
        assert result[:, part] == pytest.approx(picture[:, part], abs=2)


def test_what_was_not_enlarged_stays():
    picture = step()
    assert narrowed(picture, 1.0) is picture
    assert np.abs(narrowed(picture, 1.01) - picture).max() < 3
