"""The guide: traits of pictures as the judge reads them, but with slopes to climb.

dlib's landmarks cannot be differentiated. They are read here, linearly, off the
features that the descriptor's network has of the picture anyway.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scorers.judge import Judge
from scorers.maths import maths

Floats = NDArray[np.float32]


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
        ops = maths(features)
        along = ops.matmul(features - self.means, self.slopes)
        return ops.matmul(along, self.axes) + self.mean


@dataclass(frozen=True, eq=False)
class Guide:
    """Sees pictures: who it is, and what the raters of the guide's half would say."""

    identity: Any  # dlib's network, with slopes or forwards alone
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
        return self.told(*self.identity.sees(images))

    def told(self, descriptors, features):
        """Return the same of what dlib's network sees, (N, 128) and (N, 4096)."""
        shapes = self.shape.read(features)
        return maths(shapes).concatenate([descriptors, shapes], -1)

    def look(self, images):
        """Return descriptors (N, 128), and traits by all (N, traits) and by these."""
        seen, judge = self.sees(images), self.judge
        ops = maths(seen)
        descriptors = seen[:, : len(judge.descriptor_slopes)]
        second = ops.matmul(descriptors, judge.descriptor_slopes)
        whole = ops.matmul(seen, judge.slopes) + judge.offsets
        return descriptors, whole, second + judge.descriptor_offsets
