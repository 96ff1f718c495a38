"""Photographs in and out: exact in every mode, upright, given back as they came."""

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps
from PIL.JpegImagePlugin import get_sampling

from retouch.errors import PhotoError, SettingsError
from retouch.photos.photo import encode, like, read, write
from tests.retouch.pictures import noise, picture, portrait, same, saved

LOSSLESS = {
    "PNG": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"),
    "TIFF": ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"),
    "WEBP": ("RGB", "RGBA"),
}
KINDS = {"1": "bilevel", "P": "palette", "CMYK": "cmyk", "L": "grey", "I;16": "grey"}
FIVE = settings(max_examples=5, deadline=None)


@pytest.mark.parametrize(
    ("format", "mode"), [(f, mode) for f, modes in LOSSLESS.items() for mode in modes]
)
@FIVE
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 99))
def test_unchanged_pixels_written_losslessly_are_exact(
    format, mode, width, height, seed
):
    file = saved(picture(mode, width, height, seed), format)
    photo = read(file)
    again = encode(photo)
    assert photo.kind == KINDS.get(mode, photo.kind)
    assert same(photo, read(again))
    before, after = Image.open(io.BytesIO(file)), Image.open(io.BytesIO(again))
    assert (after.mode, after.format) == (before.mode, before.format)
    assert after.tobytes() == before.tobytes()


@pytest.mark.parametrize("format", ["PNG", "TIFF"])
@pytest.mark.parametrize("channels", [1, 3, 4])
@FIVE
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 99))
def test_sixteen_bits_stay_sixteen_bits(format, channels, width, height, seed):
    samples = noise((height, width, channels), seed, np.uint16)
    photo = read(encode(read(samples), format))
    assert photo.pixels.dtype == np.uint16
    assert (like(photo, samples) == samples).all()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_every_orientation_shows_the_same_pixels(format, orientation):
    upright = Image.fromarray(portrait())
    undo = {6: 8, 8: 6}.get(orientation, orientation)  # the others undo themselves
    exif = Image.Exif()
    exif[0x0112] = undo
    stored = upright.copy()
    stored.info["exif"] = exif.tobytes()
    stored = ImageOps.exif_transpose(stored)
    exif[0x0112] = orientation
    options = {"quality": 100, "subsampling": 0} if format == "JPEG" else {}
    file = saved(stored, format, exif=exif, **options)
    photo = read(file)
    far = np.abs(photo.pixels.astype(int) - portrait()).max()
    assert far <= (4 if format == "JPEG" else 0)
    again = encode(photo)
    assert Image.open(io.BytesIO(again)).getexif()[0x0112] == 1
    assert read(again).pixels.shape == photo.pixels.shape


def test_an_orientation_kept_in_xmp_is_applied_once():
    xmp = b'<x xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/>'
    photo = read(saved(Image.fromarray(portrait()), "JPEG", xmp=xmp))
    assert photo.pixels.shape == (80, 96, 3)
    assert read(encode(photo)).pixels.shape == (80, 96, 3)


def test_transparent_colours_and_palettes_keep_their_alpha():
    rgb = Image.fromarray(noise((5, 6, 3)))
    clear = rgb.getpixel((2, 3))
    photo = read(saved(rgb, "PNG", transparency=clear))
    assert photo.alpha[3, 2] == 0
    assert photo.alpha.sum() == 255 * 29
    shades = bytes(range(128))
    photo = read(saved(picture("P"), "PNG", transparency=shades))
    assert same(photo, read(encode(photo)))
    assert (photo.alpha == photo.original.samples).all()


@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_a_jpeg_keeps_its_tables_its_subsampling_and_its_mode(mode, subsampling):
    image = Image.fromarray(portrait()).convert(mode)
    file = saved(image, "JPEG", quality=61, subsampling=subsampling, progressive=True)
    photo = read(file)
    before, after = Image.open(io.BytesIO(file)), Image.open(io.BytesIO(encode(photo)))
    assert after.mode == mode
    assert after.quantization == before.quantization
    if mode == "RGB":
        assert get_sampling(after) == get_sampling(before) == subsampling
    # One whose blocks are taken over comes in one pass.
    assert ("progressive" in after.info) == (mode == "CMYK")
    close = np.abs(read(encode(photo)).pixels.astype(int) - photo.pixels).mean()
    assert close < 0.5
    assert len(encode(photo, quality=95)) > len(file)
    with pytest.raises(SettingsError, match="quality must lie in"):
        encode(photo, quality=0)


def test_a_picture_format_follows_the_suffix_of_the_target(tmp_path):
    photo = read(picture("RGB"))
    for suffix in ("jpg", "png", "webp", "tif", "avif"):
        write(photo, tmp_path / f"a.{suffix}")
        assert read(tmp_path / f"a.{suffix}").format.lower().startswith(suffix[:2])
    write(read(tmp_path / "a.webp"), tmp_path / "no-suffix")
    assert read(tmp_path / "no-suffix").format == "WEBP"
    stream = io.BytesIO()
    write(photo, stream)
    assert same(photo, read(stream.getvalue()))


def test_what_a_format_cannot_hold_is_rounded_or_refused():
    clear = read(saved(picture("P"), "PNG", transparency=3))
    assert same(clear, read(encode(clear, "TIFF")))
    assert read(encode(read(picture("1")), "JPEG")).kind == "grey"
    deep = read(noise((4, 5, 3), 0, np.uint16))
    assert read(encode(deep, "WEBP")).pixels.dtype == np.uint8
    cmyk = read(picture("CMYK"))
    assert same(cmyk, read(encode(cmyk, "PNG")))
    with pytest.raises(PhotoError, match="transparent in places"):
        encode(read(picture("RGBA")), "JPEG")
    opaque = read(np.dstack([noise((4, 5, 3)), np.full((4, 5), 255, np.uint8)]))
    assert read(encode(opaque, "JPEG")).alpha is None
    with pytest.raises(PhotoError, match=r"WEBP picture has at most 16,383 pixels"):
        encode(read(np.zeros((1, 17000, 3), np.uint8)), "WEBP")


def test_the_same_kind_of_thing_is_given_back(tmp_path):
    path = tmp_path / "me.png"
    path.write_bytes(saved(picture("RGB"), "PNG"))
    photo = read(path)
    assert like(photo, path) == tmp_path / "me-retouched.png"
    assert same(photo, read(tmp_path / "me-retouched.png"))
    assert isinstance(like(photo, str(path), force=True), Path)
    assert same(photo, read(like(photo, path.read_bytes())))
    with path.open("rb") as file:
        assert same(read(file), read(like(photo, file)))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
def test_a_pil_image_comes_back_in_its_mode_with_its_info(mode):
    image = picture(mode)
    image.info |= {"icc_profile": b"p" * 200, "dpi": (300.0, 300.0)}
    back = like(read(image), image)
    assert (back.mode, back.tobytes()) == (mode, image.tobytes())
    assert back.info["icc_profile"] == b"p" * 200
    assert back.info["dpi"] == (300, 300)


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 1), (4, 5, 3), (4, 5, 4)])
@pytest.mark.parametrize("dtype", ["u1", "<u2", ">u2"])
def test_an_array_comes_back_in_its_shape(shape, dtype):
    array = noise(shape, 0, np.uint16).astype(dtype)
    back = like(read(array), array)
    assert back.shape == shape
    assert (back == array).all()
    assert back.flags.writeable


def test_other_pixels_must_fit_the_photo():
    photo = read(noise((4, 5, 3)))
    assert not photo.pixels.flags.writeable
    with pytest.raises(ValueError, match="takes pixels of the same shape"):
        photo.with_pixels(noise((5, 4, 3)))
    with pytest.raises(ValueError, match=r"got .* float64"):
        photo.with_pixels(photo.pixels * 1.0)


def test_the_first_picture_of_an_mpo_is_a_jpeg():
    file, other = io.BytesIO(), Image.fromarray(portrait())
    Image.fromarray(portrait()).save(file, "MPO", save_all=True, append_images=[other])
    photo = read(file.getvalue())
    assert photo.format == "JPEG"
    assert Image.open(io.BytesIO(encode(photo))).format == "JPEG"


def test_three_pixels_are_a_photo():
    assert read(saved(Image.new("RGB", (3, 1)), "JPEG")).pixels.shape == (1, 3, 3)
