"""Layers laid into photos, and more quickly into the frames of a film."""

import numpy as np
import skimage.data

from retouch.geometry import Similarity
from retouch.stitching.layers import Layers

PHOTO = np.ascontiguousarray(skimage.data.astronaut()[:160, 150:310])
SIZE, PLACE = 80, Similarity.scaling(0.5)


def laid(move, **how):
    """Return the photo with its middle moved by so many of its pixels."""
    reach = np.zeros((SIZE, SIZE), np.float32)
    reach[20:60, 20:60] = 1
    nothing = np.zeros((SIZE, SIZE, 3), np.float32)
    moves = np.full((SIZE, SIZE, 2), 0.5 * move, np.float32)
    photo = PHOTO.copy()
    Layers(reach, moves, nothing, nothing, nothing[..., 0]).lay(photo, PLACE, **how)
    return photo


def test_a_film_does_not_show_what_hardly_moves():
    assert (laid(0.08) != PHOTO).any()
    np.testing.assert_array_equal(laid(0.08, linear=True), PHOTO)


def test_a_film_shows_what_moves_as_sharply_but_for_a_little():
    inside = slice(44, 116), slice(44, 116)
    for move in (0.5, 3.3):
        exact, quick = (laid(move, linear=x)[inside] for x in (False, True))
        gaps = np.abs(exact.astype(float) - quick)
        assert 0 < gaps.mean() < 1.5
        edges = [
            np.abs(np.diff(x.astype(float), axis=1)).mean() for x in (exact, quick)
        ]
        assert edges[1] > 0.9 * edges[0]
