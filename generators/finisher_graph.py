"""The finisher written into a graph, for mouths made sharp without slopes."""

from typing import Any

import numpy as np

GAIN = np.float32(np.sqrt(2))
FADE = 1 / 16  # of the crop
Window = tuple[float, float, float, float]  # top, bottom, left, right, in parts


def edges(window: Window, size: int) -> tuple[int, ...]:
    """Return where a window lies in crops of a size, in pixels, all even."""
    return tuple(2 * round(part * size / 2) for part in window)


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
    blocks = sum(name.startswith("deep") for name in graph.weights) // 2
    for i in range(blocks):
        deep = _both(graph, deep, _active(graph, deep, f"deep{i}"))
    back = _active(graph, deep, "back.mix")
    back = graph.node("DepthToSpace", [back], blocksize=2, mode="DCR")
    last = _active(graph, _both(graph, fine, back), "last")
    colours = graph.convolved(_both(graph, fine, last), *_parts(graph, "colours"))
    return graph.leaving(graph.node("Add", [inside, colours]))


def _parts(graph: Any, name: str) -> list[Any]:
    return [graph.weights[f"{name}.{part}"] for part in ("kernel", "bias")]


def _active(graph: Any, images: str, name: str, **ways: Any) -> str:
    """Convolve and pass leaky ReLU, which a positive gain may go before."""
    kernel, bias = _parts(graph, name)
    return graph.leaky(graph.convolved(images, kernel * GAIN, bias * GAIN, **ways))


def _both(graph: Any, some: str, more: str) -> str:
    """Return the sum of two images whose variance is nearly that of each."""
    return graph.node("Mul", [graph.node("Add", [some, more]), 0.7])
