"""Latent files give back what was kept, or say in a sentence what is wrong."""

import dataclasses

import numpy as np
import pytest

from retouch.errors import PhotoError, RetouchError, SettingsError, WeightsError
from retouch.geometry import Face
from retouch.inversion import latent_files
from retouch.inversion.latent_files import SavedFace

RNG = np.random.default_rng(0)
FACE = Face(RNG.uniform(0, 100, (68, 2)), (1.0, 2.0, 30.0, 40.0), 0.9)
SAVED = SavedFace(
    RNG.normal(size=(4, 8)).astype("f4"),
    "default",
    "abc",
    FACE,
    (480, 640),
    31.5,
    np.array([3, 2, 2.5], "f4"),
    {"b8.conv.kernel.left": RNG.normal(size=(9, 2)).astype("f2").astype("f4")},
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "face.npz"


def test_what_was_kept_comes_back(path):
    latent_files.save(SAVED, path)
    found = latent_files.load(path)
    np.testing.assert_array_equal(found.latents, SAVED.latents)
    np.testing.assert_array_equal(found.losses, SAVED.losses)
    np.testing.assert_array_equal(found.face.landmarks, FACE.landmarks)
    for name, delta in SAVED.tuned.items():
        np.testing.assert_array_equal(found.tuned[name], delta)
    for name in ("model", "sha256", "photo", "fidelity"):
        assert getattr(found, name) == getattr(SAVED, name)
    assert found.loss == 2 and found.face.box == FACE.box


def test_the_same_face_makes_the_same_bytes(tmp_path):
    paths = [tmp_path / name for name in ("a.npz", "b.npz")]
    for path in paths:
        latent_files.save(SAVED, path)
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_a_file_is_not_replaced_unless_it_may_be(path):
    latent_files.save(SAVED, path)
    with pytest.raises(PhotoError, match="exists already"):
        latent_files.save(SAVED, path)
    latent_files.save(dataclasses.replace(SAVED, model="other"), path, force=True)
    assert latent_files.load(path).model == "other"


def test_a_latent_file_is_called_npz(tmp_path):
    with pytest.raises(SettingsError, match=r"ends in \.npz; got 'face\.png'"):
        latent_files.save(SAVED, tmp_path / "face.png")


def test_numbers_that_are_not_finite_are_refused(path):
    broken = SAVED.latents.copy()
    broken[0, 0] = np.nan
    latent_files.save(dataclasses.replace(SAVED, latents=broken), path)
    with pytest.raises(WeightsError, match="not finite"):
        latent_files.load(path)


def test_another_version_is_refused(path, monkeypatch):
    monkeypatch.setattr(latent_files, "VERSION", 2)
    latent_files.save(SAVED, path)
    monkeypatch.undo()
    with pytest.raises(WeightsError, match="version 2, and this retouch reads 1"):
        latent_files.load(path)


@pytest.mark.parametrize("kind", ["text", "other", "cut", "pickle", "array", "empty"])
def test_what_is_no_latent_file_is_refused(path, kind):
    latent_files.save(SAVED, path)
    if kind == "text":
        path.write_text("no latents")
    elif kind == "other":
        np.savez(path, weights=np.zeros(3))
    elif kind == "cut":
        path.write_bytes(path.read_bytes()[:300])
    elif kind == "pickle":
        np.savez(path, about=np.array([{}], object))
    elif kind == "array":
        with path.open("wb") as file:
            np.save(file, np.zeros(3))
    else:
        path.write_bytes(b"")
    with pytest.raises(RetouchError, match=r"face\.npz"):
        latent_files.load(path)


def test_latents_of_another_model_version_or_shape_are_refused():
    SAVED.check_model("default", "abc", (4, 8))
    with pytest.raises(SettingsError, match="with 'default' and the model is 'big'"):
        SAVED.check_model("big", "abc", (4, 8))
    with pytest.raises(SettingsError, match="another version"):
        SAVED.check_model("default", "abd", (4, 8))
    with pytest.raises(WeightsError, match=r"shape \(4, 8\), and 'default' takes"):
        SAVED.check_model("default", "abc", (5, 8))


def test_a_photo_of_another_size_is_refused():
    SAVED.check_photo((480, 640, 3))
    with pytest.raises(SettingsError, match="640 x 480 pixels, and this one has 10"):
        SAVED.check_photo((20, 10, 3))
