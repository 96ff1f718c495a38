import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image
from typer.testing import CliRunner

from cli import app
from retouch.errors import SettingsError
from retouch.settings import Skin

ROOT = Path(__file__).parents[3]


@pytest.fixture
def portrait(tmp_path):
    path = tmp_path / "a.png"
    Image.fromarray(skimage.data.astronaut()).save(path)
    return path


def test_skin_is_retouched_without_tensorflow(portrait):
    line = ["skin", str(portrait), "--look", "studio", "--json"]
    check = (
        "import sys; sys.argv[1:] = " + repr(line) + "; import cli;"
        "cli.app(standalone_mode=False); sys.exit('tensorflow' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", check], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["faces"][0]["touched"] > 0.005
    before, after = (np.asarray(Image.open(p)) for p in (portrait, told["out"]))
    changed = (before != after).any(-1)
    assert changed.mean() == pytest.approx(told["faces"][0]["touched"], rel=0.01)


def test_parts_are_drawn_on_a_copy(portrait, tmp_path):
    out = tmp_path / "parts.png"
    line = ["faces", str(portrait), "--masks", "--out", str(out)]
    assert CliRunner().invoke(app, line).exit_code == 0
    before, after = (np.asarray(Image.open(p)) for p in (portrait, out))
    changed = np.abs(before.astype(int) - after).max(-1) > 20
    assert changed[70:180, 170:280].mean() > 0.5
    assert not changed[300:].any()


def test_masks_without_a_file_are_a_sentence(portrait):
    with pytest.raises(SettingsError, match="--out FILE"):
        CliRunner().invoke(
            app, ["faces", str(portrait), "--masks"], catch_exceptions=False
        )


def test_what_a_look_wishes_can_be_told_otherwise():
    wishes = Skin(look="studio", even=0.1).filled()
    assert wishes["even"] == 0.1
    assert wishes["shine"] == 0.8
    assert Skin(look="none").is_nothing
    assert not Skin(look="none", keep_marks=False).is_nothing
    with pytest.raises(SettingsError, match=r"shine must lie in \[0.0, 1.0\]"):
        Skin(shine=1.5)


@pytest.mark.parametrize("free", [slice(0), slice(225, None)])
def test_what_masks_leave_of_it_is_what_is_told(portrait, tmp_path, free):
    mask = np.zeros((512, 512), np.uint8)
    mask[:, free] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    line = ["skin", str(portrait), "--only", str(tmp_path / "mask.png"), "--json"]
    told = json.loads(CliRunner().invoke(app, line).stdout)
    before, after = (np.asarray(Image.open(p)) for p in (portrait, told["out"]))
    changed = (before != after).any(-1)
    assert changed.mean() == told["faces"][0]["touched"]
    assert changed.any() == (free != slice(0))
    changed[:, free] = False
    assert not changed.any()
