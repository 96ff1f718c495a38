"""What a picture file stores to the file: 16-bit PNG and TIFF here, the rest by Pillow.

Compression follows the input where the format is the same: a JPEG's quantisation
tables and subsampling, a lossless WebP, a TIFF that was not compressed.
"""

import io
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

from retouch.errors import PhotoError, SettingsError
from retouch.photos import tiff
from retouch.photos.formats import (
    FORMATS,
    LENIENCY,
    PNG_SIGNATURE,
    png_chunks,
    require,
)
from retouch.photos.jpeg import spliced
from retouch.photos.metadata import Metadata
from retouch.photos.stored import Kind, Samples, Stored

PNG_LEVEL = 3  # of zlib: a third of the default's time, 7% more bytes
PNG_ROWS = 256  # filtered at a time
PNG_COLOURS = {1: 0, 2: 4, 3: 2, 4: 6}  # channels -> colour type
PHOTOMETRIC: Mapping[Kind, int] = {
    **dict.fromkeys(("bilevel", "grey"), tiff.BILEVEL_OR_GREY),
    **{"rgb": tiff.RGB, "palette": tiff.PALETTE, "cmyk": tiff.CMYK},
}


def encode(
    stored: Stored,
    format: str,
    metadata: Metadata,
    encoding: Mapping[str, Any],
    quality: int | None,
) -> bytes:
    """Return the file of a picture whose kind the format can hold."""
    require(format, "The photo")
    if quality is not None and not 1 <= quality <= 100:
        raise SettingsError(f"quality must lie in [1, 100]; got {quality}.")
    height, width = stored.samples.shape[:2]
    limit = FORMATS[format].largest_side
    if max(height, width) > limit:
        raise PhotoError(
            f"A {format} picture has at most {limit:,} pixels a side, and the photo is "
            f"{width:,} x {height:,}; write it as .png or .tif."
        )
    try:
        with LENIENCY:
            return _encoded(stored, format, metadata, encoding, quality)
    except (OSError, RuntimeError, ValueError, struct.error, MemoryError) as error:
        raise PhotoError(
            f"The photo cannot be written as {format} ({error or 'out of memory'}); "
            "try .png or .tif."
        ) from error


def pillow_image(stored: Stored) -> Image.Image:
    """Return the picture as a Pillow image; 16-bit colour comes down to 8 bits."""
    if stored.kind == "palette":
        assert stored.palette is not None
        image = Image.fromarray(stored.samples)
        image.putpalette(stored.palette[:, :3].tobytes(), "RGB")
        if stored.alpha is not None:
            image.info["transparency"] = stored.palette[:, 3].tobytes()
        return image
    if stored.kind in ("bilevel", "grey") and stored.alpha is None:
        image = Image.fromarray(stored.samples)
        return image.convert("1") if stored.kind == "bilevel" else image
    channels = _channels(stored.in_eight_bits())
    if stored.kind == "cmyk":
        size = channels.shape[1], channels.shape[0]
        return Image.frombytes("CMYK", size, channels.tobytes())
    return Image.fromarray(channels)


def _encoded(
    stored: Stored,
    format: str,
    metadata: Metadata,
    encoding: Mapping[str, Any],
    quality: int | None,
) -> bytes:
    if format == "TIFF":
        return _tiff(stored, metadata, encoding.get("compress", True))
    if format == "JPEG":
        return _jpeg(stored, metadata, encoding, quality)
    if format == "PNG":
        options = _png_options(metadata)
        if stored.samples.dtype == np.uint16:
            return _deep_png(_channels(stored), options)
        return _saved(stored, format, options)
    options = {"exif": metadata.exif, "xmp": metadata.xmp, "icc_profile": metadata.icc}
    if format == "WEBP" and encoding.get("lossless") and quality is None:
        return _saved(stored, format, options | {"lossless": True, "exact": True})
    if format == "AVIF" and metadata.exif:  # else Pillow would write the block anew
        options["exif"] = tiff.edited(metadata.exif, drop={tiff.ORIENTATION})
    options["quality"] = quality or FORMATS[format].quality
    if stored.kind == "rgb":
        options["subsampling"] = "4:4:4"
    return _saved(stored, format, options)


def _saved(stored: Stored, format: str, options: Mapping[str, Any]) -> bytes:
    file = io.BytesIO()
    given = {key: value for key, value in options.items() if value not in (None, b"")}
    pillow_image(stored).save(file, format, **given)
    return file.getvalue()


def _jpeg(
    stored: Stored,
    metadata: Metadata,
    encoding: Mapping[str, Any],
    quality: int | None,
) -> bytes:
    """Return a JPEG; blocks in which nothing changed are those of the file it was."""
    told = {key: value for key, value in encoding.items() if key != "came"}
    options = _jpeg_options(metadata, told, quality)

    def written(samples: Samples) -> bytes:
        return _saved(replace(stored, samples=samples), "JPEG", options)

    came = encoding.get("came") if quality is None else None
    kept = spliced(stored.samples, came, written) if came else None
    return kept or written(stored.samples)


def _jpeg_options(
    metadata: Metadata, encoding: Mapping[str, Any], quality: int | None
) -> dict[str, Any]:
    options = {
        "exif": metadata.exif and b"Exif\0\0" + metadata.exif,
        "xmp": metadata.xmp,
        "icc_profile": metadata.icc,
        "dpi": metadata.dpi,
        "comment": metadata.comment,
        "extra": metadata.segments,
        **encoding,
    }
    if quality is None and "qtables" in encoding:
        return options
    quality = quality or FORMATS["JPEG"].quality
    sampling = encoding.get("subsampling", 0 if quality >= 90 else 2)
    return options | {"quality": quality, "subsampling": sampling, "qtables": None}


def _png_options(metadata: Metadata) -> dict[str, Any]:
    notes = PngImagePlugin.PngInfo()
    for name, data in metadata.chunks:
        notes.add(name, data)
    for key, value in metadata.text:
        notes.add_text(key, value)
    if metadata.xmp:
        notes.add_itxt("XML:com.adobe.xmp", metadata.xmp.decode("utf-8", "replace"))
    return {
        "pnginfo": notes,
        "exif": metadata.exif,
        "icc_profile": metadata.icc,
        "dpi": metadata.dpi,
        "compress_level": PNG_LEVEL,
    }


def _deep_png(samples: Samples, options: Mapping[str, Any]) -> bytes:
    """Return a 16-bit PNG in the frame of metadata that Pillow puts around a pixel."""
    height, width, channels = samples.shape
    frame = _saved(Stored("rgb", np.zeros((1, 1, 3), np.uint8)), "PNG", options)
    file = io.BytesIO(PNG_SIGNATURE)
    file.seek(0, io.SEEK_END)
    for name, data in png_chunks(io.BytesIO(frame)):
        if name == b"IHDR":
            depth = struct.pack(">IIBB", width, height, 16, PNG_COLOURS[channels])
            data = depth + data[10:]
        if name == b"IDAT":
            data = tiff.deflated(_filtered(samples), 16)
        file.write(struct.pack(">I", len(data)) + name + data)
        file.write(struct.pack(">I", zlib.crc32(data, zlib.crc32(name))))
    return file.getvalue()


def _filtered(samples: Samples) -> Iterator[bytes]:
    """Yield rows less the row above each (PNG's filter 2)."""
    above = np.zeros((1, 2 * samples[0].size), np.uint8)
    for top in range(0, len(samples), PNG_ROWS):
        rows = samples[top : top + PNG_ROWS].astype(">u2")
        plain = rows.reshape(len(rows), -1).view(np.uint8)
        filtered = np.full((len(plain), plain.shape[1] + 1), 2, np.uint8)
        np.subtract(plain, np.concatenate([above, plain[:-1]]), out=filtered[:, 1:])
        above = plain[-1:]
        yield filtered.tobytes()


def _tiff(stored: Stored, metadata: Metadata, compress: bool) -> bytes:
    base = metadata.exif or tiff.BLANK
    order = tiff.byte_order(base)
    put: dict[int, tuple[int, bytes]] = {}
    if metadata.icc:
        put[tiff.ICC] = (tiff.UNDEFINED, metadata.icc)
    if metadata.xmp:
        put[tiff.XMP] = (tiff.BYTE, metadata.xmp)
    if metadata.resources:
        put[tiff.PHOTOSHOP] = (tiff.BYTE, metadata.resources)
    for tag, value in zip(
        (tiff.X_RESOLUTION, tiff.Y_RESOLUTION), metadata.dpi or (), strict=False
    ):
        ratio = Fraction(value).limit_denominator(1000).as_integer_ratio()
        put[tag] = (tiff.RATIONAL, tiff.pack(order, tiff.RATIONAL, ratio))
        put[tiff.RESOLUTION_UNIT] = (tiff.SHORT, tiff.pack(order, tiff.SHORT, [2]))
    samples = _channels(stored)
    if stored.kind == "bilevel" and stored.alpha is None:
        samples = samples > 0
    if stored.palette is not None:
        table = np.zeros((256, 3), np.uint16)
        table[: len(stored.palette)] = stored.palette[:, :3]
        colours = (table * 257).T.astype(f"{order}u2").tobytes()
        put[tiff.COLOUR_MAP] = (tiff.SHORT, colours)
    return tiff.picture(
        samples, PHOTOMETRIC[stored.kind], base=base, put=put, compress=compress
    )


def _channels(stored: Stored) -> NDArray[Any]:
    """Return the samples with alpha as the last channel, (H, W, C)."""
    samples = np.atleast_3d(stored.samples)
    if stored.alpha is None or stored.kind == "palette":
        return samples
    return np.concatenate([samples, stored.alpha[..., None]], -1)
