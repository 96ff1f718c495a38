"""How much of a picture a copy keeps: its contrast as a loss, and figures of both."""

import numpy as np
from keras import ops
from numpy.typing import NDArray

from retouch.contracts import Tensor
from retouch.training.losses import importance
from scorers.pixels import charbonnier


def contrast(images: Tensor, targets: Tensor, weight: Tensor) -> Tensor:
    """Return how far each picture's mean and deviation are from its target's."""
    weight = weight / ops.mean(weight)

    def moments(pictures: Tensor) -> tuple[Tensor, Tensor]:
        mean = ops.mean(weight * pictures, (1, 2), keepdims=True)
        power = ops.mean(weight * ops.square(pictures - mean), (1, 2))
        return mean[:, 0, 0], ops.sqrt(power + 1e-4)

    pairs = zip(moments(images), moments(targets), strict=True)
    return sum(ops.mean(charbonnier(a - b)) for a, b in pairs)


def figures(
    images: NDArray[np.float32], copies: NDArray[np.float32]
) -> dict[str, float]:
    """Return how alike copies are, and how much of the contrast they keep."""
    weight = importance(images.shape[1])
    error = (weight * (images - copies) ** 2).mean((1, 2, 3))
    return {
        "psnr": float(np.mean(10 * np.log10(4 / error))),
        "deviation": float(copies.std((1, 2)).mean() / images.std((1, 2)).mean()),
    }
