"""The faces as they were travel inside and come back exactly."""

import struct

import numpy as np
import pytest

from retouch.errors import PhotoError, SettingsError
from retouch.photos.photo import Photo, encode, read
from retouch.provenance import carried, originals
from tests.retouch.pictures import noise

FORMATS = ("JPEG", "PNG", "TIFF", "WEBP")


def carrying(pair, format, passphrase=None, deep=False):
    """Return the file of an edit that carries what was there before."""
    photos = [Photo(p.astype(np.uint16) * 257 if deep else p) for p in pair]
    payload = originals.packed(*photos, passphrase)
    return carried.put(encode(photos[1], format), format, payload)


def undone(data, passphrase=None):
    photo = read(data)
    payload = carried.take(data, photo.format)
    return originals.restored(photo, payload, passphrase)


@pytest.mark.parametrize("passphrase", [None, "a phrase"])
@pytest.mark.parametrize("format", FORMATS)
def test_what_was_changed_comes_back_exactly(format, passphrase, pair):
    if passphrase:
        pytest.importorskip("cryptography")
    before, after = pair
    data = carrying(pair, format, passphrase)
    assert np.array_equal(read(data).pixels, read(encode(Photo(after), format)).pixels)
    back = undone(data, passphrase).pixels
    changed = (before != after).any(-1)
    assert changed.any() and np.array_equal(back[changed], before[changed])
    if format in ("PNG", "TIFF"):
        assert np.array_equal(back, before)


@pytest.mark.parametrize("format", ["PNG", "TIFF", "JPEG"])
def test_sixteen_bits_come_back_exactly_be_the_picture_of_eight(format, pair):
    before, after = pair
    back = undone(carrying(pair, format, deep=True)).pixels
    changed = (before != after).any(-1)
    assert np.array_equal(back[changed], before[changed].astype(np.uint16) * 257)


def test_only_boxes_around_what_changed_are_carried(pair):
    boxes = list(originals.changed(*pair))
    assert sorted(boxes) == [(0, 0, 112, 80), (192, 128, 260, 200)]
    assert list(originals.changed(pair[0], pair[0])) == []


def test_a_large_original_takes_many_segments_of_a_jpeg():
    before = noise((300, 400, 3))
    pair = before, 255 - before
    data = carrying(pair, "JPEG")
    assert data.count(carried.HEAD) > 4
    assert np.array_equal(undone(data).pixels, before)
    # One of them lost, nothing is put back by halves.
    start = data.rindex(struct.pack(">H", carried.SEGMENT))
    (size,) = struct.unpack_from(">H", data, start + 2)
    assert carried.take(data[:start] + data[start + 2 + size :], "JPEG") is None


def test_a_lock_opens_for_its_pass_phrase_alone(pair):
    pytest.importorskip("cryptography")
    data = carrying(pair, "PNG", "right")
    payload = carried.take(data, "PNG")
    assert originals.is_locked(payload) and b"PNG" not in payload
    with pytest.raises(SettingsError, match="RETOUCH_PASSPHRASE"):
        undone(data)
    with pytest.raises(PhotoError, match="another pass phrase"):
        undone(data, "wrong")
    with pytest.raises(PhotoError, match="damaged"):
        originals.restored(read(data), payload[:-1], "right")


def test_originals_of_a_picture_that_was_scaled_do_not_fit(pair):
    data = carrying(pair, "PNG")
    smaller = Photo(pair[1][::2, ::2].copy())
    with pytest.raises(PhotoError, match="260 x 200"):
        originals.restored(smaller, carried.take(data, "PNG"), None)


def test_damage_anywhere_is_told_in_a_sentence(pair):
    photo, payload = Photo(pair[1]), originals.packed(*map(Photo, pair), None)
    rng = np.random.default_rng(0)
    for _ in range(200):
        place = int(rng.integers(len(payload)))
        bad = bytearray(payload)
        bad[place] ^= int(rng.integers(1, 256))
        for damage in (bytes(bad), payload[:place]):
            try:
                back = originals.restored(photo, damage, "x")
            except (PhotoError, SettingsError):
                continue
            assert back.pixels.shape == photo.pixels.shape


def test_a_format_that_can_carry_nothing_is_refused():
    with pytest.raises(PhotoError, match=r"\.jpg, \.png"):
        carried.put(b"", "AVIF", b"x")


@pytest.mark.parametrize("format", FORMATS)
def test_a_picture_that_carries_nothing_has_nothing(format, pair):
    data = encode(Photo(pair[1]), format)
    assert carried.take(data, format) is None
    assert carried.take(data[: len(data) // 2], format) is None
