"""How unlike two pictures of a face are: values, edges and hue."""

import numpy as np
from keras import ops
from numpy.typing import NDArray

from retouch.contracts import Tensor
from retouch.geometry import LEFT_EYE, MOUTH_CORNERS, RIGHT_EYE, TEMPLATES
from scorers.pixels import charbonnier, unlikeness

FACE = np.zeros((68, 2))  # where eyes and mouth lie in a tight crop of side 1
FACE[LEFT_EYE], FACE[RIGHT_EYE] = (0.3, 0.355), (0.7, 0.355)
FACE[MOUTH_CORNERS] = (0.5, 0.735)


def importance(size: int, crop: str = "tight") -> NDArray[np.float32]:
    """Return how much each pixel of a crop matters, (size, size, 1)."""
    pixels = (np.mgrid[:size, :size][::-1] + 0.5) / size
    framed = TEMPLATES[crop].transform(FACE, 1)
    x, y = np.moveaxis(framed.inverse(np.moveaxis(pixels, 0, -1)), -1, 0)

    def blob(cx: float, cy: float, rx: float, ry: float) -> NDArray[np.float64]:
        return np.exp(-((((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2) ** 2))

    weight = 0.4 + blob(0.5, 0.55, 0.45, 0.5)
    weight += blob(0.3, 0.355, 0.15, 0.09) + blob(0.7, 0.355, 0.15, 0.09)
    weight += blob(0.5, 0.735, 0.22, 0.12)
    return (weight / weight.mean())[..., None].astype(np.float32)


def reconstruction(
    images: Tensor, targets: Tensor, weight: Tensor, *, edges: float, chroma: float
) -> Tensor:
    """Return the weighted distance in values, edges at three scales, and hue."""
    total, rest, weight = unlikeness(images - targets, weight, edges)
    hue = rest - ops.mean(rest, -1, keepdims=True)
    return ops.mean(total) + chroma * ops.mean(weight * charbonnier(hue))
