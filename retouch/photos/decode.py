"""Files of pictures to what they store: Pillow, with 16 bits and a limit of pixels.

Pillow keeps one byte of every 16-bit colour sample, but its decoders can be told
which: such a file is decoded twice, once for each byte.
"""

import io
import itertools
import math
import mmap
import re
import struct
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, JpegImagePlugin

from retouch.errors import PhotoError, RetouchError, SizeError
from retouch.photos import photoshop, tiff
from retouch.photos.formats import (
    FORMATS,
    HEAD,
    LENIENCY,
    png_chunks,
    recognised,
    require,
)
from retouch.photos.jpeg import Came
from retouch.photos.levels import samples_of
from retouch.photos.metadata import Metadata
from retouch.photos.stored import Kind, Samples, Stored

COLOUR_CHUNKS = {b"cHRM", b"cICP", b"gAMA", b"sRGB"}
# What Pillow is asked to make of its rarer modes, and what each mode stores.
SIMPLER = {
    **{"1": "L", "La": "LA", "PA": "RGBA"},
    **{"RGBX": "RGB", "RGBa": "RGBA", "YCbCr": "RGB"},
}
KINDS: dict[str, Kind] = {
    **dict.fromkeys(("L", "LA", "La", "I;16"), "grey"),
    "CMYK": "cmyk",
}
# What stays with a TIFF file, or is kept beside its EXIF.
TIFF_KEEPS = tiff.LAYOUT | {
    tiff.XMP,
    tiff.ICC,
    tiff.X_RESOLUTION,
    tiff.Y_RESOLUTION,
    tiff.RESOLUTION_UNIT,
}


@dataclass(frozen=True, eq=False)
class Decoded:
    """A picture upright, and all that came with it."""

    stored: Stored
    metadata: Metadata
    format: str | None
    encoding: Mapping[str, Any]  # how it was compressed, in its encoder's terms


def decode(file: BinaryIO, name: str, max_pixels: int) -> Decoded:
    """Read a picture from a file that can seek; errors speak of it by name."""
    format = recognised(file.read(HEAD), name)
    require(format, name)

    def reopen() -> Image.Image:
        file.seek(0)
        return Image.open(file, formats=[format])

    with _decoding(name):
        image = reopen()
        decoded = _decoded(image, name, max_pixels, reopen)
        return _beyond_pillow(decoded, file)


def decode_image(image: Image.Image, max_pixels: int) -> Decoded:
    """Take over a Pillow image, with the metadata that its info holds."""
    with _decoding("The PIL image"):
        return _decoded(image, "The PIL image", max_pixels, None)


@contextmanager
def _decoding(name: str) -> Iterator[None]:
    try:
        with LENIENCY:
            yield
    except RetouchError:
        raise
    except MemoryError as error:
        raise PhotoError(
            f"{name} needs more memory than there is; give a smaller copy."
        ) from error
    except Exception as error:  # decoders raise whatever the damage led them to
        raise PhotoError(
            f"{name} is damaged, cut short or of an unusual kind; copy it again or "
            "export it as JPEG or PNG."
        ) from error


def _decoded(
    image: Image.Image,
    name: str,
    max_pixels: int,
    reopen: Callable[[], Image.Image] | None,
) -> Decoded:
    _check(image, name, max_pixels)
    stored = _stored(image, reopen).turned(_orientation(image))
    format = "JPEG" if image.format == "MPO" else image.format
    return Decoded(
        stored,
        _metadata(image).upright(),
        format if format in FORMATS else None,
        _encoding(image),
    )


def _check(image: Image.Image, name: str, max_pixels: int) -> None:
    width, height = image.size
    if width * height > max_pixels:
        raise SizeError(
            f"{name} has {width:,} x {height:,} pixels, more than the limit of "
            f"{max_pixels:,}; raise the limit (--max-pixels) if you trust it."
        )
    # An MPO is a photo followed by previews, depth or the other eye's view.
    if getattr(image, "is_animated", False) and image.format != "MPO":
        raise PhotoError(
            f"{name} holds {getattr(image, 'n_frames', 'several')} pictures, pages or "
            "frames; give one of them in a file of its own."
        )
    tags = getattr(image, "tag_v2", {})
    if tags.get(254, 0) & 1:
        raise PhotoError(
            f"{name} is a camera's raw file with a small preview; develop it to a "
            "16-bit TIFF or a JPEG first."
        )
    bits = set(tags.get(258, (8,)))
    if not bits <= {1, 2, 4, 8, 16} or (16 in bits and tags.get(284) == 2):
        raise PhotoError(
            f"{name} is a TIFF of an unusual layout ({max(bits)} bits, planar or of "
            "floats); save it with 8 or 16 interleaved bits a channel."
        )
    if image.mode not in (*SIMPLER, *KINDS, "RGB", "RGBA", "P", "I;16B"):
        raise PhotoError(
            f"{name} has pixels of a kind that photos do not have (mode {image.mode}); "
            "save it as RGB, grey or CMYK with 8 or 16 bits a channel."
        )


def _stored(image: Image.Image, reopen: Callable[[], Image.Image] | None) -> Stored:
    if image.mode == "P":
        return _palette(image)
    kind: Kind = "bilevel" if image.mode == "1" else KINDS.get(image.mode[:4], "rgb")
    rawmode, key = _rawmode(image), image.info.get("transparency")
    if reopen and ";16" in rawmode and image.mode in ("RGB", "RGBA", "CMYK"):
        samples = _sixteen_bits(image, reopen(), rawmode)
    else:
        simpler = SIMPLER.get(image.mode)
        samples = samples_of(image.convert(simpler) if simpler else image)
        samples = samples.astype(f"u{samples.itemsize}", copy=False)
    if image.mode.startswith("I") and getattr(image, "tag_v2", {}).get(262) == 0:
        samples = 65535 - samples  # white is zero, which Pillow minds in 8 bits alone
    channels = 1 if samples.ndim == 2 else samples.shape[2]
    if kind != "cmyk" and channels in (2, 4):
        colours = samples[..., 0] if channels == 2 else samples[..., :3]
        kind = "grey" if channels == 2 else kind
        alpha = np.ascontiguousarray(samples[..., -1])
        return Stored(kind, np.ascontiguousarray(colours), alpha)
    if isinstance(key, int | tuple) and np.size(key) == channels:
        key = np.multiply(key, {"L;2": 85, "L;4": 17}.get(rawmode, 1))
        clear = (np.atleast_3d(samples) == key).all(-1)
        alpha = np.where(clear, 0, np.iinfo(samples.dtype).max).astype(samples.dtype)
        return Stored(kind, samples, alpha)
    return Stored(kind, samples)


def _palette(image: Image.Image) -> Stored:
    indices, key = np.asarray(image), image.info.get("transparency")
    colours = np.array(image.getpalette("RGB"), np.uint8).reshape(-1, 3)
    palette = np.zeros((max(len(colours), int(indices.max()) + 1), 4), np.uint8)
    palette[: len(colours), :3], palette[:, 3] = colours, 255
    if isinstance(key, bytes):
        values = np.frombuffer(key, np.uint8)[: len(palette)]
        palette[: len(values), 3] = values
    elif isinstance(key, int):
        palette[key : key + 1, 3] = 0
    alpha = None if key is None else palette[:, 3][indices]
    return Stored("palette", indices, alpha, palette)


def _rawmode(image: Image.Image) -> str:
    tiles = getattr(image, "tile", None)
    args = tiles[0].args if tiles else ""
    return str(args[0] if isinstance(args, tuple) else args)


def _sixteen_bits(image: Image.Image, twin: Image.Image, rawmode: str) -> Samples:
    """Decode the image for the high bytes and its twin for the low ones."""
    layout, order = rawmode.split(";16")
    if layout == "LA":  # four bytes a pixel, taken as they come
        return _loaded(image, "RGBA").view(">u2").astype(np.uint16)
    premultiplied, layout = layout == "RGBa", layout.upper()
    order = order.replace("N", "L" if sys.byteorder == "little" else "B")
    samples = _loaded(image, f"{layout};16{order}").astype(np.uint16)
    samples <<= 8
    samples |= _loaded(twin, f"{layout};16{'L' if order == 'B' else 'B'}")
    if premultiplied:
        alpha = np.maximum(samples[..., 3:], 1)
        colours = (samples[..., :3] * np.uint32(65535) + alpha // 2) // alpha
        samples[..., :3] = np.minimum(colours, 65535)
    return samples


def _loaded(image: Image.Image, rawmode: str) -> NDArray[np.uint8]:
    """Decode with another raw mode of as many bits a pixel."""
    assert isinstance(image, ImageFile.ImageFile)
    image.tile = [
        tile._replace(
            args=(rawmode, *tile.args[1:]) if isinstance(tile.args, tuple) else rawmode
        )
        for tile in image.tile
    ]
    return np.asarray(image)


def _orientation(image: Image.Image) -> int:
    """Return EXIF's orientation; Pillow has already turned a TIFF."""
    try:
        value = int(image.getexif().get(tiff.ORIENTATION) or 1)
    except Exception:  # EXIF damaged in any way says nothing
        return 1
    return value if 1 <= value <= 8 else 1


def _metadata(image: Image.Image) -> Metadata:
    info, text = image.info, dict(getattr(image, "text", {}))
    xmp = info.get("xmp") or text.pop("XML:com.adobe.xmp", None)
    text.pop("XML:com.adobe.xmp", None)
    exif = info.get("exif")
    raw_exif = text.pop("Raw profile type exif", None)  # as ImageMagick wrote it
    if exif is None and raw_exif:
        exif = bytes.fromhex("".join(raw_exif.split("\n")[3:]))
    dpi = tuple(float(value) for value in info.get("dpi", ()))
    sound = len(dpi) == 2 and all(0 < value < math.inf for value in dpi)
    return Metadata(
        icc=info.get("icc_profile") or None,
        exif=re.sub(rb"^(Exif\0\0)+", b"", exif) if exif else None,
        xmp=xmp.encode() if isinstance(xmp, str) else xmp,
        dpi=(dpi[0], dpi[1]) if sound else None,
        comment=info.get("comment") if image.format in ("JPEG", "MPO") else None,
        segments=b"".join(photoshop.segments(getattr(image, "applist", ()))),
        text=tuple(text.items()),
    )


def _encoding(image: Image.Image) -> dict[str, Any]:
    """Return what the format's encoder needs to compress as the input was."""
    if isinstance(image, JpegImagePlugin.JpegImageFile):
        tables = [image.quantization[component[3]] for component in image.layer]
        while tables[-1:] == tables[-2:-1]:
            tables.pop()  # the encoder uses the last for all further components
        return {
            "qtables": tables,
            "subsampling": max(0, JpegImagePlugin.get_sampling(image)),
            "progressive": bool(image.info.get("progressive")),
            "keep_rgb": image.mode == "RGB" and image.info.get("adobe_transform") == 0,
        }
    compression = image.info.get("compression")
    return {"compress": compression != "raw"} if image.format == "TIFF" else {}


def _with_blocks(decoded: Decoded, file: BinaryIO) -> Decoded:
    """Keep a JPEG's file beside it, to be written with the same blocks again.

    The blocks of a photo that EXIF turns lie otherwise than its pixels.
    """
    file.seek(0)
    with Image.open(file) as image:
        upright = _orientation(image) == 1 and image.mode in ("RGB", "L")
        if not upright or image.format != "JPEG":
            return decoded
    file.seek(0)
    came = Came(file.read(), decoded.stored.samples)
    return replace(decoded, encoding={**decoded.encoding, "came": came})


def _beyond_pillow(decoded: Decoded, file: BinaryIO) -> Decoded:
    """Add what Pillow does not tell of a file."""
    metadata = decoded.metadata
    if decoded.format == "JPEG":
        return _with_blocks(decoded, file)
    if decoded.format == "PNG":
        header = itertools.takewhile(lambda c: c[0] != b"IDAT", png_chunks(file))
        chunks = tuple(chunk for chunk in header if chunk[0] in COLOUR_CHUNKS)
        return replace(decoded, metadata=replace(metadata, chunks=chunks))
    if decoded.format == "TIFF":
        exif, resources = _tiff_notes(file)
        metadata = replace(metadata, exif=exif, resources=resources)
        return replace(decoded, metadata=metadata.upright())
    if decoded.format == "WEBP":
        file.seek(12)
        while head := file.read(8):
            name, length = struct.unpack("<4sI", head)
            if name in (b"VP8 ", b"VP8L"):
                return replace(decoded, encoding={"lossless": name == b"VP8L"})
            file.seek(length + length % 2, io.SEEK_CUR)
    return decoded


def _tiff_notes(file: BinaryIO) -> tuple[bytes | None, bytes]:
    """Return a TIFF's EXIF as a block of its own, and Photoshop's resources."""
    if not isinstance(file, io.BytesIO):
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as contents:
            return _notes(contents)
    return _notes(file.getvalue())


def _notes(contents: tiff.Buffer) -> tuple[bytes | None, bytes]:
    exif, resources = None, b""
    with suppress(ValueError, struct.error):  # what is damaged is left out
        exif = tiff.collected(contents, TIFF_KEEPS)
    with suppress(ValueError, struct.error):
        others = TIFF_KEEPS - {tiff.PHOTOSHOP}
        found = tiff.values(contents, tiff.first(contents), others)
        resources = photoshop.lasting(found.get(tiff.PHOTOSHOP, (0, b""))[1])
    return exif, resources
