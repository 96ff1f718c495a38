"""The command line within this process: what one command has loaded serves the next."""

import os
import subprocess
import sys
import traceback
from contextlib import contextmanager
from tempfile import TemporaryFile

import pytest

import cli

PLAIN = {"NO_COLOR": "1", "COLUMNS": "100"}
STREAMS = "stdin", "stdout", "stderr"  # by their numbers


def retouch(*words, data=b"", text=False, **env):
    """Run a command; return its exit code and all that it wrote, as a process would."""
    with TemporaryFile() as typed, TemporaryFile() as out, TemporaryFile() as err:
        typed.write(data)
        typed.seek(0)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", ["retouch", *map(str, words)])
            for name, value in {**PLAIN, **env}.items():
                patch.setenv(name, value)
            with _led(0, typed), _led(1, out), _led(2, err):
                code = _code()
        written = [_content(file) for file in (out, err)]
    if text:
        written = [content.decode() for content in written]
    return subprocess.CompletedProcess(words, code, *written)


def _code():
    """Run what `sys.argv` says; return the exit code."""
    try:
        cli.main()
    except SystemExit as end:
        return end.code or 0
    except Exception:
        traceback.print_exc()
        return 1
    return 0


@contextmanager
def _led(number, file):
    """Lead a standard stream, and what libraries write beneath it, to a file."""
    name, before = STREAMS[number], os.dup(number)
    outer = getattr(sys, name)
    os.dup2(file.fileno(), number)
    try:
        with open(number, "w" if number else "r", closefd=False) as stream:
            setattr(sys, name, stream)
            yield
    finally:
        setattr(sys, name, outer)
        os.dup2(before, number)
        os.close(before)


def _content(file):
    file.seek(0)
    return file.read()
