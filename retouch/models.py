"""A model: the networks that belong together under one name, ready for use.

Networks run forwards, on arrays; what needs their slopes asks for the model in Keras.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pretrained.forward_models import Embedder as ForwardEmbedder
from pretrained.forward_models import Run, load, on_arrays, with_slopes
from pretrained.loading import load_judge, load_moves, load_shape, load_traits
from pretrained.registry import Library, library
from retouch.contracts import Encoder, Generator
from retouch.geometry import TEMPLATES, CropTemplate
from retouch.inversion.invert import Inverter
from scorers.guide import Guide, Shape
from scorers.judge import Judge
from scorers.latent import LatentTraits
from scorers.moves import Moves

Floats = NDArray[np.float32]
KEPT = 32  # pictures that are not drawn anew


@dataclass(frozen=True, eq=False)
class Model:
    """A generator with its encoder and its readers of traits."""

    name: str
    generator: Generator
    encoder: Encoder | None = None
    traits: LatentTraits | None = None
    guide: Judge | None = None  # reads traits of pictures while an edit climbs
    judge: Judge | None = None  # says what came of it, and guides nothing
    identity: Any = field(default_factory=ForwardEmbedder)  # who it is, by dlib
    shape: Shape | None = None  # reads for the guide what the landmarks tell
    means: Mapping[str, Floats] = field(default_factory=dict)  # differences of means
    sha256: str = ""  # of the generator's weights
    moves: Moves | None = None  # as people go, learnt for these latents
    finisher: Any = None  # sharpens the mouths that the generator draws

    @classmethod
    def load(cls, name: str = "default", weights: Library | None = None) -> "Model":
        """Return the model of that name with whatever companions are known."""
        shelf = weights or library()
        generator = load(shelf, name, "generator")
        names = {row.name for row in shelf.rows()}
        encoder = f"{name}-encoder"
        traits = f"{name}-traits"
        moves, finisher = f"{name}-moves", f"{name}-finisher"
        return cls(
            name,
            generator,
            load(shelf, encoder, "encoder") if encoder in names else None,
            load_traits(shelf, traits) if traits in names else None,
            load_judge(shelf, "guide") if "guide" in names else None,
            load_judge(shelf, "judge") if "judge" in names else None,
            ForwardEmbedder(generator.crop),
            load_shape(shelf, "shape") if "shape" in names else None,
            _means(shelf, f"{name}-means") if f"{name}-means" in names else {},
            shelf.row(name, "generator").sha256,
            load_moves(shelf, moves) if moves in names else None,
            load(shelf, finisher, "finisher") if finisher in names else None,
        )

    @cached_property
    def in_keras(self) -> "Model":
        """The same model with networks whose slopes can be climbed; it loads Keras."""
        names = "generator", "encoder", "identity", "finisher"
        own = {name: with_slopes(getattr(self, name)) for name in names}
        same = all(own[name] is getattr(self, name) for name in names)
        return self if same else replace(self, **own)

    @property
    def template(self) -> CropTemplate:
        return TEMPLATES[self.generator.crop]

    @cached_property
    def sight(self) -> Guide | None:
        """What an edit climbs by: the guide's eyes, if all their parts are there."""
        if self.guide is None or self.shape is None:
            return None
        return Guide(self.identity, self.guide, self.shape)

    @cached_property
    def inverter(self) -> Inverter:
        return Inverter(self.generator, self.encoder, self.identity, half=None)

    @cached_property
    def _decode(self) -> Run:
        return on_arrays(self.generator, "decode")

    @cached_property
    def _embed(self) -> Run:
        return on_arrays(self.identity, "embed")

    @cached_property
    def _finish(self) -> Run:
        return on_arrays(self.finisher, "finish")

    @cached_property
    def _drawn(self) -> OrderedDict[tuple[bytes, bool], Floats]:
        return OrderedDict()

    def decode(self, latents: Floats) -> Floats:
        """Return the generator's pictures of latents, (N, R, R, 3) in [-1, 1]."""
        return self._decode(latents)

    def embed(self, images: Floats) -> Floats:
        """Return the embeddings of images, (N, D)."""
        return self._embed(images)

    def draw(self, latents: Floats, *, finished: bool = True) -> Floats:
        """Return the pictures of latents; those last drawn are at hand.

        Args:
            finished: with mouths made sharp, which roughens the skin around them.
        """
        keys = [(latent.tobytes(), finished) for latent in latents]
        # One by one: a picture depends on none beside it, and one size is compiled.
        drawn = [
            self._picture(key, latent[None])
            for key, latent in zip(keys, latents, strict=True)
        ]
        while len(self._drawn) > KEPT:
            self._drawn.popitem(last=False)
        return np.stack(drawn)

    def _picture(self, key: tuple[bytes, bool], latents: Floats) -> Floats:
        """Return the picture of one latent, (R, R, 3), anew or as it was drawn."""
        picture = self._drawn.pop(key, None)
        if picture is None:
            picture = self._anew(key, latents)
        self._drawn[key] = picture  # as the last one, whoever draws beside this
        return picture

    def _anew(self, key: tuple[bytes, bool], latents: Floats) -> Floats:
        if key[1] and self.finisher is not None:
            return self._finish(self._picture((key[0], False), latents)[None])[0]
        return self.decode(latents)[0]


def _means(shelf: Library, name: str) -> dict[str, Floats]:
    """Return differences of means by the traits' names."""
    names = shelf.row(name, "scorer").config["names"]
    return dict(zip(names, shelf.weights(name, "scorer")["vectors"], strict=True))
