"""IR-SE50 with a head for each style: the encoders of pSp and encoder4editing.

Residual units with squeeze and excitation (Hu et al., 2018; Deng et al., 2019) give
features of three sizes, and a small head on one of them gives each row of the
latent: as it is in pixel2style2pixel (Richardson et al., 2021), as its difference
from the first row in encoder4editing (Tov et al., 2021). Normalisations are folded
into the convolutions before them; those that come before one stay.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

import keras
from keras import ops

# --- config -------------------------------------------------------------------

COARSE, MIDDLE = 3, 7  # rows whose heads are the first on the middle, fine features
KINDS = ("psp", "e4e")


@dataclass(frozen=True)
class Config:
    """What fixes the shape of every weight."""

    layers: int  # rows to give
    kind: str = "psp"
    resolution: int = 256  # of the pictures that it reads; others are resized
    channels: tuple[int, ...] = (64, 128, 256, 512)
    units: tuple[int, ...] = (3, 4, 14, 3)
    squeeze: int = 16
    width: int = 512

    def __post_init__(self):
        if self.kind not in KINDS:
            raise ValueError(f"The kind is one of {KINDS}; received {self.kind!r}.")

    def side(self, row: int) -> int:
        """Return the size of the features that a row is read from."""
        coarser = (row < COARSE) + (row < MIDDLE)
        return self.resolution >> (2 + coarser)

    @property
    def plan(self) -> list[tuple[int, int, int]]:
        """Inputs, outputs and stride of every unit."""
        rows = []
        ends = pairwise((self.channels[0], *self.channels))
        for (inputs, outputs), count in zip(ends, self.units, strict=True):
            rows.append((inputs, outputs, 2))
            rows += [(outputs, outputs, 1)] * (count - 1)
        return rows


# --- layers -------------------------------------------------------------------


class Filter(keras.layers.Layer):
    """A convolution with a rim of zeros on all sides, whatever its stride."""

    def __init__(self, inputs, outputs, size=3, strides=1, *, bias=True, **kw):
        super().__init__(**kw)
        shape = (size, size, inputs, outputs)
        # Zeros: it is never trained here, and to draw 267 million numbers takes long.
        self.kernel = self.add_weight(shape, "zeros", name="kernel")
        self.bias = self.add_weight((outputs,), "zeros", name="bias") if bias else None
        self.strides, self.rim = strides, size // 2
        self.built = True

    def call(self, images):
        if self.rim:
            rim = (self.rim, self.rim)
            images = ops.pad(images, ((0, 0), rim, rim, (0, 0)))
        images = ops.conv(images, self.kernel, self.strides, "valid")
        return images if self.bias is None else images + self.bias


class Slopes(keras.layers.Layer):
    """A ReLU with a slope of its own for each channel's negative side."""

    def __init__(self, channels, **kw):
        super().__init__(**kw)
        self.slope = self.add_weight((channels,), "zeros", name="slope")
        self.built = True

    def call(self, images):
        return ops.relu(images) - self.slope * ops.relu(-images)


class Unit(keras.layers.Layer):
    """A residual unit whose channels are weighed by what the whole picture shows."""

    def __init__(self, inputs, outputs, strides, squeeze, **kw):
        super().__init__(**kw)
        self.strides, inner = strides, outputs // squeeze
        name = self.name
        self.scale = self.add_weight((inputs,), "ones", name="scale")
        self.shift = self.add_weight((inputs,), "zeros", name="shift")
        self.first = Filter(inputs, outputs, bias=False, name=f"{name}.first")
        self.slopes = Slopes(outputs, name=f"{name}.slopes")
        self.second = Filter(outputs, outputs, 3, strides, name=f"{name}.second")
        self.down = Filter(outputs, inner, 1, bias=False, name=f"{name}.down")
        self.up = Filter(inner, outputs, 1, bias=False, name=f"{name}.up")
        self.short = None
        if inputs != outputs:
            self.short = Filter(inputs, outputs, 1, strides, name=f"{name}.short")
        self.built = True

    def call(self, images):
        long = self.first(images * self.scale + self.shift)
        long = self.second(self.slopes(long))
        whole = ops.mean(long, (1, 2), keepdims=True)
        long = long * ops.sigmoid(self.up(ops.relu(self.down(whole))))
        if self.short is not None:
            return long + self.short(images)
        return long + images[:, :: self.strides, :: self.strides]


class Head(keras.layers.Layer):
    """Convolutions that halve features until one vector is left: a latent's row."""

    def __init__(self, side, width, **kw):
        super().__init__(**kw)
        self.filters = [
            Filter(width, width, 3, 2, name=f"{self.name}.halve{i}")
            for i in range(int(math.log2(side)))
        ]
        self.last = Filter(width, width, 1, name=f"{self.name}.last")
        self.built = True

    def call(self, features):
        for layer in self.filters:
            features = ops.leaky_relu(layer(features), 0.01)
        return self.last(features)[:, 0, 0]


# --- the encoder --------------------------------------------------------------


class Irse(keras.Model):
    """Turns images of any size into latents (N, layers, width)."""

    def __init__(self, config: Config, **kw):
        super().__init__(**kw)
        self.config, channels = config, config.channels
        self.stem = Filter(3, channels[0], name="stem")
        self.slopes = Slopes(channels[0], name="slopes")
        self.units = [
            Unit(*row, config.squeeze, name=f"unit{i}")
            for i, row in enumerate(config.plan)
        ]
        self.middle = Filter(channels[2], config.width, 1, name="middle")
        self.fine = Filter(channels[1], config.width, 1, name="fine")
        self.heads = [
            Head(config.side(i), config.width, name=f"head{i}")
            for i in range(config.layers)
        ]
        shape = (config.layers, config.width)
        self.mean = self.add_weight(shape, "zeros", trainable=False, name="mean")
        self.built = True

    def call(self, images):
        return self.encode(images)

    def encode(self, images):
        """Return the latents of images."""
        size = self.config.resolution
        if images.shape[1] != size:
            images = ops.image.resize(
                images, (size, size), interpolation="bilinear", antialias=True
            )
        features = self.pyramid(images)
        rows = [
            head(features[(i >= COARSE) + (i >= MIDDLE)])
            for i, head in enumerate(self.heads)
        ]
        if self.config.kind == "e4e":
            rows = [rows[0], *(rows[0] + row for row in rows[1:])]
        return ops.stack(rows, 1) + self.mean

    def pyramid(self, images):
        """Return coarse, middle and fine features, each with what the coarser know."""
        images, seen = self.slopes(self.stem(images)), []
        for unit in self.units:
            images = unit(images)
            seen.append(images)
        ends = [sum(self.config.units[: i + 1]) - 1 for i in range(4)]
        coarse = seen[ends[3]]
        middle = _doubled(coarse) + self.middle(seen[ends[2]])
        return coarse, middle, _doubled(middle) + self.fine(seen[ends[1]])


def _doubled(images):
    """Double the size, so that the corners' pixels stay in the corners."""
    for axis in (1, 2):
        size = images.shape[axis]
        places = [i * (size - 1) / (2 * size - 1) for i in range(2 * size)]
        low = [min(int(place), size - 2) for place in places]
        part = [place - first for place, first in zip(places, low, strict=True)]
        shape = [1, 1, 1, 1]
        shape[axis] = 2 * size
        weight = ops.cast(ops.reshape(ops.convert_to_tensor(part), shape), images.dtype)
        before = ops.take(images, low, axis)
        after = ops.take(images, [i + 1 for i in low], axis)
        images = before + weight * (after - before)
    return images
