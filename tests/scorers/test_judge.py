"""The independent judge."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from retouch.geometry import Similarity
from scorers.judge import Judge, shape_of


def _landmarks(count=3, seed=0):
    rng = np.random.default_rng(seed)
    points = rng.uniform(0, 100, (count, 68, 2))
    points[:, 36:42] = rng.normal((30, 40), 2, (count, 6, 2))
    points[:, 42:48] = rng.normal((70, 40), 2, (count, 6, 2))
    return points


@given(
    angle=st.floats(-3, 3),
    scale=st.floats(0.1, 10),
    x=st.floats(-500, 500),
    y=st.floats(-500, 500),
)
@settings(max_examples=50, deadline=None)
def test_a_shape_does_not_depend_on_place_size_and_turn(angle, scale, x, y):
    points = _landmarks()
    move = Similarity(scale * np.cos(angle), scale * np.sin(angle), x, y)
    np.testing.assert_allclose(shape_of(move(points)), shape_of(points), atol=1e-4)


def test_a_shape_puts_the_eyes_one_apart():
    shape = shape_of(_landmarks()).reshape(-1, 68, 2)
    across = shape[:, 42:48].mean(1) - shape[:, 36:42].mean(1)
    np.testing.assert_allclose(across, [[1, 0]] * 3, atol=1e-5)


def test_the_second_opinion_sees_no_landmarks_and_years_are_read_from_the_age():
    rng = np.random.default_rng(1)
    slopes = rng.normal(size=(264, 2)).astype("f4")
    zeros, ones = np.zeros(2), np.ones(2)
    own = slopes[:128], zeros
    skills = ones, np.array([0.9, 0.5])
    judge = Judge(("age", "happy"), slopes, zeros, *own, *skills, 30 * ones, 8 * ones)
    assert judge.telling.tolist() == [True, False]
    descriptors = rng.normal(size=(3, 128)).astype("f4")
    opinion = judge.second_opinion(descriptors)
    assert opinion.shape == (3, 2)
    first, other = (judge.score(descriptors, _landmarks(seed=s)) for s in (0, 1))
    assert not np.allclose(first, other)
    years = judge.years(descriptors, _landmarks())
    scores = judge.score(descriptors, _landmarks())
    np.testing.assert_allclose(years, 30 + 8 * scores[:, 0], rtol=1e-5)
