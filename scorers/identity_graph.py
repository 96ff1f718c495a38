"""dlib's descriptor network written into a graph."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from scorers.dlib_layout import BLOCKS, COMPARED, MEAN, READ, SIZE, WINDOWS, resampling
from scorers.pixels_graph import mean, total

WHO = 128  # numbers of a descriptor


def network(graph: Any, chips: str) -> str:
    """Return what is seen of pictures of dlib's framing, (N, 150, 150, 3) in [-1, 1].

    The descriptors, (N, 128), and behind them the features that shapes are read of.
    """
    seen = features(graph, graph.entering(chips))
    ways = {"kernel_shape": [2, 2], "strides": [2, 2]}
    placed = graph.leaving(graph.node("AveragePool", [seen[READ]], **ways))
    parts = [described(graph, seen), graph.node("Flatten", [placed])]
    return graph.node("Concat", parts, axis=1)


def compared(graph: Any, crops: str, crop: str, resolution: int) -> list[str]:
    """Return what crops (N, 3, R, R) are compared by: features, and descriptors.

    Args:
        crop: the framing.
    """
    left, top, side = WINDOWS[crop]
    rows, columns = (resampling(resolution, start, side) for start in (top, left))
    chips = graph.node("MatMul", [graph.node("MatMul", [rows, crops]), columns.T])
    seen = features(graph, chips)
    return [*(seen[i] for i in COMPARED), described(graph, seen)]


def gaps(graph: Any, seen: Sequence[str], aims: Sequence[str]) -> tuple[str, str]:
    """Return how far crops are from aims: in features (N,), in descriptor (N,)."""
    looks = []
    for one, aim in zip(seen[:-1], aims[:-1], strict=True):
        power = graph.node("Add", [mean(graph, graph.node("Mul", [aim, aim])), 1e-6])
        look = graph.node("Div", [mean(graph, _square(graph, one, aim)), power])
        looks.append(graph.node("Mul", [look, 1 / len(COMPARED)]))
    gap = _square(graph, seen[-1], aims[-1])
    who = graph.node("ReduceMean", [gap], axes=[1], keepdims=0)
    return total(graph, looks), graph.node("Mul", [who, float(WHO)])


def features(graph: Any, chips: str) -> list[str]:
    """Return the images behind every block for pictures of dlib's framing."""
    scale, grey = 127.5 / 256, (127.5 - np.array(MEAN)[:, None, None]) / 256
    pixels = graph.node("Add", [graph.node("Mul", [chips, scale]), grey])
    images = graph.node("Relu", [_filtered(graph, pixels, 0, 2)])
    images = graph.node("MaxPool", [images], kernel_shape=[3, 3], strides=[2, 2])
    side, width = ((SIZE - 7) // 2 + 1 - 3) // 2 + 1, BLOCKS[0][0]
    seen = []
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
        seen.append(images)
    return seen


def described(graph: Any, seen: list[str]) -> str:
    """Return the descriptors that belong to features, (N, 128)."""
    middle = graph.node("ReduceMean", [seen[-1]], axes=[2, 3], keepdims=0)
    return graph.node("MatMul", [middle, graph.weights["last"]])


def _square(graph: Any, one: str, other: str) -> str:
    gap = graph.node("Sub", [one, other])
    return graph.node("Mul", [gap, gap])


def _filtered(graph: Any, images: str, number: int, stride: int) -> str:
    """Convolve; halving ones take no border, as dlib's do."""
    kernel, bias = (
        graph.weights[f"filter{number}.{part}"] for part in ("kernel", "bias")
    )
    ways = {"strides": [stride, stride]}
    if stride == 2:
        ways["auto_pad"] = "VALID"
    return graph.convolved(images, kernel, bias, **ways)


def _grown(graph: Any, images: str, channels: int, edge: int) -> str:
    """Put zeros behind the channels, and below and right of images."""
    pads = np.array([0, 0, 0, 0, 0, channels, edge, edge])
    return graph.node("Pad", [images, pads]) if pads.any() else images
