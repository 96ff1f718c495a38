"""A model: the networks that belong together under one name, ready for use."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from keras import ops
from numpy.typing import NDArray

from generators.gradients import compiled
from pretrained import dlib_files
from pretrained.loading import load, load_judge, load_traits
from pretrained.registry import Library, library
from retouch.contracts import Embedder, Encoder, Generator
from retouch.geometry import TEMPLATES, CropTemplate
from retouch.invert import Inverter
from scorers.descriptor import Descriptors
from scorers.judge import Judge
from scorers.latent import LatentTraits

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Model:
    """A generator with its encoder and its readers of traits."""

    name: str
    generator: Generator
    encoder: Encoder | None = None
    traits: LatentTraits | None = None
    guide: Judge | None = None  # reads traits of pictures while an edit climbs
    judge: Judge | None = None  # says what came of it, and guides nothing
    identity: Embedder = field(default_factory=dlib_files.identity)

    @classmethod
    def load(cls, name: str = "default", weights: Library | None = None) -> "Model":
        """Return the model of that name with whatever companions are known."""
        shelf = weights or library()
        generator = load(shelf, name, "generator")
        names = {row.name for row in shelf.rows()}
        encoder = f"{name}-encoder"
        traits = f"{name}-traits"
        return cls(
            name,
            generator,
            load(shelf, encoder, "encoder") if encoder in names else None,
            load_traits(shelf, traits) if traits in names else None,
            load_judge(shelf, "guide") if "guide" in names else None,
            load_judge(shelf, "judge") if "judge" in names else None,
        )

    @cached_property
    def descriptors(self) -> Descriptors:
        """dlib's own descriptors, for reports."""
        return Descriptors(dlib_files.locate(dlib_files.DESCRIPTOR))

    @property
    def template(self) -> CropTemplate:
        return TEMPLATES[self.generator.crop]

    @cached_property
    def inverter(self) -> Inverter:
        return Inverter(self.generator, self.encoder, self.identity)

    @cached_property
    def _decode(self):
        return compiled(self.generator.decode)

    def decode(self, latents: Floats) -> Floats:
        """Return the generator's pictures of latents, (N, R, R, 3) in [-1, 1]."""
        return ops.convert_to_numpy(self._decode(ops.convert_to_tensor(latents)))
