"""What decides how the flow is trained; loads no Keras."""

from dataclasses import dataclass

from retouch.errors import SettingsError
from retouch.settings import option


@dataclass(frozen=True)
class Options:
    """Everything that decides what is learnt, besides pictures and network."""

    images: int = option(1_000_000, "How many images to see in all.")
    batch: int = option(32, "Images a step.")
    rate: float = option(1e-3, "Step size of Adam.")
    warm_up: int = option(200, "Steps in which the step size grows to that.")
    seed: int = option(0, "The seed of whatever is random.")
    average: float = option(0.998, "Decay of the moving average that ships.")
    clip: float = option(1.0, "Bound of the gradient's norm, in bits.")

    def __post_init__(self) -> None:
        if self.batch < 1 or self.images < self.batch:
            raise SettingsError(
                "images must be at least one batch of at least 1;"
                f" got {self.images} and {self.batch}."
            )
