"""The decoder of a VQ-VAE of two levels (Razavi et al., 2019), with its prior.

A latent holds what the encoder saw before it was quantised: a coarse map and a fine
one. Decoding puts the nearest code in the place of each vector, so that edits move
smoothly in front of the quantiser.
"""

import math
from dataclasses import dataclass

import keras
from keras import ops

from generators.layers import GAIN, Convolution
from generators.mixing import Doubling, Residual, checked
from generators.prior import Prior

# --- config -------------------------------------------------------------------


@dataclass(frozen=True)
class Config:
    """What fixes the shape of every weight."""

    resolution: int = 128
    channels: tuple[int, ...] = (80, 64, 24)  # at the coarse map's size, then larger
    codes: int = 256  # of each level
    width: int = 4  # numbers of a code
    crop: str = "tight"
    conditions: tuple[str, ...] = ()  # that the prior is told
    attention: int = 128  # channels of the prior's coarse level,
    depth: int = 5  # its blocks,
    refining: int = 48  # and the channels of its fine level

    @property
    def sides(self) -> tuple[int, int]:
        """Return the sides of the coarse and the fine map."""
        coarse = self.resolution >> len(self.channels)
        return coarse, 2 * coarse

    @property
    def shapes(self) -> tuple[tuple[int, int, int], ...]:
        return tuple((side, side, self.width) for side in self.sides)

    @property
    def size(self) -> int:
        """How many numbers a latent has."""
        return sum(math.prod(shape) for shape in self.shapes)


# --- layers -------------------------------------------------------------------


class Codes(keras.layers.Layer):
    """A book of codes; each vector becomes the nearest one."""

    def __init__(self, count: int, width: int, **kw):
        super().__init__(dtype="float32", **kw)
        spread = keras.initializers.RandomNormal(0.0, 1.0, seed=count + width)
        self.codes = self.add_weight((count, width), spread, name="codes")
        self.built = True

    def call(self, vectors):
        """Return the nearest codes; slopes pass as if nothing had been done."""
        vectors = ops.cast(vectors, "float32")
        nearest = self.of(self.numbers(vectors))
        return vectors + ops.stop_gradient(nearest - vectors)

    def numbers(self, vectors):
        """Return the number of the code nearest to each vector (..., width)."""
        codes = ops.convert_to_tensor(self.codes)
        # |v - c|^2 without |v|^2, which is the same for every code.
        near = ops.matmul(vectors, ops.transpose(codes))
        gaps = ops.sum(ops.square(codes), -1) - 2 * near
        return ops.argmin(ops.stop_gradient(gaps), -1)

    def of(self, numbers):
        """Return the codes of numbers."""
        return ops.take(ops.convert_to_tensor(self.codes), numbers, 0)


# --- the decoder --------------------------------------------------------------


class VQVAE(keras.Model):
    """Turns latents (N, size) into images."""

    def __init__(self, config: Config, **kw):
        super().__init__(**kw)
        self.config = config
        self.resolution, self.crop = config.resolution, config.crop
        self.latent_shape = (config.size,)
        first, second, last = config.channels
        self.books = [
            Codes(config.codes, config.width, name=name) for name in ("coarse", "fine")
        ]
        self.look = Convolution(config.width, first, 3, name="look")
        self.stages = [
            Residual(first, name="residual0"),
            Doubling(first, second, name="double0"),
        ]
        self.join = Convolution(config.width, second, 3, name="join")
        self.finish = [
            Residual(second, name="residual1"),
            Residual(second, name="residual2"),
            Doubling(second, last, name="double1"),
            Residual(last, name="residual3"),
            Doubling(last, 3, 3, activate=False, name="last"),
        ]
        self.prior = Prior(
            config.sides,
            config.codes,
            config.width,
            len(config.conditions),
            (config.attention, config.depth, config.refining),
            name="prior",
        )
        self.mean_latent = self.add_weight(
            self.latent_shape, "zeros", trainable=False, name="mean_latent"
        )
        self.built = True

    def call(self, latents):
        return self.decode(latents)

    def decode(self, latents):
        """Return the images (N, R, R, 3) of latents."""
        maps = self.maps(latents)
        return self.paint(*(book(m) for book, m in zip(self.books, maps, strict=True)))

    def paint(self, coarse, fine):
        """Return the images of quantised maps."""
        images = self.look(coarse)
        for stage in self.stages:
            images = stage(images)
        images = (images + self.join(fine)) / GAIN
        for stage in self.finish:
            images = stage(images)
        return ops.cast(images, "float32")

    def maps(self, latents):
        """Return the coarse map and the fine map (N, side, side, width) of latents."""
        latents = checked(latents, self.config.size, "a VQ-VAE")
        coarse, fine = self.config.shapes
        at = math.prod(coarse)
        return (
            ops.reshape(latents[:, :at], (-1, *coarse)),
            ops.reshape(latents[:, at:], (-1, *fine)),
        )

    def numbers(self, latents):
        """Return the numbers of the codes (N, places) of both maps, as the prior's."""
        pairs = zip(self.books, self.maps(latents), strict=True)
        found = (book.numbers(m) for book, m in pairs)
        return tuple(ops.reshape(n, (-1, math.prod(n.shape[1:]))) for n in found)

    def sample(self, count: int, *, seed: int, conditions=None):
        """Draw latents from the learned prior.

        Args:
            conditions: (count, conditions) in deviations; the mean if not given.
        """
        books = [ops.convert_to_tensor(book.codes) for book in self.books]
        maps = self.prior.sample(books, count, seed=seed, conditions=conditions)
        return ops.concatenate([ops.reshape(m, (count, -1)) for m in maps], 1)

    def penalty(self, latents):
        """Return the mean squared distance of each latent's vectors from codes."""
        gaps = []
        for book, vectors in zip(self.books, self.maps(latents), strict=True):
            nearest = ops.stop_gradient(book.of(book.numbers(vectors)))
            gaps.append(ops.mean(ops.square(vectors - nearest), (1, 2, 3)))
        return sum(gaps)
