"""The commands on latent files: invert a photo's faces, draw a kept one."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from retouch.commands import output, terminal
from retouch.commands.options import Moves, PhotoPath, assignments, with_options
from retouch.commands.output import Output
from retouch.errors import SettingsError
from retouch.settings import TRUST, Settings

if TYPE_CHECKING:
    from retouch.jobs.saved_faces import InvertedFace
    from retouch.photos.photo import Photo

SEARCH = ("faces", "preset", "steps", "space", "model", "max_pixels")
DRAWING = ("strength", "identity", "keep", "max_pixels", *TRUST)
COPIES = 6  # pictures on a plot


@with_options(Output, "to", "force", "as_json", "quiet", "verbose")
@with_options(Settings, "settings", *SEARCH)
def invert(
    photo: PhotoPath,
    settings: Settings,
    to: Output,
    save: Annotated[
        Path, typer.Option(help="A .npz file; of several faces each has its number.")
    ],
    tune: Annotated[
        bool, typer.Option("--tune", help="Fit the generator to each face as well.")
    ] = False,
    plot: Annotated[
        str | None, typer.Option(help="Picture of the losses and of the way.")
    ] = None,
) -> None:
    """Find the latents of each face and keep them; Ctrl-C keeps the best so far."""
    from retouch.inversion import latent_files

    latent_files.check_target(save, force=to.force)
    if plot is not None:
        output.check(plot, to.force)
    source = output.get(photo, settings.max_pixels)
    copies = COPIES if plot is not None else 0

    def check(faces: Sequence[int]) -> None:
        for index in faces:
            file = _numbered(save, index, len(faces))
            latent_files.check_target(file, force=to.force)

    with terminal.progress(to.quiet, to.verbose) as on_step:
        engine = terminal.retoucher(settings.model)
        from retouch.jobs import saved_faces

        found = saved_faces.invert(
            engine,
            source,
            settings,
            tune=tune,
            copies=copies,
            before=check,
            on_step=on_step,
        )
    files = [_numbered(save, face.index, len(found)) for face in found]
    for file, face in zip(files, found, strict=True):
        latent_files.save(face.saved, file, force=to.force)
    if plot is not None:
        _plot(found, plot, to.force)
    if not to.quiet:
        _report(found, files, to.as_json)


@with_options(Output, "to", "out", "force", "quality", "as_json", "quiet", "verbose")
@with_options(Settings, "settings", *DRAWING)
def render(
    file: Annotated[Path, typer.Argument(help="A latent file of retouch invert.")],
    settings: Settings,
    to: Output,
    moves: Moves = None,
    into: Annotated[
        str | None, typer.Option(help="Lay the face into this photo, its own.")
    ] = None,
) -> None:
    """Draw a kept face as its generator sees it, or lay it into its photo."""
    from retouch.inversion import latent_files

    wanted = assignments(moves or [])
    if to.out is None:
        raise SettingsError("Say where the picture goes: --out crop.png.")
    if into is not None and not wanted:
        raise SettingsError("--into shows what an edit changed: add --set smile=1.")
    if into is None and (settings.sign or settings.marked or settings.reversible):
        raise SettingsError(
            "--sign, --watermark and --reversible tell of a photo that was changed:"
            " they go with --into."
        )
    target = to.target(into or "-", "render", settings)
    saved = latent_files.load(file)
    source = None if into is None else output.get(into, settings.max_pixels)
    with terminal.progress(to.quiet, to.verbose) as on_step:
        engine = terminal.retoucher(saved.model)
        from retouch.jobs import saved_faces

        if source is None:
            crop = saved_faces.drawn(engine, saved, wanted, settings)
            _put(crop, saved.model, moves or ["inversion"], target, to)
            return
        engine = saved_faces.suited(engine, [saved])
        known = saved_faces.known(engine, source, [saved])
        result = engine.edited(known, wanted, settings, on_step)
    to.write(result, target, settings.identity)


def _put(crop: "Photo", model: str, done: list[str], target: str, to: Output) -> None:
    """Write what a generator drew alone, and name its file."""
    from retouch.photos.photo import Provenance

    name = Provenance(model, ", ".join(done), 1.0)
    to.put(crop, target, name)
    if not to.quiet and target != "-":
        output.say(target, target)


def _numbered(path: Path, index: int, count: int) -> Path:
    return path if count == 1 else path.with_stem(f"{path.stem}-{index}")


def _plot(found: list["InvertedFace"], target: str, force: bool) -> None:
    import numpy as np

    from retouch.inversion.curves import plotted

    curves = {f"face {face.index}": face.saved.losses for face in found}
    for face in found:
        if face.tuning.size:
            curves[f"tuning {face.index}"] = face.tuning
    rows = [np.stack([face.image, *face.copies]) for face in found]
    strip = np.concatenate(rows, 1)  # the faces of one photo below each other
    output.put(plotted(curves, strip), target, force=force)


def _report(found: list["InvertedFace"], files: list[Path], as_json: bool) -> None:
    rows = [
        {
            "index": face.index,
            "file": str(file),
            "loss": face.saved.loss,
            "fidelity": round(face.saved.fidelity, 2),
            "tuned": bool(face.saved.tuned),
            "interrupted": face.interrupted,
        }
        for face, file in zip(found, files, strict=True)
    ]
    if as_json:
        typer.echo(json.dumps({"faces": rows}))
        return
    for row in rows:
        loss = "no search" if row["loss"] is None else f"loss {row['loss']:.3f}"
        text = f"face {row['index']}: {loss}, {row['fidelity']:.1f} dB -> {row['file']}"
        typer.echo(text + (" (stopped early)" if row["interrupted"] else ""))
