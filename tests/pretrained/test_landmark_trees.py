import numpy as np
import platformdirs
import pytest

from pretrained import landmark_trees
from pretrained.dlib_files import LANDMARKS, locate
from retouch.errors import WeightsError


@pytest.fixture(scope="module")
def source():
    return np.fromfile(locate(LANDMARKS), np.uint8)


@pytest.fixture(scope="module")
def numbers(source):
    return landmark_trees.read(source)


def written(numbers, floats):
    """Return numbers as dlib writes them."""
    parts = []
    for number, is_float in zip(numbers.tolist(), floats.tolist(), strict=True):
        whole = _mantissa(number) if is_float else [int(number)]
        for value in whole:
            size = max(1, (abs(value).bit_length() + 7) // 8)
            sign = 0x80 if value < 0 else 0
            parts.append(bytes([size | sign]) + abs(value).to_bytes(size, "little"))
    return b"".join(parts)


def _mantissa(number):
    """Return a float's mantissa, without bytes of zeros at its end, and exponent."""
    mantissa, exponent = np.frexp(number)
    mantissa, exponent = int(mantissa * 2**24), int(exponent) - 24
    while mantissa and mantissa % 256 == 0:
        mantissa, exponent = mantissa // 256, exponent + 8
    return mantissa, exponent


def test_the_numbers_are_those_of_the_file(source, numbers):
    count = 60_000
    again = written(numbers[:count], landmark_trees._floats()[:count])
    assert again == source[: len(again)].tobytes()


def test_trees_are_kept_and_read_again_as_they_were(numbers, tmp_path, monkeypatch):
    monkeypatch.setattr(platformdirs, "user_cache_dir", lambda *_, **__: tmp_path)
    first = landmark_trees.landmark_trees()
    (kept,) = tmp_path.iterdir()
    monkeypatch.setattr(landmark_trees, "read", lambda data: pytest.fail("read anew"))
    for one, other in zip(first, landmark_trees.landmark_trees(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert kept.stat().st_size < 1.01 * numbers.nbytes
    assert first.leaves.shape == (15, 500, 16, 68)


def test_a_damaged_copy_is_made_anew(numbers, tmp_path, monkeypatch):
    monkeypatch.setattr(platformdirs, "user_cache_dir", lambda *_, **__: tmp_path)
    monkeypatch.setattr(landmark_trees, "read", lambda data: numbers)
    landmark_trees.landmark_trees()
    (kept,) = tmp_path.iterdir()
    whole = kept.read_bytes()
    for damaged in (b"", whole[:1000], b"other" + whole[5:]):
        kept.write_bytes(damaged)
        trees = landmark_trees.landmark_trees()
        assert np.abs(trees.start).max() < 2
        assert kept.read_bytes() == whole


def test_where_nothing_can_be_kept_trees_are_read_all_the_same(
    numbers, tmp_path, monkeypatch
):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(
        platformdirs, "user_cache_dir", lambda *_, **__: tmp_path / "file"
    )
    monkeypatch.setattr(landmark_trees, "read", lambda data: numbers)
    assert landmark_trees.landmark_trees().anchors.shape == (15, 500)


def test_a_damaged_file_is_refused_in_a_sentence(source):
    with pytest.raises(WeightsError, match="Install the package again"):
        landmark_trees.read(source[:1_000_000])
