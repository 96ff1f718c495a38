"""The directory of a zip archive, read with suspicion; nothing is unpacked to disk.

Members must lie side by side inside the file, so that stored ones cannot sum to
more than its size; deflated ones are inflated only up to a limit, if at all.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from retouch.errors import WeightsError

END = struct.Struct("<4s4H2LH")
END_64_PLACE = struct.Struct("<4sLQL")
END_64 = struct.Struct("<4sQ2H2L4Q")
ENTRY = struct.Struct("<4s6H3L5H2L")
LOCAL = struct.Struct("<4s5H3L2H")
COMMENT_LIMIT = 65535
DIRECTORY_LIMIT = 2**22  # bytes: thirty times what the largest network needs
ELSEWHERE = 2**32 - 1  # the true value stands in the 64-bit field
STORED, DEFLATED = 0, 8


@dataclass(frozen=True)
class Member:
    """One file of an archive, not read yet."""

    name: str
    data: memoryview  # as it lies in the archive
    method: int
    size: int
    checksum: int

    @property
    def compressed(self) -> bool:
        return self.method != STORED

    def read(self, limit: int = 0) -> memoryview:
        """Return the contents; deflated ones may have up to `limit` bytes."""
        content = self._inflated(limit) if self.compressed else self.data
        if len(content) != self.size or zlib.crc32(content) != self.checksum:
            raise WeightsError(f"its member {self.name!r} is damaged.")
        return content

    def _inflated(self, limit: int) -> memoryview:
        if self.method != DEFLATED or self.size > limit:
            raise WeightsError(
                f"its member {self.name!r} is compressed or too large"
                f" ({self.size} bytes, {limit} allowed)."
            )
        worker = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            return memoryview(worker.decompress(self.data, self.size + 1))
        except zlib.error:
            raise WeightsError(f"its member {self.name!r} is damaged.") from None


def members(archive: memoryview) -> dict[str, Member]:
    """Return the archive's members by name."""
    try:
        start, size = _directory(archive)
        found = list(_entries(archive, start, size))
    except (struct.error, UnicodeDecodeError):
        raise WeightsError("its directory of members is damaged.") from None
    _check_apart([(place, end) for place, end, _ in found], start)
    result = {member.name: member for _, _, member in found}
    if len(result) != len(found):
        raise WeightsError("two of its members have the same name.")
    return result


def _directory(archive: memoryview) -> tuple[int, int]:
    """Return where the directory begins and its size."""
    tail_start = max(0, len(archive) - COMMENT_LIMIT - END.size)
    found = bytes(archive[tail_start:]).rfind(b"PK\5\6")
    if found < 0:
        raise WeightsError("it is a zip archive without its end: a part is missing.")
    end = tail_start + found
    *_, size, start, _ = END.unpack_from(archive, end)
    if ELSEWHERE in (size, start):
        size, start = _directory_64(archive, end)
    if size > DIRECTORY_LIMIT or start + size > end:
        raise WeightsError("its directory of members is damaged or far too large.")
    return start, size


def _directory_64(archive: memoryview, end: int) -> tuple[int, int]:
    sign, _, place, _ = END_64_PLACE.unpack_from(archive, end - END_64_PLACE.size)
    if sign != b"PK\6\7" or place > end:
        raise WeightsError("its directory of members is damaged.")
    sign, *_, size, start = END_64.unpack_from(archive, place)
    if sign != b"PK\6\6":
        raise WeightsError("its directory of members is damaged.")
    return size, start


def _entries(
    archive: memoryview, place: int, size: int
) -> Iterator[tuple[int, int, Member]]:
    """Yield for each member where its header begins, where it ends, and itself."""
    stop = place + size
    while place < stop:
        fields = ENTRY.unpack_from(archive, place)
        sign, flags, method, checksum = fields[0], fields[3], fields[4], fields[7]
        if sign != b"PK\1\2":
            raise WeightsError("its directory of members is damaged.")
        name_size, extra_size, comment_size = fields[10:13]
        place += ENTRY.size
        name = bytes(archive[place : place + name_size]).decode()
        _check_name(name, flags)
        place += name_size
        extra = bytes(archive[place : place + extra_size])
        place += extra_size + comment_size
        full, packed, header = _large(extra, [fields[9], fields[8], fields[16]])
        start = _content(archive, header)
        if (method == STORED and full != packed) or start + packed > len(archive):
            raise WeightsError(f"its member {name!r} reaches beyond the file.")
        data = archive[start : start + packed]
        yield header, start + packed, Member(name, data, method, full, checksum)


def _large(extra: bytes, values: list[int]) -> list[int]:
    """Return the values, those that stand in the 64-bit field taken from there."""
    place = 0
    while ELSEWHERE in values and place + 4 <= len(extra):
        kind, size = struct.unpack_from("<2H", extra, place)
        place += 4
        if kind == 1:
            longs = iter(struct.unpack_from(f"<{size // 8}Q", extra, place))
            return [next(longs, v) if v == ELSEWHERE else v for v in values]
        place += size
    return values


def _content(archive: memoryview, header: int) -> int:
    sign, *_, name_size, extra_size = LOCAL.unpack_from(archive, header)
    if sign != b"PK\3\4":
        raise WeightsError("its directory of members points to no member.")
    return header + LOCAL.size + name_size + extra_size


def _check_name(name: str, flags: int) -> None:
    if flags & 1:
        raise WeightsError(f"its member {name!r} is encrypted.")
    if re.search(r"^/|\\|:|\0|(^|/)\.\.(/|$)", name):
        raise WeightsError(f"its member {name!r} points outside the archive.")


def _check_apart(spans: list[tuple[int, int]], directory: int) -> None:
    starts = [start for start, _ in sorted(spans)] + [directory]
    for (_, end), following in zip(sorted(spans), starts[1:], strict=True):
        if end > following:
            raise WeightsError("its members lie over each other.")
