"""File names and folders that stopped a batch: now each is worked on, or has a row."""

import json
import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest
import skimage.data
from PIL import Image

from retouch.batches.job import Done, Job, Picture
from retouch.batches.plan import Plan
from retouch.batches.run import run
from retouch.batches.sources import find
from retouch.batches.store import Store
from retouch.batches.worker import Worker
from retouch.errors import PhotoError
from retouch.settings import Settings

JOB = Job(settings=Settings(strength=0))  # only finds faces, which is quick
ROOT = Path(__file__).parents[3]
NAME = os.fsdecode(b"caf\xe9.png")  # Latin-1, as old archives have it
posix = pytest.mark.skipif(os.name != "posix", reason="names there are text")


@pytest.fixture(scope="module")
def worker():
    return Worker(JOB, "")


def picture(path):
    Image.fromarray(skimage.data.astronaut()[:320, 60:380]).save(path, "PNG")


@posix
def test_a_name_that_is_no_utf_8_is_done_and_resumed(tmp_path):
    (tmp_path / "photos").mkdir()
    picture(tmp_path / "photos" / NAME)
    for skipped in (0, 1):
        plan = Plan(workers=1)
        summary = run(str(tmp_path / "photos"), tmp_path / "out", JOB, plan)
        assert (summary.found, summary.skipped) == (1, skipped)
    lines = (tmp_path / "out/report.jsonl").read_text("utf-8").splitlines()
    (row,) = map(json.loads, lines)
    assert row["ok"] and row["picture"] == NAME
    assert (tmp_path / "out" / NAME).is_file()


@posix
def test_such_a_name_can_stand_in_a_list_and_on_the_command_line(tmp_path):
    picture(tmp_path / NAME)
    (tmp_path / "list.txt").write_bytes(os.fsencode(tmp_path / NAME) + b"\n")
    out = os.fsencode(tmp_path) + b"/\xff"
    command = [sys.executable, "cli.py", "batch", tmp_path / "list.txt", out]
    command += ["--strength", "0", "--workers", "1"]
    env = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    told = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, timeout=300)
    assert told.returncode == 0, told.stderr
    assert out + b"/report.jsonl" in told.stdout


def test_a_report_with_such_a_name_is_compacted_as_it_was(tmp_path):
    for _ in range(2):
        with Store(tmp_path) as store:
            row = {"picture": NAME, "ok": True, "out": []}
            store.keep(Done(NAME, {}, row))
    with Store(tmp_path) as store:
        assert [found["picture"] for found in store.rows()] == [NAME]


@posix
def test_a_pipe_among_the_photos_gets_a_row(worker, tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    (done,) = worker.work([Picture("pipe.jpg", str(tmp_path / "pipe.jpg"))])
    assert not done.row["ok"] and "a pipe" in done.row["error"]


@posix
def test_colons_in_names_are_no_chain_of_file_systems(worker, tmp_path):
    folder = tmp_path / "a::b"
    folder.mkdir()
    picture(folder / "zip::c.png")
    for source in (folder, folder / "zip::c.png", f"{folder}/*.png"):
        (found,) = find(str(source), tmp_path / "out").pictures
        assert found.name == "zip::c.png"
        (done,) = worker.work([found])
        assert done.row["ok"], done.row


@contextmanager
def ordinary():
    """Let the rights of files hold for a time, though root runs the tests."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


@posix
@pytest.mark.parametrize("mode", [0o555, 0o000])
def test_a_folder_that_cannot_be_written_is_told_in_a_sentence(mode):
    with tempfile.TemporaryDirectory() as parent:
        os.chmod(parent, 0o755)
        out = Path(parent) / "out"
        out.mkdir(mode)
        with ordinary(), pytest.raises(PhotoError, match="permissions"):
            Store(out)
        out.chmod(0o755)
        with Store(out):  # it was let go
            pass


@posix
def test_a_report_that_cannot_be_written_is_told_in_a_sentence():
    with tempfile.TemporaryDirectory() as parent:
        os.chmod(parent, 0o755)
        with Store(Path(parent)) as store:
            store.keep(Done("a.png", {}, {"picture": "a.png", "ok": True, "out": []}))
        (Path(parent) / "report.jsonl").chmod(0o444)
        with ordinary(), pytest.raises(PhotoError, match="permissions"):
            Store(Path(parent))
