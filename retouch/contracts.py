"""The roles that networks and edits play; they satisfy these by shape alone."""

from typing import Any, Protocol

Tensor = Any  # a tensor of whatever backend Keras runs on


class Generator(Protocol):
    """Turns latents into images."""

    resolution: int
    crop: str  # the name of the CropTemplate it was trained on
    latent_shape: tuple[int, ...]
    mean_latent: Tensor

    def decode(self, latents: Tensor) -> Tensor:
        """Return images, (N, R, R, 3) in [-1, 1], differentiable in the latents."""

    def sample(self, count: int, *, seed: int) -> Tensor:
        """Draw latents from the prior."""

    def penalty(self, latents: Tensor) -> Tensor:
        """Say for each latent how far it lies from the prior, (N,)."""


class Encoder(Protocol):
    """Turns images into latents.

    One that the generator undoes exactly says so by `exact = True`: then no search
    follows its guess. One that gains by seeing its own copies says how often it should
    look at them, by `looks = 3`.
    """

    def encode(self, images: Tensor) -> Tensor:
        """Return latents, (N, *latent_shape)."""


class Scorer(Protocol):
    """Turns latents or images into named numbers."""

    names: tuple[str, ...]
    reads: str  # "latents" or "images"

    def score(self, inputs: Tensor) -> Tensor:
        """Return scores in standard deviations of the population, (N, names)."""


class Embedder(Protocol):
    """Turns images into vectors whose distance says how alike two people are."""

    def embed(self, images: Tensor) -> Tensor:
        """Return embeddings, (N, D)."""

    def aims(self, images: Tensor) -> list[Tensor]:
        """Return what `likeness` compares pictures with, computed once."""

    def likeness(self, images: Tensor, aims: list[Tensor]) -> Tensor:
        """Return how far images are from the aims, (N,), differentiable."""

    def gaps(self, images: Tensor, aims: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Return the same in two parts: of looks and of the person, (N,) each."""


class Edit(Protocol):
    """Moves the latents of faces; strength 0 moves nothing, exactly."""

    def apply(self, generator: Generator, view: Any, strength: float) -> Tensor:
        """Return the moved latents of a `retouch.edits.edit.View`."""
