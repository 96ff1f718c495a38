"""The invertible layers that Glow (Kingma and Dhariwal, 2018) is built of.

Each has `forward`, which also returns the logarithm of how it stretches volume,
for each image or for all alike, and `inverse`, its exact undoing.
"""

import math

import keras
import numpy as np
from keras import ops

BOUND = 1.5  # of a coupling's logarithmic scale


def folded(images):
    """Fold 2 x 2 pixels into channels."""
    h, w, c = images.shape[1:]
    images = ops.reshape(images, (-1, h // 2, 2, w // 2, 2, c))
    images = ops.transpose(images, (0, 1, 3, 5, 2, 4))
    return ops.reshape(images, (-1, h // 2, w // 2, 4 * c))


def unfolded(images):
    """Undo `folded`."""
    h, w, c = images.shape[1:]
    images = ops.reshape(images, (-1, h, w, c // 4, 2, 2))
    images = ops.transpose(images, (0, 1, 4, 2, 5, 3))
    return ops.reshape(images, (-1, 2 * h, 2 * w, c // 4))


class Scale(keras.layers.Layer):
    """Shifts and scales each channel, at first so that it is normal: "actnorm"."""

    def __init__(self, channels: int, **kw):
        super().__init__(**kw)
        self.shift = self.add_weight((channels,), "zeros", name="shift")
        self.log_scale = self.add_weight((channels,), "zeros", name="log_scale")
        self.built = True

    def adapt(self, images):
        """Take shift and scale from images."""
        deviation = ops.std(images, (0, 1, 2))
        self.shift.assign(-ops.mean(images, (0, 1, 2)))
        self.log_scale.assign(-ops.log(deviation + 1e-4))

    def forward(self, images):
        pixels = math.prod(images.shape[1:3])
        gain = pixels * ops.sum(self.log_scale)
        return (images + self.shift) * ops.exp(self.log_scale), gain

    def inverse(self, images):
        return images * ops.exp(-self.log_scale) - self.shift


class Mixing(keras.layers.Layer):
    """Multiplies each pixel's channels by the matrix P L (U + S): a 1x1 convolution."""

    def __init__(self, channels: int, seed: int, **kw):
        super().__init__(**kw)
        order, lower, upper, signs, sizes = _factors(channels, seed)
        self.order = self.add_weight((channels,), "zeros", trainable=False, name="rows")
        self.signs = self.add_weight((channels,), "ones", trainable=False, name="signs")
        self.lower = self.add_weight((channels, channels), "zeros", name="lower")
        self.upper = self.add_weight((channels, channels), "zeros", name="upper")
        self.sizes = self.add_weight((channels,), "zeros", name="sizes")
        found = order, signs, lower, upper, sizes
        own = self.order, self.signs, self.lower, self.upper, self.sizes
        for variable, value in zip(own, found, strict=True):
            variable.assign(value)
        self.one = np.eye(channels, dtype=np.float32)
        self.built = True

    def forward(self, images):
        lower, upper = self._triangles()
        matrix = ops.matmul(ops.take(lower, self._rows(), 0), upper)
        gain = math.prod(images.shape[1:3]) * ops.sum(self.sizes)
        return ops.matmul(images, matrix), gain

    def inverse(self, images):
        lower, upper = self._triangles()
        lower = ops.solve_triangular(lower, ops.convert_to_tensor(self.one), lower=True)
        upper = ops.solve_triangular(upper, ops.convert_to_tensor(self.one))
        back = ops.take(lower, self._rows(), 1)
        return ops.matmul(images, ops.matmul(upper, back))

    def _rows(self):
        return ops.cast(self.order, "int32")

    def _triangles(self):
        above = ops.convert_to_tensor(np.triu(np.ones_like(self.one), 1))
        lower = self.lower * ops.transpose(above) + self.one
        sizes = self.signs * ops.exp(self.sizes)
        return lower, self.upper * above + self.one * sizes


def _factors(channels: int, seed: int):
    """Return the triangular factors of a random rotation."""
    from scipy.linalg import lu

    rng = np.random.default_rng([seed, channels])
    rotation = np.linalg.qr(rng.standard_normal((channels, channels)))[0]
    permutation, lower, upper = lu(rotation)
    diagonal = np.diag(upper)
    return (
        permutation.argmax(1),
        np.tril(lower, -1),
        np.triu(upper, 1),
        np.sign(diagonal),
        np.log(np.abs(diagonal)),
    )


class Convolution(keras.layers.Layer):
    """A convolution with bias; a silent one starts as zero."""

    def __init__(self, inputs, outputs, size, *, silent=False, **kw):
        super().__init__(**kw)
        spread = keras.initializers.RandomNormal(0.0, math.sqrt(2 / inputs) / size)
        self.kernel = self.add_weight(
            (size, size, inputs, outputs), "zeros" if silent else spread, name="kernel"
        )
        self.bias = self.add_weight((outputs,), "zeros", name="bias")
        self.built = True

    def call(self, images):
        # Not a sum: TensorFlow would fuse it, see generators.layers.
        return ops.conv(images, self.kernel, 1, "same") - self.bias


class Coupling(keras.layers.Layer):
    """Moves half of the channels as a small network of the other half says."""

    def __init__(self, channels: int, hidden: int, **kw):
        super().__init__(**kw)
        self.kept = channels // 2
        ends = (self.kept, hidden, 3), (hidden, hidden, 1), (hidden, channels, 3)
        self.convolutions = [
            Convolution(*end, silent=i == 2, name=f"{self.name}.{i}")
            for i, end in enumerate(ends)
        ]
        self.built = True

    def forward(self, images):
        kept, moved = images[..., : self.kept], images[..., self.kept :]
        shift, log_scale = self._told(kept)
        moved = (moved + shift) * ops.exp(log_scale)
        return ops.concatenate([kept, moved], -1), ops.sum(log_scale, (1, 2, 3))

    def inverse(self, images):
        kept, moved = images[..., : self.kept], images[..., self.kept :]
        shift, log_scale = self._told(kept)
        return ops.concatenate([kept, moved * ops.exp(-log_scale) - shift], -1)

    def _told(self, kept):
        first, second, last = self.convolutions
        told = ops.leaky_relu(first(kept), 0.1)
        told = ops.cast(last(ops.leaky_relu(second(told), 0.1)), "float32")
        shift, log_scale = told[..., : self.kept], told[..., self.kept :]
        return shift, BOUND * ops.tanh(log_scale / BOUND)


class Prior(keras.layers.Layer):
    """Turns the channels that leave into noise, seen from those that stay."""

    def __init__(self, channels: int, **kw):
        super().__init__(**kw)
        self.kept = channels // 2
        self.told = Convolution(
            self.kept, channels, 3, silent=True, name=f"{self.name}.told"
        )
        self.built = True

    def forward(self, images):
        kept, moved = images[..., : self.kept], images[..., self.kept :]
        mean, log_spread = self._expected(kept)
        noise = (moved - mean) * ops.exp(-log_spread)
        return kept, noise, -ops.sum(log_spread, (1, 2, 3))

    def inverse(self, kept, noise):
        mean, log_spread = self._expected(kept)
        return ops.concatenate([kept, mean + noise * ops.exp(log_spread)], -1)

    def _expected(self, kept):
        told = ops.cast(self.told(kept), "float32")
        bound = 2 * BOUND
        return told[..., : self.kept], bound * ops.tanh(told[..., self.kept :] / bound)


class Step(keras.layers.Layer):
    """One step of the flow: scale, mix, couple."""

    def __init__(self, channels: int, hidden: int, seed: int, **kw):
        super().__init__(**kw)
        whole = {"dtype": "float32"}
        self.scale = Scale(channels, name=f"{self.name}.scale", **whole)
        self.mixing = Mixing(channels, seed, name=f"{self.name}.mixing", **whole)
        self.coupling = Coupling(
            channels, hidden, name=f"{self.name}.coupling", dtype=self.dtype_policy
        )
        self.built = True

    def adapt(self, images):
        """Take the scale from images; return them behind the step."""
        self.scale.adapt(images)
        return self.forward(images)[0]

    def forward(self, images):
        images, first = self.scale.forward(images)
        images, second = self.mixing.forward(images)
        images, third = self.coupling.forward(images)
        return images, first + second + third

    def inverse(self, images):
        images = self.mixing.inverse(self.coupling.inverse(images))
        return self.scale.inverse(images)
