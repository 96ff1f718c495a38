"""The layout of dlib's descriptor network, and what it reads of a crop: NumPy alone."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

SIZE = 150  # pixels a side of the picture that the network reads
MEAN = (122.782, 117.001, 104.298)
# Channels and whether the size is halved, block by block.
BLOCKS = (
    *[(32, False)] * 3,
    *[(64, True), (64, False), (64, False), (64, False)],
    *[(128, True), (128, False), (128, False)],
    *[(256, True), (256, False), (256, False)],
    (256, True),
)
READ = 6  # the block whose features tell where things lie
COMPARED = (2, 6, 9)  # blocks whose features tell how alike two pictures look
# Where dlib's own alignment lies in crops of each framing: left, top, side of it as
# fractions of the crop's, medians of some 40 faces.
WINDOWS = {"tight": (0.0, 0.038, 1.015), "ffhq": (0.159, 0.257, 0.695)}


@dataclass(frozen=True, eq=False)
class Fused:
    """A convolution with the affine layer behind it folded in."""

    kernel: np.ndarray  # (k, k, inputs, outputs)
    bias: np.ndarray  # (outputs,)


def strides() -> tuple[int, ...]:
    """Return the strides of all convolutions in their order."""
    return 2, *(s for _, halving in BLOCKS for s in (2 if halving else 1, 1))


def resampling(resolution: int, start: float, side: float) -> Floats:
    """Return the matrix (SIZE, resolution) that reads SIZE points along an axis."""
    points = (start + side * (np.arange(SIZE) + 0.5) / SIZE) * resolution - 0.5
    distance = np.abs(points[:, None] - np.arange(resolution).clip(0, None))
    reach = max(1.0, side * resolution / SIZE)
    weights = np.clip(1 - distance / reach, 0, None)
    beyond = weights.sum(1) < 1e-6
    weights[beyond, np.where(points[beyond] < 0, 0, resolution - 1)] = 1
    return (weights / weights.sum(1, keepdims=True)).astype(np.float32)
