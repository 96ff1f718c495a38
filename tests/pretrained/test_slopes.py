"""Slopes that are written into a graph, against differences."""

import numpy as np
import pytest

from pretrained.forward import Computing, Graph
from pretrained.slopes import slope

RNG = np.random.default_rng(0)
KERNEL = RNG.standard_normal((3, 3, 2, 4)).astype("f4")
EVEN = RNG.standard_normal((2, 2, 2, 4)).astype("f4")
ALONE = RNG.standard_normal((4, 4, 1, 2)).astype("f4")
HALVES = {"kernel_shape": [2, 2], "strides": [2, 2]}
MATRIX = RNG.standard_normal((5, 4)).astype("f4")


def _spread(graph, x):
    """Multiply a picture by a number of each channel that comes of it."""
    means = graph.node("ReduceMean", [x], axes=[2, 3], keepdims=0)
    wide = graph.node("Unsqueeze", [means, np.array([2, 3])])
    return graph.node("Div", [graph.node("Mul", [x, wide]), graph.add(wide, 3.0)])


def _rooted(graph, x):
    square = graph.node("Mul", [x, x])
    return graph.node("Sub", [1.5, graph.node("Sqrt", [graph.add(square, 0.1)])])


def _mixed(graph, x):
    flat = graph.shaped(x, 0, 2, -1)
    other = graph.node("Transpose", [flat], perm=[0, 2, 1])
    return graph.node("MatMul", [flat, other])


def _enlarged(graph, x):
    kernel, ways = ALONE.transpose(3, 2, 0, 1), {"strides": [2, 2], "group": 2}
    return graph.node("ConvTranspose", [x, kernel], pads=[1, 1, 1, 1], **ways)


# What is done to pictures (N, 2, 5, 4).
DONE = {
    "a convolution": lambda g, x: g.convolved(x, KERNEL),
    "one that halves": lambda g, x: g.convolved(
        x, KERNEL, strides=[2, 2], auto_pad="VALID"
    ),
    "one with borders": lambda g, x: g.convolved(
        x, EVEN, auto_pad="NOTSET", pads=[1, 1, 1, 1]
    ),
    "channels alone": lambda g, x: g.convolved(
        x, ALONE, auto_pad="NOTSET", pads=[1, 1, 2, 2], group=2
    ),
    "a transposed one": _enlarged,
    "means of pixels": lambda g, x: g.node("AveragePool", [x], **HALVES),
    "the largest": lambda g, x: g.node("MaxPool", [x], **HALVES),
    "more where they were": lambda g, x: g.node(
        "Pad", [x, np.array([0, 0, 0, 0, 0, 1, 2, 0])]
    ),
    "leaky": lambda g, x: g.leaky(x),
    "relu": lambda g, x: g.node("Relu", [x]),
    "pixels of channels": lambda g, x: g.node(
        "DepthToSpace", [g.convolved(x, KERNEL)], blocksize=2, mode="DCR"
    ),
    "numbers of channels": _spread,
    "roots": _rooted,
    "a product of both": _mixed,
    "a matrix's": lambda g, x: g.node("MatMul", [MATRIX.T, x]),
    "another's": lambda g, x: g.node("MatMul", [x, MATRIX.T]),
    "one row of": lambda g, x: g.node(
        "Gather", [g.shaped(x, 0, 5, 8), np.array(3)], axis=1
    ),
    "some rows": lambda g, x: g.node(
        "Slice",
        [g.shaped(x, 0, 5, 8), np.array([2]), np.array([2**31]), np.array([1])],
    ),
}


@pytest.mark.parametrize("name", DONE)
def test_a_slope_is_what_differences_come_to(name):
    def network(graph: Graph, x: str) -> list[str]:
        done = DONE[name](graph, x)
        weights = graph.node("Mul", [done, done])
        value = graph.add(weights, done)
        flat = graph.shaped(value, 0, -1)
        mean = graph.node("ReduceMean", [flat], axes=[1], keepdims=0)
        return [mean, slope(graph, mean, x)]

    computing = Computing(network, {}, {"x": 4})
    x, step = RNG.standard_normal((2, 3, 2, 5, 4)).astype("f4")
    x += 0.1 * np.sign(x)  # away from where an activation bends
    _, found = computing.compute(x=x)
    assert found.shape == x.shape
    for each in np.eye(3, dtype="f4"):  # none has a part in another's
        move = 1e-2 * each[:, None, None, None] * step
        more, less = (computing.compute(x=x + way * move)[0] for way in (1, -1))
        np.testing.assert_allclose(
            (more - less).sum() / 2, (found * move).sum(), rtol=0.02, atol=2e-5
        )
