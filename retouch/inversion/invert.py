"""Inversion: the encoder's guess, then optimisation of the latents.

An encoder that gains by it sees its copy of an image, too: by as much as the latents
of the copy differ from those of the image, its guess moves the other way.
Where a generator has no encoder the search starts at its mean latent, with the
learning rate ramping up and down as in the StyleGAN2 projector (Karras et al.,
2020). The best latent seen of each face is kept, the guess among them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from generators.adam import Adam
from generators.gradients import OUT_OF_MEMORY, compiled, differentiate
from retouch.contracts import (
    Embedder,
    Encoder,
    Generator,
    Looking,
    Styled,
    Tensor,
    exact,
)
from retouch.errors import FaceError, SettingsError
from retouch.inversion import memory
from retouch.presets import BALANCED, PUBLISHED, SPACES, Preset
from scorers.pixels import unlikeness

Floats = NDArray[np.float32]
OnStep = Callable[[float, Floats], None]  # the part done; the loss of each face

TAKEN_BACK = 0.6  # part of an encoder's error; of 1.0 it gains less, and then loses
TOGETHER = 4  # faces of 128 px that are searched for at once; a power of two


@dataclass(frozen=True, eq=False)
class Inversion:
    """The latents of faces and the way to them."""

    latents: Floats  # (N, *latent_shape)
    losses: Floats  # (steps + 1, N), the guess's first; NaN where none was taken
    way: Floats  # (K, N, *latent_shape): the best from the guess on, if kept
    interrupted: bool = False

    @property
    def least(self) -> Floats:
        """The loss of each face's latents, (N,); infinite if there was no search."""
        known = np.where(np.isnan(self.losses), np.inf, self.losses)
        return known.min(0, initial=np.inf)


class Inverter:
    """Turns images into latents; its compiled step is reused for every photo."""

    def __init__(
        self,
        generator: Generator,
        encoder: Encoder | None = None,
        identity: Embedder | None = None,
        swift: Generator | None = None,
    ):
        """Prepare for searches.

        Args:
            swift: the generator in half precision: it leads the search, while what
                comes of it is drawn in full.
        """
        self.generator: Any = generator
        self.identity = identity
        self._led_by: Any = swift or generator
        # A flow undoes itself: it is its own encoder.
        own = encoder or generator
        self.encoder: Any = own if isinstance(own, Encoder) else None
        self._encode = compiled(self.encoder.encode) if self.encoder else None
        self._look_again = compiled(self._corrected)
        self._looks = encoder.looks if isinstance(encoder, Looking) else 0
        self._styled = isinstance(generator, Styled)
        self._improve = compiled(self._step)
        # Short memories: 40 steps end at .206, with .9 and .99 at .215.
        self._adam = Adam(1.0, first=0.8, second=0.95)

    @property
    def exact(self) -> bool:
        """Whether the encoder undoes the generator, so that nothing can be gained."""
        return exact(self.encoder)

    def encode(self, images: Floats) -> Floats:
        """Return the encoder's latents, or the mean latent for each image."""
        return self._encoded(images, looks=0)

    def guess(self, images: Floats) -> Floats:
        """Return the latents that the encoder comes to by looking at its copies."""
        return self._encoded(images, self._looks)

    def _encoded(self, images: Floats, looks: int) -> Floats:
        if self._encode is None:
            mean = ops.convert_to_numpy(self.generator.mean_latent[None])
            return np.repeat(mean, len(images), 0)
        found = []
        for group in self.groups(len(images)):
            part = _tensor(images[group])
            now = first = self._encode(part)
            for _ in range(looks):
                now = self._look_again(now, first)
            found.append(ops.convert_to_numpy(now))
        return np.concatenate(found)

    def _corrected(self, latents: Tensor, first: Tensor) -> Tensor:
        """Take back of latents what the encoder misses in their pictures."""
        copies = self.encoder.encode(self.generator.decode(latents))
        return latents + TAKEN_BACK * (first - copies)

    def invert(
        self,
        images: Floats,
        masks: Floats,
        *,
        preset: Preset = BALANCED,
        steps: int | None = None,
        space: str = "w+",
        start: Floats | None = None,
        keep: int = 0,
        on_step: OnStep | None = None,
    ) -> Inversion:
        """Return latents of images (N, R, R, 3); only masked pixels count.

        An interrupt from the keyboard ends the search with the best so far.

        Args:
            steps: instead of the preset's.
            space: "w" has one style for all layers.
            keep: how many latents on the way from guess to result are wanted.
        """
        self._check(images, space)
        steps = 0 if self.exact else preset.steps if steps is None else steps
        search = _Search(preset, steps, space, keep, self._encode is not None)
        latents = self.guess(images) if start is None else start
        latents = self._within(latents, space)
        if steps == 0:
            none = np.zeros((0, len(images)), np.float32)
            return Inversion(latents, none, np.repeat(latents[None], min(keep, 1), 0))
        with memory.enough_for(self.generator.resolution), _explained(OUT_OF_MEMORY):
            return self._searched(search, (images, masks, latents), on_step)

    def losses(
        self, latents: Floats, images: Floats, masks: Floats, preset: Preset = BALANCED
    ) -> Floats:
        """Return how far the pictures of latents are from images, (N,)."""
        search = _Search(preset, 0, "w+", 0, True)
        parts = (images, masks, latents)
        return self._searched(search, parts, None).losses[0]

    def groups(self, count: int) -> Iterator[slice]:
        """Yield slices whose lengths are few, so that few steps are compiled."""
        most = TOGETHER * 128**2 // self.generator.resolution**2
        at, size = 0, 1 << max(most.bit_length() - 1, 0)
        while at < count:
            while size > count - at:
                size //= 2
            yield slice(at, at := at + size)

    def _check(self, images: Floats, space: str) -> None:
        if space not in SPACES:
            known = ", ".join(SPACES)
            raise SettingsError(f"The space is one of {known}; got '{space}'.")
        if space == "w" and not self._styled:
            raise SettingsError(
                "This model has no styles, so that only its own latents can be searched"
                " for. Leave out --space w, or use a StyleGAN2."
            )
        if not np.isfinite(images).all():
            raise FaceError("A face's pixels are not all finite numbers; check them.")

    def _within(self, latents: Floats, space: str) -> Floats:
        if space == "w+":
            return latents
        return ops.convert_to_numpy(self.generator.tied(_tensor(latents)))

    def _searched(
        self, search: "_Search", parts: tuple[Floats, ...], on_step: OnStep | None
    ) -> Inversion:
        """Search group by group; after an interrupt the rest stay as they are."""
        count, done, found = len(parts[0]), 0, []
        for group in self.groups(count):
            size = group.stop - group.start

            def say(i: int, losses: Floats, done: int = done, size: int = size) -> None:
                if on_step is not None:
                    on_step((done + size * (i + 1) / search.length) / count, losses)

            found.append(self._run(search, [part[group] for part in parts], say))
            done += size
            if found[-1].interrupted:
                break
        rest = parts[2][done:]
        return _joined(found, rest)

    def _run(
        self, search: "_Search", parts: list[Floats], say: Callable[[int, Floats], None]
    ) -> Inversion:
        images, masks, now = (_tensor(part) for part in parts)
        aims = self.identity.aims(images) if self.identity else []
        targets = [images, masks, *aims]
        best, least = now, ops.full((len(parts[0]),), np.inf, "float32")
        state, losses, way = self._adam.start([now]), [], []
        interrupted = False
        try:
            for i in range(search.length):
                now, state, best, least, loss = self._improve(
                    now, state, best, least, targets, search.knobs(i)
                )
                losses.append(ops.convert_to_numpy(loss))
                if i in search.kept:
                    way.append(ops.convert_to_numpy(best))
                say(i, losses[-1])
        except KeyboardInterrupt:
            interrupted = True
        if losses and not np.isfinite(ops.convert_to_numpy(least)).all():
            raise FaceError(
                "The search for a face's latents came to numbers that are not finite;"
                " the model's weights may be damaged: retouch models verify."
            )
        table = np.array(losses, np.float32).reshape(-1, len(parts[0]))
        snaps = np.array(way, np.float32).reshape(-1, *parts[2].shape)
        return Inversion(ops.convert_to_numpy(best), table, snaps, interrupted)

    def _step(
        self,
        now: Tensor,
        state: list[Any],
        best: Tensor,
        least: Tensor,
        targets: list[Tensor],
        knobs: list[Tensor],
    ) -> tuple[Tensor, list[Any], Tensor, Tensor, Tensor]:
        rate, tie, *weights = knobs

        def total(latents: Tensor) -> tuple[Tensor, Tensor]:
            return self._loss(latents, targets, tie, weights)

        (_, losses), slope = differentiate(total, now)
        better = losses < least
        least = ops.where(better, losses, least)
        wide = ops.reshape(better, (-1, *[1] * (len(now.shape) - 1)))
        best = ops.where(wide, self._tied(now, tie), best)
        adam = replace(self._adam, rate=rate)
        (moved,), state = adam.apply(state, [slope], [now])
        return moved, state, best, least, losses

    def _loss(
        self, latents: Tensor, targets: list[Any], tie: Tensor, weights: list[Any]
    ) -> tuple[Tensor, Tensor]:
        images, masks, *aims = targets
        pixels, edges, features, person, prior, deltas = weights
        latents = self._tied(latents, tie)
        copies = self._led_by.decode(latents)
        # What lies outside does not leak in through the coarser scales.
        difference = ops.where(masks > 0, copies - images, 0.0)
        area = ops.mean(masks, (1, 2, 3)) + 1e-6
        losses = unlikeness(difference, masks, edges, pixels)[0] / area
        losses += prior * self.generator.penalty(latents)
        if self._styled:
            apart = latents - self.generator.tied(latents)
            losses += deltas * ops.mean(ops.square(apart), (1, 2))
        if self.identity is not None:
            # Outside the mask the copy is not asked to be alike.
            seen = masks * copies + (1 - masks) * images
            look, who = self.identity.gaps(seen, aims)
            losses += features * look + person * who
        return ops.sum(losses), losses

    def _tied(self, latents: Tensor, tie: Tensor) -> Tensor:
        if not self._styled:
            return latents
        return latents + tie * (self.generator.tied(latents) - latents)


@dataclass(frozen=True)
class _Search:
    """One search's constants; all go into the compiled step as numbers."""

    preset: Preset
    steps: int
    space: str
    keep: int
    guessed: bool

    @property
    def length(self) -> int:
        """How many latents are looked at: the guess, and one after each step."""
        return self.steps + 1

    @property
    def kept(self) -> set[int]:
        """The steps whose best is kept, ever further apart."""
        if not self.keep:
            return set()
        ways = np.linspace(0, 1, max(self.keep, 2)) ** 2
        return {round(float(way) * self.steps) for way in ways}

    def knobs(self, step: int) -> list[Tensor]:
        schedule = self.preset.schedule if self.guessed else PUBLISHED
        numbers = (schedule.at(step, self.steps), float(self.space == "w"))
        return [_tensor(n) for n in (*numbers, *self.preset.weights.numbers)]


class _explained:
    """Turns the backend's word for too little memory into a sentence."""

    def __init__(self, kinds: tuple[type[BaseException], ...]):
        self.kinds = kinds

    def __enter__(self) -> None: ...

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if isinstance(error, self.kinds):
            raise SettingsError(
                "Memory ran out while a face was inverted. Close other programs, take"
                " --steps 0, or a model of fewer pixels."
            ) from None


def _joined(found: list[Inversion], rest: Floats) -> Inversion:
    """Join the groups' results; those after an interrupt are as they were."""
    longest = max(len(f.losses) for f in found)

    def filled(f: Inversion) -> Floats:
        rows = longest - len(f.losses)
        return np.pad(f.losses, ((0, rows), (0, 0)), constant_values=np.nan)

    table = [filled(f) for f in found]
    table.append(np.full((longest, len(rest)), np.nan, np.float32))
    stops = min(len(f.way) for f in found)
    way = [f.way[:stops] for f in found] + [np.repeat(rest[None], stops, 0)]
    return Inversion(
        np.concatenate([*(f.latents for f in found), rest]),
        np.concatenate(table, 1),
        np.concatenate(way, 1),
        any(f.interrupted for f in found),
    )


def _tensor(values: Any) -> Tensor:
    return ops.convert_to_tensor(np.asarray(values, np.float32))
