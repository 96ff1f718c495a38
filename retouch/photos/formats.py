"""The picture formats: what each can hold, and Pillow made ready for them."""

import re
import struct
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import PurePath
from typing import BinaryIO, TypeVar

from PIL import Image, features

from retouch.errors import DependencyError, PhotoError
from retouch.photos.stored import Kind


@dataclass(frozen=True)
class Format:
    """One kind of file: how to know it, and what it can hold."""

    name: str
    suffixes: tuple[str, ...]
    signature: bytes  # a pattern of its first bytes
    kinds: frozenset[Kind] = frozenset({"rgb"})
    sixteen_bits: bool = False
    alpha: bool = True
    largest_side: int = 2**31 - 1
    quality: int = 0  # where nobody says otherwise; 0 if nothing is ever lost

    @property
    def media(self) -> str:
        """The media type, as the web calls it."""
        return f"image/{'heic' if self.name == 'HEIF' else self.name.lower()}"


HEAD = 64  # bytes of a file that tell its format
AnyPath = TypeVar("AnyPath", bound=PurePath)
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PIXELS: frozenset[Kind] = frozenset({"bilevel", "grey", "palette", "rgb"})
FORMATS: Mapping[str, Format] = {
    format.name: format
    for format in (
        Format(
            "JPEG",
            (".jpg", ".jpeg", ".jpe", ".jfif"),
            rb"\xff\xd8\xff",
            kinds=frozenset({"grey", "rgb", "cmyk"}),
            alpha=False,
            largest_side=65_500,
            quality=95,
        ),
        Format("PNG", (".png",), rb"\x89PNG\r\n\x1a\n", _PIXELS, sixteen_bits=True),
        Format(
            "TIFF",
            (".tif", ".tiff"),
            rb"II[*+]\0|MM\0[*+]",
            _PIXELS | {"cmyk"},
            sixteen_bits=True,
        ),
        Format(
            "WEBP",
            (".webp",),
            rb"RIFF....WEBP",
            largest_side=16_383,
            quality=90,
        ),
        Format(
            "AVIF",
            (".avif",),
            rb"....ftyp(?:avi[fs]|m[is]f1.{4,}avif)",
            kinds=frozenset({"grey", "rgb"}),
            largest_side=65_535,
            quality=90,
        ),
        Format(
            "HEIF",
            (".heic", ".heif"),
            rb"....ftyp(?:he[iv][cmsx]|m[is]f1)",
            largest_side=65_535,
            quality=90,
        ),
    )
}
SUFFIXES: Mapping[str, str] = {
    suffix: format.name for format in FORMATS.values() for suffix in format.suffixes
}
# What is given for a photo and is none here: its first bytes, what it is, what to do.
OTHERS = (
    (rb"GIF8", "a GIF", "save it as PNG, of a moving one a single frame"),
    (rb"BM.{4}\0{4}", "a BMP", "save it as PNG"),
    (rb"\0{3}\x0cjP  |\xff\x4f\xff\x51", "a JPEG 2000", "save it as PNG"),
    (rb"\0{3}\x0cJXL |\xff\x0a", "a JPEG XL", "save it as PNG"),
    (rb"8BPS", "a Photoshop document", "export it as PNG or TIFF"),
    (rb"%PDF", "a PDF", "export the photo in it as PNG or JPEG"),
    (rb"....ftypcrx |FUJIFILMCCD", "a camera's raw file", "develop it to TIFF or JPEG"),
    (rb"....ftyp|....moov|\x1aE\xdf\xa3|RIFF....AVI", "a film", "try retouch video"),
)


def recognised(head: bytes, name: str) -> str:
    """Return the format of the picture that begins with these bytes."""
    for format in FORMATS.values():
        if re.match(format.signature, head, re.S):
            return format.name
    for signature, what, remedy in OTHERS:
        if re.match(signature, head, re.S):
            raise PhotoError(f"{name} is {what}, which is not read; {remedy}.")
    raise PhotoError(
        f"{name} holds no picture that can be read; give a JPEG, PNG, TIFF, WebP, "
        "AVIF or HEIC file."
    )


def format_of(path: PurePath) -> str | None:
    """Return the format a path's suffix names, or None if it has no suffix."""
    suffix = path.suffix.lower()
    if suffix and suffix not in SUFFIXES:
        raise PhotoError(
            f"No picture format is called {suffix!r}. Known: {', '.join(SUFFIXES)}."
        )
    return SUFFIXES.get(suffix)


def finished(path: AnyPath, words: str, format: str) -> AnyPath:
    """Return the path with words added to its name, whose suffix names a format.

    Where the path's own suffix names none, it belongs to the name.
    """
    if path.suffix.lower() in SUFFIXES:
        return path.with_name(f"{path.stem}{words}{path.suffix}")
    return path.with_name(f"{path.name}{words}{FORMATS[format].suffixes[0]}")


def png_chunks(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """Yield the chunks of a PNG, (name, data)."""
    file.seek(len(PNG_SIGNATURE))
    while head := file.read(8):
        length, name = struct.unpack(">I4s", head)
        data = file.read(length)
        yield name, data
        file.read(4)  # the checksum


def require(format: str, name: str) -> None:
    """Raise DependencyError unless the installed packages know the format."""
    if format == "HEIF":
        try:
            import pillow_heif
        except ImportError as error:
            raise DependencyError(
                f"{name} is HEIC, which needs the package pillow-heif; install it with "
                "'pip install pillow-heif'."
            ) from error
        pillow_heif.register_heif_opener(thumbnails=False)
    elif format in ("AVIF", "WEBP") and not features.check(format.lower()):
        raise DependencyError(
            f"{name} is {format}, which this build of Pillow lacks; install a newer "
            "one with 'pip install --upgrade pillow'."
        )


class _Leniency:
    """Pillow without its warnings and its own limit, while any thread is inside.

    Both are switches of the whole process: the first to enter throws them, the last
    to leave puts them back.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._undo = ExitStack()

    def __enter__(self) -> None:
        with self._lock:
            self._inside += 1
            if self._inside == 1:
                self._undo.enter_context(warnings.catch_warnings())
                warnings.filterwarnings("ignore", module=r"PIL\b")
                limit = Image.MAX_IMAGE_PIXELS
                self._undo.callback(setattr, Image, "MAX_IMAGE_PIXELS", limit)
                Image.MAX_IMAGE_PIXELS = None

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._undo.close()


LENIENCY = _Leniency()
