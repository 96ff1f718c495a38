"""Inversion: the encoder's guess, then optimisation of the latents.

An encoder that gains by it sees its copy of an image, too: by as much as the latents
of the copy differ from those of the image, its guess moves the other way.
Where a generator has no encoder the search starts at its mean latent, with the
learning rate ramping up and down as in the StyleGAN2 projector (Karras et al.,
2020). The best latent seen of each face is kept, the guess among them.
"""

from collections.abc import Callable, Iterator
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pretrained import forward_models
from pretrained.forward_models import Run, as_array, on_arrays, with_slopes
from retouch.contracts import (
    Embedder,
    Encoder,
    Generator,
    Looking,
    Styled,
    Swift,
    exact,
)
from retouch.errors import FaceError, SettingsError
from retouch.inversion import memory
from retouch.inversion.plan import Inversion, Plan, joined
from retouch.inversion.search import Losses, searched
from retouch.presets import BALANCED, SPACES, Preset

Floats = NDArray[np.float32]
OnStep = Callable[[float, Floats], None]  # the part done; the loss of each face

TAKEN_BACK = 0.6  # part of an encoder's error; of 1.0 it gains less, and then loses
TOGETHER = 4  # faces of 128 px that are searched for at once; a power of two


class Inverter:
    """Turns images into latents; what it has prepared is reused for every photo."""

    def __init__(
        self,
        generator: Generator,
        encoder: Encoder | None = None,
        identity: Embedder | None = None,
        *,
        half: bool | None = False,
    ):
        """Prepare for photos.

        Args:
            half: let the generator in half precision lead searches; None: where that
                is quick.
        """
        self.generator, self.identity = generator, identity
        # A flow undoes itself: it is its own encoder.
        own = encoder or generator
        self.encoder = own if isinstance(own, Encoder) else None
        self._looks = encoder.looks if isinstance(encoder, Looking) else 0
        self._half = half

    @cached_property
    def unlikeness(self) -> Losses:
        """What tells a search the way; networks that are not written load Keras."""
        written = isinstance(self.generator, forward_models.Generator)
        if written and isinstance(self.identity, forward_models.Embedder):
            from retouch.inversion.written_losses import WrittenLosses

            return WrittenLosses(self.generator, self.identity)
        own, identity = with_slopes(self.generator), with_slopes(self.identity)
        from generators.gradients import quick_halves
        from retouch.inversion.keras_losses import KerasLosses

        half = quick_halves() if self._half is None else self._half
        swift = own.swift() if half and isinstance(own, Swift) else None
        return KerasLosses(own, identity, swift)

    @cached_property
    def _encode(self) -> Run | None:
        return on_arrays(self.encoder, "encode") if self.encoder else None

    @cached_property
    def _decode(self) -> Run:
        return on_arrays(self.generator, "decode")

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
            mean = as_array(self.generator.mean_latent)
            return np.repeat(mean[None], len(images), 0)
        found = []
        for group in self.groups(len(images)):
            now = first = self._encode(images[group])
            for _ in range(looks):
                # What the encoder misses in their pictures is taken back.
                now = now + TAKEN_BACK * (first - self._encode(self._decode(now)))
            found.append(now)
        return np.concatenate(found)

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
        plan = Plan(preset, steps, space, keep, self._encode is not None)
        latents = self.guess(images) if start is None else start
        latents = self._within(latents, space)
        if steps == 0:
            none = np.zeros((0, len(images)), np.float32)
            return Inversion(latents, none, np.repeat(latents[None], min(keep, 1), 0))
        with memory.enough_for(self.generator.resolution):
            return self._searched(plan, (images, masks, latents), on_step)

    def losses(
        self, latents: Floats, images: Floats, masks: Floats, preset: Preset = BALANCED
    ) -> Floats:
        """Return how far the pictures of latents are from images, (N,)."""
        plan = Plan(preset, 0, "w+", 0, True)
        return self._searched(plan, (images, masks, latents), None).losses[0]

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
        if space == "w" and not isinstance(self.generator, Styled):
            raise SettingsError(
                "This model has no styles, so that only its own latents can be searched"
                " for. Leave out --space w, or use a StyleGAN2."
            )
        if not np.isfinite(images).all():
            raise FaceError("A face's pixels are not all finite numbers; check them.")

    def _within(self, latents: Floats, space: str) -> Floats:
        if space == "w+":
            return latents
        return on_arrays(self.generator, "tied")(latents)

    def _searched(
        self, plan: Plan, parts: tuple[Floats, ...], on_step: OnStep | None
    ) -> Inversion:
        """Search group by group; after an interrupt the rest stay as they are."""
        count, done, found = len(parts[0]), 0, []
        for group in self.groups(count):
            size = group.stop - group.start

            def say(i: int, losses: Floats, done: int = done, size: int = size) -> None:
                if on_step is not None:
                    on_step((done + size * (i + 1) / plan.length) / count, losses)

            own = [part[group] for part in parts]
            found.append(searched(self.unlikeness, plan, own, say))
            done += size
            if found[-1].interrupted:
                break
        rest = parts[2][done:]
        return joined(found, rest)
