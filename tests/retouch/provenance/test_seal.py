"""Signed pictures say what was done to them, and tell when something was changed."""

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from retouch.errors import SettingsError
from retouch.photos.formats import FORMATS
from retouch.photos.photo import Photo, Provenance, encode, read
from retouch.provenance import seal
from retouch.provenance.manifest import stated
from retouch.provenance.seal import Seal
from retouch.settings import Settings
from tests.retouch.pictures import saved
from tests.retouch.provenance import keys

SETTINGS = Settings(sign=True, watermark=False)
DONE = Provenance("default", "smile +1", 0.75)
SIGNED = ("JPEG", "PNG", "WEBP", "TIFF")


def sealed(pair, format, settings=SETTINGS, source=None, **options):
    """Return the file of an edit whose photo came as the source."""
    before, after = (Photo(pixels, format=format) for pixels in pair)
    before = replace(before, source=encode(before) if source is None else source)
    sealing = Seal(before, after, DONE, settings)
    return encode(after, format, provenance=DONE, seal=sealing, **options)


def media(format):
    return FORMATS[format].media


def tampered(data, format):
    """Return the file with one bit of its picture changed."""
    mark = {"JPEG": b"\xff\xda", "PNG": b"IDAT", "WEBP": b"VP8", "TIFF": b"II*\0"}
    place = data.rindex(mark[format]) + 40
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


@pytest.mark.parametrize("format", SIGNED)
def test_a_signed_picture_says_what_was_done_and_by_whom(format, pair, signing):
    data = sealed(pair, format)
    assert read(data).pixels.shape == pair[1].shape
    said = stated(data, media(format), (signing / "root.pem").read_text())
    assert (said.state, said.signer, said.failures) == ("trusted", "A studio", ())
    assert said.actions == ("c2pa.opened", "c2pa.edited")
    assert said.edit["model"] == "default" and said.edit["strength"] == 0.75
    assert said.edit["edit"] == "smile +1" and len(said.edit["model_sha256"]) == 64
    differs = (pair[0] != pair[1]).any(-1).mean()
    assert said.edit["changed"] == pytest.approx(differs, abs=1e-6)
    assert said.photo == ""


@pytest.mark.parametrize("format", SIGNED)
def test_tampering_is_told(format, pair, signing):
    said = stated(tampered(sealed(pair, format), format), media(format))
    assert said.state == "broken" and "assertion.dataHash.mismatch" in said.failures


def test_a_signer_for_whom_nobody_vouches_is_not_trusted(pair, signing):
    said = stated(sealed(pair, "PNG"), "image/png")
    assert (said.state, said.failures) == ("valid", ())


def test_the_manifest_that_the_photo_came_with_is_kept(pair, signing):
    first = sealed(pair, "JPEG")
    said = stated(sealed(pair, "JPEG", source=first), "image/jpeg")
    assert (said.state, said.photo) == ("valid", "valid")


def test_a_broken_one_is_never_passed_on_as_good(pair, signing):
    broken = tampered(sealed(pair, "JPEG"), "JPEG")
    said = stated(sealed(pair, "JPEG", source=broken), "image/jpeg")
    assert said.state == "valid"
    assert said.photo == "broken (assertion.dataHash.mismatch)"


def test_where_places_are_left_out_the_photos_manifest_is_too(pair, signing):
    first = sealed(pair, "JPEG")
    data = sealed(pair, "JPEG", source=first, strip_location=True)
    assert stated(data, "image/jpeg").photo == ""


def test_a_photo_too_damaged_for_a_manifest_is_told_of_by_its_pixels(pair, signing):
    said = stated(sealed(pair, "JPEG", source=b"\xff\xd8\xff junk"), "image/jpeg")
    assert (said.state, said.actions[0]) == ("valid", "c2pa.opened")


def test_a_picture_without_a_manifest_says_nothing(pair):
    pytest.importorskip("c2pa")
    assert stated(saved_png(pair), "image/png").state == "none"


def saved_png(pair):
    from PIL import Image

    return saved(Image.fromarray(pair[1]), "PNG")


def test_no_thumbnail_shows_what_the_face_was(pair, signing):
    data = sealed(pair, "PNG")
    assert b"thumbnail" not in data


@pytest.mark.parametrize("kind", keys.KEYS)
def test_keys_of_all_usual_kinds_sign(kind, pair, tmp_path, monkeypatch):
    pytest.importorskip("c2pa")
    keys.write(tmp_path, kind)
    monkeypatch.setenv("RETOUCH_SIGN_KEY", str(tmp_path / "key.pem"))
    monkeypatch.setenv("RETOUCH_SIGN_CERT", str(tmp_path / "chain.pem"))
    said = stated(sealed(pair, "PNG"), "image/png")
    assert said.state == "valid"


def test_what_is_missing_for_a_signature_is_told_before_the_work(
    studio, tmp_path, monkeypatch
):
    monkeypatch.delenv("RETOUCH_SIGN_KEY", raising=False)
    with pytest.raises(SettingsError, match="RETOUCH_SIGN_KEY and RETOUCH_SIGN_CERT"):
        seal.check(SETTINGS)
    monkeypatch.setenv("RETOUCH_SIGN_KEY", str(tmp_path / "none.pem"))
    with pytest.raises(SettingsError, match="cannot be read"):
        seal.check(SETTINGS)
    monkeypatch.setenv("RETOUCH_SIGN_KEY", str(studio / "chain.pem"))
    monkeypatch.setenv("RETOUCH_SIGN_CERT", str(studio / "chain.pem"))
    with pytest.raises(SettingsError, match="no private key"):
        seal.check(SETTINGS)
    monkeypatch.setenv("RETOUCH_SIGN_KEY", str(studio / "key.pem"))
    another = keys.write(tmp_path / "another") / "chain.pem"
    for wrong in (studio / "key.pem", studio / "root.pem", another):
        monkeypatch.setenv("RETOUCH_SIGN_CERT", str(wrong))
        with pytest.raises(SettingsError, match="cannot sign"):
            seal.check(SETTINGS)
    seal.check(Settings())


# --- a second implementation ----------------------------------------------------

ROOT = Path(__file__).parents[3]
SECOND = ROOT / "node_modules" / "@trustnxt" / "c2pa-ts"
SCRIPT = """
import * as fs from 'node:fs/promises';
import { JPEG, PNG } from '@trustnxt/c2pa-ts/asset';
import { SuperBox } from '@trustnxt/c2pa-ts/jumbf';
import { ManifestStore } from '@trustnxt/c2pa-ts/manifest';
const file = await fs.readFile(process.argv[2]);
const asset = JPEG.canRead(file) ? new JPEG(file) : new PNG(file);
const store = ManifestStore.read(SuperBox.fromBuffer(asset.getManifestJUMBF()));
const result = await store.validate(asset);
const labels = store.getActiveManifest().assertions.assertions.map(a => a.label);
const codes = result.statusEntries.filter(e => !e.success).map(e => e.code);
console.log(JSON.stringify([result.isValid, labels, codes]));
"""


@pytest.mark.skipif(
    not shutil.which("node") or not SECOND.is_dir(),
    reason="needs node, and make second",
)
@pytest.mark.parametrize("format", ["JPEG", "PNG"])
def test_another_implementation_says_the_same(format, pair, signing, tmp_path):
    (tmp_path / "node_modules").symlink_to(ROOT / "node_modules")
    (tmp_path / "check.mjs").write_text(SCRIPT)

    def told(data):
        (tmp_path / "picture").write_bytes(data)
        command = ["node", "check.mjs", "picture"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=120)
        assert done.returncode == 0, done.stderr.decode()
        return json.loads(done.stdout)

    data = sealed(pair, format, replace(SETTINGS, reversible=True))
    valid, labels, codes = told(data)
    assert valid and codes == []
    assert {"c2pa.actions.v2", "c2pa.ingredient.v3", "org.retouch.edit"} <= set(labels)
    valid, _, codes = told(tampered(data, format))
    assert not valid and codes == ["assertion.dataHash.mismatch"]
