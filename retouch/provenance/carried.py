"""Bytes of ours within a picture file, where no program minds them.

A JPEG has them in segments (APP4), a PNG in a chunk, a WebP too, a TIFF in a private
field.
"""

import struct
import zlib
from collections.abc import Iterator
from itertools import pairwise

from retouch.errors import PhotoError
from retouch.photos import tiff
from retouch.photos.formats import PNG_SIGNATURE

SEGMENT, HEAD = 0xFFE4, b"retouch original\0"
CHUNK = b"orIG"  # of a PNG: ancillary, private, not to be copied if pixels change
PIECE = b"RTOR"  # of a WebP
FIELD = 65_123  # of a TIFF, among those that are free for all
LONGEST = 65_535 - 2 - len(HEAD) - 8  # bytes of a segment
FORMATS = ("JPEG", "PNG", "TIFF", "WEBP")


def check(format: str) -> None:
    """Raise unless files of the format can carry something."""
    if format not in FORMATS:
        raise PhotoError(
            f"A {format} file cannot carry the original faces; write .jpg, .png, .tif"
            " or .webp, or leave --reversible out."
        )


def put(data: bytes, format: str, payload: bytes) -> bytes:
    """Return the file with the payload in it."""
    check(format)
    if format == "TIFF":
        return tiff.edited(data, put={FIELD: (tiff.UNDEFINED, payload)})
    if format == "PNG":
        place = data.rindex(b"IEND") - 4
        sum_ = zlib.crc32(payload, zlib.crc32(CHUNK))
        chunk = struct.pack(">I", len(payload)) + CHUNK + payload
        return data[:place] + chunk + struct.pack(">I", sum_) + data[place:]
    if format == "WEBP":
        piece = PIECE + struct.pack("<I", len(payload)) + payload
        whole = data[12:] + piece + b"\0" * (len(payload) % 2)
        return b"RIFF" + struct.pack("<I", len(whole) + 4) + b"WEBP" + whole
    place = max(stop for marker, _, stop in _segments(data) if _is_note(marker))
    return data[:place] + b"".join(_split(payload)) + data[place:]


def take(data: bytes, format: str | None) -> bytes | None:
    """Return the payload in a file, if there is one that is whole."""
    try:
        if format == "TIFF":
            found = tiff.values(data, tiff.first(data), tiff.LAYOUT).get(FIELD)
            return found[1] if found else None
        if format == "PNG":
            return _first(data, len(PNG_SIGNATURE), ">", CHUNK)
        if format == "WEBP":
            return _first(data, 12, "<", PIECE)
        return _joined(data) if format == "JPEG" else None
    except (ValueError, struct.error):
        return None


def _split(payload: bytes) -> Iterator[bytes]:
    places = [*range(0, len(payload), LONGEST), len(payload)]
    for number, (start, stop) in enumerate(pairwise(places)):
        body = HEAD + struct.pack(">II", number, len(places) - 1) + payload[start:stop]
        yield struct.pack(">HH", SEGMENT, len(body) + 2) + body


def _joined(data: bytes) -> bytes | None:
    parts, count = {}, 0
    for marker, start, stop in _segments(data):
        body = data[start + 4 : stop]
        if marker == SEGMENT and body.startswith(HEAD):
            number, count = struct.unpack_from(">II", body, len(HEAD))
            parts[number] = body[len(HEAD) + 8 :]
    if not count or sorted(parts) != list(range(count)):
        return None
    return b"".join(parts[number] for number in range(count))


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield marker, start and stop of a JPEG's segments before its picture."""
    yield 0xFFD8, 0, 2
    place = 2
    while place + 4 <= len(data):
        marker, size = struct.unpack_from(">HH", data, place)
        if marker == 0xFFDA or marker < 0xFF00:
            return
        yield marker, place, place + 2 + size
        place += 2 + size


def _is_note(marker: int) -> bool:
    return marker == 0xFFD8 or 0xFFE0 <= marker <= 0xFFEF


def _first(data: bytes, place: int, order: str, wanted: bytes) -> bytes | None:
    """Return the first chunk of a name; PNG's have a checksum, WebP's are even."""
    while place + 8 <= len(data):
        if order == ">":
            size, name = struct.unpack_from(">I4s", data, place)
            following = place + 12 + size
        else:
            name, size = struct.unpack_from("<4sI", data, place)
            following = place + 8 + size + size % 2
        if name == wanted:
            return data[place + 8 : place + 8 + size]
        place = following
    return None
