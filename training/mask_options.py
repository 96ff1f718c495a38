"""What decides how the expression mask is trained; loads no Keras."""

from dataclasses import dataclass

from retouch.errors import SettingsError
from retouch.settings import option


@dataclass(frozen=True)
class MaskConfig:
    """Everything that decides what is learnt, besides pictures and networks."""

    images: int = option(64_000, "How many images to see in all.")
    batch: int = option(16, "Images a step.")
    rate: float = option(1.5e-3, "Step size of Adam.")
    warm_up: int = option(200, "Steps in which the step size grows to that.")
    seed: int = option(0, "The seed of whatever is random.")
    average: float = option(0.998, "Decay of the moving average that ships.")
    clip: float = option(1.0, "Bound of the gradient's norm.")
    divergence: float = option(1e-4, "Weight of what the style tells, in nats.")
    edges: float = option(1.0, "Weight of edges at three scales.")
    chroma: float = option(1.0, "Weight of hue at an eighth of the size.")
    likeness: float = option(0.1, "Weight of the identity network's features.")
    adversarial: float = option(0.03, "Weight of fooling the discriminator.")
    features: float = option(0.15, "Weight of the discriminator's features.")
    adversarial_from: int = option(20_000, "Images before the discriminator.")

    def __post_init__(self) -> None:
        if self.batch < 4 or self.batch % 4:
            raise SettingsError(f"batch must be a multiple of 4; got {self.batch}.")
        if self.images < self.batch:
            raise SettingsError(
                f"images must be at least one batch, {self.batch}; got {self.images}."
            )
