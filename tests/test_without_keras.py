"""The usual way goes without Keras and TensorFlow, as if they were not installed."""

import subprocess
import sys
from pathlib import Path

import pytest
import skimage.data
from PIL import Image

from tests.climbs import HASTY

ROOT = Path(__file__).parents[1]
# What is None in sys.modules cannot be imported.
SCRIPT = f"""
import sys
sys.modules.update(dict.fromkeys(["keras", "tensorflow", "jax", "torch"]))
{HASTY}
import cli
sys.argv[0] = "retouch"
cli.main()
"""
COMMANDS = {
    "faces": [],
    "skin": ["--out", "out.png"],
    "edit": ["--set", "smile=-1", "--out", "out.png"],
    "beautify": ["--out", "out.png"],
    "mask": ["--out", "out.png"],
    "transfer": ["me.png", "--out", "out.png"],
    "invert": ["--steps", "0", "--save", "me.npz"],
}


def retouch(home, folder, *words):
    command = [sys.executable, "-c", SCRIPT, *words]
    environment = {"PYTHONPATH": str(ROOT), "PATH": "", "HOME": str(home)}
    return subprocess.run(command, cwd=folder, capture_output=True, env=environment)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Return a home in which the first command keeps what the next ones need."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def folder(tmp_path):
    Image.fromarray(skimage.data.astronaut()).save(tmp_path / "me.png")
    return tmp_path


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_works(home, folder, command):
    done = retouch(home, folder, command, "me.png", *COMMANDS[command])
    assert done.returncode == 0, done.stderr.decode()
    if "out.png" in COMMANDS[command]:
        assert (folder / "out.png").is_file()


def test_a_search_says_what_to_install(home, folder):
    words = "edit", "me.png", "--set", "smile=1", "--preset", "balanced"
    done = retouch(home, folder, *words)
    assert done.returncode == 1
    assert b"keras is not installed" in done.stderr
    assert b"pip install tensorflow keras" in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_training_says_what_to_install(home, folder):
    done = retouch(home, folder, "train", "generator", "shards", "run")
    assert done.returncode == 1
    assert b"keras is not installed" in done.stderr
    assert b"pip install tensorflow keras" in done.stderr
    assert b"Traceback" not in done.stderr
