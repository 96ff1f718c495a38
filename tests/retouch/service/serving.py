"""Starting and stopping `retouch serve` as a process of its own."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
HURRIED = Path(__file__).with_name("hurried.py")
PATIENT = 600.0  # seconds: tests run on machines that do other things as well


def start(*words, log, program=ROOT / "cli.py"):
    """Start `retouch serve` on a free port; return the process and the address.

    Its model is warm by then: what waits for that is no part of a request's time.
    """
    command = [sys.executable, str(program), "serve", "--port", "0"]
    command += ["--seconds", str(PATIENT), *map(str, words)]
    told = {"DISPLAY": ":0", "BROWSER": str(_browser(opened_by(log)))}
    told["PYTHONPATH"] = str(ROOT)
    with log.open("wb") as errors:
        process = subprocess.Popen(
            command, stderr=errors, cwd=_trap(), env=os.environ | told
        )
    while True:
        found = re.search(r"(?s)serving on (\S+).*ready;", log.read_text())
        if found:
            return process, found[1]
        if process.poll() is not None:
            pytest.fail(f"the service ended: {log.read_text()}")
        time.sleep(0.05)


def _trap():
    """Return a folder with modules of our names, which nobody may load."""
    folder = Path(tempfile.mkdtemp())
    for name in ("scorers", "generators", "encoders", "pretrained", "retouch"):
        (folder / f"{name}.py").write_text("raise SystemExit('not ours')")
    return folder


def opened_by(log):
    """Return the file with the address that the service's browser was sent to."""
    return log.with_name("opened")


def _browser(file):
    """Make a program that a service takes for the user's browser."""
    program = file.with_suffix(".sh")
    program.write_text(f'#!/bin/sh\necho "$1" >> "{file}"\n')
    program.chmod(0o700)
    return program


def stop(process):
    process.send_signal(signal.SIGTERM)
    return process.wait(PATIENT)
