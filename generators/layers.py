"""The layers that StyleGAN2 (Karras et al., 2020) is built of, channels last.

Kernels are stored as they are used: no learning-rate equalisation at run time.
Modulation scales the input, convolves once with a shared kernel and scales the
output, which equals modulating the kernel and needs no grouped convolution.
"""

import math

import keras
import numpy as np
from keras import ops

GAIN = math.sqrt(2)  # keeps the variance through leaky_relu(0.2)

# --- resampling ---------------------------------------------------------------


def binomial(*row: int) -> np.ndarray:
    """Return a smoothing filter (k, k, 1, 1) of sum 1."""
    kernel = np.outer(row, row) / sum(row) ** 2
    return kernel[:, :, None, None].astype(np.float32)


def smooth(images, kernel, padding="valid"):
    """Filter every channel with the same kernel (k, k, 1, 1)."""
    kernel = np.repeat(kernel, images.shape[-1], 2)
    kernel = ops.convert_to_tensor(kernel, images.dtype)
    return ops.depthwise_conv(images, kernel, 1, padding)


def enlarge(images):
    """Double the size of images of few channels: zeros between, then [1, 3, 3, 1]."""
    kernel = 4 * binomial(1, 3, 3, 1) * np.eye(images.shape[-1])
    kernel = ops.convert_to_tensor(kernel, images.dtype)
    return ops.conv_transpose(images, kernel, 2, "same")


def shrink(images):
    """Halve the size of images with [1, 3, 3, 1]: a [1, 2, 1], then a mean of two."""
    return ops.average_pool(smooth(images, binomial(1, 2, 1), "same"), 2, 2)


def padded(images, rim: int):
    """Put a rim of zeros around images."""
    return ops.pad(images, ((0, 0), (rim, rim), (rim, rim), (0, 0)))


def scaled(images, scales):
    """Multiply the channels of images by scales (N, C)."""
    if images.shape[0] != 1:
        return images * scales[:, None, None]
    # On a CPU one image is filtered faster than multiplied: 2.2 for 7.9 ms (bfloat16).
    return ops.depthwise_conv(images, scales[:, None, :, None])


def convolved(images, kernel):
    """Convolve; in float32 one large image of many channels goes in parts."""
    n, h, _, channels = *images.shape[:3], kernel.shape[-1]
    precise = keras.backend.standardize_dtype(images.dtype) == "float32"
    if n != 1 or h < 64 or channels % 256 or not precise:
        return ops.conv(images, kernel, 1, "same")
    # oneDNN reads wide kernels at strides that collide in the cache: 256 channels of
    # 128 px take 47 ms at once and 41 in parts.
    parts = ops.split(kernel, 4, -1)
    return ops.concatenate([ops.conv(images, part, 1, "same") for part in parts], -1)


def leaky(images, offset):
    """Subtract the offset and pass leaky ReLU."""
    # TensorFlow 2.21 would fuse a sum into the convolution before it even where the
    # gradient needs it, and report an error; a difference it leaves alone.
    return ops.leaky_relu(images - offset, 0.2)


# --- layers -------------------------------------------------------------------


class Affine(keras.layers.Layer):
    """A dense layer that has its weights from the start."""

    def __init__(self, inputs, outputs, *, bias=0.0, scale=1.0, activate=False, **kw):
        super().__init__(**kw)
        spread = keras.initializers.RandomNormal(0.0, scale / math.sqrt(inputs))
        self.kernel = self.add_weight((inputs, outputs), spread, name="kernel")
        start = keras.initializers.Constant(bias)
        self.bias = self.add_weight((outputs,), start, name="bias")
        self.activate = activate
        self.built = True

    def call(self, vectors):
        outputs = ops.matmul(vectors, self.kernel)
        if not self.activate:
            return outputs + self.bias
        return leaky(outputs, -self.bias) * GAIN


class Convolution(keras.layers.Layer):
    """A plain convolution with bias and leaky ReLU; `down` halves the size."""

    def __init__(
        self, inputs, outputs, size=3, *, down=False, activate=True, bias=True, **kw
    ):
        super().__init__(**kw)
        spread = keras.initializers.RandomNormal(0.0, 1 / math.sqrt(inputs * size**2))
        self.kernel = self.add_weight(
            (size, size, inputs, outputs), spread, name="kernel"
        )
        self.bias = self.add_weight((outputs,), "zeros", name="bias") if bias else None
        self.down, self.activate = down, activate
        self.built = True

    def call(self, images):
        if self.activate:
            # leaky_relu(x) * GAIN == leaky_relu(x * GAIN), and weights are the smaller.
            images = self.convolve(images, self.kernel * GAIN)
            return leaky(images, self.bias * -GAIN)
        images = self.convolve(images, self.kernel)
        return images if self.bias is None else images + self.bias

    def convolve(self, images, kernel):
        if not self.down:
            return ops.conv(images, kernel, 1, "same")
        rim = 1 + kernel.shape[0] // 2
        images = smooth(padded(images, rim), binomial(1, 3, 3, 1))
        return ops.conv(images, kernel, 2, "valid")


class Modulated(keras.layers.Layer):
    """A convolution whose input channels are scaled by a style; `up` doubles the size.

    Images come and go with scales (N, C) that they are still to be multiplied by.
    Scales are positive and pass leaky ReLU, so they can wait for the next style: one
    product an image instead of two.

    The kernel of an up-convolution is stored (k, k, outputs, inputs), as the
    transposed convolution takes it; all others (k, k, inputs, outputs).
    """

    def __init__(self, inputs, outputs, *, width, up=False, **kw):
        super().__init__(**kw)
        self.up = up
        kw = {"dtype": self.dtype_policy, "name": f"{self.name}.style"}
        self.style = Affine(width, inputs, bias=1.0, **kw)
        spread = keras.initializers.RandomNormal(0.0, 1 / math.sqrt(inputs * 9))
        ends = (outputs, inputs) if up else (inputs, outputs)
        self.kernel = self.add_weight((3, 3, *ends), spread, name="kernel")
        self.bias = self.add_weight((outputs,), "zeros", name="bias")
        self.built = True

    def call(self, images, scales, styles, noise=None, clamp=None):
        images = self.convolve(scaled(images, scales * styles))
        deviation = self.deviation(styles)
        images = leaky(images, self.offset(deviation, noise))
        scales = GAIN / deviation
        if clamp is None:
            return images, scales
        return ops.clip(scaled(images, scales), -clamp, clamp), ops.ones_like(scales)

    def convolve(self, images):
        if not self.up:
            return convolved(images, self.kernel)
        # The rim of zeros grows into the one that the filter needs.
        images = ops.conv_transpose(padded(images, 1), self.kernel, 2, "same", 0)
        return smooth(images, 4 * binomial(1, 3, 3, 1))

    def deviation(self, styles):
        """Return what multiplies the outputs' standard deviation, (N, O)."""
        energy = ops.sum(ops.square(ops.cast(self.kernel, "float32")), (0, 1))
        energy = ops.transpose(energy) if self.up else energy  # (I, O)
        power = ops.matmul(ops.square(ops.cast(styles, "float32")), energy)
        return ops.cast(ops.sqrt(power + 1e-8), styles.dtype)

    def offset(self, deviation, noise):
        """Return bias and noise (M, H, W), negative, in units that the scales undo."""
        bias = self.bias * -deviation
        if noise is None:
            return bias[:, None, None]
        # A product of matrices writes their sum in one go.
        fields = ops.stack([ops.ones_like(noise), noise], 1)
        size = noise.shape[1:]
        fields = ops.swapaxes(ops.reshape(fields, (-1, 2, math.prod(size))), 1, 2)
        rows = ops.stack([bias, -deviation], 1)  # (N, 2, O)
        return ops.reshape(ops.matmul(fields, rows), (-1, *size, rows.shape[-1]))


class Colours(keras.layers.Layer):
    """A 1x1 convolution to RGB whose input channels are scaled by a style."""

    def __init__(self, inputs, *, width, **kw):
        super().__init__(**kw)
        kw = {"dtype": self.dtype_policy, "name": f"{self.name}.style"}
        self.style = Affine(width, inputs, bias=1.0, **kw)
        spread = keras.initializers.RandomNormal(0.0, 1 / math.sqrt(inputs))
        self.kernel = self.add_weight((1, 1, inputs, 3), spread, name="kernel")
        self.bias = self.add_weight((3,), "zeros", name="bias")
        self.built = True

    def call(self, images, scales, styles, clamp=None):
        kernels = self.kernel[0, 0] * (scales * styles)[..., None]  # (N, C, 3)
        colours = ops.einsum("nhwc,nco->nhwo", images, kernels) + self.bias
        return colours if clamp is None else ops.clip(colours, -clamp, clamp)
