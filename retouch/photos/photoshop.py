"""Photoshop's image resources: blocks of notes, IPTC's among them, and a thumbnail.

They stand in the field 34377 of a TIFF and in a JPEG's segments "Photoshop 3.0".
"""

import struct
from collections.abc import Iterable, Iterator
from contextlib import suppress

HEAD = b"Photoshop 3.0\0"  # of a JPEG's segment
EXTENDED_XMP = b"http://ns.adobe.com/xmp/extension/"
SIGNATURE = b"8BIM"
# Thumbnails show what the picture was; EXIF and XMP are kept where they belong.
STALE = {1033, 1036, 1058, 1059, 1060}


def lasting(resources: bytes) -> bytes:
    """Return the resources that stay true of an edited picture, or raise ValueError."""
    blocks = [block for number, block in _blocks(resources) if number not in STALE]
    return b"".join(blocks)


def segments(applist: Iterable[tuple[str, bytes]]) -> Iterator[bytes]:
    """Yield a JPEG's segments of resources and of extended XMP, markers and all."""
    for marker, data in applist:
        if data.startswith(HEAD):
            with suppress(ValueError):  # parts of a long block stay as they came
                data = HEAD + lasting(data.removeprefix(HEAD))
        elif not data.startswith(EXTENDED_XMP):
            continue
        code = 0xFFE0 + int(marker.removeprefix("APP"))
        yield struct.pack(">HH", code, len(data) + 2) + data


def _blocks(resources: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield each block's number, and the block."""
    place = 0
    while place < len(resources):
        try:
            sign, number, name = struct.unpack_from(">4sHB", resources, place)
            start = place + 6 + (name + 2) // 2 * 2
            (size,) = struct.unpack_from(">I", resources, start)
        except struct.error:
            raise ValueError("image resources end within a block") from None
        stop = start + 4 + (size + 1) // 2 * 2
        if sign != SIGNATURE or stop - size % 2 > len(resources):
            raise ValueError("image resources are damaged")
        yield number, resources[place:stop].ljust(stop - place, b"\0")
        place = stop
