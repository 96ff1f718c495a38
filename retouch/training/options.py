"""What decides how data are made and how each network is trained; loads no Keras."""

from dataclasses import dataclass, field, fields
from typing import Any

from retouch.errors import SettingsError
from retouch.settings import option

FRAMINGS = ("tight", "ffhq", "head")


def changed(parent: type, name: str, default: Any) -> Any:
    """Return the parent's option of that name with another default."""
    (known,) = (entry for entry in fields(parent) if entry.name == name)
    return field(default=default, metadata=known.metadata)


@dataclass(frozen=True)
class Recipe:
    """How crops are framed, and what a picture must offer to be kept."""

    crop: str = option("tight", "The framing.", choices=FRAMINGS)
    resolution: int = option(128, "Pixels a side.")
    enlarged: float = option(1.7, "How many times a face may be enlarged, at most.")
    covered: float = option(0.8, "Part of the crop inside the picture, at least.")
    astray: float = option(0.09, "Eyes off their places, in sides, at most.")
    sharp: float = option(0.13, "Laplacian against contrast, at least.")
    colourful: float = option(0.07, "Saturation, at least: greys teach no colours.")

    def __post_init__(self) -> None:
        if self.crop not in FRAMINGS:
            known = ", ".join(FRAMINGS)
            raise SettingsError(f"crop is one of {known}; got '{self.crop}'.")
        if not 16 <= self.resolution <= 1024:
            raise SettingsError(
                f"resolution must lie in [16, 1024]; got {self.resolution}."
            )
        if not (self.enlarged > 0 and 0 <= self.covered <= 1):
            raise SettingsError(
                "enlarged must be above 0 and covered lie in [0, 1];"
                f" got {self.enlarged} and {self.covered}."
            )


@dataclass(frozen=True)
class Learning:
    """What every training minds: how much it sees, and how large its steps are."""

    images: int = option(400_000, "How many images to see in all.")
    batch: int = option(16, "Images a step.")
    rate: float = option(6e-4, "Step size of Adam.")
    warm_up: int = option(200, "Steps in which the step size grows to that.")
    seed: int = option(0, "The seed of whatever is random.")
    average: float = option(0.998, "Decay of the moving average that ships.")
    clip: float = option(1.0, "Bound of the gradient's norm.")

    def __post_init__(self) -> None:
        if self.batch < 4 or self.batch % 4:
            raise SettingsError(f"batch must be a multiple of 4; got {self.batch}.")
        if self.images < self.batch:
            raise SettingsError(
                f"images must be at least one batch, {self.batch}; got {self.images}."
            )


@dataclass(frozen=True)
class FacesConfig(Learning):
    """How the default generator and its encoder learn."""

    warm_up: int = changed(Learning, "warm_up", 500)
    average: float = changed(Learning, "average", 0.999)
    latent_noise: float = option(0.2, "Noise on latents while learning.")
    prior: float = option(0.01, "Weight of the latents' square.")
    deviation: float = option(0.02, "Weight of the styles' distance from one w.")
    edges: float = option(1.0, "Weight of edges at three scales.")
    chroma: float = option(1.0, "Weight of hue at an eighth of the size.")
    likeness: float = option(0.0, "Weight of the identity network's features.")
    adversarial: float = option(0.0, "Weight of fooling the discriminator.")
    features: float = option(0.15, "Weight of the discriminator's features.")
    adversarial_from: int = option(150_000, "Images before the discriminator.")
    mixed: int = option(8, "Mixtures of two people judged beside each batch.")
    r1: float = option(2.0, "Weight of the discriminator's slope.")
    r1_every: int = option(16, "Steps between those penalties.")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.mixed < self.batch:
            raise SettingsError(
                f"mixed must lie in [0, {self.batch - 1}], below the batch;"
                f" got {self.mixed}."
            )


@dataclass(frozen=True)
class EncoderConfig(FacesConfig):
    """How an encoder learns for a generator that stays as it is."""

    images: int = changed(FacesConfig, "images", 100_000)
    latent_noise: float = changed(FacesConfig, "latent_noise", 0.0)
    likeness: float = changed(FacesConfig, "likeness", 0.1)
    adversarial_from: int = changed(FacesConfig, "adversarial_from", 50_000)


@dataclass(frozen=True)
class VAEConfig(Learning):
    """How a VAE learns; the last six count for a conditional one alone."""

    images: int = changed(Learning, "images", 90_000)
    rate: float = changed(Learning, "rate", 1.2e-3)
    divergence: float = option(3e-5, "Weight of the divergence from the prior.")
    free: float = option(0.1, "Nats of it that each unit has free.")
    anneal: int = option(20_000, "Images in which the divergence gains its weight.")
    edges: float = option(1.0, "Weight of edges at three scales.")
    chroma: float = option(1.0, "Weight of hue at an eighth of the size.")
    contrast: float = option(0.5, "Weight of each picture's mean and deviation.")
    likeness: float = option(0.0, "Weight of the identity network's features.")
    told: float = option(0.2, "Part told the table's attributes, not those read.")
    attributes: float = option(0.1, "Weight of reading attributes off pictures.")
    secrecy: float = option(0.1, "Weight of the free numbers not telling them.")
    moved: float = option(0.05, "Weight of showing a condition that was moved.")
    described: float = option(0.05, "Weight of dlib's descriptor showing it too.")
    steady: float = option(0.01, "Weight of the free numbers staying meanwhile.")


@dataclass(frozen=True)
class VQConfig(Learning):
    """How a VQ-VAE learns."""

    images: int = changed(Learning, "images", 80_000)
    rate: float = changed(Learning, "rate", 1.2e-3)
    commitment: float = option(0.25, "Weight of staying near the codes.")
    revive: int = option(500, "Steps after which unused codes begin anew.")
    edges: float = option(1.0, "Weight of edges at three scales.")
    chroma: float = option(1.0, "Weight of hue at an eighth of the size.")
    contrast: float = option(0.2, "Weight of each picture's mean and deviation.")


@dataclass(frozen=True)
class PriorConfig(Learning):
    """How the prior of a VQ-VAE's codes learns."""

    images: int = changed(Learning, "images", 24_000)
    rate: float = changed(Learning, "rate", 1e-3)
    warm_up: int = changed(Learning, "warm_up", 100)
    untold: float = option(0.1, "Part of the pictures whose conditions are not told.")


@dataclass(frozen=True)
class MaskConfig(Learning):
    """How the expression mask learns."""

    images: int = changed(Learning, "images", 64_000)
    rate: float = changed(Learning, "rate", 1.5e-3)
    divergence: float = option(1e-4, "Weight of what the style tells, in nats.")
    edges: float = option(1.0, "Weight of edges at three scales.")
    chroma: float = option(1.0, "Weight of hue at an eighth of the size.")
    likeness: float = option(0.1, "Weight of the identity network's features.")
    adversarial: float = option(0.03, "Weight of fooling the discriminator.")
    features: float = option(0.15, "Weight of the discriminator's features.")
    adversarial_from: int = option(20_000, "Images before the discriminator.")


@dataclass(frozen=True)
class GlowConfig(Learning):
    """How the flow learns."""

    images: int = changed(Learning, "images", 1_000_000)
    batch: int = changed(Learning, "batch", 32)
    rate: float = changed(Learning, "rate", 1e-3)


@dataclass(frozen=True)
class ParsingConfig(Learning):
    """How the parsing network is trained."""

    images: int = changed(Learning, "images", 30_000)
    average: float = changed(Learning, "average", 0.995)
    stay: float = option(
        0.0, "Part of the weights it began with, in what it hands out."
    )


@dataclass(frozen=True)
class FinisherConfig(Learning):
    """How the finisher is trained."""

    images: int = changed(Learning, "images", 96_000)
    batch: int = changed(Learning, "batch", 24)
    average: float = changed(Learning, "average", 0.9995)
    rate: float = changed(Learning, "rate", 4e-4)
    clip: float = changed(Learning, "clip", 5.0)
    width: int = option(32, "Channels of the network's first layers.")
    fool: float = option(1.0, "The critic's push, for what copies are pulled by.")


@dataclass(frozen=True)
class HealingConfig(Learning):
    """How the healing network is trained."""

    images: int = changed(Learning, "images", 60_000)
    average: float = changed(Learning, "average", 0.995)
