"""The commands that train networks on pictures of one's own."""

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from pretrained import backend
from retouch.commands.options import with_options
from retouch.commands.train_data import data
from retouch.errors import SettingsError
from retouch.training.options import (
    EncoderConfig,
    FacesConfig,
    FinisherConfig,
    GlowConfig,
    HealingConfig,
    MaskConfig,
    ParsingConfig,
    PriorConfig,
    VAEConfig,
    VQConfig,
)

BACKENDS = ("keras", "tensorflow", "jax", "torch")
FOLDER: dict[str, Any] = {"exists": True, "file_okay": False}  # that must be there


class Training(TyperCommand):
    """Loads Keras quietly before its work, and says what to install where it lacks."""

    def invoke(self, ctx: Any) -> Any:
        backend.start()
        try:
            return super().invoke(ctx)
        except ImportError as error:
            if (error.name or "").partition(".")[0] not in BACKENDS:
                raise
            raise backend.missing(error) from None


app = typer.Typer(
    help="Train on pictures of your own.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command()(data)
training = partial(app.command, cls=Training)

Data = Annotated[Path, typer.Argument(help="Folder of shards: retouch train data.")]
RunFolder = Annotated[Path, typer.Argument(help="Folder of the training.")]
Minutes = Annotated[float, typer.Option(help="Stop then; started again, it goes on.")]
Precision = Annotated[
    str, typer.Option(help="Keras' policy: mixed_bfloat16 or float32.")
]
Licence = Annotated[str, typer.Option(help="Terms of the weights.")]
Handed = Annotated[
    Path | None, typer.Option(help="Folder for the network, once it is trained.")
]


@training()
@with_options(FacesConfig, "config")
def generator(
    data: Data,
    run: RunFolder,
    config: FacesConfig,
    minutes: Minutes = float("inf"),
    precision: Precision = "mixed_bfloat16",
    begin: Annotated[
        Path | None, typer.Option(help="A folder of exported networks to begin with.")
    ] = None,
) -> None:
    """Train a face generator and its encoder, or go on with it."""
    from retouch.training.stylegan2 import train as run_training

    run_training(data, run, config, minutes=minutes, precision=precision, begin=begin)


@training()
def moves(
    data: Data,
    model: Annotated[
        str, typer.Option(help="The generator with an encoder whose moves they are.")
    ] = "default",
    out: Annotated[
        Path | None, typer.Option(help="A folder; the library if none is named.")
    ] = None,
) -> None:
    """Learn from people how latents move with their traits: minutes, no GPU."""
    from retouch.training.crowd import teach_moves

    row = teach_moves(data, model, out)
    typer.echo(f"{row.name}: {len(row.config['names'])} traits")


@training()
@with_options(EncoderConfig, "config")
def encoder(
    data: Data,
    run: RunFolder,
    config: EncoderConfig,
    model: Annotated[
        str, typer.Option(help="Whose generator it is for; that stays as it is.")
    ] = "default",
    minutes: Minutes = float("inf"),
    precision: Precision = "mixed_bfloat16",
    begin: Annotated[
        str | None, typer.Option(help="An encoder of the library to begin with.")
    ] = None,
) -> None:
    """Train an encoder for a generator that there is, or go on with it."""
    from retouch.training.plan import Plan
    from retouch.training.stylegan2 import train as run_training

    run_training(
        data,
        run,
        config,
        minutes=minutes,
        precision=precision,
        plan=Plan.of(model),
        begin=begin,
    )


@training()
def export(
    data: Annotated[Path, typer.Argument(help="Folder of shards.")],
    run: RunFolder,
    out: Annotated[
        Path | None, typer.Argument(help="Folder for the networks; the library.")
    ] = None,
    name: Annotated[str, typer.Option(help="What the generator is called.")] = "own",
    licence: Licence = "unknown",
) -> None:
    """Write a training's generator and encoder as files that load."""
    from retouch.training.export.generator import export as hand_over
    from retouch.training.shards import Shards

    typer.echo(str(hand_over(run, Shards.read(data), out, name=name, licence=licence)))


@training()
def traits(
    data: Annotated[Path, typer.Argument(help="Folder of shards.")],
    networks: Annotated[Path, typer.Argument(help="Folder of exported networks.")],
    ratings: Annotated[str, typer.Option(help="NAME=FILE: judged traits of a source.")],
    labels: Annotated[str, typer.Option(help="NAME=FILE: labels of another.")],
) -> None:
    """Fit the reader of traits from latents, which guides edits."""
    from retouch.training.traits import main as fit

    pairs = map(_named, (ratings, labels))
    skill = fit(data, networks, *((name, Path(file)) for name, file in pairs))
    for way, known in skill.items():
        told = ", ".join(f"{name} {value:.2f}" for name, value in known.items())
        typer.echo(f"{way}: {told}")


@training()
def judges(
    data: Annotated[Path, typer.Argument(help="Folder of shards.")],
    out: Annotated[Path, typer.Argument(help="Folder for the guide and the judge.")],
    ratings: Annotated[
        list[str],
        typer.Option(help="NAME=FILE: a source's ratings; the first's of all traits."),
    ],
    labels: Annotated[str, typer.Option(help="NAME=FILE: labels of another.")],
    licence: Licence = "non-commercial research",
) -> None:
    """Fit the guide that edits climb, and the judge of what they do."""
    from retouch.training.judges import main as fit

    rated = {name: Path(file) for name, file in map(_named, ratings)}
    name, file = _named(labels)
    for way, known in fit(data, out, rated, (name, Path(file)), licence).items():
        told = ", ".join(f"{name} {value:.3f}" for name, value in known.items())
        typer.echo(f"{way}: {told}")


def _named(text: str) -> tuple[str, str]:
    name, _, file = text.partition("=")
    if not (name and file):
        raise SettingsError(
            f"A table is given as NAME=FILE, such as faces=ratings.csv; got '{text}'."
        )
    return name, file


@training()
def sight(
    data: Annotated[Path, typer.Argument(help="Folder of shards.")],
    networks: Annotated[Path, typer.Argument(help="Folder for the reader.")],
    licence: Licence = "unknown",
) -> None:
    """Fit the reader of a face's shape, by which a guide sees landmarks move."""
    from retouch.training.sight import main as fit

    skill = fit(data, networks, licence)
    typer.echo(f"shapes of faces held out are read with R² {skill:.2f}")


@training()
@with_options(GlowConfig, "options")
def glow(
    data: Data,
    run: RunFolder,
    options: GlowConfig,
    minutes: Minutes = float("inf"),
    precision: Precision = "mixed_bfloat16",
    out: Handed = None,
    name: Annotated[str, typer.Option(help="What the network is called.")] = "glow",
    licence: Licence = "unknown",
) -> None:
    """Train the flow, or go on with it."""
    from retouch.training.glow import train as run_training

    run_training(
        data,
        run,
        options,
        minutes=minutes,
        precision=precision,
        out=out,
        name=name,
        licence=licence,
    )


@training()
def scout(
    faces: Annotated[
        list[Path],
        typer.Argument(help="Folders of pictures of one upright face.", **FOLDER),
    ],
    without: Annotated[
        Path, typer.Option(help="Folder of pictures without faces.", **FOLDER)
    ],
    out: Annotated[Path, typer.Option(help="Folder for the weights.")],
    most: Annotated[int, typer.Option(help="Pictures of each folder.", min=10)] = 700,
    licence: Licence = "unknown",
) -> None:
    """Train the quick detectors of small and turned faces."""
    from retouch.training.scouting import train as fit

    typer.echo(fit(faces, without, out, most, licence))


@training()
@with_options(ParsingConfig, "options")
def parsing(
    data: Annotated[list[Path], typer.Argument(help="Folders of shards.")],
    run: Annotated[Path, typer.Option(help="Folder of the training.")],
    masks: Annotated[
        Path,
        typer.Option(help="Folder of pictures and masks drawn by hand.", **FOLDER),
    ],
    options: ParsingConfig,
    outlines: Annotated[
        Path | None, typer.Option(help="Table of what lies in front of faces.")
    ] = None,
    pictures: Annotated[
        Path | None, typer.Option(help="Folder of the pictures that table names.")
    ] = None,
    minutes: Minutes = float("inf"),
    begin: Annotated[
        Path | None,
        typer.Option(help="A parsing network, or EfficientNet-Lite0 for the trunk."),
    ] = None,
    teacher: Annotated[
        Path | None, typer.Option(help="A run whose word is taken where it is sure.")
    ] = None,
    out: Handed = None,
    licence: Licence = "unknown",
) -> None:
    """Train the network that tells a face's parts, or go on with it."""
    from retouch.training.parsing import train as run_training

    run_training(
        data,
        run,
        options,
        masks=masks,
        outlines=outlines,
        pictures=pictures,
        minutes=minutes,
        begin=begin,
        teacher=teacher,
        out=out,
        licence=licence,
    )


@training()
@with_options(FinisherConfig, "options")
def finisher(
    data: Data,
    run: RunFolder,
    options: FinisherConfig,
    eyes: Annotated[
        Path, typer.Option(help="An EfficientNet-Lite0 as .npz, its norms folded in.")
    ],
    model: Annotated[
        str, typer.Option(help="The generator whose mouths it is to sharpen.")
    ] = "default",
    minutes: Minutes = float("inf"),
    precision: Precision = "mixed_bfloat16",
    out: Handed = None,
    licence: Licence = "unknown",
) -> None:
    """Train what makes drawn mouths sharp, or go on with it."""
    from retouch.training.finisher import train as run_training

    run_training(
        data,
        run,
        options,
        eyes=eyes,
        model=model,
        minutes=minutes,
        precision=precision,
        out=out,
        licence=licence,
    )


@training()
@with_options(HealingConfig, "options")
def healing(
    data: Data,
    run: RunFolder,
    options: HealingConfig,
    begin: Annotated[
        Path | None, typer.Option(help="Weights to begin with, where layers fit.")
    ] = None,
    minutes: Minutes = float("inf"),
    out: Handed = None,
    licence: Licence = "unknown",
) -> None:
    """Train the network that heals blemishes, or go on with it."""
    from retouch.training.healing import train as run_training

    run_training(
        data, run, options, begin=begin, minutes=minutes, out=out, licence=licence
    )


@training()
@with_options(MaskConfig, "config")
def mask(
    data: Data,
    run: RunFolder,
    config: MaskConfig,
    minutes: Minutes = float("inf"),
    precision: Precision = "mixed_bfloat16",
    out: Handed = None,
    name: Annotated[str, typer.Option(help="What the network is called.")] = "mask",
    licence: Licence = "unknown",
) -> None:
    """Train the expression mask, or go on with it."""
    from retouch.training.expression_mask import train as run_training

    run_training(data, run, config, minutes=minutes, precision=precision)
    if out is not None:
        from retouch.training.export.mask import export as hand_over
        from retouch.training.shards import Shards

        hand_over(run, Shards.read(data), out, name=name, licence=licence)
        typer.echo(str(out / "manifest.json"))


def _variational(kind: str) -> None:
    """Register the training of a VAE or of a conditional one."""

    @with_options(VAEConfig, "config")
    def run(
        data: Data,
        run: RunFolder,
        config: VAEConfig,
        minutes: Minutes = float("inf"),
        precision: Precision = "mixed_bfloat16",
        begin: Annotated[
            Path | None, typer.Option(help="A VAE's folder, to begin with its weights.")
        ] = None,
    ) -> None:
        from retouch.training.vae import train as run_training

        run_training(
            data,
            run,
            config,
            conditional=kind == "cvae",
            begin=begin,
            minutes=minutes,
            precision=precision,
        )

    what = {"vae": "VAE", "cvae": "conditional VAE"}[kind]
    training(kind, help=f"Train a {what} and its encoder, or go on with it.")(run)


for _kind in ("vae", "cvae"):
    _variational(_kind)


@training()
@with_options(VQConfig, "config")
def vqvae(
    data: Data,
    run: RunFolder,
    config: VQConfig,
    minutes: Minutes = float("inf"),
    precision: Precision = "mixed_bfloat16",
) -> None:
    """Train a VQ-VAE, or go on with it."""
    from retouch.training.vqvae import train as run_training

    run_training(data, run, config, minutes=minutes, precision=precision)


@training()
@with_options(PriorConfig, "config")
def prior(
    data: Data,
    run: RunFolder,
    config: PriorConfig,
    minutes: Minutes = float("inf"),
    precision: Precision = "mixed_bfloat16",
) -> None:
    """Train the prior of a VQ-VAE that is trained, or go on with it."""
    from retouch.training.vqvae import train_prior

    train_prior(data, run, config, minutes=minutes, precision=precision)


@training()
def release(
    data: Data,
    run: RunFolder,
    out: Annotated[Path, typer.Argument(help="Folder for the networks.")],
    kind: Annotated[str, typer.Option(help="vae, cvae or vqvae.")],
    name: Annotated[str, typer.Option(help="What the generator is called.")] = "",
    licence: Licence = "unknown",
) -> None:
    """Write a VAE, CVAE or VQ-VAE, with its reader of traits, as files that load."""
    from retouch.training.export.variational import release as hand_over

    typer.echo(str(hand_over(data, run, out, kind, name=name, licence=licence)))


@training()
def expressions(
    data: Annotated[Path, typer.Argument(help="Folder of shards.")],
    out: Annotated[Path, typer.Argument(help="Folder for the reader.")],
    poses: Annotated[str, typer.Option(help="NAME=FILE: measured poses of a source.")],
    licence: Licence = "unknown",
) -> None:
    """Learn what expressions are, and the scale of action units."""
    from retouch.training.expressions import main as fit

    name, file = _named(poses)
    for emotion, units in fit(data, out, (name, Path(file)), licence).items():
        best = sorted(units.items(), key=lambda pair: -pair[1])[:5]
        told = ", ".join(f"{unit} {value:.2f}" for unit, value in best)
        typer.echo(f"{emotion}: {told}")
