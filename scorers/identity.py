"""Who it is: dlib's face descriptor as a differentiable network.

The residual network of 29 convolutions (He et al., 2016; trained by Davis King,
2017) turns a face into 128 numbers; two pictures of one person lie less than 0.6
apart. The weights are dlib's own, so the numbers are dlib's own too.
"""

from dataclasses import dataclass

import keras
import numpy as np
from keras import ops

# --- config -------------------------------------------------------------------

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
COMPARED = (2, 6, 9)  # blocks whose features tell how alike two pictures look
# Where dlib's own alignment lies in crops of each framing: left, top, side of it as
# fractions of the crop's, medians of some 40 faces.
WINDOWS = {"tight": (0.0, 0.038, 1.015), "ffhq": (0.159, 0.257, 0.695)}


@dataclass(frozen=True, eq=False)
class Fused:
    """A convolution with the affine layer behind it folded in."""

    kernel: np.ndarray  # (k, k, inputs, outputs)
    bias: np.ndarray  # (outputs,)


# --- layers -------------------------------------------------------------------


class Filter(keras.layers.Layer):
    """A fixed convolution; halving ones take no border, as dlib's do."""

    def __init__(self, fused: Fused, strides: int, **kw):
        super().__init__(trainable=False, **kw)
        self.kernel = self.add_weight(fused.kernel.shape, "zeros", name="kernel")
        self.bias = self.add_weight(fused.bias.shape, "zeros", name="bias")
        self.kernel.assign(fused.kernel)
        self.bias.assign(fused.bias)
        self.strides = strides
        self.built = True

    def call(self, images):
        border = "same" if self.strides == 1 else "valid"
        return ops.conv(images, self.kernel, self.strides, border) + self.bias


def _add(long, short):
    """Add two images; the smaller is taken as zero beyond its edge, as dlib does."""
    size = [max(a, b) for a, b in zip(long.shape[1:], short.shape[1:], strict=True)]

    def grown(images):
        edges = [(0, s - n) for s, n in zip(size, images.shape[1:], strict=True)]
        return ops.pad(images, [(0, 0), *edges]) if any(b for _, b in edges) else images

    return grown(long) + grown(short)


def _resampling(resolution: int, start: float, side: float) -> np.ndarray:
    """Return the matrix (SIZE, resolution) that reads SIZE points along an axis."""
    points = (start + side * (np.arange(SIZE) + 0.5) / SIZE) * resolution - 0.5
    distance = np.abs(points[:, None] - np.arange(resolution).clip(0, None))
    reach = max(1.0, side * resolution / SIZE)
    weights = np.clip(1 - distance / reach, 0, None)
    beyond = weights.sum(1) < 1e-6
    weights[beyond, np.where(points[beyond] < 0, 0, resolution - 1)] = 1
    return (weights / weights.sum(1, keepdims=True)).astype(np.float32)


# --- the network --------------------------------------------------------------


class Identity(keras.Model):
    """Embeds crops of one framing: images (N, R, R, 3) in [-1, 1] become (N, 128)."""

    def __init__(self, filters: list[Fused], last: np.ndarray, crop="tight", **kw):
        super().__init__(trainable=False, **kw)
        self.window = WINDOWS[crop]
        strides = [2]
        for _, halving in BLOCKS:
            strides += [2 if halving else 1, 1]
        self.filters = [Filter(f, s) for f, s in zip(filters, strides, strict=True)]
        self.last = self.add_weight(last.shape, "zeros", name="last")
        self.last.assign(last)
        self.built = True

    def call(self, images):
        return self.embed(images)

    def embed(self, images):
        """Return the descriptors of crops."""
        return self.describe(self.features(self.chips(images)))

    def chips(self, images):
        """Cut dlib's framing out of crops, (N, 150, 150, 3)."""
        resolution, (left, top, side) = images.shape[1], self.window
        rows = ops.convert_to_tensor(_resampling(resolution, top, side))
        columns = ops.convert_to_tensor(_resampling(resolution, left, side))
        images = ops.cast(images, "float32")
        images = ops.einsum("yh,nhwc->nywc", rows, images)
        return ops.einsum("xw,nywc->nyxc", columns, images)

    def features(self, chips):
        """Return the images behind every block for pictures of dlib's framing."""
        pixels = (chips * 127.5 + 127.5 - ops.convert_to_tensor(MEAN)) / 256
        images = ops.relu(self.filters[0](pixels))
        images = ops.max_pool(images, 3, 2, "valid")
        features = []
        for i, (_, halving) in enumerate(BLOCKS):
            long = ops.relu(self.filters[1 + 2 * i](images))
            long = self.filters[2 + 2 * i](long)
            if halving:
                images = ops.average_pool(images, 2, 2, "valid")
            images = ops.relu(_add(long, images))
            features.append(images)
        return features

    def describe(self, features):
        """Return the descriptors that belong to features."""
        return ops.matmul(
            ops.cast(ops.mean(features[-1], (1, 2)), "float32"), self.last
        )

    def aims(self, images):
        """Return what `likeness` compares pictures with, computed once."""
        features = self.features(self.chips(images))
        kept = [ops.cast(features[i], "float32") for i in COMPARED]
        return [ops.stop_gradient(t) for t in (*kept, self.describe(features))]

    def likeness(self, images, aims):
        """Return how far images are from aims in features and descriptor, (N,)."""
        features, descriptor = self.gaps(images, aims)
        return features + 4 * descriptor

    def gaps(self, images, aims):
        """Return how far images are from aims: in features (N,), in descriptor (N,)."""
        features = self.features(self.chips(images))
        total = 0.0
        for i, aim in zip(COMPARED, aims, strict=False):
            power = ops.mean(ops.square(aim), (1, 2, 3), keepdims=True)
            square = ops.square(ops.cast(features[i], "float32") - aim)
            total += ops.mean(square / (power + 1e-6), (1, 2, 3)) / len(COMPARED)
        gap = self.describe(features) - aims[-1]
        return total, ops.sum(ops.square(gap), -1)
