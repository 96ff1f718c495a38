"""The roles that networks play; they satisfy these by shape alone.

What only some can do is a role of its own, asked for with isinstance.
"""

from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

Tensor = Any  # a tensor of whatever backend Keras runs on
OnStep = Callable[[str, float], None]  # told what is being done, the part of it done


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


@runtime_checkable
class Styled(Protocol):
    """A generator whose latents are styles of layers, one for each."""

    def tied(self, latents: Tensor) -> Tensor:
        """Return the latents with one style in all layers."""


@runtime_checkable
class Conditioned(Protocol):
    """A generator whose latents end with named traits, in deviations."""

    conditions: tuple[str, ...]


@runtime_checkable
class Swift(Protocol):
    """A generator that can lead a search in half precision."""

    def swift(self) -> Generator:
        """Return itself in half precision."""


@runtime_checkable
class Encoder(Protocol):
    """Turns images into latents."""

    def encode(self, images: Tensor) -> Tensor:
        """Return latents, (N, *latent_shape)."""


@runtime_checkable
class Exact(Protocol):
    """One that its generator undoes exactly: no search follows its guess."""

    exact: bool


@runtime_checkable
class Looking(Protocol):
    """An encoder that gains by seeing its own copies, and how often it should."""

    looks: int


class Embedder(Protocol):
    """Turns images into vectors whose distance says how alike two people are."""

    def embed(self, images: Tensor) -> Tensor:
        """Return embeddings, (N, D)."""

    def aims(self, images: Tensor) -> list[Tensor]:
        """Return what pictures are compared with, computed once."""

    def gaps(self, images: Tensor, aims: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Return how far images are from the aims, in looks and in person, (N,)."""


def conditions(generator: Generator) -> tuple[str, ...]:
    """Return the names of the traits that a generator is told."""
    return generator.conditions if isinstance(generator, Conditioned) else ()


def exact(network: Generator | Encoder | None) -> bool:
    """Return whether a network undoes another, so that nothing can be gained."""
    return isinstance(network, Exact) and network.exact
