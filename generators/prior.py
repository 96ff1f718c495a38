"""What codes go together: two networks that fill in masked maps of codes.

A small transformer fills the coarse map, told the conditions; a convolutional
network fills the fine one, seeing the coarse. Maps are drawn as MaskGIT does (Chang
et al., 2022): all places at once, the surest are kept, the rest is asked again.
"""

import math

import keras
import numpy as np
from keras import ops
from scipy.special import log_softmax

from generators.layers import GAIN, Affine, Convolution
from generators.mixing import Residual

HEADS = 4
ROUNDS = 32, 12  # of filling in, coarse and fine
DARING = 6.0, 1.0  # how much chance decides what is kept, at first
COOL = 0.85, 0.6  # logits are divided by it, so that rare codes come more rarely

# --- layers -------------------------------------------------------------------


class Block(keras.layers.Layer):
    """Attention among tokens (N, T, C), then a mixing of each token's channels."""

    def __init__(self, channels: int, **kw):
        super().__init__(**kw)
        name = self.name
        self.ask = Affine(channels, 3 * channels, name=f"{name}.ask")
        self.answer = Affine(channels, channels, name=f"{name}.answer")
        self.widen = Affine(channels, 2 * channels, activate=True, name=f"{name}.widen")
        self.narrow = Affine(2 * channels, channels, name=f"{name}.narrow")
        self.built = True

    def call(self, tokens):
        tokens = tokens + self.answer(self._attended(_level(tokens)))
        return tokens + self.narrow(self.widen(_level(tokens)))

    def _attended(self, tokens):
        t, c = tokens.shape[1:]
        parts = ops.reshape(self.ask(tokens), (-1, t, 3, HEADS, c // HEADS))
        query, key, value = (parts[:, :, i] for i in range(3))  # (N, T, heads, c)
        alike = ops.einsum("nqhc,nkhc->nhqk", query, key) / math.sqrt(c // HEADS)
        weights = ops.softmax(ops.cast(alike, "float32"))
        mixed = ops.einsum("nhqk,nkhc->nqhc", ops.cast(weights, value.dtype), value)
        return ops.reshape(mixed, (-1, t, c))


def _level(tokens):
    """Return tokens of mean 0 and deviation 1."""
    wide = ops.cast(tokens, "float32")
    wide = wide - ops.mean(wide, -1, keepdims=True)
    wide = wide * ops.rsqrt(ops.mean(ops.square(wide), -1, keepdims=True) + 1e-5)
    return ops.cast(wide, tokens.dtype)


# --- the prior ----------------------------------------------------------------


class Prior(keras.layers.Layer):
    """Says which codes a masked place may hold, given the others."""

    def __init__(
        self,
        sides: tuple[int, int],
        codes: int,
        width: int,
        conditions: int,
        shape: tuple[int, int, int],
        **kw,
    ):
        super().__init__(**kw)
        self.sides, self.conditions = sides, conditions
        channels, depth, refining = shape
        name = self.name
        self.look = Affine(width + 1, channels, name=f"{name}.look")
        self.told = Affine(conditions + 1, channels, name=f"{name}.told")
        spread = keras.initializers.RandomNormal(0.0, 0.3, seed=codes)
        self.places = self.add_weight(
            (sides[0] ** 2, channels), spread, name=f"{name}.places"
        )
        self.blocks = [Block(channels, name=f"{name}.block{i}") for i in range(depth)]
        self.name_it = Affine(channels, codes, name=f"{name}.name")
        self.see = Convolution(2 * width + 1, refining, 3, name=f"{name}.see")
        self.refine = [
            Residual(refining, name=f"{name}.refine{i}") for i in range(depth)
        ]
        self.name_fine = Affine(refining, codes, name=f"{name}.name_fine")
        self.built = True

    def call(self, vectors, known, conditions):
        """Return the logits (N, places, codes) of a coarse map.

        Args:
            vectors: (N, places, width), of the codes.
            known: (N, places), 1 where the code is to be seen.
        """
        seen = _seen(vectors, known)
        told = ops.concatenate([conditions, ops.ones_like(conditions[:, :1])], 1)
        tokens = self.look(seen) + self.told(told)[:, None]
        tokens = tokens + ops.cast(self.places, tokens.dtype)
        for block in self.blocks:
            tokens = block(tokens)
        return ops.cast(self.name_it(_level(tokens)), "float32")

    def fine(self, vectors, known, coarse):
        """Return the logits of a fine map whose coarse map is known."""
        coarse_side, side = self.sides
        shape = (-1, coarse_side, coarse_side, coarse.shape[-1])
        above = ops.reshape(coarse, shape)
        above = ops.repeat(ops.repeat(above, 2, 1), 2, 2)
        seen = _seen(vectors, known)
        seen = ops.reshape(seen, (-1, side, side, seen.shape[-1]))
        images = self.see(ops.concatenate([seen, ops.cast(above, seen.dtype)], -1))
        for stage in self.refine:
            images = stage(images)
        tokens = ops.reshape(images, (-1, side**2, images.shape[-1]))
        return ops.cast(self.name_fine(tokens) * GAIN, "float32")

    def sample(self, books, count: int, *, seed: int, conditions=None):
        """Return the vectors (N, places, width) of a coarse and of a fine map."""
        if conditions is None:
            conditions = np.zeros((count, self.conditions), np.float32)
        rng = np.random.default_rng(seed)
        told = ops.convert_to_tensor(np.asarray(conditions, np.float32))
        coarse = self._drawn(
            lambda vectors, known: self(vectors, known, told), books, 0, count, rng
        )
        fine = self._drawn(
            lambda vectors, known: self.fine(vectors, known, coarse),
            books, 1, count, rng,
        )  # fmt: skip
        return coarse, fine

    def _drawn(self, logits_of, books, level: int, count: int, rng):
        """Fill in a map in rounds; in each, the surest places are kept."""
        places, rounds = self.sides[level] ** 2, ROUNDS[level]
        numbers = np.zeros((count, places), np.int64)
        known = np.zeros((count, places), np.float32)
        for i in range(rounds):
            vectors = ops.take(books[level], numbers, 0)
            logits = logits_of(vectors, ops.convert_to_tensor(known))
            logits = np.asarray(ops.convert_to_numpy(logits)) / COOL[level]
            logits = log_softmax(logits, -1)
            drawn = np.argmax(logits + rng.gumbel(size=logits.shape), -1)
            numbers = np.where(known > 0, numbers, drawn)
            sure = np.take_along_axis(logits, numbers[..., None], -1)[..., 0]
            part = (i + 1) / rounds
            sure += DARING[level] * (1 - part) * rng.gumbel(size=sure.shape)
            sure[known > 0] = np.inf
            keep = max(1, round(places * (1 - math.cos(math.pi / 2 * part))))
            order = np.argsort(-sure, 1, kind="stable")[:, :keep]
            known[:] = 0
            np.put_along_axis(known, order, 1.0, 1)
        return ops.take(books[level], numbers, 0)


def _seen(vectors, known):
    """Return vectors where they are known, 0 elsewhere, and which are."""
    known = ops.cast(known, vectors.dtype)[..., None]
    return ops.concatenate([vectors * known, known], -1)
