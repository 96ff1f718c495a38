"""Learn moves from people: what latents tell of traits, and what is typical of them.

    retouch train moves SHARDS [--model default]

Two networks, in minutes and without a GPU. The *reader* is fitted to traits of crops
and of their mirror images; what is *typical* to the latents of people, by plain squared
error, given the traits that the reader sees. Noise on what goes in keeps both smooth.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from scorers.moves import Moves

Floats = NDArray[np.float32]
MIRRORED = ("yaw", "light-side")  # traits that a mirror turns round
PREDICTED = 512  # people at once
NEAR, WIDE, STYLES, ALL = 64, 48, 256, 384  # units of the reader,
HIDDEN = (256, 256, 512)  # and of what is typical
GAIN = 2**0.5  # keeps the variance through leaky ReLU


@dataclass(frozen=True)
class Recipe:
    """How long is learnt, how fast, and how much noise goes in."""

    reading: int = 1600  # steps of the reader, in batches of
    read_at_once: int = 64
    expecting: int = 3500  # steps of what is typical, in batches of
    expect_at_once: int = 128
    rate: float = 1e-3  # falls along a cosine
    noise: float = 0.18  # on latents, in deviations
    blur: float = 0.1  # on traits, in deviations
    drop: float = 0.3
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Crowd:
    """People's latents and traits, and how often each is drawn."""

    latents: Floats  # (N, rows, width)
    mirrored: Floats
    traits: Floats  # (N, traits); NaN where one is not known
    names: tuple[str, ...]
    weights: Floats  # (N,)
    styles: int  # rows of a latent; the rest is a code
    side: int = 0  # of the code, in places; 0: there is none
    soft: NDArray[np.bool_] | None = None  # who teaches reading alone

    @property
    def turned(self) -> Floats:
        """The traits in a mirror."""
        signs = np.where(np.isin(self.names, MIRRORED), -1, 1)
        return (self.traits * signs).astype(np.float32)

    @property
    def sharp(self) -> Floats:
        """How often each is drawn where pictures count."""
        return self.weights if self.soft is None else self.weights * ~self.soft


def learn(crowd: Crowd, recipe: Recipe = Recipe()) -> Moves:
    """Return the moves of a crowd."""
    keras.utils.set_random_seed(recipe.seed)
    mean, spread = _scales(crowd)
    unit = np.concatenate([crowd.latents, crowd.mirrored]) - mean
    unit /= spread
    told = np.concatenate([crowd.traits, crowd.turned])
    reader, typical = _reader(crowd, recipe), _typical(crowd, recipe)
    _fit(reader, (unit, told), crowd.weights, recipe, recipe.reading)
    seen = reader.predict(unit, batch_size=PREDICTED, verbose=0)
    pairs = seen, unit.reshape(len(unit), -1)
    _fit(typical, pairs, crowd.sharp, recipe, recipe.expecting)
    known = np.where(np.isnan(crowd.traits), seen[: len(crowd.traits)], crowd.traits)
    moves = Moves(
        crowd.names,
        np.corrcoef(known.T).astype(np.float32),
        mean,
        spread,
        np.ones(crowd.side**2, np.float32),
        _arrays(reader) | _arrays(typical),
        crowd.styles,
    )
    return replace(moves, rest=_rest(moves, crowd))


def _scales(crowd: Crowd) -> tuple[Floats, Floats]:
    """Return the mean of latents, one spread for styles and one for the code."""
    spread = crowd.latents.std(0).mean(1, keepdims=True)
    for rows in (slice(crowd.styles), slice(crowd.styles, None)):
        if spread[rows].size:
            spread[rows] = max(float(spread[rows].mean()), 1e-6)
    return crowd.latents.mean(0), spread


def _rest(moves: Moves, crowd: Crowd) -> Floats:
    """Return how far people are from what is typical of them, place by place."""
    total, count = np.zeros(crowd.side**2), int(crowd.sharp.astype(bool).sum())
    latents = crowd.latents[crowd.sharp > 0]
    for i in range(0, count if crowd.side else 0, PREDICTED):
        part = latents[i : i + PREDICTED]
        own = (part - moves.typical(moves.read(part)))[:, crowd.styles :]
        total += (own.reshape(len(part), crowd.side**2, -1) ** 2).mean(-1).sum(0)
    return np.sqrt(total / max(count, 1)).astype(np.float32)


# --- the networks -------------------------------------------------------------


def _leaky(x: Any) -> Any:
    return ops.leaky_relu(x, 0.2) * GAIN


def _dense(units: int, name: str, **more: Any) -> layers.Dense:
    start = keras.initializers.VarianceScaling(1.0, "fan_in", "normal")
    return layers.Dense(units, name=name, kernel_initializer=start, **more)


def _reader(crowd: Crowd, recipe: Recipe) -> keras.Model:
    latents = keras.Input(crowd.latents.shape[1:])
    noisy = layers.GaussianNoise(recipe.noise)(latents)
    styles = layers.Flatten()(noisy[:, : crowd.styles])
    parts = [_leaky(_dense(STYLES, "read.styles", use_bias=False)(styles))]
    if crowd.side:
        cells = noisy[:, crowd.styles :]
        channels = int(np.prod(cells.shape[1:])) // crowd.side**2
        cells = layers.Reshape((crowd.side, crowd.side, channels))(cells)
        for units, name in ((NEAR, "read.near"), (WIDE, "read.wide")):
            cells = layers.Conv2D(units, 3, padding="same", name=name)(cells)
            cells = _leaky(cells)
        parts.insert(0, layers.Flatten()(cells))
    both = layers.concatenate(parts) if crowd.side else parts[0]
    hidden = layers.Dropout(recipe.drop)(both)
    hidden = layers.Dropout(recipe.drop)(_leaky(_dense(ALL, "read.all")(hidden)))
    return keras.Model(latents, _dense(len(crowd.names), "read.out")(hidden))


def _typical(crowd: Crowd, recipe: Recipe) -> keras.Model:
    traits = keras.Input((len(crowd.names),))
    hidden = noisy = layers.GaussianNoise(recipe.blur)(traits)
    for units, name in zip(HIDDEN, ("first", "second", "third"), strict=True):
        hidden = _leaky(_dense(units, f"typical.{name}")(hidden))
    hidden = layers.Dropout(recipe.drop / 3)(hidden)
    size = int(np.prod(crowd.latents.shape[1:]))
    bent = _dense(size, "typical.out")(hidden)
    straight = _dense(size, "typical.straight", use_bias=False)(noisy)
    return keras.Model(traits, bent + straight)


def _arrays(network: keras.Model) -> dict[str, Floats]:
    """Return a network's weights by the names that moves have for them."""
    found = {}
    for layer in network.layers:
        for variable in layer.weights:
            ending = ".bias" if variable.name == "bias" else ""
            found[layer.name + ending] = ops.convert_to_numpy(variable.value)
    return found


# --- learning -----------------------------------------------------------------


def _fit(
    network: keras.Model,
    pairs: tuple[Floats, Floats],
    weights: Floats,
    recipe: Recipe,
    steps: int,
) -> None:
    """Fit a network to pairs, drawn as often as the weights of people say."""
    reads = steps == recipe.reading
    size = recipe.read_at_once if reads else recipe.expect_at_once
    rate = keras.optimizers.schedules.CosineDecay(recipe.rate, steps)
    adam = keras.optimizers.Adam(rate, beta_2=0.99, global_clipnorm=5.0)
    network.compile(adam, _known_alone if reads else "mean_squared_error")
    drawn = _batches(pairs, np.tile(weights, 2), size, recipe.seed)
    for _ in range(steps):
        network.train_on_batch(*next(drawn))


def _known_alone(told: Any, seen: Any) -> Any:
    """Return the Huber loss of what was told, not NaN."""
    known = ops.cast(ops.isfinite(told), "float32")
    error = ops.abs(ops.where(known > 0, told, seen) - seen)
    loss = ops.where(error < 1, 0.5 * error**2, error - 0.5)
    return ops.sum(loss * known, -1) / ops.maximum(ops.sum(known, -1), 1.0)


def _batches(
    pairs: tuple[Floats, Floats], weights: Floats, size: int, seed: int
) -> Iterator[tuple[Floats, Floats]]:
    rng, chance = np.random.default_rng(seed), np.cumsum(weights / weights.sum())
    while True:
        drawn = np.searchsorted(chance, rng.random(size))
        chosen = np.minimum(drawn, len(weights) - 1)
        yield pairs[0][chosen], pairs[1][chosen]
