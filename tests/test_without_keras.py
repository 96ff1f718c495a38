"""The usual way goes without Keras and TensorFlow, as if they were not installed."""

import json
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
import json, sys
sys.modules.update(dict.fromkeys(["keras", "tensorflow", "jax", "torch"]))
{HASTY}
from tests.command_line import retouch
for name, words in json.load(sys.stdin).items():
    done = retouch(*words, text=True)
    print(json.dumps([name, [done.returncode, done.stderr]]), flush=True)
"""
COMMANDS = {
    "faces": [],
    "skin": ["--out", "skin.png"],
    "edit": ["--set", "smile=-1", "--out", "edit.png"],
    "beautify": ["--out", "beautify.png"],
    "mask": ["--out", "mask.png"],
    "transfer": ["me.png", "--out", "transfer.png"],
    "invert": ["--steps", "2", "--save", "me.npz"],
}
LACKING = {
    "a climb": ["edit", "me.png", "--set", "smile=1", "--model", "default128"],
    "a training": ["train", "generator", "shards", "run"],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("folder")
    Image.fromarray(skimage.data.astronaut()).save(path / "me.png")
    return path


@pytest.fixture(scope="module")
def done(folder, tmp_path_factory):
    """Return the exit code and the errors of each command, all of one process."""
    asked = {name: [name, "me.png", *words] for name, words in COMMANDS.items()}
    home = str(tmp_path_factory.mktemp("home"))
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        input=json.dumps(asked | LACKING).encode(),
        cwd=folder,
        capture_output=True,
        env={"PYTHONPATH": str(ROOT), "PATH": "", "HOME": home},
    )
    assert run.returncode == 0, run.stderr.decode()
    return dict(json.loads(line) for line in run.stdout.splitlines())


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_works(done, folder, command):
    code, errors = done[command]
    assert code == 0, errors
    if f"{command}.png" in COMMANDS[command]:
        assert (folder / f"{command}.png").is_file()


@pytest.mark.parametrize("name", LACKING)
def test_what_needs_them_says_what_to_install(done, name):
    code, errors = done[name]
    assert code == 1
    assert "keras is not installed" in errors
    assert "pip install tensorflow keras" in errors
    assert "Traceback" not in errors
