"""The command that serves HTTP."""

import logging
import os
import sys
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from retouch.commands.options import with_options
from retouch.errors import DependencyError
from retouch.service.limits import Limits


@with_options(Limits, "limits")
def serve(
    limits: Limits,
    host: Annotated[
        str, typer.Option(help="The address to listen on; others need a token.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(help="0 takes a free one.", min=0, max=65535)
    ] = 8000,
    token_file: Annotated[
        Path | None, typer.Option(help="A file with the token clients must send.")
    ] = None,
    workers: Annotated[
        int, typer.Option(help="Processes; each takes about 1.3 GiB.", min=1, max=64)
    ] = 1,
    model: Annotated[str, typer.Option(help="The generator to use.")] = "default",
    browser: Annotated[
        bool, typer.Option(help="Open the page in the browser, if there is a screen.")
    ] = True,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing.")] = False,
) -> None:
    """Serve the HTTP API and the page, on this machine alone unless told otherwise."""
    try:
        from retouch.service import run
    except ImportError as error:
        raise DependencyError(
            "The service needs packages that are not installed; install them with"
            " pip install fastapi uvicorn python-multipart."
        ) from error
    run.write_log(logging.WARNING if quiet else logging.INFO)
    token = run.token_of(token_file, host)
    run.serve(
        model,
        host,
        port,
        workers=workers,
        token=token,
        limits=limits,
        on_address=webbrowser.open if browser and _has_screen() else str,
    )


def _has_screen() -> bool:
    """Tell whether a browser has a screen, and would not take the terminal instead."""
    screens = "DISPLAY", "WAYLAND_DISPLAY"
    return sys.platform in ("darwin", "win32") or any(map(os.environ.get, screens))
