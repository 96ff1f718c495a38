"""What Pillow alone would not read, or not read right."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from retouch.errors import PhotoError
from retouch.photos.photo import encode, read
from tests.retouch.pictures import noise, portrait, same, saved


def png16(samples):
    """Return a 16-bit PNG made chunk by chunk, as the standard has it, unfiltered."""
    height, width, channels = samples.shape
    rows = samples.astype(">u2").reshape(height, -1).view(np.uint8)
    rows = np.concatenate([np.zeros((height, 1), np.uint8), rows], 1)
    colour = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    header = struct.pack(">IIBBBBB", width, height, 16, colour, 0, 0, 0)
    file = b"\x89PNG\r\n\x1a\n"
    for chunk in (b"IHDR" + header, b"IDAT" + zlib.compress(rows.tobytes()), b"IEND"):
        file += struct.pack(">I", len(chunk) - 4) + chunk
        file += struct.pack(">I", zlib.crc32(chunk))
    return file


def tiff_of(samples, **options):
    tifffile = pytest.importorskip("tifffile")
    file = io.BytesIO()
    tifffile.imwrite(file, samples, **options)
    return file.getvalue()


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_a_sixteen_bit_png_of_other_makers_is_read_whole(channels):
    samples = noise((9, 7, channels), 1, np.uint16)
    photo = read(png16(samples))
    colours = samples[..., : 1 if channels < 3 else 3]
    assert (photo.pixels == colours).all()
    assert (photo.alpha is None) == (channels in (1, 3))
    assert photo.alpha is None or (photo.alpha == samples[..., -1]).all()
    assert same(photo, read(encode(photo)))


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize(("kind", "channels"), [("rgb", 3), ("rgb", 4), ("cmyk", 4)])
def test_a_sixteen_bit_tiff_of_other_makers_is_read_whole(
    order, compression, kind, channels
):
    samples = noise((9, 7, channels), 1, np.uint16)
    file = tiff_of(
        samples,
        byteorder=order,
        compression=compression,
        predictor=compression is not None,
        photometric="separated" if kind == "cmyk" else "rgb",
        extrasamples=["unassalpha"] if (kind, channels) == ("rgb", 4) else None,
    )
    photo = read(file)
    stored = photo.original.samples if kind == "cmyk" else photo.pixels
    assert (stored == samples[..., : 4 if kind == "cmyk" else 3]).all()
    again = pytest.importorskip("tifffile").imread(io.BytesIO(encode(photo)))
    assert (again == samples).all()


def test_sixteen_bits_whose_white_is_zero_are_turned_round():
    samples = noise((9, 7), 1, np.uint16)
    photo = read(tiff_of(samples, photometric="miniswhite", byteorder="<"))
    assert (photo.pixels[..., 0] == 65535 - samples).all()


def test_premultiplied_colours_are_divided_by_their_alpha():
    samples = noise((9, 7, 4), 1, np.uint16)
    samples[..., :3] = np.minimum(samples[..., :3], samples[..., 3:])
    samples[0] = 0
    photo = read(tiff_of(samples, photometric="rgb", extrasamples=["assocalpha"]))
    colour, alpha = samples[1:, :, :3] / 65535, samples[1:, :, 3:] / 65535
    assert np.abs(photo.pixels[1:] / 65535 - colour / alpha).max() < 1e-5
    assert (photo.pixels[0] == 0).all()
    assert same(photo, read(encode(photo)))


def test_a_big_tiff_is_read_and_a_planar_one_of_sixteen_bits_refused():
    samples = noise((9, 7, 3), 1, np.uint16)
    photo = read(tiff_of(samples, photometric="rgb", bigtiff=True))
    assert (photo.pixels == samples).all()
    planes = tiff_of(
        samples.transpose(2, 0, 1), photometric="rgb", planarconfig="separate"
    )
    with pytest.raises(PhotoError, match="planar"):
        read(planes)


@pytest.mark.parametrize("bits", [2, 4])
def test_a_transparent_grey_of_few_bits_is_found(bits):
    grey = np.array([[0, 1], [2, 3]], np.uint8)
    file = saved(Image.fromarray(grey), "PNG", bits=bits, transparency=2)
    photo = read(file)
    assert (photo.alpha == np.where(grey == 2, 0, 255)).all()


def test_exif_as_imagemagick_writes_it_is_exif():
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "A camera maker"
    block = exif.tobytes()
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Raw profile type exif", f"\nexif\n{len(block)}\n{block.hex()}\n")
    photo = read(saved(Image.fromarray(portrait()), "PNG", pnginfo=notes))
    assert photo.pixels.shape == (80, 96, 3)
    assert read(encode(photo)).pixels.shape == (80, 96, 3)
    assert b"A camera maker" in encode(photo, "JPEG")
