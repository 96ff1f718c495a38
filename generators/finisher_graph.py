"""The finisher written into a graph, for mouths made sharp without slopes."""

import re
from typing import Any

import numpy as np

GAIN = np.float32(np.sqrt(2))
FADE = 1 / 16  # of the crop
Window = tuple[float, float, float, float]  # top, bottom, left, right, in parts


def edges(window: Window, size: int) -> tuple[int, ...]:
    """Return where a window lies in crops of a size, in pixels, all divided by four."""
    return tuple(4 * round(part * size / 4) for part in window)


def fading(window: Window, size: int) -> np.ndarray:
    """Return how much a window's pixels are finished, (height, width, 1).

    Towards its edges less and less, or the skin's light would show where they are.
    """
    top, bottom, left, right = edges(window, size)
    down, across = (
        np.minimum(np.arange(n) + 0.5, n - 0.5 - np.arange(n)) / (FADE * size)
        for n in (bottom - top, right - left)
    )
    inside = np.clip(np.minimum(down[:, None], across[None]), 0, 1)
    return (inside * inside * (3 - 2 * inside))[..., None].astype(np.float32)


def network(graph: Any, images: str) -> str:
    """Return images (N, H, W, 3) made sharp, as `finisher.Finisher.call` does."""
    inside = graph.entering(images)
    fine = _active(graph, inside, "first")
    fine = _both(graph, fine, _active(graph, fine, "second"))
    deep = _active(graph, fine, "half", strides=[2, 2])
    deepest = _blocks(graph, _active(graph, deep, "quarter", strides=[2, 2]), "deepest")
    deep = _both(graph, deep, _doubled(graph, deepest, "up"))
    back = _doubled(graph, _blocks(graph, deep, "deep"), "back")
    last = _active(graph, _both(graph, fine, back), "last")
    colours = graph.convolved(_both(graph, fine, last), *_parts(graph, "colours"))
    return graph.leaving(graph.node("Add", [inside, colours]))


def _parts(graph: Any, name: str) -> list[Any]:
    return [graph.weights[f"{name}.{part}"] for part in ("kernel", "bias")]


def _active(graph: Any, images: str, name: str, **ways: Any) -> str:
    """Convolve and pass leaky ReLU, which a positive gain may go before."""
    kernel, bias = _parts(graph, name)
    return graph.leaky(graph.convolved(images, kernel * GAIN, bias * GAIN, **ways))


def _blocks(graph: Any, images: str, name: str) -> str:
    count = sum(
        re.match(rf"{name}\d+\.kernel", key) is not None for key in graph.weights
    )
    for i in range(count):
        images = _both(graph, images, _active(graph, images, f"{name}{i}"))
    return images


def _doubled(graph: Any, images: str, name: str) -> str:
    images = _active(graph, images, f"{name}.mix")
    return str(graph.node("DepthToSpace", [images], blocksize=2, mode="DCR"))


def _both(graph: Any, some: str, more: str) -> str:
    """Return the sum of two images whose variance is nearly that of each."""
    return graph.node("Mul", [graph.node("Add", [some, more]), 0.7])
