"""A photo from --sign and --reversible to verify and undo, as a user does it."""

import json

import numpy as np
import pytest
import skimage.data
from PIL import Image

from retouch.photos.photo import read
from retouch.provenance import carried, originals
from tests import command_line


def retouch(*words, **env):
    return command_line.retouch(*words, text=True, **env)


@pytest.fixture(scope="module")
def portrait(tmp_path_factory):
    path = tmp_path_factory.mktemp("photos") / "me.jpg"
    image = Image.fromarray(skimage.data.astronaut()[:256, 100:356])
    image.resize((512, 512), Image.Resampling.BICUBIC).save(path, quality=92)
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
    words = "edit", portrait, "--set", "smile=1", "--out", out
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


@pytest.mark.parametrize("command", ["verify", "undo"])
def test_what_is_no_picture_is_named(command, tmp_path):
    path = tmp_path / "torn.jpg"
    path.write_bytes(b"hello")
    done = retouch(command, path)
    assert done.returncode == 1 and "torn.jpg" in done.stderr


@pytest.mark.parametrize("command", ["verify", "undo"])
def test_what_is_too_large_is_opened_when_that_is_allowed(command, portrait):
    done = retouch(command, portrait, "--max-pixels", 1000)
    assert done.returncode == 1 and "--max-pixels" in done.stderr
    done = retouch(command, portrait, "--max-pixels", 512**2)
    assert "--max-pixels" not in done.stderr
    assert "hidden mark" in done.stdout or "without --reversible" in done.stderr


@pytest.mark.parametrize("content", ["no certificate", "not even ASCII: ä", ""])
def test_what_vouches_for_nobody_is_one_sentence(content, signed, tmp_path):
    path = tmp_path / "trusted.pem"
    path.write_text(content)
    done = retouch("verify", signed[0], "--trust", path)
    assert done.returncode == 1 and "PEM" in done.stderr
    assert done.stderr.count("\n") == 1


def test_undo_tells_what_it_lacks(signed, portrait):
    done = retouch("undo", signed[0], RETOUCH_PASSPHRASE="")
    assert done.returncode == 1 and "set RETOUCH_PASSPHRASE" in done.stderr
    done = retouch("undo", portrait)
    assert done.returncode == 1 and "without --reversible" in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("skin", "--look", "studio"),
        ("mask",),
        ("transfer",),
    ],
    ids=lambda words: words[0],
)
def test_every_command_that_changes_a_photo_signs_marks_and_can_be_undone(
    words, portrait, keys, env, tmp_path
):
    photos = [portrait, portrait] if words[0] == "transfer" else [portrait]
    out = tmp_path / "out.jpg"
    done = retouch(
        words[0], *photos, *words[1:], "--sign", "--reversible", "--out", out, **env
    )
    assert done.returncode == 0 and "locked by" in done.stdout, done.stderr
    done = retouch("verify", out, "--trust", keys / "root.pem", "--json")
    found = json.loads(done.stdout)
    assert found["manifest"]["state"] == "trusted" and found["marked"] == 1, found
    back = tmp_path / "back.png"
    done = retouch("undo", out, "--out", back, **env)
    assert done.returncode == 0, done.stderr
    assert np.array_equal(read(back).pixels, read(portrait).pixels)


def test_sheets_are_signed_as_the_picture_that_changed_most(portrait, env, tmp_path):
    out = tmp_path / "sheet.png"
    words = "--range", "smile=0:1:2", "--out", out
    done = retouch("edit", portrait, *words, "--sign", **env)
    assert done.returncode == 0, done.stderr
    found = json.loads(retouch("verify", out, "--json").stdout)
    assert found["manifest"]["state"] == "valid"
    assert found["manifest"]["edit"]["edit"] == "smile +0 to +1"
    assert found["manifest"]["edit"]["changed"] > 0


def test_every_picture_of_a_range_of_transfers_is_signed(portrait, env, tmp_path):
    words = "--range", "alpha=0.3:0.5:2", "--out", tmp_path / "all"
    done = retouch(
        "transfer", portrait, portrait, *words, "--sign", "--reversible", **env
    )
    assert done.returncode == 0, done.stderr
    files = sorted((tmp_path / "all").glob("*.png"))
    assert len(files) == 3
    for file in files:
        found = json.loads(retouch("verify", file, "--json").stdout)
        assert found["manifest"]["state"] == "valid"
        kept = "none" if file.name == "sheet.png" else "locked"
        assert found["originals"] == kept


@pytest.mark.parametrize(
    "words",
    [
        ("edit", "--set", "smile=1", "--compare"),
        ("edit", "--range", "smile=0:1:2"),
        ("beautify", "--grid"),
        ("skin", "--compare"),
    ],
)
def test_a_picture_of_several_cannot_be_reversible(words, portrait, tmp_path):
    out = tmp_path / "a.png"
    done = retouch(words[0], portrait, *words[1:], "--reversible", "--out", out)
    assert done.returncode == 1 and "is for one picture" in done.stderr
    assert not out.exists()


def test_a_file_that_can_carry_nothing_is_refused_before_the_work(portrait, tmp_path):
    words = "--reversible", "--out", tmp_path / "a.avif"
    done = retouch("skin", portrait, *words)
    assert done.returncode == 1 and "AVIF file cannot carry" in done.stderr


def test_a_crop_drawn_alone_has_no_photo_to_tell_of(tmp_path):
    out = tmp_path / "a.png"
    done = retouch("render", "none.npz", "--out", out, "--sign")
    assert done.returncode == 1 and "they go with --into" in done.stderr
