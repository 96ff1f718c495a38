"""What decides how the variational networks are trained; loads no Keras."""

from dataclasses import dataclass

from retouch.errors import SettingsError
from retouch.settings import option

# What a CVAE's decoder is told, in the order of its latent's tail. The last ones are
# told so that an edit keeps them; they are no directions to move in.
CONDITIONS = (
    "happy", "age", "gender", "attractive", "weight", "glasses", "beard",
    "eye_makeup", "yaw", "light", "skin-color",
)  # fmt: skip


def _check(config) -> None:
    if config.batch < 4 or config.batch % 4:
        raise SettingsError(f"batch must be a multiple of 4; got {config.batch}.")
    if config.images < config.batch:
        raise SettingsError(
            f"images must be at least one batch, {config.batch}; got {config.images}."
        )


@dataclass(frozen=True)
class VAEConfig:
    """How a VAE learns; the last six count for a conditional one alone."""

    images: int = option(90_000, "How many images to see in all.")
    batch: int = option(16, "Images a step.")
    rate: float = option(1.2e-3, "Step size of Adam.")
    warm_up: int = option(200, "Steps in which the step size grows to that.")
    seed: int = option(0, "The seed of whatever is random.")
    average: float = option(0.998, "Decay of the moving average that ships.")
    clip: float = option(1.0, "Bound of the gradient's norm.")
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

    def __post_init__(self) -> None:
        _check(self)


@dataclass(frozen=True)
class VQConfig:
    """How a VQ-VAE learns."""

    images: int = option(80_000, "How many images to see in all.")
    batch: int = option(16, "Images a step.")
    rate: float = option(1.2e-3, "Step size of Adam.")
    warm_up: int = option(200, "Steps in which the step size grows to that.")
    seed: int = option(0, "The seed of whatever is random.")
    average: float = option(0.998, "Decay of the moving average that ships.")
    clip: float = option(1.0, "Bound of the gradient's norm.")
    commitment: float = option(0.25, "Weight of staying near the codes.")
    revive: int = option(500, "Steps after which unused codes begin anew.")
    edges: float = option(1.0, "Weight of edges at three scales.")
    chroma: float = option(1.0, "Weight of hue at an eighth of the size.")
    contrast: float = option(0.2, "Weight of each picture's mean and deviation.")

    def __post_init__(self) -> None:
        _check(self)


@dataclass(frozen=True)
class PriorConfig:
    """How the prior of a VQ-VAE's codes learns."""

    images: int = option(24_000, "How many images to see in all.")
    batch: int = option(16, "Images a step.")
    rate: float = option(1e-3, "Step size of Adam.")
    warm_up: int = option(100, "Steps in which the step size grows to that.")
    seed: int = option(0, "The seed of whatever is random.")
    untold: float = option(0.1, "Part of the pictures whose conditions are not told.")

    def __post_init__(self) -> None:
        _check(self)
