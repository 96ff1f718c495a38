"""How unlike two pictures of a face are: values, edges and hue."""

import numpy as np
from keras import ops


def importance(size: int) -> np.ndarray:
    """Return how much each pixel of a tight crop matters, (size, size, 1)."""
    y, x = (np.mgrid[:size, :size] + 0.5) / size

    def blob(cx, cy, rx, ry):
        return np.exp(-((((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2) ** 2))

    weight = 0.4 + blob(0.5, 0.55, 0.45, 0.5)
    weight += blob(0.3, 0.355, 0.15, 0.09) + blob(0.7, 0.355, 0.15, 0.09)
    weight += blob(0.5, 0.735, 0.22, 0.12)
    return (weight / weight.mean())[..., None].astype(np.float32)


def charbonnier(difference):
    """Return the absolute difference, rounded off at zero (Charbonnier, 1994)."""
    return ops.sqrt(ops.square(difference) + 1e-4) - 1e-2


def reconstruction(images, targets, weight, *, edges: float, chroma: float):
    """Return the weighted distance in values, edges at three scales, and hue."""
    difference = images - targets
    total = ops.mean(weight * charbonnier(difference))
    for _ in range(3):
        across = difference[:, :, 1:] - difference[:, :, :-1]
        down = difference[:, 1:] - difference[:, :-1]
        slopes = ops.mean(weight[:, :, 1:] * charbonnier(across))
        slopes += ops.mean(weight[:, 1:] * charbonnier(down))
        total += edges * slopes
        difference = ops.average_pool(difference, 2, 2)
        weight = ops.average_pool(weight, 2, 2)
    hue = difference - ops.mean(difference, -1, keepdims=True)
    return total + chroma * ops.mean(weight * charbonnier(hue))
