"""A photo from --sign and --reversible to verify and undo, as a user does it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image

from retouch.photos.photo import read
from retouch.provenance import carried, originals

ROOT = Path(__file__).parents[3]


def retouch(*words, **more):
    command = [sys.executable, str(ROOT / "cli.py"), *map(str, words)]
    env = {**os.environ, "NO_COLOR": "1", "COLUMNS": "100", **more}
    return subprocess.run(command, capture_output=True, env=env, text=True)


@pytest.fixture(scope="module")
def portrait(tmp_path_factory):
    path = tmp_path_factory.mktemp("photos") / "me.jpg"
    Image.fromarray(skimage.data.astronaut()[:256, 100:356]).save(path, quality=92)
    return path


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    pytest.importorskip("c2pa")
    from tests.retouch.provenance import keys

    return keys.write(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def env(keys):
    names = {"RETOUCH_SIGN_KEY": "key.pem", "RETOUCH_SIGN_CERT": "chain.pem"}
    paths = {name: str(keys / file) for name, file in names.items()}
    return {**paths, "RETOUCH_PASSPHRASE": "a phrase"}


@pytest.fixture(scope="module")
def signed(portrait, env):
    """A signed and locked edit, and what was said of it."""
    out = portrait.with_name("out.jpg")
    words = "edit", portrait, "--set", "smile=1", "--steps", "2", "--out", out
    done = retouch(*words, "--sign", "--reversible", **env)
    assert done.returncode == 0, done.stderr
    return out, done.stdout


def test_verify_says_who_signed_what_and_that_it_holds(signed, keys):
    out, said = signed
    assert "locked by RETOUCH_PASSPHRASE" in said
    done = retouch("verify", out, "--trust", keys / "root.pem", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["holds"] and found["manifest"]["state"] == "trusted"
    assert found["manifest"]["edit"]["edit"] == "smile +1"
    assert found["notes"]["source_type"] == "compositeWithTrainedAlgorithmicMedia"
    assert found["originals"] == "locked" and found["manifest"]["edit"]["watermark"]
    done = retouch("verify", out)
    assert "nobody given here vouches for" in done.stdout
    assert "original faces inside: locked" in done.stdout


def test_verify_says_that_a_changed_picture_does_not_hold(signed, tmp_path):
    data = bytearray(signed[0].read_bytes())
    data[data.rindex(b"\xff\xda") + 100] ^= 1
    (tmp_path / "bad.jpg").write_bytes(data)
    done = retouch("verify", tmp_path / "bad.jpg")
    assert done.returncode == 1
    assert "does NOT hold" in done.stdout and "dataHash" in done.stdout
    assert done.stderr.startswith("retouch: What ")


def test_undo_puts_back_every_pixel_of_the_faces(signed, portrait, env, tmp_path):
    out, back = signed[0], tmp_path / "back.png"
    done = retouch("undo", out, "--out", back, **env)
    assert done.returncode == 0 and str(back) in done.stdout, done.stderr
    before, after = (read(path) for path in (portrait, out))
    payload = carried.take(out.read_bytes(), "JPEG")
    same = originals.restored(after, payload, "a phrase").pixels
    assert np.array_equal(read(back).pixels, same)
    assert (after.pixels != before.pixels).any()
    assert np.array_equal(same, before.pixels)  # blocks of a JPEG outside are kept
    assert b"compositeWithTrained" not in back.read_bytes()


def test_undo_tells_what_it_lacks(signed, portrait):
    done = retouch("undo", signed[0], RETOUCH_PASSPHRASE="")
    assert done.returncode == 1 and "set RETOUCH_PASSPHRASE" in done.stderr
    done = retouch("undo", portrait)
    assert done.returncode == 1 and "without --reversible" in done.stderr


def test_a_picture_of_two_cannot_be_reversible(portrait, tmp_path):
    words = "--steps", "2", "--compare", "--reversible", "--out", tmp_path / "a.png"
    done = retouch("edit", portrait, "--set", "smile=1", *words)
    assert done.returncode == 1 and "--compare" in done.stderr
    assert not (tmp_path / "a.png").exists()
