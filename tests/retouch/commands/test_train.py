"""The trainings' commands say what is wrong, and nothing else."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.command_line import retouch
from tests.retouch.training import blobs

ROOT = Path(__file__).parents[3]
# What loads as loudly as Keras and its backend do, and then is not whole.
LOUD = """
import os
os.write(2, b"I0000 00:00:1796070627.591177 port.cc:153] operations are on.\\n")
raise ImportError(name="tensorflow")
"""


@pytest.mark.parametrize("words", [["generator", "nowhere", "run"], ["moves", "none"]])
def test_a_training_says_what_is_wrong_without_what_its_backend_writes(words, tmp_path):
    (tmp_path / "keras.py").write_text(LOUD)
    done = subprocess.run(
        [sys.executable, ROOT / "cli.py", "train", *words],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path), "PATH": "", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("retouch: tensorflow is not installed")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "words",
    [
        ["scout", "{none}", "--without", "{there}", "--out", "out"],
        ["scout", "{there}", "--without", "{none}", "--out", "out"],
        ["parsing", "{there}", "--run", "run", "--masks", "{none}"],
    ],
)
def test_a_folder_that_is_not_there_is_not_understood(words, tmp_path):
    places = {"none": tmp_path / "none", "there": tmp_path}
    done = retouch("train", *(word.format(**places) for word in words), text=True)
    assert done.returncode == 2 and "does not exist" in done.stderr


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Shards of a few crops of 16 pixels, which no network that ships can read."""
    return blobs.write(tmp_path_factory.mktemp("training") / "data")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["moves", "none"],
            "'default-moves' ships with retouch, and stays. Name a fold",
        ),
        (
            ["moves", "{data}", "--out", "out"],
            "The network is for crops 'tight' of 256",
        ),
        (["mask", "{data}", "run"], "The network is for crops 'tight' of 128 px"),
        (["mask", "none", "run"], "none is no folder of training data"),
        (["generator", "{data}", "run"], "The network is for crops 'tight' of 128 px"),
        (["finisher", "none", "run", "--eyes", "no.npz"], "There is no file 'no.npz'"),
        (["sight", "{data}", "out"], "reading shapes is learnt from 400 or more."),
        (["expressions", "{data}", "out", "--poses", "a=no.csv"], "no.csv is no table"),
        (
            ["expressions", "{data}", "out", "--poses", "no.csv"],
            "as NAME=FILE, such as",
        ),
        (
            ["expressions", "{data}", "out", "--poses", "a={table}"],
            "has no column 'yaw'; it needs file, yaw, pitch.",
        ),
        (
            [
                "judges",
                "{data}",
                "out",
                "--ratings",
                "a={table}",
                "--labels",
                "b=no.csv",
            ],
            "has no column 'attractive'; it needs file, ",
        ),
    ],
)
def test_what_cannot_be_learnt_is_one_sentence_and_leaves_no_folder(
    words, said, data, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "table.csv").write_text("file,age\n1.png,30\n")
    places = {"data": data, "table": tmp_path / "table.csv"}
    done = retouch("train", *(word.format(**places) for word in words), text=True)
    assert done.returncode == 1 and said in done.stderr, done.stderr
    assert done.stderr.startswith("retouch: ") and done.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["table.csv"]


@pytest.mark.skipif(not Path("/sys/kernel").is_dir(), reason="a folder of Linux alone")
def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "a.png").write_bytes(b"no picture")
    done = retouch("train", "data", tmp_path, "/sys/kernel/shards", text=True)
    assert done.returncode == 1 and done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("retouch: Writing '/sys/kernel/shards' failed (")
    assert "choose another folder" in done.stderr
