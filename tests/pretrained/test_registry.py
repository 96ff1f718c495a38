"""The manifest finds, checks, keeps and removes weights."""

import dataclasses
import json

import numpy as np
import pytest

from pretrained import registry
from pretrained.registry import Library, Row, Shelf, library
from retouch.errors import SettingsError, WeightsError

WEIGHTS = {"a.kernel": np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)}


def row(name="mine", **kw) -> Row:
    return Row(name, kw.pop("kind", "generator"), f"{name}.safetensors", **kw)


@pytest.fixture
def shelves(tmp_path):
    """A library of two empty folders."""
    return Library(Shelf(tmp_path / "shipped"), Shelf(tmp_path / "own"))


def test_weights_come_back_as_they_were_added(shelves):
    added = shelves.add(row(config={"channels": [4, 8]}), WEIGHTS)
    found = shelves.weights("mine")
    np.testing.assert_array_equal(found["a.kernel"], WEIGHTS["a.kernel"])
    assert shelves.row("mine") == added
    assert added.size == shelves.path(added).stat().st_size


def test_half_precision_is_read_as_float32(shelves):
    shelves.add(row(), WEIGHTS, half=True)
    found = shelves.weights("mine")["a.kernel"]
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, WEIGHTS["a.kernel"], rtol=1e-3)


def test_the_same_weights_give_the_same_file(shelves, tmp_path):
    first = shelves.add(row(), WEIGHTS)
    again = Library(Shelf(tmp_path / "x"), Shelf(tmp_path / "y")).add(row(), WEIGHTS)
    assert first.sha256 == again.sha256


def test_an_unknown_name_tells_the_known_ones(shelves):
    shelves.add(row("vae"), WEIGHTS)
    shelves.add(row("cvae"), WEIGHTS)
    with pytest.raises(WeightsError) as caught:
        shelves.row("vea")
    assert str(caught.value) == "No network is called 'vea'. Known: cvae, vae."


def test_a_name_of_another_kind_is_not_found(shelves):
    shelves.add(row("judge", kind="scorer"), WEIGHTS)
    with pytest.raises(WeightsError, match="No generator is called 'judge'"):
        shelves.row("judge", "generator")


def test_a_name_cannot_be_given_twice(shelves):
    shelves.shipped.add(row(), WEIGHTS, half=True)
    with pytest.raises(WeightsError, match="ships with retouch, and stays"):
        shelves.add(row(), WEIGHTS)
    other = dataclasses.replace(row(), name="own")
    shelves.add(other, WEIGHTS)
    with pytest.raises(WeightsError, match=r"already called 'own'.*remove own"):
        shelves.add(other, WEIGHTS)


def test_damaged_weights_are_noticed_on_loading(shelves):
    path = shelves.path(shelves.add(row(), WEIGHTS))
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(WeightsError, match="damaged"):
        shelves.weights("mine")
    with pytest.raises(WeightsError, match="damaged"):
        shelves.verify("mine")


def test_missing_weights_say_how_to_get_them(shelves):
    shelves.path(shelves.add(row(), WEIGHTS)).unlink()
    with pytest.raises(WeightsError, match="retouch models import FILE --name mine"):
        shelves.weights("mine")


def test_removed_weights_are_gone(shelves):
    path = shelves.path(shelves.add(row(), WEIGHTS))
    shelves.remove("mine")
    assert not path.exists()
    assert shelves.rows() == []


def test_what_was_learnt_for_a_generator_goes_with_it(shelves):
    shelves.add(row(), WEIGHTS)
    shelves.add(row("mine-traits", kind="scorer"), WEIGHTS)
    shelves.add(row("mine-other", kind="scorer"), WEIGHTS)
    assert [gone.name for gone in shelves.remove("mine")] == ["mine", "mine-traits"]
    assert [left.name for left in shelves.rows()] == ["mine-other"]


def test_weights_that_cannot_be_written_are_one_sentence(shelves):
    shelves.own.folder.parent.mkdir(parents=True, exist_ok=True)
    shelves.own.folder.write_text("no folder")
    with pytest.raises(WeightsError, match=r"Writing .* failed .* RETOUCH_HOME"):
        shelves.add(row(), WEIGHTS)
    assert shelves.own.folder.read_text() == "no folder"


def test_weights_may_be_read_by_everybody(shelves):
    path = shelves.path(shelves.add(row(), WEIGHTS))
    assert path.stat().st_mode & 0o444 == 0o444


def test_weights_that_ship_stay(shelves):
    shelves.shipped.add(row(), WEIGHTS, half=True)
    with pytest.raises(WeightsError, match="ships with retouch"):
        shelves.remove("mine")


@pytest.mark.parametrize("name", ["", "../mine", "a/b", ".hidden", "a b", "x" * 65])
def test_a_name_that_could_be_a_path_is_refused(name):
    with pytest.raises(SettingsError, match="name"):
        registry.check_name(name)


@pytest.mark.parametrize("file", ["../x.safetensors", "/x.safetensors", "x.pkl"])
def test_a_row_cannot_point_outside_its_folder(file):
    with pytest.raises(WeightsError):
        Row("mine", "generator", file)


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"networks": [3]}', '{"networks": [{"name": "a"}]}']
)
def test_a_damaged_manifest_is_named(shelves, content):
    shelves.own.folder.mkdir()
    shelves.own.manifest.write_text(content)
    with pytest.raises(WeightsError, match=r"manifest\.json"):
        shelves.rows()


def test_a_row_of_a_later_version_is_read(shelves):
    shelves.add(row(), WEIGHTS)
    content = json.loads(shelves.own.manifest.read_text())
    content["networks"][0]["something_new"] = 1
    shelves.own.manifest.write_text(json.dumps(content))
    assert shelves.row("mine").name == "mine"


def test_directions_are_found_by_name_and_part(shelves):
    vectors = {"pca/pc0": np.ones((1, 4)), "pca/pc1": np.zeros((1, 4))}
    shelves.add(row("pca", kind="directions", family="f"), vectors)
    found = shelves.direction("pca/pc1")
    assert (found.name, found.family) == ("pca/pc1", "f")
    with pytest.raises(WeightsError, match="pca/pc0"):
        shelves.direction("pca/pc9")


def test_the_folder_of_the_user_can_be_chosen(monkeypatch, tmp_path):
    monkeypatch.setenv("RETOUCH_HOME", str(tmp_path))
    assert library().own.folder == tmp_path / "models"


def test_every_row_that_ships_is_whole():
    shipped = library().shipped
    for entry in shipped.rows():
        Library(shipped, shipped).verify(entry.name)
        assert entry.licence != "unknown"
