"""What decides how data are made and a generator is trained; loads no Keras."""

from dataclasses import dataclass

from retouch.errors import SettingsError
from retouch.settings import option


@dataclass(frozen=True)
class Recipe:
    """How crops are framed, and what a picture must offer to be kept."""

    crop: str = option("tight", "The framing.", choices=("tight", "ffhq"))
    resolution: int = option(128, "Pixels a side.")
    enlarged: float = option(1.7, "How many times a face may be enlarged, at most.")
    covered: float = option(0.8, "Part of the crop inside the picture, at least.")
    astray: float = option(0.09, "Eyes off their places, in sides, at most.")
    sharp: float = option(0.13, "Laplacian against contrast, at least.")
    colourful: float = option(0.07, "Saturation, at least: greys teach no colours.")

    def __post_init__(self) -> None:
        if self.crop not in ("tight", "ffhq"):
            raise SettingsError(f"crop is one of tight, ffhq; got '{self.crop}'.")
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
class Config:
    """Everything that decides what is learnt, besides pictures and networks."""

    images: int = option(400_000, "How many images to see in all.")
    batch: int = option(16, "Images a step.")
    rate: float = option(6e-4, "Step size of Adam.")
    warm_up: int = option(500, "Steps in which the step size grows to that.")
    seed: int = option(0, "The seed of whatever is random.")
    average: float = option(0.999, "Decay of the moving average that ships.")
    clip: float = option(1.0, "Bound of the gradient's norm.")
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
        if self.batch < 4 or self.batch % 4:
            raise SettingsError(f"batch must be a multiple of 4; got {self.batch}.")
        if not 0 <= self.mixed < self.batch:
            raise SettingsError(
                f"mixed must lie in [0, {self.batch - 1}], below the batch;"
                f" got {self.mixed}."
            )
        if self.images < self.batch:
            raise SettingsError(
                f"images must be at least one batch, {self.batch}; got {self.images}."
            )
