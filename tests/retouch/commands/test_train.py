"""The trainings' commands say what is wrong, and nothing else."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.command_line import retouch

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
