"""A file of another project becomes a network that draws pictures, by its name."""

import hashlib

import numpy as np
import pytest

from pretrained import catalogue, directions, loading
from pretrained.catalogue import Published
from pretrained.files import read
from pretrained.importing import convert
from pretrained.registry import Library, Shelf, home
from retouch.errors import SettingsError, WeightsError
from tests.pretrained import forgery

SOURCE = forgery.random_source()


@pytest.fixture
def library(tmp_path):
    return Library(Shelf(tmp_path / "shipped"), Shelf(tmp_path / "own"))


@pytest.fixture
def file(tmp_path):
    """A network as rosinality's code saves it."""
    path = tmp_path / "550000.pt"
    path.write_bytes(forgery.torch_zip(forgery.rosinality_value(SOURCE)))
    return path


def test_an_imported_network_is_loaded_by_its_name(library, file):
    row = loading.import_file(library, file, "mine", licence="CC0")
    assert (row.architecture, row.resolution, row.licence) == ("stylegan2", 16, "CC0")
    assert row.source == "550000.pt (rosinality)"
    assert len(row.source_sha256) == 64
    model = loading.load(library, "mine")
    assert model.latent_shape == (6, 4)
    assert model.decode(model.sample(2, seed=0)).shape == (2, 16, 16, 3)


def test_imported_weights_lose_nothing(library, file):
    loading.import_file(library, file, "mine")
    wanted, found = convert(read(file), file).weights, library.weights("mine")
    for name, weight in wanted.items():
        np.testing.assert_array_equal(found[name], weight)


def test_a_bad_name_is_refused_before_the_file_is_read(library, tmp_path):
    with pytest.raises(SettingsError):
        loading.import_file(library, tmp_path / "missing", "../mine")


def test_a_missing_file_is_named(library, tmp_path):
    with pytest.raises(WeightsError, match="no file"):
        loading.import_file(library, tmp_path / "missing.pt", "mine")


def test_an_unknown_architecture_is_refused(library, file):
    row = loading.import_file(library, file, "mine")
    text = library.own.manifest.read_text().replace("stylegan2", "stylegan9")
    library.own.manifest.write_text(text)
    with pytest.raises(WeightsError, match="stylegan9"):
        loading.load(library, row.name)


def test_weights_that_do_not_fit_their_row_are_refused(library, file):
    loading.import_file(library, file, "mine")
    text = library.own.manifest.read_text().replace('"depth": 2', '"depth": 3')
    library.own.manifest.write_text(text)
    with pytest.raises(WeightsError, match="do not fit"):
        loading.load(library, "mine")


def test_directions_are_bound_to_a_family(library, file, tmp_path):
    loading.import_file(library, file, "model", family="stylegan2-ffhq")
    np.save(tmp_path / "smile.npy", np.ones((1, 4)))
    row = loading.import_file(library, tmp_path / "smile.npy", "smile")
    assert (row.kind, row.family) == ("directions", "stylegan1-ffhq")
    with pytest.raises(WeightsError, match="made for stylegan1-ffhq"):
        directions.check_family(library.direction("smile"), "model", "stylegan2-ffhq")


def test_a_fetched_network_is_imported(library, tmp_path, monkeypatch):
    monkeypatch.setenv("RETOUCH_HOME", str(tmp_path / "home"))
    data = forgery.tensorflow_file(forgery.tensorflow_arrays(SOURCE))
    sha256 = hashlib.sha256(data).hexdigest()
    address = "https://invalid.invalid/tiny.pkl"
    entry = Published("tiny", address, "family", len(data), sha256)
    monkeypatch.setattr(catalogue, "PUBLISHED", (entry,))
    place = home() / "downloads" / "tiny.pkl"
    place.parent.mkdir(parents=True)
    place.write_bytes(data)
    row = loading.fetch(library, "tiny")
    assert (row.family, row.licence) == ("family", catalogue.LICENCE)
    assert loading.fetch(library, "tiny") == row
