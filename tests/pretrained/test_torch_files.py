"""Files of torch.save give their arrays, and nothing beyond their own bytes."""

import io
import struct
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

from pretrained.files import read
from retouch.errors import WeightsError
from tests.pretrained import forgery
from tests.pretrained.forgery import FloatStorage, Tensor

FORMATS = Path(__file__).parents[3] / "shared" / "formats"
ARRAY = np.arange(24, dtype=np.float32).reshape(4, 6)


class View(Tensor):
    """A tensor that is any view of a storage."""

    def __init__(self, storage, offset, shape, strides):
        self.parts = storage, offset, shape, strides, False, OrderedDict()

    def __reduce__(self):
        return forgery._rebuild_tensor_v2, self.parts


@pytest.fixture(params=[forgery.torch_zip, forgery.torch_legacy])
def reading(request, tmp_path):
    """Write a value in one of torch's formats, change its bytes, read it."""

    def run(value, change=lambda content: content):
        path = tmp_path / "file.pt"
        path.write_bytes(change(request.param(value)))
        return read(path)

    return run


def test_tensors_come_back(reading):
    found = reading({"a": Tensor(ARRAY), "b": [Tensor(np.float32(2))]})
    np.testing.assert_array_equal(found["a"], ARRAY)
    np.testing.assert_array_equal(found["b"][0], np.float32(2))


def test_views_share_their_storage(reading):
    storage = FloatStorage(ARRAY)
    found = reading(
        [View(storage, 7, (2, 3), (6, 1)), View(storage, 0, (6, 4), (1, 6))]
    )
    np.testing.assert_array_equal(found[0], ARRAY[1:3, 1:4])
    np.testing.assert_array_equal(found[1], ARRAY.T)


def test_views_cannot_be_written_to(reading):
    found = reading(Tensor(ARRAY))
    with pytest.raises(ValueError, match="read-only"):
        found[0] = 1


def test_an_empty_tensor_is_read(reading):
    assert reading(View(FloatStorage([]), 0, (0, 3), (3, 1))).shape == (0, 3)


def test_a_tensor_may_repeat_a_row(reading):
    found = reading(View(FloatStorage(ARRAY[0]), 0, (18, 6), (0, 1)))
    np.testing.assert_array_equal(found, np.repeat(ARRAY[:1], 18, 0))


@pytest.mark.parametrize(
    ("offset", "shape", "strides"),
    [
        (0, (5, 6), (6, 1)),
        (1, (4, 6), (6, 1)),
        (25, (1,), (1,)),
        (-1, (4,), (1,)),
        (0, (4,), (-1,)),
        (0, (2**40, 2**40), (1, 1)),
        (0, (2**40,), (0,)),
        (0, (4, 6), (1, 1)),
        (0, (10**30,), (1,)),
        (0, (4, 6), (6,)),
        (0, (1,) * 50, (1,) * 50),
        (0, (2.0,), (1,)),
    ],
)
def test_views_beyond_their_storage_are_refused(reading, offset, shape, strides):
    with pytest.raises(WeightsError):
        reading(View(FloatStorage(ARRAY), offset, shape, strides))


def test_a_file_cut_short_is_refused(reading):
    with pytest.raises(WeightsError):
        reading(Tensor(ARRAY), lambda content: content[:-20])


def test_other_names_are_refused(reading):
    def renamed(content):
        return content.replace(b"_rebuild_tensor_v2", b"_rebuild_tensor_v9")

    with pytest.raises(WeightsError, match=r"_rebuild_tensor_v9|damaged"):
        reading(Tensor(ARRAY), renamed)


# --- zip archives -------------------------------------------------------------


def refusal(tmp_path, content) -> str:
    path = tmp_path / "file.pt"
    path.write_bytes(content)
    with pytest.raises(WeightsError) as caught:
        read(path)
    return str(caught.value)


def test_compressed_members_are_refused(tmp_path):
    content = forgery.torch_zip(Tensor(np.zeros(10**6)), zipfile.ZIP_DEFLATED)
    assert len(content) < 10**5
    assert "compressed" in refusal(tmp_path, content)


@pytest.mark.parametrize(
    "name", ["../evil", "/etc/evil", "a/../../evil", "C:evil", "a\\b"]
)
def test_members_outside_the_archive_are_refused(tmp_path, name):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        file.writestr(name, b"x")
    message = refusal(tmp_path, stream.getvalue())
    assert "outside" in message
    assert not (tmp_path.parent / "evil").exists()


def test_members_that_share_bytes_are_refused(tmp_path):
    content = bytearray(forgery.torch_zip([Tensor(ARRAY), Tensor(ARRAY)]))
    names = [content.rindex(b"archive/data/%d" % i) for i in (0, 1)]
    first, second = (name - 4 for name in names)  # where a header's place is noted
    content[second : second + 4] = content[first : first + 4]
    assert "over each other" in refusal(tmp_path, bytes(content))


def test_a_member_larger_than_the_file_is_refused(tmp_path):
    content = bytearray(forgery.torch_zip(Tensor(ARRAY)))
    entry = content.rindex(b"archive/data/0") - 46
    content[entry + 20 : entry + 28] = struct.pack("<2L", 2**31, 2**31)
    assert "beyond the file" in refusal(tmp_path, bytes(content))


def test_a_changed_byte_is_noticed(tmp_path):
    content = forgery.torch_zip(Tensor(ARRAY))
    changed = content.replace(ARRAY.tobytes(), (ARRAY + 1).tobytes())
    assert changed != content
    assert "damaged" in refusal(tmp_path, changed)


def test_a_missing_storage_is_named(tmp_path):
    content = forgery.torch_zip(Tensor(ARRAY)).replace(
        b"archive/data/0", b"archive/data/7"
    )
    assert "archive/data/0" in refusal(tmp_path, content)


def with_64_bit_fields(content: bytes) -> bytes:
    """Return the archive as one beyond 4 GiB notes its places and sizes."""
    end = content.rindex(b"PK\5\6")
    count, _, place = struct.unpack_from("<H2L", content, end + 10)
    entries, at = b"", place
    for _ in range(count):
        packed, full, name, *_ = struct.unpack_from("<2LH", content, at + 20)
        (header,) = struct.unpack_from("<L", content, at + 42)
        extra = struct.pack("<2H3Q", 1, 24, full, packed, header)
        entry = bytearray(content[at : at + 46 + name])
        entry[20:28], entry[42:46] = b"\xff" * 8, b"\xff" * 4
        entry[30:32] = struct.pack("<H", len(extra))
        entries, at = entries + entry + extra, at + 46 + name
    large = b"PK\6\6" + struct.pack("<Q2H2L", 44, 45, 45, 0, 0)
    large += struct.pack("<4Q", count, count, len(entries), place)
    pointer = b"PK\6\7" + struct.pack("<LQL", 0, place + len(entries), 1)
    last = content[end : end + 12] + b"\xff" * 8 + b"\0\0"
    return content[:place] + entries + large + pointer + last


def test_archives_with_64_bit_fields_are_read(tmp_path):
    path = tmp_path / "file.pt"
    path.write_bytes(with_64_bit_fields(forgery.torch_zip(Tensor(ARRAY))))
    with zipfile.ZipFile(path) as file:
        assert file.testzip() is None
    np.testing.assert_array_equal(read(path), ARRAY)


def test_other_archives_are_told_apart(tmp_path):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        file.writestr("readme", b"hello")
    assert "torch.save" in refusal(tmp_path, stream.getvalue())


def test_big_endian_archives_are_read(tmp_path):
    with zipfile.ZipFile(io.BytesIO(forgery.torch_zip(Tensor(ARRAY)))) as old:
        members = {name: old.read(name) for name in old.namelist()}
    members["archive/byteorder"] = b"big"
    members["archive/data/0"] = ARRAY.astype(">f4").tobytes()
    path = tmp_path / "file.pt"
    with zipfile.ZipFile(path, "w") as new:
        for name, data in members.items():
            new.writestr(name, data)
    np.testing.assert_array_equal(read(path), ARRAY)


def test_bfloat16_becomes_float32(reading):
    numbers = np.array([1, -2.5, 0.15625], np.float32)
    storage = forgery.BFloat16Storage(numbers.view("<u4") >> 16)
    np.testing.assert_array_equal(reading(View(storage, 0, (3,), (1,))), numbers)


# --- real files ---------------------------------------------------------------


@pytest.mark.skipif(not FORMATS.is_dir(), reason="no real files beside the project")
@pytest.mark.parametrize(
    ("name", "shape"),
    [("e4e_age.pt", (1, 512)), ("e4e_pose.pt", (1, 18, 512))],
)
def test_directions_saved_by_torch_are_read(name, shape):
    found = read(FORMATS / name)
    assert found.shape == shape
    assert np.linalg.norm(found[0], axis=-1) == pytest.approx(1, abs=1e-5)
