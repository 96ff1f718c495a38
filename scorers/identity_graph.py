"""dlib's descriptor network written into a graph, for descriptors without slopes."""

from typing import Any

import numpy as np

from scorers.dlib_layout import BLOCKS, MEAN, READ, SIZE


def network(graph: Any, chips: str) -> str:
    """Return what is seen of pictures of dlib's framing, (N, 150, 150, 3) in [-1, 1].

    The descriptors, (N, 128), and behind them the features that shapes are read of.
    """
    scale, mean = np.full(3, 127.5 / 256), (127.5 - np.array(MEAN)) / 256
    pixels = graph.node("Add", [graph.node("Mul", [chips, scale]), mean])
    images = _filtered(graph, graph.entering(pixels), 0, 2)
    images = graph.node("Relu", [images])
    images = graph.node("MaxPool", [images], kernel_shape=[3, 3], strides=[2, 2])
    side, width = ((SIZE - 7) // 2 + 1 - 3) // 2 + 1, BLOCKS[0][0]
    for i, (channels, halving) in enumerate(BLOCKS):
        long = graph.node("Relu", [_filtered(graph, images, 1 + 2 * i, 1 + halving)])
        long = _filtered(graph, long, 2 + 2 * i, 1)
        if halving:
            images = graph.node(
                "AveragePool", [images], kernel_shape=[2, 2], strides=[2, 2]
            )
            # The smaller is taken as zero beyond its edge, as dlib does.
            short, side = side // 2, (side - 3) // 2 + 1
            long = _grown(graph, long, 0, max(short - side, 0))
            images = _grown(graph, images, channels - width, max(side - short, 0))
            side, width = max(side, short), channels
        images = graph.node("Relu", [graph.node("Add", [long, images])])
        if i == READ:
            ways = {"kernel_shape": [2, 2], "strides": [2, 2]}
            placed = graph.leaving(graph.node("AveragePool", [images], **ways))
    descriptors = graph.node("ReduceMean", [images], axes=[2, 3], keepdims=0)
    descriptors = graph.node("MatMul", [descriptors, graph.weights["last"]])
    parts = [descriptors, graph.node("Flatten", [placed])]
    return graph.node("Concat", parts, axis=1)


def _filtered(graph: Any, images: str, number: int, stride: int) -> str:
    """Convolve; halving ones take no border, as dlib's do."""
    kernel, bias = (graph.weights[f"{number}.{part}"] for part in ("kernel", "bias"))
    ways = {"strides": [stride, stride]}
    if stride == 2:
        ways["auto_pad"] = "VALID"
    return graph.convolved(images, kernel, bias, **ways)


def _grown(graph: Any, images: str, channels: int, edge: int) -> str:
    """Put zeros behind the channels, and below and right of images."""
    pads = np.array([0, 0, 0, 0, 0, channels, edge, edge])
    return graph.node("Pad", [images, pads]) if pads.any() else images
