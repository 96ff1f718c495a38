"""Who it is: dlib's face descriptor as a differentiable network.

The residual network of 29 convolutions (He et al., 2016; trained by Davis King,
2017) turns a face into 128 numbers; two pictures of one person lie less than 0.6
apart. The weights are dlib's own, so the numbers are dlib's own too.
"""

import math

import keras
import numpy as np
from keras import ops

from scorers.dlib_layout import (
    BLOCKS,
    COMPARED,
    MEAN,
    READ,
    WINDOWS,
    Fused,
    resampling,
    strides,
)

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


def placed(features: list):
    """Return what tells where things lie, of the features behind every block."""
    images = ops.cast(features[READ], "float32")
    height, width = (2 * (side // 2) for side in images.shape[1:3])
    images = ops.average_pool(images[:, :height, :width], 2, 2)
    return ops.reshape(images, (-1, math.prod(images.shape[1:])))


# --- the network --------------------------------------------------------------


class Identity(keras.Model):
    """Embeds crops of one framing: images (N, R, R, 3) in [-1, 1] become (N, 128)."""

    def __init__(self, filters: list[Fused], last: np.ndarray, crop="tight", **kw):
        super().__init__(trainable=False, **kw)
        self.window = WINDOWS[crop]
        pairs = zip(filters, strides(), strict=True)
        self.filters = [Filter(fused, stride) for fused, stride in pairs]
        self.last = self.add_weight(last.shape, "zeros", name="last")
        self.last.assign(last)
        self.built = True

    def call(self, images):
        return self.embed(images)

    def embed(self, images):
        """Return the descriptors of crops."""
        return self.describe(self.features(self.chips(images)))

    def sees(self, images):
        """Return the descriptors of crops, and what shapes are read of, (N, 4096)."""
        features = self.features(self.chips(images))
        return self.describe(features), placed(features)

    def chips(self, images):
        """Cut dlib's framing out of crops, (N, 150, 150, 3)."""
        resolution, (left, top, side) = images.shape[1], self.window
        rows = ops.convert_to_tensor(resampling(resolution, top, side))
        columns = ops.convert_to_tensor(resampling(resolution, left, side))
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
