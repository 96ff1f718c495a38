"""StyleGAN2: mapping, synthesis and discriminator (Karras et al., 2020).

Two things go beyond the paper. Synthesis may start from a spatial code that is
part of the latent, in place of the learned constant: rows of the latent beyond
the styles hold it. And the prior of a network trained with an encoder may be a
Gaussian over latents, learnt after the training, in place of the mapping.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

import keras
import numpy as np
from keras import ops

from generators.layers import (
    GAIN,
    Affine,
    Colours,
    Convolution,
    Modulated,
    enlarge,
    shrink,
)

# --- config -------------------------------------------------------------------


@dataclass(frozen=True)
class Config:
    """What fixes the shape of every weight."""

    resolution: int
    channels: tuple[int, ...]  # from the start's resolution to the last
    width: int = 512  # of a latent's row, the paper's w
    inputs: int = 512  # of the mapping, the paper's z
    depth: int = 8  # layers of the mapping; 0 has none
    code: int = 0  # channels of the spatial code; 0 starts from a constant
    axes: int = 0  # along which samples vary; 0 varies every entry on its own
    noise: bool = True
    clamp: float | None = None
    crop: str = "ffhq"

    def __post_init__(self):
        if self.start < 4 or self.resolution != self.start << (len(self.channels) - 1):
            raise ValueError(
                f"{len(self.channels)} channel counts cannot lead to"
                f" {self.resolution} px from a start of 4 px or more."
            )
        if self.start**2 * self.code % self.width:
            raise ValueError("The spatial code must fill whole rows of the latent.")

    @property
    def start(self) -> int:
        return self.resolution >> (len(self.channels) - 1)

    @property
    def layers(self) -> int:
        """How many styles there are: one a convolution, one for the last colours."""
        return 2 * len(self.channels)

    @property
    def code_rows(self) -> int:
        return self.start**2 * self.code // self.width

    @property
    def latent_shape(self) -> tuple[int, int]:
        return self.layers + self.code_rows, self.width


def official(resolution: int, base: int = 32768, most: int = 512, **kw) -> Config:
    """Return the published channel plan: base / resolution, at most `most`."""
    levels = range(2, int(math.log2(resolution)) + 1)
    return Config(resolution, tuple(min(base >> n, most) for n in levels), **kw)


# --- layers -------------------------------------------------------------------


class Mapping(keras.layers.Layer):
    """Turns normal noise z into w."""

    def __init__(self, config: Config, **kw):
        super().__init__(**kw)
        sizes = [config.inputs] + [config.width] * config.depth
        kw = {"scale": GAIN, "activate": True, "dtype": self.dtype_policy}
        self.layers = [
            Affine(*ends, name=f"{self.name}.dense{i}", **kw)
            for i, ends in enumerate(pairwise(sizes))
        ]
        self.built = True

    def call(self, vectors):
        square = ops.mean(ops.square(vectors), -1, keepdims=True)
        vectors = vectors * ops.rsqrt(square + 1e-8)
        for layer in self.layers:
            vectors = layer(vectors)
        return vectors


class Block(keras.layers.Layer):
    """One resolution: (up-)convolution, convolution, and its share of the colours."""

    def __init__(self, inputs: int, outputs: int, size: int, config: Config, **kw):
        super().__init__(**kw)
        self.size, self.clamp, self.noise = size, config.clamp, None
        kw = {"width": config.width, "dtype": self.dtype_policy}
        if inputs:
            self.up = Modulated(inputs, outputs, up=True, name=f"{self.name}.up", **kw)
        self.conv = Modulated(outputs, outputs, name=f"{self.name}.conv", **kw)
        self.rgb = Colours(outputs, name=f"{self.name}.rgb", **kw)
        self.convolutions = [self.up, self.conv] if inputs else [self.conv]
        if config.noise:
            count = len(self.convolutions)
            self.noise = self.add_weight(
                (count, size, size), "random_normal", trainable=False, name="noise"
            )
            self.strength = self.add_weight((count,), "zeros", name="strength")
        self.built = True

    def call(self, images, scales, styles, noise=None):
        for i, layer in enumerate(self.convolutions):
            field = self._field(i, noise, ops.shape(images)[0])
            images, scales = layer(images, scales, styles[i], field, clamp=self.clamp)
        return images, scales, self.rgb(images, scales, styles[-1], clamp=self.clamp)

    def _field(self, i, noise, count):
        if self.noise is None or noise is None:
            return None
        if noise == "stored":
            field = self.noise[i][None]
        else:
            # Every layer draws its own: seeds differ by resolution and place.
            seed = (noise * 31 + self.size) * 31 + i
            field = keras.random.normal((count, self.size, self.size), seed=seed)
        return ops.cast(field * self.strength[i], self.compute_dtype)


# --- the generator ------------------------------------------------------------


class StyleGAN2(keras.Model):
    """Turns latents (N, layers + code rows, width) into images."""

    def __init__(self, config: Config, **kw):
        super().__init__(**kw)
        self.config = config
        self.resolution, self.crop = config.resolution, config.crop
        self.latent_shape = config.latent_shape
        self.mapping = Mapping(config, name="mapping", dtype="float32")
        kw, first = {"dtype": self.dtype_policy}, config.channels[0]
        if config.code:
            self.start = Convolution(
                config.code, first, 1, activate=False, name="start", **kw
            )
        else:
            self.start = None
            shape = (1, config.start, config.start, first)
            self.constant = self.add_weight(shape, "random_normal", name="constant")
        sizes = [config.start << i for i in range(len(config.channels))]
        ends = zip((0, *config.channels), config.channels, sizes, strict=False)
        self.blocks = [
            Block(a, b, size, config, name=f"b{size}", **kw) for a, b, size in ends
        ]
        self.mean_latent = self.add_weight(
            self.latent_shape, "zeros", trainable=False, name="mean_latent"
        )
        self.spread = self.add_weight(
            self.latent_shape, "ones", trainable=False, name="spread"
        )
        if config.axes:
            shape = (config.axes, *self.latent_shape)
            self.axes = self.add_weight(shape, "zeros", trainable=False, name="axes")
        self.built = True

    def call(self, latents):
        return self.decode(latents)

    def decode(self, latents, *, noise="stored"):
        """Return images; noise is "stored", None, or the seed of fresh noise."""
        return self.render(self.styles(latents), self.code(latents), noise=noise)

    def code(self, latents):
        """Return the spatial code that the latents hold, or None."""
        if self.start is None:
            return None
        side, rows = self.config.start, latents[:, self.config.layers :]
        return ops.reshape(rows, (-1, side, side, self.config.code))

    def styles(self, latents):
        """Return for each block the styles of its convolutions and its colours."""
        first, result = 0, []
        for block in self.blocks:
            last = first + len(block.convolutions)
            layers = [*block.convolutions, block.rgb]
            result.append(
                [layer.style(latents[:, first + i]) for i, layer in enumerate(layers)]
            )
            first = last
        return result

    def render(self, styles, code=None, *, noise="stored"):
        """Return images from per-layer styles, the S space."""
        if code is not None:
            images = self.start(code)
        else:
            count = ops.shape(styles[0][0])[0]
            constant = ops.cast(self.constant, self.compute_dtype)
            images = ops.repeat(constant, count, 0)
        scales, picture = ops.ones_like(styles[0][0]), None
        for block, own in zip(self.blocks, styles, strict=True):
            images, scales, colours = block(images, scales, own, noise=noise)
            colours = ops.cast(colours, "float32")
            picture = colours if picture is None else enlarge(picture) + colours
        return picture

    def map(self, noise, *, truncation=1.0):
        """Return latents whose rows are all the mapping's w, drawn to the mean."""
        w = self.mapping(noise)
        mean = self.mean_latent[0]
        w = mean + truncation * (w - mean)
        return ops.repeat(w[:, None], self.config.layers, 1)

    def sample(self, count: int, *, seed: int, truncation: float = 1.0):
        """Draw latents from the prior."""
        rng = np.random.default_rng(seed)
        if self.config.depth:
            noise = rng.standard_normal((count, self.config.inputs), np.float32)
            return self.map(ops.convert_to_tensor(noise), truncation=truncation)
        if self.config.axes:
            noise = rng.standard_normal((count, self.config.axes), np.float32)
            offset = ops.einsum("na,arw->nrw", noise, self.axes)
        else:
            noise = rng.standard_normal((count, *self.latent_shape), np.float32)
            offset = self.spread * noise
        return self.mean_latent + truncation * offset

    def swift(self) -> "StyleGAN2":
        """Return the same network computing in bfloat16, for searches."""
        new = StyleGAN2(self.config, name=self.name, dtype="mixed_bfloat16")
        for own, other in zip(new.weights, self.weights, strict=True):
            own.assign(other)
        return new

    def tied(self, latents):
        """Return latents whose styles are all one, their mean: the W of the paper."""
        styles, code = ops.split(latents, [self.config.layers], 1)
        mean = ops.mean(styles, 1, keepdims=True)
        return ops.concatenate([ops.repeat(mean, self.config.layers, 1), code], 1)

    def penalty(self, latents):
        """Return the mean squared distance from the prior's mean in its own units."""
        offset = (latents - self.mean_latent) / self.spread
        return ops.mean(ops.square(offset), (1, 2))


# --- the discriminator --------------------------------------------------------


class Reduction(keras.layers.Layer):
    """One resolution of the discriminator: a residual block that halves the size."""

    def __init__(self, inputs: int, outputs: int, **kw):
        super().__init__(**kw)
        kw = {"dtype": self.dtype_policy}
        self.conv = Convolution(inputs, inputs, name=f"{self.name}.conv", **kw)
        self.down = Convolution(
            inputs, outputs, down=True, name=f"{self.name}.down", **kw
        )
        kw = {"activate": False, "bias": False, **kw}
        self.skip = Convolution(inputs, outputs, 1, name=f"{self.name}.skip", **kw)
        self.built = True

    def call(self, images):
        long = self.down(self.conv(images))
        return (long + self.skip(shrink(images))) / GAIN


class Discriminator(keras.Model):
    """Turns images into logits, high for real ones; its features serve losses."""

    def __init__(self, resolution: int, channels: tuple[int, ...], group=4, **kw):
        super().__init__(**kw)
        self.group, last = group, channels[-1]
        side = resolution >> (len(channels) - 1)
        kw = {"dtype": self.dtype_policy}
        self.rgb = Convolution(3, channels[0], 1, name="rgb", **kw)
        self.blocks = [
            Reduction(*ends, name=f"b{resolution >> i}", **kw)
            for i, ends in enumerate(pairwise(channels))
        ]
        self.conv = Convolution(last + 1, last, name="conv", **kw)
        self.dense = Affine(last * side**2, last, activate=True, name="dense", **kw)
        self.logit = Affine(last, 1, name="logit", **kw)
        self.built = True

    def call(self, images):
        return self.judge(self.features(images))

    def features(self, images):
        """Return the images of every resolution, large to small."""
        features = [self.rgb(images)]
        for block in self.blocks:
            features.append(block(features[-1]))
        return features

    def judge(self, features):
        """Return the logits (N,) that belong to features."""
        images = self.conv(self._with_deviation(features[-1]))
        vectors = ops.reshape(images, (ops.shape(images)[0], -1))
        return ops.cast(self.logit(self.dense(vectors))[:, 0], "float32")

    def _with_deviation(self, images):
        """Add a channel that holds how much a group of the batch varies."""
        n, h, w, c = images.shape
        group = min(self.group, n)
        groups = ops.reshape(images, (group, n // group, h, w, c))
        spread = ops.sqrt(ops.var(groups, 0) + 1e-8)
        spread = ops.mean(spread, (1, 2, 3), keepdims=True)  # (n / group, 1, 1, 1)
        spread = ops.tile(spread, (group, h, w, 1))
        return ops.concatenate([images, spread], -1)
