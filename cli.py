"""The command line: each command stands in `commands`; here they come together.

Exit codes: 0 all done; 1 the work could not be done, and a sentence on stderr says
why; 2 the command was not understood; 130 interrupted.
"""

import io
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from retouch import __version__
from retouch.commands import (
    attributes,
    batch,
    directions,
    evaluate,
    latents,
    learn,
    live,
    models,
    photos,
    serve,
    skin,
    train,
    transfer,
    verify,
)
from retouch.errors import RetouchError


class Commands(TyperGroup):
    """Names the command for many photos to whom gives several."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except Exception as error:  # its class is private to Typer, or Click's
            if "unexpected extra argument" in getattr(error, "message", ""):
                error.message += ". Many photos: retouch batch FOLDER RESULTS"  # type: ignore[attr-defined]
            raise


app = typer.Typer(
    name="retouch",
    cls=Commands,
    help="Retouch faces in photographs by generative models; all else stays.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
for command in (
    photos.beautify,
    photos.edit,
    skin.skin,
    transfer.transfer,
    live.mask,
    latents.invert,
    latents.render,
    batch.batch,
    serve.serve,
    live.live,
    live.video,
    photos.faces,
    verify.verify,
    verify.undo,
    attributes.attributes,
    transfer.mean,
    learn.rate,
    learn.learn,
    photos.doctor,
):
    app.command()(command)
app.add_typer(models.app, name="models")
app.add_typer(directions.app, name="directions")
app.add_typer(evaluate.app, name="evaluate")
app.add_typer(train.app, name="train")


def tell_version(asked: bool) -> None:
    """Print the version and end."""
    if asked:
        typer.echo(f"retouch {__version__}")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=tell_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Take the options that no command has."""


def main() -> None:
    """Run the command line; a RetouchError becomes a sentence and exit code 1."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="surrogateescape")  # names that are no UTF-8
    try:
        app()
    except RetouchError as error:
        typer.echo(f"retouch: {error}", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(1)


if __name__ == "__main__":
    main()
