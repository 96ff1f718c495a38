"""How much of a picture a copy keeps: its contrast as a loss, and figures of both."""

import numpy as np
from keras import ops

from retouch.training.losses import charbonnier, importance


def contrast(images, targets, weight):
    """Return how far each picture's mean and deviation are from its target's."""
    weight = weight / ops.mean(weight)

    def moments(pictures):
        mean = ops.mean(weight * pictures, (1, 2), keepdims=True)
        power = ops.mean(weight * ops.square(pictures - mean), (1, 2))
        return mean[:, 0, 0], ops.sqrt(power + 1e-4)

    pairs = zip(moments(images), moments(targets), strict=True)
    return sum(ops.mean(charbonnier(a - b)) for a, b in pairs)


def figures(images: np.ndarray, copies: np.ndarray) -> dict[str, float]:
    """Return how alike copies are, and how much of the contrast they keep."""
    weight = importance(images.shape[1])
    error = (weight * (images - copies) ** 2).mean((1, 2, 3))
    return {
        "psnr": float(np.mean(10 * np.log10(4 / error))),
        "deviation": float(copies.std((1, 2)).mean() / images.std((1, 2)).mean()),
    }
