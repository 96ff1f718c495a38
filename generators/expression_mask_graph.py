"""The expression mask written into a graph, for pictures without slopes."""

from typing import Any

import numpy as np

from generators.expression_lines import DRAWN, ENDS, LINES, POINTS, STARTS, WIDTHS

GAIN = np.float32(np.sqrt(2))


def network(graph: Any, latents: str) -> str:
    """Return the images (N, R, R, 3) of latents, a style and 70 points each."""
    size = graph.weights["look.kernel"].shape[1]  # of the manner
    styles = graph.weights["painted0.told.kernel"].shape[0] - size
    own, points = (
        graph.node("Slice", [latents, np.array([a]), np.array([b]), np.array([1])])
        for a, b in ((0, styles), (styles, styles + 2 * POINTS))
    )
    moved = graph.node("Mul", [graph.node("Add", [points, -0.5]), 10.0])
    manner = _told(graph, _told(graph, moved, "look"), "speak")
    style = graph.node("Concat", [own, manner], axis=1)
    return graph.leaving(_painted(graph, style, _fields(graph, points)))


def _told(graph: Any, vectors: str, name: str) -> str:
    kernel, bias = _parts(graph, name)
    return graph.leaky(graph.dense(vectors, kernel * GAIN, bias * GAIN))


def _painted(graph: Any, style: str, drawn: str) -> str:
    start = graph.weights["start"]
    images, side = graph.constant(start.transpose(2, 0, 1)[None]), len(start)
    stages = sum(name.endswith(".told.kernel") for name in graph.weights)
    for i in range(stages):
        images = _stage(graph, images, _sized(graph, drawn, side), style, f"painted{i}")
        if i + 1 < stages:
            kernel, bias = _parts(graph, f"double{i}.mix")
            images = graph.leaky(graph.convolved(images, kernel * GAIN, bias * GAIN))
            images, side = _unfolded(graph, images), 2 * side
    return _unfolded(graph, graph.convolved(images, *_parts(graph, "last.mix")))


def _stage(graph: Any, images: str, drawn: str, style: str, name: str) -> str:
    """Convolve twice around which the image passes, told of points and style."""
    weights = graph.weights
    first = graph.convolved(images, weights[f"{name}.first.kernel"])
    lines, bias = weights[f"{name}.lines.kernel"], weights[f"{name}.bias"]
    inner = graph.node("Add", [first, graph.convolved(drawn, lines, bias)])
    kernel, offset = _parts(graph, f"{name}.told")
    channels = len(bias)
    offset = offset + np.repeat(np.float32([1, 0]), channels)  # of the scale: 1 more
    told = graph.shaped(graph.dense(style, kernel, offset), 0, 2, channels, 1, 1)
    scale, shift = (graph.node("Gather", [told, np.array(i)], axis=1) for i in (0, 1))
    inner = graph.node("Mul", [graph.leaky(inner), scale])
    inner = graph.node("Add", [inner, shift])
    second = graph.leaky(graph.convolved(inner, *_parts(graph, f"{name}.second")))
    # The gain of the second would be divided by again where the two are joined.
    return graph.node("Add", [graph.node("Mul", [images, 1 / GAIN]), second])


def _fields(graph: Any, points: str) -> str:
    """Return points drawn as lines, (N, FIELDS, 32, 32), 1 on the line."""
    pairs = graph.shaped(points, 0, POINTS, 2)
    gaps, at, drawn = _distances(graph, pairs), 0, []
    for line in LINES:
        ends = np.array([at]), np.array([at + len(line) - 1]), np.array([1])
        near = graph.node("Slice", [gaps, *ends])
        near = graph.node("ReduceMin", [near], axes=[1])
        for width in WIDTHS:
            drawn.append(graph.node("Exp", [graph.node("Mul", [near, -1 / width])]))
        at += len(line) - 1
    return graph.node("Concat", drawn, axis=1)


def _distances(graph: Any, points: str) -> str:
    """Return how far every pixel is from segments, (N, S, 32, 32)."""
    grid = (np.arange(DRAWN, dtype=np.float32) + 0.5) / DRAWN
    starts, ends = (graph.node("Gather", [points, p], axis=1) for p in (STARTS, ENDS))
    way = graph.node("Sub", [ends, starts])
    (x, y), (across, down) = (_both(graph, values) for values in (starts, way))
    x = graph.node("Sub", [grid[None, None, None], x])  # (N, S, 1, 32)
    y = graph.node("Sub", [grid[None, None, :, None], y])  # (N, S, 32, 1)
    length = _sum(graph, _times(graph, across, across), _times(graph, down, down))
    along = _sum(graph, _times(graph, x, across), _times(graph, y, down))
    share = graph.node("Div", [along, _sum(graph, length, 1e-8)])
    share = graph.node("Clip", [share, 0.0, 1.0])
    parts = (x, across), (y, down)
    left = [graph.node("Sub", [a, _times(graph, share, b)]) for a, b in parts]
    square = _sum(graph, *(_times(graph, part, part) for part in left))
    return graph.node("Sqrt", [_sum(graph, square, 1e-8)])


def _both(graph: Any, points: str) -> list[str]:
    """Return the x and the y of points (N, S, 2), each (N, S, 1, 1)."""
    split = (graph.node("Gather", [points, np.array([i])], axis=2) for i in (0, 1))
    return [graph.node("Unsqueeze", [one, np.array([3])]) for one in split]


def _times(graph: Any, one: str, other: str) -> str:
    return graph.node("Mul", [one, other])


def _sum(graph: Any, one: str, other: str | float) -> str:
    return graph.node("Add", [one, other])


def _sized(graph: Any, drawn: str, side: int) -> str:
    """Return fields at another size."""
    if side == DRAWN:
        return drawn
    if side < DRAWN:
        ways = {"kernel_shape": [DRAWN // side] * 2, "strides": [DRAWN // side] * 2}
        return graph.node("AveragePool", [drawn], **ways)
    return graph.enlarged(drawn, side // DRAWN)


def _unfolded(graph: Any, images: str) -> str:
    return graph.node("DepthToSpace", [images], blocksize=2, mode="DCR")


def _parts(graph: Any, name: str) -> list[Any]:
    return [graph.weights[f"{name}.{part}"] for part in ("kernel", "bias")]
