"""Every command of every page is understood, and the blocks marked so do their work."""

import importlib.util
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tomllib
from fractions import Fraction

import numpy as np
import pytest
import skimage.data
import typer
from packaging.requirements import Requirement
from PIL import Image

import cli
from tests.climbs import HASTY, hasty
from tests.command_line import retouch
from tests.documents import PAGES, ROOT, Block, blocks

SIDE = 256  # pixels of the portrait
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
EVERY = [block for page in PAGES for block in blocks(page)]
RETOUCH = """
import cli

if __name__ == "__main__":
    cli.main()
"""
SCREENLESS = "no screen", "no camera", "window", "camera"


# --- what is only read --------------------------------------------------------


def lines(word):
    """Return the command lines of all pages that begin with a word, with their page."""
    return [
        pytest.param(line, id=f"{block.page.name}-{line[:60]}")
        for block in EVERY
        if block.kind in ("commands", "bash")
        for line in block.commands
        if re.match(rf"([A-Z_]+=\S+ )?{word}\b", line) or f"| {word} " in line
    ]


@pytest.mark.parametrize("line", lines("retouch"))
def test_a_command_is_understood(line):
    words = shlex.split(re.split(r"(?:^|\| |[A-Z_]+=\S+ )retouch ", line)[1])
    words = words[: words.index(">")] if ">" in words else words
    command = typer.main.get_command(cli.app)
    context = command.make_context("retouch", list(words))
    while context._protected_args or context.args:
        rest = [*context._protected_args, *context.args]
        name, command, rest = context.command.resolve_command(context, rest)
        context = command.make_context(name, rest, parent=context)
        if not hasattr(command, "commands"):
            return
    pytest.fail(f"{line} names no command")


@pytest.mark.parametrize("line", lines("pip install"))
def test_what_is_installed_is_what_the_project_asks_for(line):
    extras = PROJECT["optional-dependencies"]
    texts = [*PROJECT["dependencies"], *(n for some in extras.values() for n in some)]
    known = {Requirement(text).name for text in texts} | {"s3fs", "jax", "pillow-heif"}
    for word in shlex.split(line)[2:]:
        if word.startswith("."):
            assert set(re.findall(r"\w[\w-]*", word)) <= set(extras), line
        else:
            assert Requirement(word).name in known, line


def test_the_first_page_leads_to_all_others():
    first, *others = sorted(
        ROOT.glob("docs/*.md"), key=lambda page: page.stem != "index"
    )
    text = first.read_text("utf-8")
    assert [page.name for page in others if f"({page.name})" not in text] == []


def test_what_is_made_and_measured_is_there():
    targets = (ROOT / "Makefile").read_text("utf-8")
    for param in lines("make"):
        assert f"\n{param.values[0].split()[1]}:" in targets
    for param in lines("python -m"):
        assert importlib.util.find_spec(param.values[0].split()[2])


# --- what runs ----------------------------------------------------------------


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The folder of somebody who tries it, with photos of the names on the pages."""
    head = Image.fromarray(skimage.data.astronaut()[:320, 64:384])
    head = head.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    names = "portrait", "me", "smiling", "smile", "a", "n1", "n2"
    for name in names:
        head.save(tmp_path / f"{name}.jpg", quality=95)
    group = Image.new("RGB", (3 * SIDE, SIDE))
    for i in range(3):
        group.paste(head, (i * SIDE, 0))
    group.save(tmp_path / "group.jpg", quality=95)
    group.save(tmp_path / "pair.jpg", quality=95)
    (tmp_path / "photos").mkdir()
    for i in range(2):
        head.save(tmp_path / "photos" / f"{i}.jpg", quality=95)
    Image.new("L", (SIDE, SIDE), 255).save(tmp_path / "painted.png")
    if importlib.util.find_spec("cryptography"):
        from tests.retouch.provenance import keys

        keys.write(tmp_path)
    film(tmp_path / "in.mp4", np.asarray(head), frames=6)
    shutil.copy(tmp_path / "in.mp4", tmp_path / "clip.mp4")
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "retouch"
    program.write_text(f"#!{sys.executable}\n{HASTY}{RETOUCH}")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("RETOUCH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("BROWSER", "true")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def film(path, frame, frames):
    from retouch.photos.film import Recorder, codec_for

    rate = Fraction(10)
    with Recorder(path, codec_for(path), 1 / rate, rate, "mp4") as recorder:
        for tick in range(frames):
            recorder.add(np.ascontiguousarray(np.roll(frame, tick, 1)), tick)


def pages(mark):
    """Return the pages with blocks of a mark, and those blocks."""
    marked = {page: [b for b in blocks(page) if b.mark == mark] for page in PAGES}
    return [pytest.param(bs, id=page.name) for page, bs in marked.items() if bs]


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("marked", pages("run"))
def test_a_page_does_what_it_says(marked, folder):
    run(marked)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("marked", pages("run slowly"))
def test_a_long_page_does_what_it_says(marked, folder):
    if any("--sign" in block.text for block in marked):
        pytest.importorskip("c2pa")
    run(marked)


@pytest.mark.slow
@pytest.mark.parametrize("marked", pages("run slowly, with the service"))
def test_the_service_answers_as_its_page_says(marked, folder):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with serving("serve", "--port", str(port)):
        for block in marked:
            text = block.text.replace(":8000", f":{port}")
            run([Block(block.page, block.kind, text, block.mark)])
    for name in ("beautified.jpg", "smiling.png", "older.jpg"):
        with Image.open(folder / name) as image:
            assert image.size == (SIDE, SIDE)


def run(marked):
    """Run blocks one after the other, Python's in one and the same program."""
    python = [block.text for block in marked if block.kind == "python"]
    for block in marked:
        if block.kind == "bash":
            shell(block.text)
        for line in block.commands if block.kind == "commands" else ():
            command(line)
    if python:
        program = "\n".join([HASTY, *python])
        done = subprocess.run([sys.executable, "-c", program], capture_output=True)
        assert done.returncode == 0, f"{program}\n{done.stderr.decode()}"


def command(line):
    if line == "retouch serve":
        with serving("serve", "--port", "0"):
            return
    if re.match("retouch live(?! .*--headless)", line):
        done = subprocess.run(line, shell=True, capture_output=True, text=True)
        assert done.returncode == 1 and "Traceback" not in done.stderr
        assert any(word in done.stderr for word in SCREENLESS), done.stderr
        return
    # The workers of a batch hurry if its program does.
    if re.match("retouch batch", line) or not re.match(r"retouch [^|>$*]+$", line):
        shell(line)
        return
    with hasty():
        done = retouch(*shlex.split(line)[1:], text=True)
    assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr, f"{line}\n{done.stderr}"


def shell(text):
    """Run lines of a shell; what they print is told if they fail."""
    words = ["bash", "-euo", "pipefail", "-c", text]
    done = subprocess.run(
        words, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr, f"{text}\n{done.stderr}"


class serving:
    """`retouch serve`, from the line with its address to its end by Control-C."""

    def __init__(self, *words):
        self.words = [sys.executable, str(ROOT / "cli.py"), *words]

    def __enter__(self):
        piped = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        self.process = subprocess.Popen(self.words, **piped)
        told = []
        for line in self.process.stdout:
            told.append(line)
            if "http://127.0.0.1:" in line:
                return
        pytest.fail("".join(told))

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=120)
        assert self.process.returncode in (0, 130)
