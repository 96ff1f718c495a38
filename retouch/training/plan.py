"""The shapes of the networks that are trained together, and which of them learn."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
from keras import ops

from encoders import compact
from generators import stylegan2
from pretrained.loading import load
from pretrained.registry import library
from retouch.contracts import Tensor
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

# For generators of other sizes: the last of these, as many as halve the picture.
READING = (8, 12, 16, 24, *ENCODER.channels)
JUDGING = (4, 8, 8, *DISCRIMINATOR)
READ = 256  # pixels: of larger pictures an encoder sees no more


@dataclass(frozen=True)
class Plan:
    """Generator, encoder and discriminator; the default is what ships."""

    generator: stylegan2.Config = GENERATOR
    encoder: compact.Config = ENCODER
    discriminator: tuple[int, ...] = DISCRIMINATOR
    model: str = ""  # of the library: its generator stays as it is; "" has it learn
    sha256: str = ""  # of that generator's weights

    def __post_init__(self) -> None:
        one, other = self.generator, self.encoder
        made = [other.layers, other.width, other.code]
        wanted = [one.layers, one.width, one.code]
        if one.code:  # its places are the picture's
            made += [other.resolution, other.side]
            wanted += [one.resolution, one.start]
        if made != wanted:
            raise SettingsError(
                "The encoder's layers, width, code and, with a code, its resolution"
                f" and side must be the generator's, {wanted}; got {made}."
            )
        if one.noise and not self.model:
            raise SettingsError(
                "noise must be False: a training does not keep the fields of noise."
            )

    @classmethod
    def of(cls, model: str) -> "Plan":
        """Return the plan of an encoder for a generator of the library."""
        row = library().row(model, "generator")
        if row.architecture != "stylegan2":
            raise SettingsError(
                "An encoder is trained for a generator of the StyleGAN2 family;"
                f" '{model}' is of the architecture '{row.architecture}'."
            )
        generator = stylegan2.Config(**_frozen(row.config))
        size = generator.resolution
        judging = JUDGING[1 - _halvings(size) :]
        return cls(generator, _encoder_of(generator), judging, model, row.sha256)

    def write(self, folder: Path, **beside: Any) -> None:
        """Write the plan, and what else is to stand beside it, as config.json."""
        if (folder / "config.json").exists() and self.read(folder) != self:
            raise SettingsError(
                f"{folder} holds a training of other networks, or for another"
                " generator. Train in another folder."
            )
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
            stylegan2.Config(**_frozen(plan.pop("generator"))),
            compact.Config(**_frozen(plan.pop("encoder"))),
            **_frozen(plan),
        )

    def networks(self) -> tuple[stylegan2.StyleGAN2, compact.Compact]:
        """Return the generator, new or of the library, and a new encoder."""
        if not self.model:
            generator = stylegan2.StyleGAN2(self.generator, name="generator")
            return generator, compact.Compact(self.encoder, name="encoder")
        if library().row(self.model, "generator").sha256 != self.sha256:
            raise WeightsError(
                f"'{self.model}' is no longer the generator that the encoder was"
                " trained for. Train another in a new folder: retouch train encoder."
            )
        generator = load(library(), self.model, "generator")
        encoder = compact.Compact(self.encoder, name="encoder")
        _settle(encoder, generator)
        return generator, encoder

    def learnt(
        self, generator: stylegan2.StyleGAN2, encoder: compact.Compact
    ) -> list[keras.Variable]:
        """Return the variables that a training moves, in the order of its state."""
        own = [] if self.model else generator.trainable_variables
        return [*encoder.trainable_variables, *own]


def _encoder_of(generator: stylegan2.Config) -> compact.Config:
    """Return what reads latents of a generator: the default's, for its size."""
    size, side = generator.resolution, generator.start
    if not generator.code:
        size = min(size, READ)
        side = min(ENCODER.side, size // 4)
    channels = READING[-_halvings(size // side) :]
    rows = generator.layers, generator.width, generator.code
    return compact.Config(size, channels, *rows)


def _halvings(size: int) -> int:
    return size.bit_length() - 1


def _settle(encoder: compact.Compact, generator: stylegan2.StyleGAN2) -> None:
    """Let a new encoder begin with latents that lie where the generator's do."""
    mean, spread = map(ops.convert_to_numpy, (generator.mean_latent, generator.spread))
    layers, code = generator.config.layers, generator.config.code
    styles = mean[:layers].mean(0)
    _scale(encoder.common, styles, spread[:layers].mean(0))
    encoder.deviation.bias.assign((mean[:layers] - styles).ravel())
    if code:
        cells = (rows[layers:].reshape(-1, code).mean(0) for rows in (mean, spread))
        _scale(encoder.place, *cells)


def _scale(layer: keras.layers.Layer, centre: Tensor, width: Tensor) -> None:
    layer.kernel.assign(layer.kernel * width)
    layer.bias.assign(centre)


def _frozen(record: dict[str, Any]) -> dict[str, Any]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in record.items()}
