"""The command line: each command stands in `retouch.commands`; here they come together.

Exit codes: 0 all done; 1 the work could not be done, and a sentence on stderr says
why; 2 the command was not understood; 130 interrupted.
"""

import sys

try:
    import importlib
    import io
    import signal
    from typing import Annotated, Any

    import typer
    from typer.core import TyperGroup
    from typer.main import get_group

    from retouch import __version__
    from retouch.errors import RetouchError
except KeyboardInterrupt:  # nothing has begun
    sys.exit(130)

# The module of `retouch.commands` in which each command stands.
PLACES = {
    "beautify": "photos",
    "edit": "photos",
    "skin": "skin",
    "transfer": "transfer",
    "mask": "live",
    "invert": "latents",
    "render": "latents",
    "batch": "batch",
    "serve": "serve",
    "live": "live",
    "video": "live",
    "faces": "photos",
    "verify": "verify",
    "undo": "verify",
    "attributes": "attributes",
    "mean": "transfer",
    "rate": "learn",
    "learn": "learn",
    "doctor": "photos",
    "models": "models",
    "directions": "directions",
    "evaluate": "evaluate",
    "train": "train",
}


class Commands(TyperGroup):
    """Loads a command when it is asked for, and all where the name is of none."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [*PLACES]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name in PLACES and cmd_name not in self.commands:
            self.commands[cmd_name] = _loaded(cmd_name)
        return super().get_command(ctx, cmd_name)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args[0] not in PLACES:  # what may have been meant is told by the others
            for name in PLACES:
                self.get_command(ctx, name)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Name the command for many photos to whom gives several."""
        try:
            return super().invoke(ctx)
        except Exception as error:  # its class is private to Typer, or Click's
            if "unexpected extra argument" in getattr(error, "message", ""):
                error.message += ". Many photos: retouch batch FOLDER RESULTS"  # type: ignore[attr-defined]
            raise


def _loaded(name: str) -> Any:
    """Return a command, or a group of some, as Typer makes it."""
    module = importlib.import_module(f"retouch.commands.{PLACES[name]}")
    alone = typer.Typer()
    if hasattr(module, "app"):
        alone.add_typer(module.app, name=name)
    else:
        alone.command()(getattr(module, name))
    return get_group(alone).commands[name]


app = typer.Typer(
    name="retouch",
    cls=Commands,
    help="Retouch faces in photographs by generative models; all else stays.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


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
    interrupts: list[int] = []

    def interrupt(number: int, frame: object) -> None:
        interrupts.append(number)
        raise KeyboardInterrupt

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, interrupt)
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(1)
    except Exception as error:
        if interrupts:  # which libraries take for a failure of theirs as they load
            sys.exit(130)
        if not isinstance(error, RetouchError):
            from retouch.photos.disk import refusal

            if (told := refusal(error)) is None:
                raise
            error = told
        typer.echo(f"retouch: {error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
