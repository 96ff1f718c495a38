"""Few bytes that stand for very many values are refused before anybody walks them.

A pickle mentions a value again by its place, so that fifty pairs nest to 2^50 leaves,
which hash() and str() would visit one by one.
"""

import pickle
import pickletools
import time

import numpy as np
import pytest

from pretrained.files import read
from pretrained.importing import convert, encoder_in
from retouch.errors import WeightsError
from tests.pretrained import forgery

SOURCE = forgery.random_source()
LEVELS = 28  # enough that walking the leaves takes longer than the tests allow


def pairs(levels=LEVELS):
    value = "x"
    for _ in range(levels):
        value = (value, value)
    return value


def lists(levels=LEVELS):
    value = []
    for _ in range(levels):
        value = [value, value]
    return value


def long_words():
    return ["x" * 10_000] * 50_000


def refused(content: bytes, path) -> str:
    """Return the sentence with which a network is refused, quickly."""
    path.write_bytes(content)
    start = time.process_time()
    with pytest.raises(WeightsError) as caught:
        data = read(path)
        encoder_in(data, path)
        convert(data, path)
    assert time.process_time() - start < 2
    assert len(str(caught.value)) < 1000
    return str(caught.value)


class Call:
    """An object that is built by a call."""

    def __init__(self, function, *arguments):
        self.parts = function, arguments

    def __reduce__(self):
        return self.parts


class Filled(Call):
    """An object that is built by a call, and filled."""

    def __init__(self, function, arguments, state):
        self.parts = function, arguments, state


def text(word: bytes) -> bytes:
    return b"\x8c" + bytes([len(word)]) + word


def test_a_dtype_of_nested_pairs_is_refused(tmp_path):
    name = text(b"numpy") + text(b"dtype") + b"\x93"
    content = b"\x80\x04" + name + text(b"x") + b"2\x86" * 45 + b"\x85R."
    assert len(content) < 200
    assert "400,000" in refused(content, tmp_path / "a.pkl")


def array_state(bomb):
    make = np.zeros(1).__reduce__()[0]
    return Filled(make, (np.ndarray, (0,), b"b"), (1, bomb, np.dtype("f4"), False, b""))


def tensorflow(**settings):
    arrays = forgery.tensorflow_arrays(SOURCE)
    return forgery.tensorflow_file(arrays, settings)


def ada(bomb):
    return forgery.ada_file(forgery.ada_arrays(SOURCE), clamp=bomb)


def variables(bomb):
    network = forgery.Network({"static_kwargs": {}, "variables": [(bomb, np.ones(1))]})
    return forgery.pickled((None, None, network))


def options(bomb):
    value = forgery.encoder_value(SOURCE)
    value["opts"] = {"encoder_type": bomb}
    return forgery.torch_zip(value)


def legacy_keys(bomb):
    whole = forgery.torch_legacy(forgery.FloatStorage(np.ones(3)))
    keys = pickle.dumps(["0"], 2)
    assert whole.count(keys) == 1
    return whole.replace(keys, pickle.dumps([bomb], 2))


PLACES = {
    "a dtype": lambda bomb: pickle.dumps(Call(np.dtype, bomb), 4),
    "a shape": lambda bomb: pickle.dumps(array_state(bomb), 4),
    "a dtype's state": lambda bomb: pickle.dumps(Filled(np.dtype, ("f4",), bomb), 4),
    "a set": lambda bomb: pickle.dumps(Call(set, [bomb]), 4),
    "a number": lambda bomb: pickle.dumps(Call(type(np.float64(1)), bomb), 4),
    "legacy keys": legacy_keys,
    "settings": lambda bomb: tensorflow(nonlinearity=bomb),
    "a clamp": lambda bomb: tensorflow(conv_clamp=bomb),
    "the layers' clamps": ada,
    "options": options,
    "G_ema": lambda bomb: forgery.pickled({"G_ema": bomb}),
    "variables": variables,
    "the whole": lambda bomb: pickle.dumps(bomb, 4),
}


@pytest.mark.parametrize("bomb", [pairs, lists, long_words])
@pytest.mark.parametrize("place", PLACES)
def test_a_value_that_grows_without_end_is_refused(place, bomb, tmp_path):
    refused(PLACES[place](bomb()), tmp_path / "a.pkl")


def test_lists_filled_after_they_were_nested_are_refused(tmp_path):
    """Each looks small at the moment it is put into the next."""
    fill = b"".join(b"h%ch%ch%c" % (i, i + 1, i + 1) + b"\x86a" for i in range(40))
    empty = b"".join(b"]q%c" % i for i in range(41))
    content = b"\x80\x02" + empty + b"h\0" + fill + b"h\0."
    assert "400,000" in refused(content, tmp_path / "a.pkl")


def test_a_clamp_that_is_no_number_is_refused(tmp_path):
    assert "no number" in refused(tensorflow(conv_clamp=("a", 1)), tmp_path / "a.pkl")


def test_a_few_values_may_be_shared(tmp_path):
    shared = pairs(6)
    path = tmp_path / "a.pkl"
    path.write_bytes(pickle.dumps({"a": shared, "b": [shared, shared]}, 4))
    assert read(path)["b"] == [shared, shared]


# --- by chance ----------------------------------------------------------------


def graph(rng: np.random.Generator) -> bytes:
    """Return the pickle of values of which each may hold any earlier one twice."""
    pool = ["f4", "x" * 2000, 3, None, b"abcd", (), {}, np.ones(2)]
    make = np.zeros(1).__reduce__()[0]

    def some(count):
        return [pool[-min(len(pool), rng.geometric(0.5))] for _ in range(count)]

    for _ in range(int(rng.integers(5, 100))):
        a, b, c = some(3)
        plain = (a, b), [a, b, c], {"state": a, "static_kwargs": b, "variables": [c]}
        called = (
            forgery.Network({"a": a, "b": b}),
            forgery.Module(a=a, _modules={"b": b}),
            Filled(make, (np.ndarray, (0,), b"b"), (1, a, b, c, b"")),
        )
        made = called if rng.random() < 0.02 else plain
        pool.append(made[rng.integers(3)])
    return forgery.pickled(pool[-1])


WHOLE = tensorflow(nonlinearity="lrelu"), ada(256.0)
PLACED = [[place for _, _, place in pickletools.genops(file)][2:] for file in WHOLE]


def spliced(rng: np.random.Generator) -> bytes:
    """Return a network's file in which one value is doubled many times over."""
    which = rng.integers(2)
    content, place = WHOLE[which], int(rng.choice(PLACED[which]))
    doubling = (b"2\x86", b"\x942\x86", b"22\x87")[rng.integers(3)]
    grown = doubling * int(rng.integers(1, 45))
    return content[:place] + grown + content[place:]


@pytest.mark.parametrize("count", [50, pytest.param(3_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("make", [graph, spliced])
def test_random_sharing_ends_in_time(make, count, tmp_path):
    rng, path, outcomes = np.random.default_rng(count), tmp_path / "a.pkl", set()
    for _ in range(count):
        path.write_bytes(make(rng))
        start = time.process_time()
        try:
            data = read(path)
            outcomes.add("read")
            convert(data, path)
        except WeightsError as error:
            outcomes.add("grown" if "400,000" in str(error) else "refused")
        assert time.process_time() - start < 2
    assert {"read", "grown", "refused"} <= outcomes
