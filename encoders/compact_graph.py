"""The compact encoder written into a graph, for latents without slopes."""

from typing import Any

import numpy as np

GAIN = np.float32(np.sqrt(2))


def network(graph: Any, images: str) -> str:
    """Return the latents of images (N, R, R, 3), as `compact.Compact.encode` does."""
    features = graph.entering(images)
    stages = sum(name.endswith(".first.kernel") for name in graph.weights)
    for i in range(stages):
        features = _halved(graph, features, f"half{i}")
        features = _residual(graph, features, f"residual{i}")
    styles = _styles(graph, _halved(graph, features, "narrow"))
    if "place.kernel" not in graph.weights:
        return styles
    kernel, bias = _parts(graph, "place")
    code = graph.leaving(graph.convolved(features, kernel, bias))
    rows = graph.shaped(code, 0, -1, graph.weights["common.kernel"].shape[1])
    return graph.node("Concat", [styles, rows], axis=1)


def _parts(graph: Any, name: str) -> list[Any]:
    return [graph.weights[f"{name}.{part}"] for part in ("kernel", "bias")]


def _halved(graph: Any, images: str, name: str) -> str:
    """Fold 2 x 2 pixels into channels and mix them: a convolution of 2 x 2."""
    kernel, bias = _parts(graph, f"{name}.mix")
    kernel = kernel.reshape(2, 2, -1, kernel.shape[-1])
    return graph.leaky(
        graph.convolved(images, kernel * GAIN, bias * GAIN, strides=[2, 2])
    )


def _residual(graph: Any, images: str, name: str) -> str:
    kernel, bias = _parts(graph, f"{name}.first")
    more = graph.leaky(graph.convolved(images, kernel * GAIN, bias * GAIN))
    # The gain of the second would be divided by again where the two are joined.
    more = graph.leaky(graph.convolved(more, *_parts(graph, f"{name}.second")))
    return graph.node("Add", [graph.node("Mul", [images, 1 / GAIN]), more])


def _styles(graph: Any, features: str) -> str:
    """Return a row for each layer: the common one and its deviation, in one go."""
    kernel, bias = _parts(graph, "dense")
    flat = graph.shaped(graph.leaving(features), 0, len(kernel))
    vectors = graph.leaky(graph.dense(flat, kernel * GAIN, bias * GAIN))
    common, deviation = _parts(graph, "common"), _parts(graph, "deviation")
    width = len(common[1])
    layers = len(deviation[1]) // width
    joined = [d + np.tile(c, layers) for c, d in zip(common, deviation, strict=True)]
    return graph.shaped(graph.dense(vectors, *joined), 0, layers, width)
