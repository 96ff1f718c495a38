"""The commands on networks and directions: import, list, check, remove, fetch."""

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from pretrained import backend
from retouch.commands import completion, terminal

app = typer.Typer(
    no_args_is_help=True, help="Networks and directions: import, list, check, remove."
)
Name = Annotated[
    str,
    typer.Argument(
        help="The name of a network or of directions.", autocompletion=completion.kept
    ),
]


@app.command("import")
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

    found = library()
    loading.import_file(
        found, file, name, licence=licence, family=family, crop=crop, half=half
    )
    for row in found.rows():
        if row.name in (name, f"{name}-encoder"):
            size = f"{row.size / 2**20:.1f} MiB"
            typer.echo(f"{row.name}: {row.kind}, {size}, {row.source}")


@app.command("list")
def list_() -> None:
    """List what ships and what was imported."""
    from rich.table import Table

    from pretrained.registry import library

    table = Table("name", "kind", "architecture", "px", "family", "MiB", "licence")
    table.columns[0].no_wrap = True  # it is what is typed; the others may be cut short
    for row in library().rows():
        size = f"{row.size / 2**20:.1f}"
        pixels = str(row.resolution or "")
        table.add_row(
            row.name, row.kind, row.architecture, pixels, row.family, size, row.licence
        )
    terminal.console().print(table)


@app.command()
def info(name: Name) -> None:
    """Print everything the manifest says about one."""
    from rich.table import Table

    from pretrained.registry import library

    found = library()
    row = found.row(name)
    table = Table(show_header=False)
    for key, value in {**dataclasses.asdict(row), "path": found.path(row)}.items():
        table.add_row(key, str(value))
    terminal.console().print(table)


@app.command()
def verify(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            help="Names; all if none is given.", autocompletion=completion.kept
        ),
    ] = None,
) -> None:
    """Compare files with the hashes in the manifest."""
    from pretrained.registry import library

    found = library()
    for name in names or [row.name for row in found.rows()]:
        found.verify(name)
        typer.echo(f"{name}: as it should be")


@app.command()
def remove(name: Name) -> None:
    """Delete what was imported under a name, and what was learnt for it."""
    from pretrained.registry import library

    for row in library().remove(name):
        typer.echo(f"{row.name}: removed")


@app.command()
def fetch(name: Name) -> None:
    """Download a published network from its publisher and import it."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TransferSpeedColumn

    from pretrained import catalogue, loading
    from pretrained.registry import library

    entry = catalogue.published(name)
    columns = BarColumn(), DownloadColumn(), TransferSpeedColumn()
    with Progress(*columns, console=terminal.console()) as bar:
        task = bar.add_task(name, total=entry.size)
        row = loading.fetch(
            library(),
            name,
            lambda done, total: bar.update(task, completed=done, total=total),
        )
    typer.echo(f"{row.name}: {row.size / 2**20:.1f} MiB, {row.licence}")


@app.command()
def teach(
    name: Name,
    samples: Annotated[
        int, typer.Option(help="Pictures to learn from.", min=100, max=100_000)
    ] = 2000,
    seed: Annotated[int, typer.Option(help="Which pictures.", min=0)] = 0,
    data: Annotated[
        Path | None,
        typer.Option(help="Learn from these shards instead, if it has an encoder."),
    ] = None,
    dimensions: Annotated[
        int, typer.Option(help="Of latents, that are told apart.", min=1, max=400)
    ] = 400,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the reader; else the library.")
    ] = None,
) -> None:
    """Teach a generator of faces what edits need to know of its latents."""
    backend.start()
    from pretrained.registry import library
    from retouch.training.teaching import teach as learn

    with terminal.progress() as on_step:
        row = learn(
            library(),
            name,
            samples=samples,
            seed=seed,
            data=data,
            dimensions=dimensions,
            out=out,
            on_step=on_step,
        )
    known = ", ".join(row.config["names"])
    typer.echo(f"{row.name}: knows {known}")
