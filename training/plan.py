"""The shapes of the networks that are trained together."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import keras

from encoders import compact
from generators import stylegan2
from retouch.errors import SettingsError, WeightsError

GENERATOR = stylegan2.Config(
    resolution=128,
    channels=(320, 224, 112, 56, 24),
    width=256,
    depth=0,
    code=24,
    noise=False,
    crop="tight",
)
ENCODER = compact.Config(
    resolution=128,
    channels=(40, 96, 176, 320),
    layers=GENERATOR.layers,
    width=GENERATOR.width,
    code=GENERATOR.code,
)
DISCRIMINATOR = (16, 32, 64, 128, 192, 192)


@dataclass(frozen=True)
class Plan:
    """Generator, encoder and discriminator; the default is what ships."""

    generator: stylegan2.Config = GENERATOR
    encoder: compact.Config = ENCODER
    discriminator: tuple[int, ...] = DISCRIMINATOR

    def __post_init__(self) -> None:
        one, other = self.generator, self.encoder
        made = (other.resolution, other.layers, other.width, other.code, other.side)
        wanted = (one.resolution, one.layers, one.width, one.code, one.start)
        if made != wanted:
            raise SettingsError(
                "The encoder's resolution, layers, width, code and its side must be"
                f" the generator's, {wanted}; got {made}."
            )
        if one.noise:
            raise SettingsError(
                "noise must be False: a training does not keep the fields of noise."
            )

    def write(self, folder: Path, **beside) -> None:
        """Write the plan, and what else is to stand beside it, as config.json."""
        text = json.dumps({"plan": asdict(self), **beside}, indent=2)
        (folder / "config.json").write_text(text + "\n", "utf-8")

    @classmethod
    def read(cls, folder: Path) -> "Plan":
        """Read the plan of a run."""
        path = folder / "config.json"
        if not path.exists():
            raise WeightsError(
                f"{folder} is no folder of a training: it has no config.json. Begin"
                f" one: retouch train generator DATA {folder}"
            )
        plan = json.loads(path.read_text("utf-8"))["plan"]
        return cls(
            stylegan2.Config(**_frozen(plan["generator"])),
            compact.Config(**_frozen(plan["encoder"])),
            tuple(plan["discriminator"]),
        )

    def networks(self) -> tuple[stylegan2.StyleGAN2, compact.Compact]:
        """Return a new generator and a new encoder."""
        generator = stylegan2.StyleGAN2(self.generator, name="generator")
        return generator, compact.Compact(self.encoder, name="encoder")


def learnt(generator: keras.Model, encoder: keras.Model) -> list[keras.Variable]:
    """Return the variables that a training moves, in the order of its state."""
    return [*encoder.trainable_variables, *generator.trainable_variables]


def _frozen(record: dict) -> dict:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in record.items()}
