"""NumPy's files give plain numbers or are refused before memory is taken."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from pretrained import numpy_files
from pretrained.files import read
from retouch.errors import WeightsError

FORMATS = Path(__file__).parents[3] / "shared" / "formats"


def saved(array, **kw) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, **kw)
    return stream.getvalue()


@pytest.mark.parametrize("kind", ["<f4", "<f8", "<f2", ">f8", "|u1", "<i8", "|b1"])
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (1, 18, 4)])
def test_arrays_come_back_bit_for_bit(tmp_path, kind, shape):
    array = np.random.default_rng(0).integers(0, 2, shape).astype(kind)
    np.save(tmp_path / "a.npy", array)
    np.save(tmp_path / "t.npy", array.T)
    np.testing.assert_array_equal(read(tmp_path / "a.npy"), array)
    np.testing.assert_array_equal(read(tmp_path / "t.npy"), array.T)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_archives_of_arrays_come_back(tmp_path, save):
    arrays = {"comp": np.ones((3, 2)), "std": np.arange(3.0)}
    save(tmp_path / "a.npz", **arrays)
    found = read(tmp_path / "a.npz")
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)


def refusal(path, content) -> str:
    path.write_bytes(content)
    with pytest.raises(WeightsError) as caught:
        read(path)
    return str(caught.value)


def test_pickled_objects_are_refused(tmp_path):
    content = saved(np.array([{}, None]), allow_pickle=True)
    assert "numbers" in refusal(tmp_path / "a.npy", content)


def test_text_is_refused(tmp_path):
    assert "number" in refusal(tmp_path / "a.npy", saved(np.array(["a"])))


def test_structured_arrays_are_refused(tmp_path):
    content = saved(np.zeros(2, [("a", "f4")]))
    assert "numbers" in refusal(tmp_path / "a.npy", content)


def test_a_shape_larger_than_the_file_is_refused(tmp_path):
    content = saved(np.zeros((7, 3))).replace(b"(7, 3)", b"(9**9,3)"[:6])
    assert "numbers" in refusal(tmp_path / "a.npy", content)
    content = saved(np.zeros((7, 3))).replace(b"(7, 3)", b"(9999,)")
    assert refusal(tmp_path / "a.npy", content)
    content = saved(np.zeros((70000, 3)))[:1000]
    assert "shape" in refusal(tmp_path / "a.npy", content)


def test_an_archive_that_inflates_too_far_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(numpy_files, "INFLATED", 10_000)
    stream = io.BytesIO()
    np.savez_compressed(stream, a=np.zeros(100_000))
    assert len(stream.getvalue()) < 10_000
    assert "too large" in refusal(tmp_path / "a.npz", stream.getvalue())


def test_all_members_together_count(tmp_path, monkeypatch):
    monkeypatch.setattr(numpy_files, "INFLATED", 10_000)
    np.savez_compressed(tmp_path / "a.npz", a=np.zeros(800), b=np.zeros(800))
    with pytest.raises(WeightsError, match="too large"):
        read(tmp_path / "a.npz")


def test_a_member_that_inflates_beyond_its_word_is_refused(tmp_path):
    stream = io.BytesIO()
    np.savez_compressed(stream, a=np.zeros(100_000))
    content = bytearray(stream.getvalue())
    entry = content.rindex(b"a.npy") - 46
    content[entry + 24 : entry + 28] = (500).to_bytes(4, "little")
    assert "damaged" in refusal(tmp_path / "a.npz", bytes(content))


def test_an_archive_of_pickles_is_refused(tmp_path):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        file.writestr("a.npy", b"\x80\x04N.")
    assert refusal(tmp_path / "a.npz", stream.getvalue())


@pytest.mark.skipif(not FORMATS.is_dir(), reason="no real files beside the project")
def test_real_directions_are_read():
    for path in FORMATS.glob("*.npy"):
        np.testing.assert_array_equal(read(path), np.load(path))
