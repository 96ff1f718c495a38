from itertools import pairwise

import numpy as np
import pytest
from keras import ops

from generators import weights
from generators.expression_lines import DRAWN, LINES, POINTS, WIDTHS
from generators.expression_mask import Config, ExpressionMask, fields, sized
from retouch.expressions.expression import with_irises
from tests.retouch.drawing import drawn_face

PLAN = Config(resolution=32, channels=(8, 8), style=4, manner=6, shapes=3)
AHEAD = np.array([[[0.5, 0.0]] * 2])


def drawn_points():
    return with_irises(drawn_face().landmarks[None], AHEAD)


@pytest.fixture(scope="module")
def mask():
    mask = ExpressionMask(PLAN, name="generator")
    rng, arrays = np.random.default_rng(0), weights.arrays(mask)
    for name in ("people", "people_mean", "shape_axes"):
        arrays[name] = rng.normal(0, 0.1, arrays[name].shape).astype(np.float32)
    arrays["shape_mean"] = drawn_points().ravel()
    weights.assign(mask, arrays)
    return mask


def test_a_latent_is_a_style_and_seventy_points(mask):
    assert mask.latent_shape == (PLAN.style + 2 * POINTS,)
    assert mask.mean_latent.shape == mask.latent_shape
    latents = mask.sample(3, seed=1)
    images = mask.decode(latents)
    assert latents.shape == (3, *mask.latent_shape) and images.shape == (3, 32, 32, 3)
    assert mask.penalty(latents).shape == (3,)
    np.testing.assert_array_equal(mask(latents), images)
    with pytest.raises(ValueError, match="an expression mask"):
        mask.decode(latents[:, 1:])


def test_a_seed_is_always_the_same_person(mask):
    first, again, other = (mask.person(seed) for seed in (7, 7, 8))
    for one, same in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, same)
    assert np.abs(first[0] - other[0]).max() > 0.01
    assert first[1].shape == (68, 2)
    latents = ops.convert_to_numpy(mask.sample(2, seed=7))
    np.testing.assert_allclose(latents[0, : PLAN.style], first[0])
    rest = latents[0, PLAN.style :].reshape(POINTS, 2)[:68]
    np.testing.assert_allclose(rest - drawn_points()[0, :68], first[1], atol=1e-6)


def test_lines_are_drawn_where_a_naive_loop_draws_them():
    points = drawn_points()
    drawn = ops.convert_to_numpy(fields(ops.convert_to_tensor(points)))[0]
    rng = np.random.default_rng(0)
    for row, column in rng.integers(0, DRAWN, (20, 2)):
        place = (np.array([column, row]) + 0.5) / DRAWN
        for i, line in enumerate(LINES):
            pairs = pairwise(line)
            gap = min(_gap(place, points[0, a], points[0, b]) for a, b in pairs)
            wanted = np.exp(-gap / np.array(WIDTHS))
            got = drawn[row, column, 2 * i : 2 * i + 2]
            np.testing.assert_allclose(got, wanted, atol=3e-3)


def _gap(place, start, end):
    way = end - start
    share = np.clip((place - start) @ way / max(way @ way, 1e-8), 0, 1)
    return np.hypot(*(place - start - share * way))


@pytest.mark.parametrize("side", [8, 32, 64])
def test_fields_keep_their_mean_at_any_size(side):
    drawn = fields(ops.convert_to_tensor(drawn_points()))
    there = sized(drawn, side)
    assert there.shape[1:3] == (side, side)
    means = [ops.convert_to_numpy(ops.mean(x, (1, 2))) for x in (drawn, there)]
    np.testing.assert_allclose(*means, rtol=0.02, atol=1e-3)


def test_style_and_points_both_decide_the_picture(mask):
    latents = ops.convert_to_numpy(mask.sample(1, seed=0))
    before = mask.decode(latents)
    for place in (0, PLAN.style + 2 * 50):
        moved = latents.copy()
        moved[0, place] += 0.3
        assert float(ops.max(ops.abs(mask.decode(moved) - before))) > 1e-3
