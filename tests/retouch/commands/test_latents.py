"""invert, render and --latents as a user meets them."""

import json
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image

from tests.command_line import retouch


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kept")
    Image.fromarray(skimage.data.astronaut()).save(folder / "me.png")
    words = "invert", folder / "me.png", "--save", folder / "me.npz", "--steps", "2"
    done = retouch(*words, "--plot", folder / "plot.png", "--json")
    assert done.returncode == 0, done.stderr
    (folder / "told.json").write_bytes(done.stdout)
    return folder


def pixels(path):
    with Image.open(path) as image:
        return np.asarray(image)


def test_invert_tells_what_it_kept_and_draws_the_way(folder):
    (face,) = json.loads((folder / "told.json").read_text())["faces"]
    assert Path(face["file"]) == folder / "me.npz"
    assert 0 < face["loss"] < 1 and face["fidelity"] > 20 and not face["interrupted"]
    assert (folder / "me.npz").stat().st_size < 2**18
    assert pixels(folder / "plot.png").shape[2] == 3


def test_render_draws_the_crop(folder):
    out = folder / "crop.png"
    done = retouch("render", folder / "me.npz", "--out", out)
    assert done.returncode == 0, done.stderr
    assert pixels(out).shape == (256, 256, 3)


def test_latents_lay_the_edit_into_their_photo(folder):
    words = "--latents", folder / "me.npz", "--set", "age=1", "--out"
    done = retouch("edit", folder / "me.png", *words, folder / "older.png", "-v")
    assert done.returncode == 0, done.stderr
    assert b"inverting" not in done.stderr and b"editing" in done.stderr
    changed = pixels(folder / "older.png") != skimage.data.astronaut()
    assert 0.005 < changed.any(-1).mean() < 0.3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("invert", "me.png", "--save", "face.png"), b"ends in .npz"),
        (("invert", "me.png", "--save", "me.npz"), b"exists already"),
        (("invert", "me.png", "--save", "no/me.npz"), b"no folder"),
        (("invert", "me.png", "--save", "a.npz", "--preset", "best"), b"preset is one"),
        (("render", "absent.npz", "--out", "x.png"), b"no file"),
        (("render", "me.png", "--out", "x.png"), b"no latent file of retouch"),
        (("render", "me.npz"), b"--out"),
        (("render", "me.npz", "--out", "x.png", "--into", "me.png"), b"--set"),
    ],
)
def test_what_cannot_be_is_one_sentence_before_any_work(folder, words, said):
    words = [
        folder / word if "." in word and not word.startswith("-") else word
        for word in words
    ]
    before = (folder / "me.npz").read_bytes()
    done = retouch(*words)
    assert done.returncode == 1 and said in done.stderr, done.stderr
    assert b"Traceback" not in done.stderr and done.stderr.count(b"\n") == 1
    assert (folder / "me.npz").read_bytes() == before and not (
        folder / "x.png"
    ).exists()
