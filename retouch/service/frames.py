"""What the front and its workers tell each other: JSON and bytes, never pickles.

A frame is two lengths, the JSON, and the blobs it names one after the other.
"""

import asyncio
import json
import struct
from dataclasses import dataclass, field
from typing import Any, BinaryIO

_LENGTHS = struct.Struct(">IQ")  # of the JSON, of all blobs together


@dataclass(frozen=True, eq=False)
class Frame:
    """One message: a few words, and large things as bytes."""

    words: dict[str, Any]
    blobs: dict[str, bytes] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        return self.words["kind"]

    def packed(self) -> list[bytes]:
        """Return the frame as bytes to be written one after the other."""
        sizes = {name: len(blob) for name, blob in self.blobs.items()}
        text = json.dumps([self.words, sizes]).encode()
        return [
            _LENGTHS.pack(len(text), sum(sizes.values())),
            text,
            *self.blobs.values(),
        ]

    @classmethod
    def unpacked(cls, text: bytes, body: bytes) -> "Frame":
        words, sizes = json.loads(text)
        blobs, at = {}, 0
        for name, size in sizes.items():
            blobs[name], at = body[at : at + size], at + size
        return cls(words, blobs)


def write(frame: Frame, stream: BinaryIO) -> None:
    """Write a frame to a pipe."""
    for part in frame.packed():
        stream.write(part)
    stream.flush()


def read(stream: BinaryIO) -> Frame | None:
    """Read a frame from a pipe; None if the other side is gone."""
    head = stream.read(_LENGTHS.size)
    if len(head) < _LENGTHS.size:
        return None
    sizes = _LENGTHS.unpack(head)
    text, body = (stream.read(size) for size in sizes)
    if len(text) < sizes[0] or len(body) < sizes[1]:
        return None
    return Frame.unpacked(text, body)


async def receive(stream: asyncio.StreamReader) -> Frame:
    """Read a frame from a process; IncompleteReadError if it is gone."""
    sizes = _LENGTHS.unpack(await stream.readexactly(_LENGTHS.size))
    text, body = [await stream.readexactly(size) for size in sizes]
    return Frame.unpacked(text, body)


async def send(frame: Frame, stream: asyncio.StreamWriter) -> None:
    """Write a frame to a process."""
    stream.writelines(frame.packed())
    await stream.drain()
