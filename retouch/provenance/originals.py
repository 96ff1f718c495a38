"""The faces as they were, to be carried in the picture: packed, locked, put back.

A lock is AES-GCM with a key that scrypt (2009) makes of RETOUCH_PASSPHRASE; without
one the originals lie open to whoever has the file.
"""

import json
import os
import secrets
import struct
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects, label

from retouch.errors import DependencyError, PhotoError, SettingsError
from retouch.photos.levels import differing
from retouch.photos.photo import Photo, encode, read

PASSPHRASE = "RETOUCH_PASSPHRASE"
OPEN, LOCKED = b"retouch 1 open\0\0", b"retouch 1 locked"
SALT, NONCE = 16, 12  # bytes
WORK = 2**15  # scrypt's, some 32 MiB and 0.1 seconds
CELL = 64  # pixels: changed places nearer than that are one
BLOCK = (
    16  # pixels: in a JPEG a change touches its whole block, and the next one's edge
)
Box = tuple[int, int, int, int]  # left, top, right, bottom
DAMAGED = "The originals in the picture are damaged."


def packed(before: Photo, after: Photo, passphrase: str | None) -> bytes:
    """Return what was there before wherever a photo has changed."""
    boxes = list(changed(before.pixels, after.pixels))
    pictures = [
        encode(Photo(before.pixels[top:bottom, left:right]), "PNG")
        for left, top, right, bottom in boxes
    ]
    height, width = before.pixels.shape[:2]
    told = {"size": [width, height], "boxes": boxes, "bytes": [*map(len, pictures)]}
    head = json.dumps(told).encode()
    body = struct.pack(">I", len(head)) + head + b"".join(pictures)
    if passphrase is None:
        return OPEN + body
    salt, nonce = secrets.token_bytes(SALT), secrets.token_bytes(NONCE)
    locked = _cipher(passphrase, salt).encrypt(nonce, body, LOCKED)
    return LOCKED + salt + nonce + locked


def restored(photo: Photo, payload: bytes, passphrase: str | None) -> Photo:
    """Return the photo with the faces as they were."""
    size, boxes, pictures = _unpacked(_unlocked(payload, passphrase))
    height, width = photo.pixels.shape[:2]
    if size != [width, height]:
        raise PhotoError(
            f"The originals are of a picture of {size[0]} x {size[1]} pixels, this one"
            f" has {width} x {height}: it was cut or scaled since, and they do not fit."
        )
    pixels = photo.pixels.copy()
    for (left, top, right, bottom), picture in zip(boxes, pictures, strict=True):
        area = max(1, (right - left) * (bottom - top))
        own = read(picture, max_pixels=area).pixels
        place = pixels[top:bottom, left:right]
        if own.shape != place.shape or own.dtype.itemsize < place.dtype.itemsize:
            raise PhotoError(DAMAGED)
        if own.dtype != pixels.dtype:  # written with fewer bits than the photo had
            pixels = pixels.astype(np.uint16) * np.uint16(257)
        pixels[top:bottom, left:right] = own
    if pixels.dtype == photo.pixels.dtype:
        return photo.with_pixels(pixels)
    return Photo(pixels, _deep(photo.alpha), photo.format, photo.metadata)


def is_locked(payload: bytes) -> bool:
    return payload.startswith(LOCKED)


def check(passphrase: str) -> None:
    """Raise if nothing can be locked."""
    _cipher(passphrase, b"salt")


def passphrase() -> str | None:
    """Return the pass phrase of the environment, if there is one."""
    return os.environ.get(PASSPHRASE) or None


def changed(before: NDArray[Any], after: NDArray[Any]) -> Iterator[Box]:
    """Yield boxes of whole blocks around pixels that differ, near ones as one."""
    differs = differing(before, after)
    height, width = differs.shape
    room = -(-height // CELL) * CELL, -(-width // CELL) * CELL
    cells = np.zeros(room, bool)
    cells[:height, :width] = differs
    blocks = cells.reshape(room[0] // CELL, CELL, -1, CELL).any((1, 3))
    found = find_objects(label(blocks, np.ones((3, 3)))[0])
    for rows, columns in found:
        top, left = rows.start * CELL, columns.start * CELL
        part = differs[top : rows.stop * CELL, left : columns.stop * CELL]
        y, x = (np.flatnonzero(part.any(axis)) for axis in (1, 0))
        yield (
            *(max(0, _below(int(low))) for low in (left + x[0], top + y[0])),
            min(width, -_below(-int(left + x[-1] + 1))),
            min(height, -_below(-int(top + y[-1] + 1))),
        )


def _below(place: int) -> int:
    """Return where the block before the place's own begins."""
    return (place // BLOCK - 1) * BLOCK


def _deep(alpha: NDArray[Any] | None) -> NDArray[Any] | None:
    return None if alpha is None else alpha.astype(np.uint16) * np.uint16(257)


def _unlocked(payload: bytes, passphrase: str | None) -> bytes:
    head, rest = payload[: len(OPEN)], payload[len(OPEN) :]
    if head == OPEN:
        return rest
    if head != LOCKED:
        raise PhotoError(DAMAGED)
    if passphrase is None:
        raise SettingsError(
            f"The originals are locked: set {PASSPHRASE} to the pass phrase."
        )
    salt, nonce, body = rest[:SALT], rest[SALT : SALT + NONCE], rest[SALT + NONCE :]
    cipher = _cipher(passphrase, salt)
    from cryptography.exceptions import InvalidTag

    try:
        return cipher.decrypt(nonce, body, LOCKED)
    except (InvalidTag, ValueError):
        raise PhotoError(
            f"The originals cannot be unlocked: {PASSPHRASE} is another pass phrase, or"
            " they are damaged."
        ) from None


def _unpacked(body: bytes) -> tuple[list[int], list[Box], Iterable[bytes]]:
    try:
        (size,) = struct.unpack_from(">I", body)
        told = json.loads(body[4 : 4 + size])
        boxes = [tuple(map(int, box)) for box in told["boxes"]]
        sizes = [int(one) for one in told["bytes"]]
        ends = np.cumsum([4 + size, *sizes]).tolist()
        sound = len(boxes) == len(sizes) and ends[-1] == len(body)
        sound &= all(len(box) == 4 and min(box) >= 0 for box in boxes)
        whole = [int(side) for side in told["size"]]
    except (ValueError, TypeError, KeyError, struct.error):
        raise PhotoError(DAMAGED) from None
    if not sound or len(whole) != 2:
        raise PhotoError(DAMAGED)
    pictures = [body[a:b] for a, b in pairwise(ends)]
    return whole, boxes, pictures  # type: ignore[return-value]


def _cipher(passphrase: str, salt: bytes) -> Any:
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
    except ImportError as error:
        raise DependencyError(
            "A pass phrase needs packages that are not installed; install them with"
            " pip install c2pa-python cryptography."
        ) from error
    key = Scrypt(salt=salt, length=32, n=WORK, r=8, p=1).derive(passphrase.encode())
    return AESGCM(key)
