"""Pickles give plain data or are refused; nothing in them runs."""

import builtins
import io
import os
import pickle
import struct
import time

import numpy as np
import pytest

from pretrained.files import read
from retouch.errors import WeightsError
from tests.pretrained import forgery


@pytest.fixture
def reading(tmp_path):
    """Read bytes as a file."""

    def run(content):
        path = tmp_path / "file.pkl"
        path.write_bytes(content)
        return read(path)

    return run


@pytest.fixture
def refusal(reading):
    """Return the sentence with which bytes are refused."""

    def run(content):
        with pytest.raises(WeightsError) as caught:
            reading(content)
        return str(caught.value)

    return run


class Payload:
    """An object whose unpickling would call something."""

    def __init__(self, function, *arguments):
        self.parts = function, arguments

    def __reduce__(self):
        return self.parts


# --- what is read -------------------------------------------------------------


@pytest.mark.parametrize("protocol", range(5))
def test_plain_data_comes_back_as_it_was(reading, protocol):
    value = {"a": [1, -2, 2**70, 2.5, None, True], "b": ("é", (), {3: "x" * 300})}
    assert reading(pickle.dumps(value, protocol)) == value


@pytest.mark.parametrize("kind", ["<f2", "<f4", "<f8", "|u1", "<i8", "|b1"])
@pytest.mark.parametrize("protocol", [3, 4])
def test_arrays_come_back_bit_for_bit(reading, kind, protocol):
    array = np.random.default_rng(0).integers(0, 2, (3, 4, 5)).astype(kind)
    found = reading(pickle.dumps({"a": array, "t": array.T}, protocol))
    np.testing.assert_array_equal(found["a"], array)
    np.testing.assert_array_equal(found["t"], array.T)
    assert found["a"].dtype == array.dtype


def test_numbers_of_numpy_become_numbers(reading):
    found = reading(pickle.dumps([np.float64(0.5), np.int64(-3), np.bool_(True)], 4))
    assert found == [0.5, -3, True]
    assert [type(value) for value in found] == [float, int, bool]


def test_both_names_of_numpys_core_are_known(reading):
    content = pickle.dumps(np.arange(3.0), 3)
    for core in (b"numpy.core.multiarray", b"numpy._core.multiarray"):
        renamed = content.replace(b"numpy._core.multiarray", core)
        np.testing.assert_array_equal(reading(renamed), np.arange(3.0))


def test_a_value_mentioned_twice_is_read_once(reading):
    array = np.ones(3)
    found = reading(pickle.dumps([array, array], 4))
    assert found[0] is found[1]


def test_sets_become_lists(reading):
    assert reading(pickle.dumps({"a": {"x"}}, 4)) == {"a": ["x"]}
    assert reading(pickle.dumps({"a": {"x"}}, 2)) == {"a": ["x"]}


def test_source_code_in_a_network_is_dropped(reading):
    found = reading(forgery.ada_file({}))
    assert "SystemExit" not in str(found)


# --- what is refused ----------------------------------------------------------


@pytest.mark.parametrize("protocol", range(5))
@pytest.mark.parametrize(
    ("function", "name"),
    [
        (os.system, f"{os.system.__module__}.system"),
        (builtins.eval, "builtins.eval"),
        (builtins.getattr, "builtins.getattr"),
        (io.open, "io.open"),
    ],
)
def test_a_call_is_refused_by_its_name(refusal, function, name, protocol):
    message = refusal(pickle.dumps(Payload(function, "echo"), protocol))
    assert name.replace("builtins.", "") in message
    assert "nothing was run" in message


def test_nothing_runs_before_the_refusal(refusal, tmp_path):
    witness = tmp_path / "witness"
    arrays = [np.ones(2), Payload(os.mkdir, str(witness))]
    assert "mkdir" in refusal(pickle.dumps(arrays, 4))
    assert not witness.exists()


def test_the_first_refused_name_is_the_one_named(refusal):
    content = pickle.dumps([Payload(os.system, "a"), Payload(eval, "b")], 4)
    assert "system" in refusal(content)


@pytest.mark.parametrize(
    "content",
    [
        b"(S'ls'\nios\nsystem\n.",
        b"cos\nsystem\n(S'ls'\ntR.",
        b"\x80\x04\x8c\x02os\x8c\x06system\x93.",
        b"\x80\x02cos\nsystem\n)\x81.",
    ],
)
def test_every_way_to_mention_a_name_is_watched(refusal, content):
    assert "os.system" in refusal(content)


@pytest.mark.parametrize("content", [b"\x82\x01", b"\x83\x01\0", b"\x84\x01\0\0\0"])
def test_extension_codes_are_refused(refusal, content):
    assert "extension code" in refusal(b"\x80\x02" + content + b".")


def test_an_admitted_class_cannot_be_called(refusal):
    assert "numpy.ndarray" in refusal(b"cnumpy\nndarray\n(I9\ntR.")


def test_an_admitted_function_is_no_value(refusal):
    assert "no plain data" in refusal(b"ccollections\nOrderedDict\n.")


def test_arrays_of_objects_are_refused(refusal):
    assert "numbers" in refusal(pickle.dumps(np.array([None, {}], object), 4))


def test_structured_arrays_are_refused(refusal):
    kind = np.dtype([("a", "f4"), ("b", "i4")])
    assert "numbers" in refusal(pickle.dumps(np.zeros(3, kind), 4))


def test_big_endian_arrays_are_refused(refusal):
    assert "unusual" in refusal(pickle.dumps(np.zeros(3, ">f4"), 4))


def test_an_array_larger_than_its_bytes_is_refused(refusal):
    content = pickle.dumps(np.zeros((7, 3), np.float32), 4)
    assert content.count(b"K\x07K\x03") == 1
    huge = content.replace(b"K\x07K\x03", b"J\xff\xff\xff\x7fJ\xff\xff\xff\x7f")
    frame = struct.pack("<Q", len(huge) - 11)
    assert "shape" in refusal(huge[:3] + frame + huge[11:])


def test_an_integer_of_many_digits_is_refused(refusal):
    assert "bits" in refusal(pickle.dumps(2**1000, 2))


def test_keys_that_could_share_a_hash_are_refused(refusal):
    assert "key" in refusal(pickle.dumps({2**61 - 1: 0, 2**62 - 2: 0}, 2))


def test_a_call_with_very_many_arguments_is_refused(refusal):
    message = refusal(b"\x80\x02cbuiltins\nset\n(" + b"N" * 100 + b"tR.")
    assert "no function" in message


def test_a_list_within_itself_is_refused(refusal):
    endless = []
    endless.append(endless)
    assert "without end" in refusal(pickle.dumps(endless, 4))


def test_deep_nesting_is_refused(refusal):
    assert "without end" in refusal(b"\x80\x02" + b"]" * 5000 + b"a" * 4999 + b".")


@pytest.mark.parametrize("code", [b"}", b"(", b"N\x85", b"]a"])
def test_many_small_things_are_refused_before_they_fill_the_memory(refusal, code):
    start = time.process_time()
    assert "instructions" in refusal(b"\x80\x02]" + code * 450_000)
    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b".",
        b"\x80\x02.",
        b"\x80\x04\x8e" + b"\xff" * 8 + b".",  # bytes longer than any memory
        b"\x80\x04\x8e" + struct.pack("<Q", 2**40) + b"x.",
        b"\x80\x02R.",
        b"\x80\x02u.",
        b"\x80\x02h\x07.",
        b"\x80\x02(]]K\x01tb.",
        b"\x80\x02}(]K\x01u.",
        b"no pickle at all",
        b"\xff" * 100,
    ],
)
def test_damaged_files_are_refused_with_a_sentence(refusal, content):
    assert refusal(content).endswith(".")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(WeightsError, match=r"no file .*missing"):
        read(tmp_path / "missing.pkl")


# --- pickles within pickles ---------------------------------------------------


def nesting(data: bytes) -> bytes:
    """Return a pickle that hands bytes to torch's reader of storages."""
    length = struct.pack("<I", len(data))
    return b"\x80\x03ctorch.storage\n_load_from_bytes\nB" + length + data + b"\x85R."


def test_a_nested_payload_is_refused_by_its_name(refusal):
    assert "system" in refusal(nesting(pickle.dumps(Payload(os.system, "ls"), 2)))


def test_a_nested_pickle_cannot_nest_another(refusal):
    inner = Payload(forgery._load_from_bytes, b"x")
    message = refusal(nesting(forgery.torch_legacy(inner)))
    assert "torch.storage._load_from_bytes" in message


def test_a_nested_pickle_must_be_a_storage(refusal):
    assert "storage" in refusal(nesting(forgery.torch_legacy({"a": 1})))


def test_torch_files_hold_no_nested_pickles(refusal):
    message = refusal(forgery.torch_zip(Payload(forgery._load_from_bytes, b"x")))
    assert "torch.storage._load_from_bytes" in message


def test_references_outside_the_pickle_are_refused(refusal):
    assert "outside" in refusal(b"\x80\x02K\x01Q.")
