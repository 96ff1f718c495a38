"""How unlike two pictures of a face are: values, edges and hue."""

import numpy as np
from keras import ops

from scorers.pixels import charbonnier, unlikeness


def importance(size: int) -> np.ndarray:
    """Return how much each pixel of a tight crop matters, (size, size, 1)."""
    y, x = (np.mgrid[:size, :size] + 0.5) / size

    def blob(cx, cy, rx, ry):
        return np.exp(-((((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2) ** 2))

    weight = 0.4 + blob(0.5, 0.55, 0.45, 0.5)
    weight += blob(0.3, 0.355, 0.15, 0.09) + blob(0.7, 0.355, 0.15, 0.09)
    weight += blob(0.5, 0.735, 0.22, 0.12)
    return (weight / weight.mean())[..., None].astype(np.float32)


def reconstruction(images, targets, weight, *, edges: float, chroma: float):
    """Return the weighted distance in values, edges at three scales, and hue."""
    total, rest, weight = unlikeness(images - targets, weight, edges)
    hue = rest - ops.mean(rest, -1, keepdims=True)
    return ops.mean(total) + chroma * ops.mean(weight * charbonnier(hue))
