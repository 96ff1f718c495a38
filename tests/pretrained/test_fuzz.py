"""Files changed at random give the same arrays, or are refused with a sentence.

The bytes of the arrays themselves are left alone here: nothing in a pickle would
tell that they changed (in a zip archive the checksum does, which is tested beside).
"""

import contextlib
import sys
import time
from collections.abc import Iterator

import numpy as np
import pytest

from pretrained.files import read
from pretrained.importing import convert
from retouch.errors import WeightsError
from tests.pretrained import forgery

resource = pytest.importorskip("resource", reason="it measures the memory")
SOURCE = forgery.random_source()
FILES = {
    "tensorflow": forgery.tensorflow_file(forgery.tensorflow_arrays(SOURCE)),
    "ada": forgery.ada_file(forgery.ada_arrays(SOURCE), clamp=256.0),
    "zip": forgery.torch_zip(forgery.rosinality_value(SOURCE)),
    "legacy": forgery.torch_legacy(forgery.encoder_value(SOURCE)),
}
SECONDS, MEMORY = 5, 2**30


def arrays_in(value) -> Iterator[np.ndarray]:
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, dict | list | tuple):
        for item in value.values() if isinstance(value, dict) else value:
            yield from arrays_in(item)


def structure(content: bytes, value) -> np.ndarray:
    """Return the places of all bytes that are not numbers of an array."""
    free = np.ones(len(content), bool)
    for array in arrays_in(value):
        data, place = array.tobytes(), -1
        while (place := content.find(data, place + 1)) >= 0:
            free[place : place + len(data)] = False
    return np.flatnonzero(free)


def changed(content: bytes, places: np.ndarray, rng: np.random.Generator) -> bytes:
    """Return the file with one random change, or a few."""
    result = bytearray(content)
    a, b = (int(place) for place in rng.choice(places, 2))
    length = int(rng.integers(1, 40))
    match rng.integers(7):
        case 0:
            result[a] ^= 1 << int(rng.integers(8))
        case 1:
            result[a] = int(rng.choice([0, 1, 0x7F, 0x80, 0xFF]))
        case 2:
            result[a:a] = rng.bytes(int(rng.integers(1, 6)))
        case 3:
            del result[a : a + length]
        case 4:
            result[a:a] = result[b : b + length]
        case 5:
            del result[a:]
        case 6:
            for place in rng.choice(places, 4):
                result[place] = int(rng.integers(256))
    return bytes(result)


def check_same(found: dict, wanted: dict) -> None:
    """Raise if weights differ that a file's structure can vouch for.

    An array's order is one byte of a pickle, and a file whose average has lost its
    name is a valid one without an average.
    """
    assert found.keys() == wanted.keys()
    for name in wanted.keys() - {"mean_latent"}:
        a, b = found[name], wanted[name]
        if not np.array_equal(a, b):
            np.testing.assert_array_equal(np.sort(a, None), np.sort(b, None), name)


def run(count: int, seed: int, path) -> None:
    rng = np.random.default_rng(seed)
    wanted, places = {}, {}
    for kind, content in FILES.items():
        path.write_bytes(content)
        value = read(path)
        wanted[kind] = convert(value, path).weights
        places[kind] = structure(content, value)
    for _ in range(count):
        kind = str(rng.choice(list(FILES)))
        path.write_bytes(changed(FILES[kind], places[kind], rng))
        start = time.process_time()
        try:
            found = convert(read(path), path).weights
        except WeightsError:
            found = None
        assert time.process_time() - start < SECONDS
        if found is not None:
            check_same(found, wanted[kind])


def peak() -> int:
    """Return the most memory that this process has had, in bytes."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


@pytest.mark.parametrize("count", [400, pytest.param(12_000, marks=pytest.mark.slow)])
def test_changed_files_give_the_same_arrays_or_are_refused(count, tmp_path):
    before = peak()
    run(count, seed=count, path=tmp_path / "file")
    assert peak() - before < MEMORY


@pytest.mark.parametrize("kind", FILES)
def test_changed_numbers_change_nothing_else(kind, tmp_path):
    rng, path = np.random.default_rng(1), tmp_path / "file"
    path.write_bytes(FILES[kind])
    value = read(path)
    shapes = [array.shape for array in arrays_in(value)]
    places = structure(FILES[kind], value)
    numbers = np.setdiff1d(np.arange(len(FILES[kind])), places)
    for place in rng.choice(numbers, 30):
        content = bytearray(FILES[kind])
        content[place] ^= 0xFF
        path.write_bytes(content)
        try:
            found = read(path)
        except WeightsError:
            assert kind == "zip"  # which has checksums
            continue
        assert [array.shape for array in arrays_in(found)] == shapes
        with contextlib.suppress(WeightsError):  # numbers may have become infinite
            convert(found, path)


@pytest.mark.parametrize("kind", FILES)
def test_random_bytes_are_refused(kind, tmp_path):
    rng, path = np.random.default_rng(0), tmp_path / "file"
    for _ in range(100):
        head = FILES[kind][: int(rng.integers(40))]
        path.write_bytes(head + rng.bytes(200))
        with pytest.raises(WeightsError):
            convert(read(path), path)
