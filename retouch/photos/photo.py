"""Photographs in and out: read upright, written as what they were, never half.

What is exact: pixels that were not changed, written without loss (PNG, TIFF, WebP that
came lossless), read back bit for bit, in every mode, as RGB and as what was stored for
them. Blocks of a JPEG in which nothing changed keep their coefficients, the others are
compressed with the input's own tables and subsampling. What is not kept: the embedded
thumbnail, further pictures of an MPO (depth, HDR gain map), signatures (C2PA; any
change makes them void, and a new one tells of them), the compression scheme of a TIFF,
and bits beyond the eighth of HEIC and AVIF.
"""

import io
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from retouch.errors import PhotoError
from retouch.photos.decode import decode, decode_image
from retouch.photos.disk import check_path, opened, put, refusing
from retouch.photos.encode import encode as encode_stored
from retouch.photos.encode import pillow_image
from retouch.photos.formats import (
    FORMATS,
    HEAD,
    SUFFIXES,
    Format,
    finished,
    format_of,
    recognised,
)
from retouch.photos.metadata import Metadata, Provenance
from retouch.photos.stored import Kind, Samples, Stored, luma, restored
from retouch.settings import MAX_PIXELS

__all__ = [
    "MAX_PIXELS",
    "Metadata",
    "PathLike",
    "Photo",
    "Provenance",
    "Same",
    "Seal",
    "Source",
    "beside",
    "check_target",
    "encode",
    "like",
    "read",
    "write",
]

PathLike = str | os.PathLike[str]
Source = (
    PathLike | bytes | bytearray | memoryview | BinaryIO | Image.Image | NDArray[Any]
)
# Adds to a finished file: its bytes, its format, and whether places are left out.
Seal = Callable[[bytes, str, bool], bytes]
# Comes back as the kind of thing that it was; paths come back as paths of new files.
Same = TypeVar("Same", bytes, Image.Image, NDArray[Any])
PROFILE_SPACES: Mapping[Kind, bytes] = {
    **dict.fromkeys(("rgb", "palette"), b"RGB "),
    **dict.fromkeys(("grey", "bilevel"), b"GRAY"),
    "cmyk": b"CMYK",
}


@dataclass(frozen=True, eq=False)
class Photo:
    """A photograph in upright RGB, and all it takes to give it back as it came."""

    pixels: Samples  # (H, W, 3), uint8 or uint16, not to be written to
    alpha: Samples | None = None  # (H, W)
    format: str | None = None  # "JPEG", "PNG", ...; None of an array
    metadata: Metadata = field(default_factory=Metadata)
    original: Stored | None = None  # what was stored for each pixel, if not RGB
    encoding: Mapping[str, Any] = field(default_factory=dict)
    source: PathLike | bytes | None = None  # the file, where it can be read again
    free: NDArray[np.float32] | None = None  # (H, W) in [0, 1]: where it may change

    @property
    def kind(self) -> Kind:
        """What the file stored: rgb, grey, bilevel, palette or cmyk."""
        return self.original.kind if self.original else "rgb"

    @property
    def opaque(self) -> bool:
        """Whether nothing of it is transparent."""
        alpha = self.alpha
        return alpha is None or bool((alpha == np.iinfo(alpha.dtype).max).all())

    @property
    def on_white(self) -> Samples:
        """The pixels as they look on white paper, where it is transparent."""
        if self.alpha is None or self.opaque:
            return self.pixels
        most = np.iinfo(self.pixels.dtype).max
        share = self.alpha[..., None] / np.float32(np.iinfo(self.alpha.dtype).max)
        return np.rint(most - share * (most - self.pixels)).astype(self.pixels.dtype)

    def with_pixels(self, pixels: Samples) -> "Photo":
        """Return this photo with other pixels, of the same shape and type.

        They are taken where it may change; where that is in between, in part.
        """
        was, got = self.pixels, pixels
        if got.shape != was.shape or got.dtype != was.dtype:
            raise ValueError(
                f"A photo of {was.shape} {was.dtype} takes pixels of the same shape "
                f"and type; got {got.shape} {got.dtype}."
            )
        if self.free is not None:
            change = got.astype(np.float32) - was
            pixels = np.rint(was + self.free[..., None] * change).astype(was.dtype)
        return replace(self, pixels=pixels)


def read(source: Source, *, max_pixels: int = MAX_PIXELS) -> Photo:
    """Read a photo from a path, bytes, a binary stream, a PIL image or an array.

    More than `max_pixels` are refused before anything is decoded.
    """
    if isinstance(source, np.ndarray):
        return _of_array(source)
    if isinstance(source, Image.Image):
        decoded = decode_image(source, max_pixels)
    else:
        with opened(source) as (file, name):
            decoded = decode(file, name, max_pixels)
    stored = decoded.stored
    pixels = stored.rgb()
    pixels.flags.writeable = False
    return Photo(
        pixels,
        stored.alpha,
        decoded.format,
        decoded.metadata,
        None if stored.kind == "rgb" else stored,
        decoded.encoding,
        source if isinstance(source, str | os.PathLike | bytes) else None,
    )


def encode(
    photo: Photo,
    format: str | None = None,
    *,
    quality: int | None = None,
    strip_location: bool = False,
    provenance: Provenance | None = None,
    seal: Seal | None = None,
) -> bytes:
    """Return the photo as a file, in the format it came in unless told otherwise.

    Args:
        quality: 1 to 100 for JPEG, WebP, AVIF and HEIC; without it, as the input.
        strip_location: leave out GPS, place names and the IPTC block.
        provenance: what was done to the photo, to be written into it.
        seal: what else is added to the file.
    """
    name = format or photo.format or "PNG"
    if name not in FORMATS:
        raise PhotoError(f"{name!r} cannot be written. Known: {', '.join(FORMATS)}.")
    stored = _fitting(photo, FORMATS[name])
    metadata = _outgoing(photo, stored.kind, strip_location, provenance)
    data = encode_stored(stored, name, metadata, photo.encoding, quality)
    return seal(data, name, strip_location) if seal else data


def write(
    photo: Photo,
    target: PathLike | BinaryIO,
    *,
    quality: int | None = None,
    force: bool = False,
    strip_location: bool = False,
    provenance: Provenance | None = None,
    seal: Seal | None = None,
) -> None:
    """Write the photo to a path, in the format its suffix names, or to a stream.

    A file is written beside the target and then takes its place in one step, so
    that the target is the old file or the whole new one, whatever happens.

    Args:
        force: replace the target if it exists, be it the input itself.
    """
    data = encode(
        photo,
        check_target(target, force=force) or photo.format,
        quality=quality,
        strip_location=strip_location,
        provenance=provenance,
        seal=seal,
    )
    if isinstance(target, str | os.PathLike):
        put(Path(target), data)
        return
    with refusing("to the stream"):
        target.write(data)
        target.flush()


def check_target(target: PathLike | BinaryIO, *, force: bool = False) -> str | None:
    """Return the format the target asks for, or raise PhotoError as `write` would.

    To be called before the work whose result is to be written.
    """
    if not isinstance(target, str | os.PathLike):
        return None
    check_path(Path(target), force=force)
    return format_of(Path(target))


def beside(source: PathLike, words: str) -> Path:
    """Return the path of a result beside a photo, with words added to its name."""
    path = Path(source)
    format = SUFFIXES.get(path.suffix.lower())
    if format is None:  # the file itself must tell
        with opened(source) as (file, name):
            format = recognised(file.read(HEAD), name)
    return finished(path, words, format)


def like(
    photo: Photo,
    source: Source,
    *,
    force: bool = False,
    provenance: Provenance | None = None,
    seal: Seal | None = None,
) -> Path | bytes | io.BytesIO | Image.Image | NDArray[Any]:
    """Give the photo back as the kind of thing the source is.

    Of a path, the photo is written beside it with "-retouched" added to the name,
    and that path returned. Of bytes, bytes; of a stream, a new one at its start. A
    PIL image comes in the mode and with the info of the source, an array with its
    channels; an array has no place for metadata, and neither has one for a seal.
    """
    if seal and isinstance(source, np.ndarray | Image.Image):
        raise PhotoError(
            "A picture that is no file can be neither signed nor made reversible; give"
            " a path or bytes."
        )
    if isinstance(source, np.ndarray):
        return _to_array(photo, source.shape)
    if isinstance(source, Image.Image):
        stored = _restored(photo)
        metadata = _outgoing(photo, stored.kind, False, provenance)
        image = pillow_image(stored)
        image.info.update(_info(metadata))
        return image
    if isinstance(source, str | os.PathLike):
        target = finished(Path(source), "-retouched", photo.format or "PNG")
        write(photo, target, force=force, provenance=provenance, seal=seal)
        return target
    data = encode(photo, provenance=provenance, seal=seal)
    return io.BytesIO(data) if hasattr(source, "read") else data


def _of_array(array: NDArray[Any]) -> Photo:
    channels = array.shape[2] if array.ndim == 3 else 1
    sound = array.ndim in (2, 3) and channels in (1, 3, 4) and array.size
    if not sound or array.dtype.kind != "u" or array.dtype.itemsize > 2:
        raise PhotoError(
            "An array is read as a photo if it is uint8 or uint16, (H, W) or (H, W, 1, "
            f"3 or 4); got {array.dtype} of {array.shape}."
        )
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    alpha = array[..., 3] if channels == 4 else None
    grey = None if channels > 1 else Stored("grey", array.reshape(array.shape[:2]))
    pixels = grey.rgb() if grey else array[..., :3].view()
    pixels.flags.writeable = False
    return Photo(pixels, alpha, original=grey)


def _to_array(photo: Photo, shape: tuple[int, ...]) -> NDArray[Any]:
    channels = shape[2] if len(shape) == 3 else 1
    if channels == 1:
        return luma(photo.pixels).reshape((*photo.pixels.shape[:2], *shape[2:]))
    if channels == 4 and photo.alpha is not None:
        return np.dstack([photo.pixels, photo.alpha])
    return photo.pixels.copy()


def _restored(photo: Photo) -> Stored:
    if photo.original is None:
        return Stored("rgb", photo.pixels, photo.alpha)
    return restored(photo.original, photo.pixels, photo.alpha)


def _fitting(photo: Photo, target: Format) -> Stored:
    """Return what the target format is to store: the photo's own kind if it can."""
    if photo.alpha is not None and not target.alpha:
        if not photo.opaque:
            raise PhotoError(
                f"The photo is transparent in places, which {target.name} cannot be; "
                "write it as .png, .webp or .tif."
            )
        photo = replace(photo, alpha=None)
    stored = _restored(photo)
    if stored.kind == "bilevel" and "bilevel" not in target.kinds:
        stored = replace(stored, kind="grey")
    clear = stored.kind == "palette" and stored.alpha is not None
    if stored.kind not in target.kinds or (clear and target.name != "PNG"):
        stored = Stored("rgb", photo.pixels, photo.alpha)
    return stored if target.sixteen_bits else stored.in_eight_bits()


def _outgoing(
    photo: Photo, kind: Kind, strip_location: bool, provenance: Provenance | None
) -> Metadata:
    metadata = photo.metadata
    if strip_location:
        metadata = metadata.without_location()
    if provenance:
        metadata = metadata.stamped(provenance)
    space = (metadata.icc or b"")[16:20]  # a profile of another space would mislead
    fits = kind == photo.kind or space == PROFILE_SPACES[kind]
    return metadata if fits else replace(metadata, icc=None)


def _info(metadata: Metadata) -> dict[str | tuple[int, int], Any]:
    """Return the metadata as Pillow keeps it."""
    info: dict[str | tuple[int, int], Any] = {
        "icc_profile": metadata.icc,
        "exif": metadata.exif and b"Exif\0\0" + metadata.exif,
        "xmp": metadata.xmp,
        "dpi": metadata.dpi,
        "comment": metadata.comment,
        **dict(metadata.text),
    }
    return {key: value for key, value in info.items() if value}
