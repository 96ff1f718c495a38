"""The guide: traits of pictures as the judge reads them, but with slopes to climb.

dlib's landmarks cannot be differentiated. They are read here, linearly, off the
features that the descriptor's network has of the picture anyway.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from scorers.dlib_layout import READ
from scorers.judge import Judge

Floats = NDArray[np.float32]


def placed(features: list):
    """Return what is read of the features behind every block, (N, 4096)."""
    images = ops.cast(features[READ], "float32")
    height, width = (2 * (side // 2) for side in images.shape[1:3])
    images = ops.average_pool(images[:, :height, :width], 2, 2)
    return ops.reshape(images, (-1, int(np.prod(images.shape[1:]))))


@dataclass(frozen=True, eq=False)
class Shape:
    """Reads the shape of a face, as `judge.shape_of` has it, off features."""

    means: Floats  # (4096,)
    slopes: Floats  # (4096, K)
    axes: Floats  # (K, 136), along which shapes vary
    mean: Floats  # (136,)
    skill: Floats  # (1,): part of the held-out shapes' variance that is read
    reads: str = "features"

    def read(self, features):
        """Return shapes (N, 136) of features (N, 4096)."""
        along = ops.matmul(features - self.means, self.slopes)
        return ops.matmul(along, self.axes) + self.mean


@dataclass(frozen=True, eq=False)
class Guide:
    """Sees pictures: who it is, and what the raters of the guide's half would say."""

    identity: Any  # a `scorers.identity.Identity`
    judge: Judge
    shape: Shape

    @property
    def names(self) -> tuple[str, ...]:
        return self.judge.names

    @property
    def telling(self) -> NDArray[np.bool_]:
        """Of which traits the descriptor alone tells nearly all."""
        return self.judge.telling

    def sees(self, images):
        """Return descriptors and shapes of images, (N, 128 + 136)."""
        features = self.identity.features(self.identity.chips(images))
        shapes = self.shape.read(placed(features))
        return ops.concatenate([self.identity.describe(features), shapes], -1)

    def look(self, images):
        """Return descriptors (N, 128), and traits by all (N, traits) and by these."""
        seen, judge = self.sees(images), self.judge
        descriptors = seen[:, : len(judge.descriptor_slopes)]
        second = ops.matmul(descriptors, judge.descriptor_slopes)
        whole = ops.matmul(seen, judge.slopes) + judge.offsets
        return descriptors, whole, second + judge.descriptor_offsets
