"""The command line: parses, calls, prints; nothing else.

Exit codes: 0 all done; 1 the work could not be done, and a sentence on stderr says
why; 2 the command was not understood; 130 interrupted.
"""

import dataclasses
import functools
import inspect
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from retouch.errors import RetouchError, SettingsError
from retouch.settings import Settings
from training.options import Config, Recipe

if TYPE_CHECKING:
    from rich.console import Console

    from retouch.engine import Result
    from retouch.photo import Photo
    from retouch.report import FaceReport

app = typer.Typer(
    name="retouch",
    help="Retouch faces in photographs by generative models; all else stays.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

PhotoPath = Annotated[str, typer.Argument(help="A photo, or - for standard input.")]
Out = Annotated[
    str | None,
    typer.Option(help="Where the result goes; - is standard output."),
]
Force = Annotated[bool, typer.Option("--force", help="Replace what is there.")]
Json = Annotated[bool, typer.Option("--json", help="Report as JSON.")]
Quality = Annotated[int | None, typer.Option(help="1-100; as the input if not given.")]
Compare = Annotated[bool, typer.Option("--compare", help="Write before | after.")]
Strip = Annotated[bool, typer.Option("--strip-location", help="Leave out GPS data.")]
Proven = Annotated[
    bool,
    typer.Option("--provenance/--no-provenance", help="Say in the file what was done."),
]


def main() -> None:
    """Run the command line; a RetouchError becomes a sentence and exit code 1."""
    try:
        app()
    except RetouchError as error:
        typer.echo(f"retouch: {error}", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(1)


# --- options ------------------------------------------------------------------


def with_options(kind: type, name: str, *chosen: str) -> Callable[[Callable], Callable]:
    """Give a command a flag for each field of a dataclass, or for those chosen.

    The command's own parameter of that name then receives them together.
    """

    def decorate(command: Callable) -> Callable:
        entries = [f for f in dataclasses.fields(kind) if f.name in (chosen or f.name)]
        own = inspect.signature(command).parameters.values()

        @functools.wraps(command)
        def run(**values: Any) -> None:
            options = {entry.name: values.pop(entry.name) for entry in entries}
            command(**{name: kind(**options)}, **values)

        kept = [p for p in own if p.name != name]
        flags = [_flag(entry) for entry in entries]
        run.__signature__ = inspect.Signature([*kept, *flags])  # type: ignore[attr-defined]
        return run

    return decorate


def _flag(entry: dataclasses.Field) -> inspect.Parameter:
    limits = entry.metadata
    text = limits["help"]
    if "low" in limits:
        text += f" ({limits['low']:g} to {limits['high']:g})"
    known = limits.get("choices") or limits.get("parts")
    if known:
        text += f" ({', '.join(known)})"
    kind = Annotated[entry.type, typer.Option(help=text)]  # type: ignore[name-defined]
    return inspect.Parameter(
        entry.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=entry.default,
        annotation=kind,
    )


# --- commands -----------------------------------------------------------------


@app.command()
@with_options(Settings, "settings")
def beautify(
    photo: PhotoPath,
    settings: Settings,
    out: Out = None,
    compare: Compare = False,
    quality: Quality = None,
    force: Force = False,
    strip_location: Strip = False,
    provenance: Proven = True,
    as_json: Json = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing.")] = False,
) -> None:
    """Make each face a little more beautiful; the person stays that person."""
    target = _target(photo, out, compare)
    source = _read(photo)
    _check(target, force)
    with _progress(quiet) as say:
        result = _retoucher(settings).beautified(source, settings, say)
    _write(result, target, compare, quality, force, strip_location, provenance)
    _report(result, target, as_json, quiet)


@app.command()
@with_options(Settings, "settings")
def edit(
    photo: PhotoPath,
    settings: Settings,
    moves: Annotated[
        list[str],
        typer.Option("--set", help="A direction and how far: smile=1.5, age=-0.5."),
    ],
    out: Out = None,
    compare: Compare = False,
    quality: Quality = None,
    force: Force = False,
    strip_location: Strip = False,
    provenance: Proven = True,
    as_json: Json = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing.")] = False,
) -> None:
    """Move faces along named directions, in deviations of the population."""
    wanted = dict(_assignment(move) for move in moves)
    target = _target(photo, out, compare)
    source = _read(photo)
    _check(target, force)
    with _progress(quiet) as say:
        result = _retoucher(settings).edited(source, wanted, settings, say)
    _write(result, target, compare, quality, force, strip_location, provenance)
    _report(result, target, as_json, quiet)


@app.command()
def faces(
    photo: PhotoPath,
    out: Out = None,
    force: Force = False,
    as_json: Json = False,
    method: Annotated[str, typer.Option(help="hog, or cnn: slow, finds more.")] = "hog",
) -> None:
    """List the faces of a photo; with --out, draw them on a copy."""
    from retouch.detect import Detector
    from retouch.drawing import annotated
    from retouch.report import FaceReport

    source = _read(photo)
    if out is not None:
        _check(out, force)
    found = Detector().find(source.pixels, method=method)  # type: ignore[arg-type]
    if out is not None:
        _put(annotated(source, found), out, force=force)
    _print_faces([FaceReport.of(i, face) for i, face in enumerate(found)], as_json)


@app.command()
def doctor() -> None:
    """Say what is installed and what is missing, with the command that mends it."""
    _start_backend()
    from retouch.doctor import checks

    bad = 0
    for check in checks():
        bad += not check.fine
        mark = "ok " if check.fine else "NO "
        typer.echo(f"{mark} {check.name}: {check.found}")
        if check.remedy:
            typer.echo(f"    {check.remedy}")
    if bad:
        raise typer.Exit(1)


# --- models ------------------------------------------------------------------

models = typer.Typer(
    no_args_is_help=True, help="Networks and directions: import, list, check, remove."
)
Name = Annotated[str, typer.Argument(help="The name of a network or of directions.")]


@models.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="A .pkl, .pt, .npy or .npz file.")],
    name: Annotated[str, typer.Option(help="What to call it.")],
    licence: Annotated[
        str, typer.Option("--license", help="The terms the file came with.")
    ] = "unknown",
    family: Annotated[
        str | None,
        typer.Option(help="The latent space: directions of the same family fit."),
    ] = None,
    crop: Annotated[
        str, typer.Option(help="The framing of the faces it was trained on.")
    ] = "ffhq",
    half: Annotated[
        bool, typer.Option(help="Keep half precision: half the file, rounded weights.")
    ] = False,
) -> None:
    """Keep another project's network or directions; no code in the file is run."""
    from pretrained import loading
    from pretrained.registry import library

    row = loading.import_file(
        library(), file, name, licence=licence, family=family, crop=crop, half=half
    )
    typer.echo(f"{row.name}: {row.kind}, {row.size / 2**20:.1f} MiB, {row.source}")


@models.command("list")
def list_() -> None:
    """List what ships and what was imported."""
    from rich.table import Table

    from pretrained.registry import library

    table = Table("name", "kind", "architecture", "px", "family", "MiB", "licence")
    for row in library().rows():
        size = f"{row.size / 2**20:.1f}"
        pixels = str(row.resolution or "")
        table.add_row(
            row.name, row.kind, row.architecture, pixels, row.family, size, row.licence
        )
    _console().print(table)


@models.command()
def info(name: Name) -> None:
    """Print everything the manifest says about one."""
    import dataclasses

    from pretrained.registry import library

    found = library()
    row = found.row(name)
    from rich.table import Table

    table = Table(show_header=False)
    for key, value in {**dataclasses.asdict(row), "path": found.path(row)}.items():
        table.add_row(key, str(value))
    _console().print(table)


@models.command()
def verify(
    names: Annotated[
        list[str] | None, typer.Argument(help="Names; all if none is given.")
    ] = None,
) -> None:
    """Compare files with the hashes in the manifest."""
    from pretrained.registry import library

    found = library()
    for name in names or [row.name for row in found.rows()]:
        found.verify(name)
        typer.echo(f"{name}: as it should be")


@models.command()
def remove(name: Name) -> None:
    """Delete what was imported under a name."""
    from pretrained.registry import library

    row = library().remove(name)
    typer.echo(f"{row.name}: removed")


@models.command()
def fetch(name: Name) -> None:
    """Download a published network from its publisher and import it."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TransferSpeedColumn

    from pretrained import catalogue, loading
    from pretrained.registry import library

    entry = catalogue.published(name)
    columns = BarColumn(), DownloadColumn(), TransferSpeedColumn()
    with Progress(*columns, console=_console()) as bar:
        task = bar.add_task(name, total=entry.size)
        row = loading.fetch(
            library(),
            name,
            lambda done, total: bar.update(task, completed=done, total=total),
        )
    typer.echo(f"{row.name}: {row.size / 2**20:.1f} MiB, {row.licence}")


# --- training ----------------------------------------------------------------

train = typer.Typer(
    help="Train on pictures of your own.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@train.command()
@with_options(Recipe, "recipe")
def data(
    sources: Annotated[
        list[str], typer.Argument(help="Folders of pictures, or NAME=FOLDER.")
    ],
    out: Annotated[Path, typer.Argument(help="Folder for the shards.")],
    recipe: Recipe,
    table: Annotated[
        list[str] | None, typer.Option(help="NAME=FILE: labels of a source, a CSV.")
    ] = None,
    weight: Annotated[
        list[str] | None, typer.Option(help="NAME=NUMBER: how often it is drawn.")
    ] = None,
    series: Annotated[
        list[str] | None,
        typer.Option(help="NAME: files are PERSON_TRAIT_0, _1, _2, a trait growing."),
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Processes; all cores.")] = None,
) -> None:
    """Find, cut, sift and pack the faces of folders of pictures."""
    from training.data import pack
    from training.packing import Source
    from training.shards import Share

    folders = dict(_source(text) for text in sources)
    tables, weights = _named(table, folders), _named(weight, folders)
    for name in series or ():
        _known(name, folders)
    packed = {}
    for name, folder in folders.items():
        grows = name in (series or ())
        share = None
        if name in weights or grows:
            share = Share(_number(weights.get(name, "1")), grows)
        own = Path(tables[name]) if name in tables else None
        packed[name] = Source(Path(folder), own, share)
    for line in pack(packed, out, recipe, workers=workers).lines():
        typer.echo(line)
    typer.echo(f"What was left out and why: {out / 'dropped.csv'}")


@train.command()
@with_options(Config, "config")
def generator(
    data: Annotated[Path, typer.Argument(help="Folder of shards: retouch train data.")],
    run: Annotated[Path, typer.Argument(help="Folder of the training.")],
    config: Config,
    minutes: Annotated[
        float, typer.Option(help="Stop then; started again, it goes on.")
    ] = float("inf"),
    precision: Annotated[
        str, typer.Option(help="Keras' policy: mixed_bfloat16 or float32.")
    ] = "mixed_bfloat16",
    begin: Annotated[
        Path | None, typer.Option(help="A folder of exported networks to begin with.")
    ] = None,
) -> None:
    """Train a face generator and its encoder, or go on with it."""
    from training.faces import train as run_training

    run_training(data, run, config, minutes=minutes, precision=precision, begin=begin)


@train.command()
def export(
    data: Annotated[Path, typer.Argument(help="Folder of shards.")],
    run: Annotated[Path, typer.Argument(help="Folder of the training.")],
    out: Annotated[Path, typer.Argument(help="Folder for the networks.")],
    name: Annotated[str, typer.Option(help="What the generator is called.")] = "own",
    licence: Annotated[str, typer.Option(help="Terms of the weights.")] = "unknown",
) -> None:
    """Write a training's generator and encoder as files that load."""
    from training.export import export as hand_over
    from training.shards import Shards

    hand_over(run, Shards.read(data), out, name=name, licence=licence)
    typer.echo(str(out / "manifest.json"))


@train.command()
def traits(
    data: Annotated[Path, typer.Argument(help="Folder of shards.")],
    networks: Annotated[Path, typer.Argument(help="Folder of exported networks.")],
    ratings: Annotated[str, typer.Option(help="NAME=FILE: judged traits of a source.")],
    labels: Annotated[str, typer.Option(help="NAME=FILE: labels of another.")],
) -> None:
    """Fit the readers of traits that guide edits, and the judge."""
    from training.traits import main as fit

    pairs = [text.partition("=")[::2] for text in (ratings, labels)]
    fit(data, networks, *((name, Path(file)) for name, file in pairs))


def _source(text: str) -> tuple[str, str]:
    name, _, folder = text.rpartition("=")
    if name:
        return name, folder
    stem = Path(folder).resolve().name
    return "".join(c if c.isalnum() and c.isascii() else "_" for c in stem), folder


def _named(texts: list[str] | None, folders: dict[str, str]) -> dict[str, str]:
    pairs = [text.partition("=")[::2] for text in texts or ()]
    return {_known(name, folders): value for name, value in pairs}


def _known(name: str, folders: dict[str, str]) -> str:
    if name not in folders:
        known = ", ".join(folders)
        raise SettingsError(f"No source is called '{name}'. Known: {known}.")
    return name


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise SettingsError(f"weight takes NAME=NUMBER; got '{text}'.") from None


# --- photos in and out --------------------------------------------------------


def _retoucher(settings: Settings) -> Any:
    _start_backend()
    from retouch.engine import Retoucher

    return Retoucher.load(settings.model)


def _start_backend() -> None:
    """Load TensorFlow without what it writes to stderr, past every setting of it."""
    sys.stderr.flush()
    kept = os.dup(2)
    with open(os.devnull, "w") as nothing:
        os.dup2(nothing.fileno(), 2)
    try:
        import keras

        keras.ops.zeros(())
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _read(photo: str) -> "Photo":
    from retouch.photo import read

    return read(sys.stdin.buffer.read() if photo == "-" else Path(photo))


def _target(photo: str, out: str | None, compare: bool) -> str:
    if out is not None:
        return out
    if photo == "-":
        return "-"
    path = Path(photo)
    return str(path.with_stem(f"{path.stem}-{'compared' if compare else 'retouched'}"))


def _check(target: str, force: bool) -> None:
    from retouch.photo import check_target

    if target != "-":
        check_target(Path(target), force=force)


def _write(
    result: "Result",
    target: str,
    compare: bool,
    quality: int | None,
    force: bool,
    strip_location: bool,
    provenance: bool,
) -> None:
    from retouch.drawing import side_by_side

    photo = side_by_side(result.before, result.photo) if compare else result.photo
    _put(
        photo,
        target,
        quality=quality,
        force=force,
        strip_location=strip_location,
        provenance=result.provenance if provenance else None,
    )


def _put(photo: "Photo", target: str, **options: Any) -> None:
    from retouch.photo import write

    write(photo, sys.stdout.buffer if target == "-" else Path(target), **options)


def _assignment(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        return name.strip(), float(value)
    except ValueError:
        raise SettingsError(
            f"--set takes NAME=NUMBER such as smile=1.5; got '{text}'."
        ) from None


# --- what is said -------------------------------------------------------------


def _console() -> "Console":
    from rich.console import Console

    return Console(markup=False, highlight=False)


@contextmanager
def _progress(quiet: bool) -> Iterator[Callable[[str, float], None]]:
    """Show on a terminal what is being done; elsewhere nothing."""
    if quiet or not sys.stderr.isatty():
        yield lambda what, part: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = TextColumn("{task.description}"), BarColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("loading", total=1.0)
        yield lambda what, part: bar.update(task, description=what, completed=part)


def _report(result: "Result", target: str, as_json: bool, quiet: bool) -> None:
    if quiet:
        return
    if as_json:
        rows = [dataclasses.asdict(face) for face in result.faces]
        _say(json.dumps({"out": target, "faces": rows}), target)
        return
    for face in result.faces:
        _say(_line(face), target)
    if target != "-":
        _say(target, target)


def _say(text: str, target: str) -> None:
    """Print on standard output, unless the picture goes there."""
    typer.echo(text, err=target == "-")


def _line(face: "FaceReport") -> str:
    words = [f"face {face.index}: {face.size:.0f} px"]
    if face.note:
        return f"{words[0]}, {face.note}"
    if face.score:
        words.append(f"guide {face.score[0]:+.2f} -> {face.score[1]:+.2f}")
    if face.judged:
        words.append(f"judge {face.judged[0]:+.2f} -> {face.judged[1]:+.2f}")
    if face.changed:
        words.append(f"identity {face.identity:.2f}")
        most = sorted(face.changed.items(), key=lambda item: -abs(item[1]))[:3]
        words.append("changed " + ", ".join(f"{n} {d:+.2f}" for n, d in most))
    return "; ".join(words)


def _print_faces(found: list["FaceReport"], as_json: bool) -> None:
    keys = ("index", "size", "box", "roll", "yaw", "confidence")
    rows = [{key: getattr(face, key) for key in keys} for face in found]
    if as_json:
        typer.echo(json.dumps(rows))
        return
    for row in rows:
        typer.echo(
            f"face {row['index']}: {row['size']:.0f} px, turned {row['roll']:+.0f},"
            f" looking {row['yaw']:+.0f}, confidence {row['confidence']:.2f}"
        )
    if not rows:
        typer.echo("no face")


app.add_typer(models, name="models")
app.add_typer(train, name="train")

if __name__ == "__main__":
    main()
