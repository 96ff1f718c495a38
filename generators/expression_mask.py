"""Another face with the same expression: a picture painted from points and a style.

A latent is a style, which says who it is, followed by 70 points in the unit square
of a tight crop, which say what the face does: the 68 landmarks and the middles of the
two irises. The points are drawn as soft lines and enter at every size; the style
scales channels (feature-wise modulation, Perez et al., 2018).
"""

from dataclasses import dataclass

import keras
import numpy as np
from keras import ops

from generators.expression_lines import (
    DRAWN,
    ENDS,
    FIELDS,
    LINES,
    POINTS,
    STARTS,
    WIDTHS,
    person,
)
from generators.layers import GAIN, Affine, Convolution, leaky
from generators.mixing import Doubling, checked

# --- config -------------------------------------------------------------------


@dataclass(frozen=True)
class Config:
    """What fixes the shape of every weight."""

    resolution: int = 128
    channels: tuple[int, ...] = (160, 112, 64, 32)  # small images to large
    style: int = 48
    manner: int = 64  # numbers in which the points speak to all pixels at once
    shapes: int = 12  # ways in which people's shapes differ
    crop: str = "tight"

    @property
    def side(self) -> int:
        return self.resolution >> len(self.channels)

    @property
    def size(self) -> int:
        return self.style + 2 * POINTS


# --- layers -------------------------------------------------------------------


def fields(points):
    """Return points (N, 70, 2) drawn as lines, (N, 32, 32, FIELDS), 1 on the line."""
    starts, ends = (ops.take(points, places, 1) for places in (STARTS, ENDS))
    distances = _distances(starts[:, :, None, None], ends[:, :, None, None])
    drawn, at = [], 0
    for line in LINES:
        near = ops.min(distances[:, at : at + len(line) - 1], 1)
        drawn += [ops.exp(-near / width) for width in WIDTHS]
        at += len(line) - 1
    return ops.stack(drawn, -1)


def _distances(starts, ends):
    """Return how far every pixel is from segments, (N, S, 32, 32)."""
    grid = (np.arange(DRAWN, dtype=np.float32) + 0.5) / DRAWN
    x, y = grid[None, :] - starts[..., 0], grid[:, None] - starts[..., 1]
    across, down = (ends[..., i] - starts[..., i] for i in (0, 1))
    length = ops.square(across) + ops.square(down) + 1e-8
    share = ops.clip((x * across + y * down) / length, 0.0, 1.0)
    gap = ops.square(x - share * across) + ops.square(y - share * down)
    return ops.sqrt(gap + 1e-8)


def sized(drawn, side: int):
    """Return fields at another size."""
    if side <= DRAWN:
        factor = DRAWN // side
        return drawn if factor == 1 else ops.average_pool(drawn, factor, factor)
    return ops.image.resize(drawn, (side, side), "bilinear")


class Painted(keras.layers.Layer):
    """Two convolutions around which the image passes, told of points and style."""

    def __init__(self, channels: int, width: int, **kw):
        super().__init__(**kw)
        name = self.name
        self.first = Convolution(
            channels, channels, activate=False, bias=False, name=f"{name}.first"
        )
        self.lines = Convolution(
            FIELDS, channels, 1, activate=False, bias=False, name=f"{name}.lines"
        )
        self.second = Convolution(channels, channels, name=f"{name}.second")
        self.bias = self.add_weight((channels,), "zeros", name="bias")
        self.told = Affine(width, 2 * channels, scale=0.3, name=f"{name}.told")
        self.built = True

    def call(self, images, drawn, style):
        inner = leaky(self.first(images) + self.lines(drawn), -self.bias)
        scale, shift = ops.split(self.told(style)[:, None, None], 2, -1)
        return (images + self.second(inner * (1 + scale) + shift)) / GAIN


# --- the generator ------------------------------------------------------------


class ExpressionMask(keras.Model):
    """Turns latents (N, style + 140) into images.

    It also knows where people's styles and shapes lie: `people` holds the principal
    axes of both together, `shape_mean` and `shape_axes` the faces that the last
    numbers stand for, `between` and `within` how shapes vary between people and
    within one person, in hundredths of the crop, since half precision ends there.
    """

    def __init__(self, config: Config, **kw):
        super().__init__(**kw)
        self.config, self.resolution = config, config.resolution
        self.crop, self.latent_shape = config.crop, (config.size,)
        channels, side = config.channels, config.side
        self.start = self.add_weight(
            (side, side, channels[0]), "random_normal", name="start"
        )
        manner, width = config.manner, config.style + config.manner
        self.look = Affine(2 * POINTS, manner, activate=True, name="look")
        self.speak = Affine(manner, manner, activate=True, name="speak")
        self.stages, self.doubles = [], []
        for i, count in enumerate(channels):
            self.stages.append(Painted(count, width, name=f"painted{i}"))
            if i + 1 < len(channels):
                double = Doubling(count, channels[i + 1], name=f"double{i}")
                self.doubles.append(double)
        self.last = Doubling(channels[-1], 3, 3, activate=False, name="last")
        self._know(config)
        self.built = True

    def _know(self, config: Config) -> None:
        count = config.style + config.shapes
        shapes = {
            "people_mean": (count,),
            "people": (count, count),
            "shape_mean": (2 * POINTS,),
            "shape_axes": (config.shapes, 136),
            "between": (136, 136),
            "within": (136, 136),
        }
        for name, shape in shapes.items():
            weight = self.add_weight(shape, "zeros", trainable=False, name=name)
            setattr(self, name, weight)

    @property
    def mean_latent(self):
        style = self.people_mean[: self.config.style]
        return ops.concatenate([style, ops.convert_to_tensor(self.shape_mean)])

    @property
    def shapes(self) -> dict[str, np.ndarray]:
        """Where people's shapes lie, and how they vary."""
        names = "shape_mean", "between", "within"
        return {name: _array(getattr(self, name)) for name in names}

    def call(self, latents):
        return self.decode(latents)

    def decode(self, latents):
        """Return the images (N, R, R, 3) of latents."""
        latents = checked(latents, self.config.size, "an expression mask")
        points = ops.reshape(latents[:, self.config.style :], (-1, POINTS, 2))
        return self.paint(latents[:, : self.config.style], points)

    def paint(self, styles, points):
        """Return images of styles (N, S) and points (N, 70, 2)."""
        points = ops.cast(points, "float32")
        moved = 10 * ops.reshape(points - 0.5, (-1, 2 * POINTS))
        manner = self.speak(self.look(moved))
        style = ops.concatenate([ops.cast(styles, manner.dtype), manner], 1)
        drawn = ops.cast(fields(points), manner.dtype)
        images = ops.cast(self.start, manner.dtype)[None]
        for i, stage in enumerate(self.stages):
            images = stage(images, sized(drawn, images.shape[1]), style)
            if i < len(self.doubles):
                images = self.doubles[i](images)
        return ops.cast(self.last(images), "float32")

    def sample(self, count: int, *, seed: int):
        """Draw people with faces at rest, looking ahead."""
        drawn = [self.person(seed + i) for i in range(count)]
        styles, shapes = (np.stack(parts) for parts in zip(*drawn, strict=True))
        points = _array(self.shape_mean)[None].repeat(count, 0)
        points[:, :136] += shapes.reshape(count, -1)
        return ops.convert_to_tensor(np.concatenate([styles, points], 1))

    def person(self, seed: int, other: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """Return the style (S,) and the shape (68, 2), off the mean, of a person.

        Args:
            other: another person of the same seed, for each number.
        """
        known = self.people_mean, self.people, self.shape_axes
        return person(*map(_array, known), seed, other)

    def penalty(self, latents):
        """Return the mean square of each style: the prior is the unit normal."""
        return ops.mean(ops.square(latents[:, : self.config.style]), 1)


def _array(weight) -> np.ndarray:
    return ops.convert_to_numpy(ops.copy(weight.value))
