"""A critic of small pictures that looks through a network that has seen many things.

Projected GANs (Sauer et al., 2021) are taught so: features of a network that stays as
it is, and small heads on them that learn. Beside them one head sees pixels, and where
they count.
"""

from pathlib import Path

import keras
import numpy as np
from keras import ops

from generators.layers import Convolution
from retouch.contracts import Tensor
from retouch.training.builder import built
from retouch.training.parsing import take_trunk
from scorers.parsing import trunk

CHANNELS, SPREADS = (16, 24, 40, 112), (9.0, 9.0, 8.0, 7.0)  # of the features
WIDTH = 64
ENLARGED = 1.5  # times, before it is looked at
SMALL = 12  # rows of features that are not halved any more
BOUND = 1.4  # largest gain of a head's kernels
TURNS = 4  # of the power method that finds it
SMALLEST = 1e-9  # what is divided by


class Eyes:
    """The first blocks of EfficientNet-Lite0, which see pictures (N, H, W, 3)."""

    def __init__(self, weights: Path) -> None:
        self.network = built(trunk, None, "eyes")
        take_trunk(self.network, weights)
        self.network.trainable = False

    def __call__(self, pictures: Tensor) -> list[Tensor]:
        """Return features at a half, a quarter, an eighth and a sixteenth."""
        size = [round(ENLARGED * n) for n in pictures.shape[1:3]]
        seen = self.network(ops.image.resize(pictures, size))
        return [f / spread for f, spread in zip(seen, SPREADS, strict=True)]

    def unlikeness(self, some: Tensor, others: Tensor) -> Tensor:
        """Return how far pictures are apart in the features' directions."""
        pairs = zip(self(some), self(ops.stop_gradient(others)), strict=True)
        gaps = [
            ops.mean(ops.sum(ops.square(_unit(a) - _unit(b)), -1)) for a, b in pairs
        ]
        return sum(gaps[1:], gaps[0]) / len(gaps)


class Critic:
    """Says how real pictures look at many places: above 0 rather so."""

    def __init__(self, eyes: Eyes) -> None:
        self.eyes = eyes
        self.heads = [
            (
                Convolution(channels, WIDTH),
                Convolution(WIDTH, WIDTH),
                Convolution(WIDTH, 1, activate=False),
            )
            for channels in CHANNELS
        ]
        self.pixels = (
            Convolution(4, WIDTH // 2, 4),
            Convolution(WIDTH // 2, WIDTH, 4),
            Convolution(WIDTH, WIDTH),
            Convolution(WIDTH, 1, activate=False),
        )

    @property
    def trainable_variables(self) -> list[keras.Variable]:
        layers = [layer for part in (*self.heads, self.pixels) for layer in part]
        return [v for layer in layers for v in layer.trainable_variables]

    def __call__(self, pictures: Tensor, shown: Tensor) -> list[Tensor]:
        """Return opinions, (N, h, w, 1) each, on pictures (N, H, W, 3) in [-1, 1].

        Args:
            shown: where they count, (N, H, W, 1); beyond it they are grey.
        """
        said = []
        for head, features in zip(self.heads, self.eyes(pictures), strict=True):
            *hidden, last = head
            for layer in hidden:
                stride = 1 if features.shape[1] <= SMALL else 2
                features = _bounded(layer, features, stride)
            said.append(_bounded(last, features, 1))
        x = ops.concatenate([pictures, shown], -1)
        for layer, stride in zip(self.pixels, (2, 2, 1, 1), strict=True):
            x = _bounded(layer, x, stride)
        return [*said, x]


def overall(opinions: list[Tensor]) -> Tensor:
    """Return what opinions say together, each part of a critic counting alike."""
    means = [ops.mean(plane) for plane in opinions]
    return sum(means[1:], means[0]) / len(means)


def hinge(reals: list[Tensor], fakes: list[Tensor]) -> Tensor:
    """Return what a critic's opinions on real and on made pictures cost."""
    short = [ops.relu(1 - x) for x in reals], [ops.relu(1 + x) for x in fakes]
    return overall(short[0]) + overall(short[1])


def length(tensor: Tensor) -> Tensor:
    """Return a tensor's Euclidean length, above 0."""
    return ops.sqrt(ops.sum(ops.square(tensor))) + SMALLEST


def _unit(features: Tensor) -> Tensor:
    return features * ops.rsqrt(ops.sum(ops.square(features), -1, keepdims=True) + 1.0)


def _bounded(layer: Convolution, x: Tensor, stride: int) -> Tensor:
    """Convolve by a layer's kernel, of bounded gain, and pass its leaky ReLU."""
    x = ops.conv(x, _bound(layer.kernel), stride, "same") + layer.bias
    return ops.leaky_relu(x, 0.2) if layer.activate else x


def _bound(kernel: Tensor) -> Tensor:
    """Return a kernel whose largest gain is BOUND (Miyato et al., 2018)."""
    flat = ops.reshape(kernel, (-1, kernel.shape[-1]))
    still = ops.stop_gradient(flat)
    right = ops.ones((flat.shape[1], 1)) / np.sqrt(flat.shape[1])
    left = ops.matmul(still, right)
    for _ in range(TURNS):
        left = left / length(left)
        right = ops.matmul(ops.transpose(still), left)
        right = right / length(right)
        left = ops.matmul(still, right)
    left = left / length(left)
    gain = ops.sum(left * ops.matmul(flat, right))
    return kernel * (BOUND / (gain + SMALLEST))
