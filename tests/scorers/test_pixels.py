"""The distance of two pictures, against a naive loop over their pixels."""

import math

import numpy as np

from scorers.pixels import SCALES, unlikeness


def _rounded(x: float) -> float:
    return math.sqrt(x * x + 1e-4) - 1e-2


def _naive(difference, weight, edges, values):
    total = values * _mean([(weight, difference)])
    for _ in range(SCALES):
        across = difference[:, 1:] - difference[:, :-1]
        down = difference[1:] - difference[:-1]
        total += edges * _mean([(weight[:, 1:], across)])
        total += edges * _mean([(weight[1:], down)])
        difference, weight = (
            x.reshape(len(x) // 2, 2, len(x) // 2, 2, -1).mean((1, 3))
            for x in (difference, weight)
        )
    return total


def _mean(pairs):
    terms = [
        float(w[y, x, 0]) * _rounded(float(d[y, x, c]))
        for w, d in pairs
        for y, x, c in np.ndindex(d.shape)
    ]
    return sum(terms) / len(terms)


def test_the_distance_is_that_of_a_naive_loop():
    rng = np.random.default_rng(0)
    difference = rng.normal(0, 0.3, (2, 16, 16, 3)).astype("f4")
    weight = rng.uniform(0, 1, (2, 16, 16, 1)).astype("f4")
    total, rest, left = unlikeness(difference, weight, 0.7, 1.3)
    wanted = [_naive(d, w, 0.7, 1.3) for d, w in zip(difference, weight, strict=True)]
    np.testing.assert_allclose(np.asarray(total), wanted, 1e-5)
    assert rest.shape == (2, 2, 2, 3) and left.shape == (2, 2, 2, 1)


def test_equal_pictures_are_at_no_distance():
    nothing = np.zeros((1, 16, 16, 3), "f4")
    total = unlikeness(nothing, np.ones((1, 16, 16, 1), "f4"), 1.0)[0]
    assert abs(float(total[0])) < 1e-6
