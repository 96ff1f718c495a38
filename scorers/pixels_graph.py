"""How unlike two pictures are, written into a graph: `pixels.unlikeness`."""

from typing import Any

import numpy as np

ACROSS = np.tile(np.float32([-1, 1])[None, :, None, None], (1, 1, 1, 3))
HALF = {"kernel_shape": [2, 2], "strides": [2, 2]}
SCALES = 3


def unlikeness(graph: Any, difference: str, weight: str) -> tuple[str, str]:
    """Return the weighted distance of two pictures: in values, and in edges, (N,).

    Args:
        difference: of the pictures, (N, 3, R, R).
        weight: how much each pixel matters, (N, 1, R, R).
    """
    values, edges = mean(graph, _weighed(graph, difference, weight)), []
    for i in range(SCALES):
        if i:
            difference = graph.node("AveragePool", [difference], **HALF)
            weight = graph.node("AveragePool", [weight], **HALF)
        for axis, kernel in ((3, ACROSS), (2, ACROSS.swapaxes(0, 1))):
            ways = {"group": 3, "auto_pad": "VALID"}
            steps = graph.convolved(difference, kernel, **ways)
            ends = np.array([1]), np.array([2**31]), np.array([axis])
            own = graph.node("Slice", [weight, *ends])
            edges.append(mean(graph, _weighed(graph, steps, own)))
    return values, total(graph, edges)


def _weighed(graph: Any, difference: str, weight: str) -> str:
    """Return the absolute difference, rounded off at zero, times a weight."""
    square = graph.node("Mul", [difference, difference])
    root = graph.node("Sqrt", [graph.node("Add", [square, 1e-4])])
    return graph.node("Mul", [graph.node("Sub", [root, 1e-2]), weight])


def mean(graph: Any, field: str) -> str:
    """Return the mean of each picture, (N,)."""
    return graph.node("ReduceMean", [field], axes=[1, 2, 3], keepdims=0)


def total(graph: Any, terms: list[str]) -> str:
    """Return the sum of values."""
    first, *rest = terms
    for term in rest:
        first = graph.add(first, term)
    return first
