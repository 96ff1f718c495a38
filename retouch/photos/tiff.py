"""The TIFF structure (TIFF 6.0, 1992): EXIF blocks edited, pictures written.

An EXIF block is a small TIFF file: one first directory of fields that point at all
else by absolute offsets. Editing writes that one directory anew and leaves the rest
where it lies, so what is not understood here, a maker's note for one, keeps its bytes
and its offsets. Writing a picture is the same: strips are appended to the EXIF block.
"""

import struct
import zlib
from collections.abc import Container, Iterable, Mapping, Sequence
from mmap import mmap
from typing import Any

import numpy as np
from numpy.typing import NDArray

ORIENTATION, SOFTWARE, XMP, IPTC, ICC = 0x0112, 0x0131, 0x02BC, 0x83BB, 0x8773
EXIF_IFD, GPS_IFD, INTEROP_IFD = 0x8769, 0x8825, 0xA005
PHOTOSHOP = 0x8649  # its image resources
X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT = 0x011A, 0x011B, 0x0128
COLOUR_MAP = 0x0140
THUMBNAIL, THUMBNAIL_LENGTH = 0x0201, 0x0202
BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED = 1, 2, 3, 4, 5, 7
SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
LONGER = {13: 4, 16: 8, 17: 8, 18: 8}  # places of directories, and BigTIFF's
SIGNED = 17
BLANK = b"II*\0\x08\0\0\0\0\0\0\0\0\0"

# Fields that speak of how pixels are laid out in a file, and so stay with it.
LAYOUT = {
    *range(254, 267),
    *(273, 277, 278, 279, 280, 281, 284, 288, 289, 290, 291, 292, 293, 297, 301),
    *(317, *range(320, 326), 330, 332, 333, 334, 336, 338, 339, 340, 341, 347),
    *(*range(512, 522), *range(529, 533)),
    *(PHOTOSHOP, 0x935C),  # which are kept aside, and layers
}
BILEVEL_OR_GREY, RGB, PALETTE, CMYK = 1, 2, 3, 5  # photometric interpretations
DEFLATE, RAW = 8, 1
STRIP = 1 << 20  # bytes, roughly

Buffer = bytes | bytearray | mmap
Fields = Mapping[int, tuple[int, bytes]]  # tag -> (type, data in the byte order)


def byte_order(block: Buffer) -> str:
    """Return '<' or '>' as struct wants it, or raise ValueError."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(bytes(block[:4]))
    if order is None:
        raise ValueError("not a TIFF structure")
    return order


def fields(block: Buffer, offset: int | None = None) -> dict[int, bytes]:
    """Return the 12-byte fields of a directory, the first if no offset is given."""
    order = byte_order(block)
    if offset is None:
        (offset,) = struct.unpack_from(order + "I", block, 4)
    (count,) = struct.unpack_from(order + "H", block, offset)
    if offset + 2 + 12 * count > len(block):
        raise ValueError("a directory runs over the end")
    starts = range(offset + 2, offset + 2 + 12 * count, 12)
    found = (bytes(block[start : start + 12]) for start in starts)
    return {struct.unpack_from(order + "H", entry)[0]: entry for entry in found}


def edited(
    block: bytes, *, put: Fields | None = None, drop: Container[int] = ()
) -> bytes:
    """Return the block with fields of its first directory put in or dropped.

    `put` maps a tag to its type and its data in the block's byte order. The second
    directory goes in any case: its thumbnail shows what the picture was. What it or
    a dropped GPS directory points to is overwritten, not only forgotten.
    """
    order = byte_order(block)
    entries, out = fields(block), bytearray(block)
    (start,) = struct.unpack_from(order + "I", block, 4)
    (count,) = struct.unpack_from(order + "H", block, start)
    stop = start + 2 + 12 * count + 4
    out += bytes(max(0, stop - len(out)))  # some writers leave out the last link
    (second,) = struct.unpack_from(order + "I", out, stop - 4)
    doomed = [second] if second else []
    for tag in [tag for tag in entries if tag in drop]:
        entry = entries.pop(tag)
        if tag == GPS_IFD:
            doomed.append(struct.unpack_from(order + "I", entry, 8)[0])
    for offset in doomed:
        _erase(out, offset, stop)
    for tag, (kind, data) in (put or {}).items():
        entries[tag] = _entry(out, tag, kind, data)
    directory = _directory(order, entries)
    if len(directory) <= stop - start:
        out[start:stop] = directory.ljust(stop - start, b"\0")
    else:
        struct.pack_into(order + "I", out, 4, _append(out, directory))
    return bytes(out)


def collected(file: Buffer, leave: Container[int]) -> bytes:
    """Return a block of its own with a TIFF file's fields, but those to leave."""
    order, _ = _form(file)
    out = bytearray(BLANK[:8] if order == "<" else b"MM\0*\0\0\0\x08")

    def copied(offset: int, follow: Mapping[int, Any]) -> int:
        entries: dict[int, bytes] = {}
        for tag, (kind, data) in values(file, offset, leave).items():
            if tag in follow:
                (place,) = struct.unpack(order + "I", data)
                data = pack(order, LONG, [copied(place, follow[tag])])
            entries[tag] = _entry(out, tag, kind, data)
            if len(out) > len(file):
                raise ValueError("fields overlap")
        return _append(out, _directory(order, entries))

    tree: Mapping[int, Any] = {EXIF_IFD: {INTEROP_IFD: {}}, GPS_IFD: {}}
    struct.pack_into(order + "I", out, 4, copied(first(file), tree))
    return bytes(out)


def _form(file: Buffer) -> tuple[str, bool]:
    """Return a file's byte order, and whether it is a BigTIFF."""
    if bytes(file[:8]) in (b"II+\0\x08\0\0\0", b"MM\0+\0\x08\0\0"):
        return ("<" if file[:1] == b"I" else ">"), True
    return byte_order(file), False


def first(file: Buffer) -> int:
    """Return where the first directory of a file lies, be it a BigTIFF."""
    order, big = _form(file)
    return struct.unpack_from(order + ("Q" if big else "I"), file, 8 if big else 4)[0]


def values(
    file: Buffer, offset: int, leave: Container[int] = ()
) -> dict[int, tuple[int, bytes]]:
    """Return a directory's fields but those to leave: tag -> (type, data).

    A BigTIFF's are given as a plain TIFF has them; those that it cannot have are not.
    """
    order, big = _form(file)
    head, entry, link = ("Q", "HHQ8s", "Q") if big else ("H", "HHI4s", "I")
    (count,) = struct.unpack_from(order + head, file, offset)
    size = struct.calcsize(order + entry)
    start = offset + struct.calcsize(order + head)
    if start + size * count > len(file):
        raise ValueError("a directory runs over the end")
    found = {}
    for place in range(start, start + size * count, size):
        tag, kind, number, value = struct.unpack_from(order + entry, file, place)
        if tag in leave:
            continue
        length = SIZES.get(kind, LONGER.get(kind, 1)) * number
        if length > len(value):
            (where,) = struct.unpack(order + link, value)
            value = bytes(file[where : where + length])
        if kind not in LONGER:
            found[tag] = kind, value[:length]
        elif kind != SIGNED:
            letter = "I" if LONGER[kind] == 4 else "Q"
            numbers = struct.unpack(f"{order}{number}{letter}", value[:length])
            if max(numbers, default=0) < 2**32:
                found[tag] = LONG, pack(order, LONG, numbers)
    return found


def _entry(block: bytearray, tag: int, kind: int, data: bytes) -> bytes:
    """Return a field of a plain TIFF, its data appended to the block if it is long."""
    order = byte_order(block)
    count = len(data) // SIZES.get(kind, 1)
    value = data.ljust(4, b"\0")
    if len(data) > 4:
        value = struct.pack(order + "I", _append(block, data))
    return struct.pack(order + "HHI", tag, kind, count) + value


def _directory(order: str, entries: Mapping[int, bytes]) -> bytes:
    count = struct.pack(order + "H", len(entries))
    return count + b"".join(entries[tag] for tag in sorted(entries)) + b"\0\0\0\0"


def _append(block: bytearray, data: bytes) -> int:
    """Append data at an even offset and return the offset."""
    block += b"\0" * (len(block) % 2)
    offset = len(block)
    block += data
    return offset


def _erase(block: bytearray, offset: int, floor: int) -> None:
    """Zero a directory and all it points to; above the floor, cut a tail off."""
    order = byte_order(block)
    try:
        entries = fields(block, offset)
    except (ValueError, struct.error):
        return
    spans = [(offset, offset + 12 * len(entries) + 6)]
    for entry in entries.values():
        kind, count, value = struct.unpack_from(order + "HII", entry, 2)
        if (size := SIZES.get(kind, 1) * count) > 4:
            spans.append((value, value + size))
    if THUMBNAIL in entries and THUMBNAIL_LENGTH in entries:
        (value,) = struct.unpack_from(order + "I", entries[THUMBNAIL], 8)
        (size,) = struct.unpack_from(order + "I", entries[THUMBNAIL_LENGTH], 8)
        spans.append((value, value + size))
    for start, stop in sorted(spans, reverse=True):
        start, stop = max(start, 8), min(stop, len(block))
        block[start:stop] = bytes(max(0, stop - start))
        if floor <= start < stop == len(block):
            del block[start:]


def picture(
    samples: NDArray[Any],
    photometric: int,
    *,
    base: bytes | None = None,
    put: Fields | None = None,
    compress: bool = True,
) -> bytes:
    """Return a TIFF file of the samples, (H, W, C), with the fields of a block kept.

    Boolean samples take a bit each. A channel more than the photometric
    interpretation asks for is alpha. `put` is in the block's byte order.
    """
    order, body = byte_order(base or BLANK), bytearray(base or BLANK)
    height, width, channels = samples.shape
    bits = 1 if samples.dtype == bool else 8 * samples.itemsize
    predict = compress and bits > 1 and photometric != PALETTE
    rows = max(1, STRIP * 8 // (width * channels * bits))
    offsets, lengths = [], []
    for top in range(0, height, rows):
        data = _strip(samples[top : top + rows], order, predict)
        offsets.append(_append(body, deflated([data], bits) if compress else data))
        lengths.append(len(body) - offsets[-1])
    layout = {
        256: (LONG, [width]),
        257: (LONG, [height]),
        258: (SHORT, [bits] * channels),
        259: (SHORT, [DEFLATE if compress else RAW]),
        262: (SHORT, [photometric]),
        273: (LONG, offsets),
        277: (SHORT, [channels]),
        278: (LONG, [rows]),
        279: (LONG, lengths),
        284: (SHORT, [1]),
        317: (SHORT, [2 if predict else 1]),
    }
    if channels > {RGB: 3, CMYK: 4}.get(photometric, 1):
        layout[338] = (SHORT, [2])
    packed = {tag: (kind, pack(order, kind, v)) for tag, (kind, v) in layout.items()}
    return edited(bytes(body), put=packed | dict(put or {}), drop=LAYOUT)


def pack(order: str, kind: int, values: Sequence[int]) -> bytes:
    """Return shorts, longs or rationals (two longs each) in the byte order."""
    return struct.pack(f"{order}{len(values)}{'H' if kind == SHORT else 'I'}", *values)


def deflated(blocks: Iterable[bytes], bits: int) -> bytes:
    """Compress blocks of filtered samples: 16 bits are noise but for runs of zeros."""
    level, strategy = (1, zlib.Z_RLE) if bits == 16 else (3, zlib.Z_DEFAULT_STRATEGY)
    compressor = zlib.compressobj(level, zlib.DEFLATED, 15, 9, strategy)
    return b"".join([*map(compressor.compress, blocks), compressor.flush()])


def _strip(samples: NDArray[Any], order: str, predict: bool) -> bytes:
    if samples.dtype == bool:
        return np.packbits(samples[..., 0], axis=1).tobytes()
    if predict:
        first, rest = samples[:, :1], samples[:, 1:] - samples[:, :-1]
        samples = np.concatenate([first, rest], 1)
    return samples.astype(f"{order}u{samples.itemsize}").tobytes()
