"""Blocks of a JPEG in which nothing changed are the input's, as a decoder sees them."""

import io

import jpeglib
import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut

from retouch.photos.metadata import Provenance
from retouch.photos.photo import encode, read

PORTRAIT = Image.fromarray(astronaut()).crop((0, 0, 509, 300))
SPOT = np.s_[83:121, 190:247]  # what is changed
KINDS = [
    {"quality": 90, "subsampling": 0},
    {"quality": 80, "subsampling": 1},
    {"quality": 70, "subsampling": 2, "progressive": True},
    {"quality": 95, "subsampling": 2, "optimize": True, "mode": "L"},
]


def saved(quality, mode="RGB", **options):
    file = io.BytesIO()
    PORTRAIT.convert(mode).save(file, "JPEG", quality=quality, **options)
    return file.getvalue()


def decoded(data):
    return np.asarray(Image.open(io.BytesIO(data)))


def retouched(data, spot=SPOT):
    photo = read(data)
    pixels = photo.pixels.copy()
    pixels[spot] = 255 - pixels[spot]
    return photo.with_pixels(pixels)


def coefficients(data, tmp_path):
    path = tmp_path / "file.jpg"
    path.write_bytes(data)
    image = jpeglib.read_dct(str(path))
    return [image.Y, image.Cb, image.Cr][: image.num_components]


@pytest.mark.parametrize("kind", KINDS)
def test_pixels_away_from_what_changed_stay_bit_for_bit(kind):
    data = saved(**kind)
    before, after = decoded(data), decoded(encode(retouched(data)))
    gone = (before != after).reshape(*before.shape[:2], -1).any(-1)
    rows, columns = np.nonzero(gone)
    # A block has up to 16 pixels a side; colours reach two beyond, as they are spread.
    assert rows.min() >= 80 - 2 and rows.max() < 128 + 2
    assert columns.min() >= 176 - 2 and columns.max() < 256 + 2
    assert gone[SPOT].mean() > 0.9


@pytest.mark.parametrize("kind", KINDS)
def test_a_change_in_the_last_row_and_column_is_all_that_changes(kind):
    data, corner = saved(**kind), np.s_[290:, 480:]
    photo = retouched(data, corner)
    before, after = decoded(data), decoded(encode(photo))
    asked = photo.pixels[..., 0] if after.ndim == 2 else photo.pixels
    assert np.abs(after[corner] - asked[corner].astype(int)).mean() < 12
    np.testing.assert_array_equal(after[:280], before[:280])
    np.testing.assert_array_equal(after[:, :460], before[:, :460])


@pytest.mark.parametrize("kind", KINDS)
def test_blocks_without_a_changed_pixel_keep_their_coefficients(kind, tmp_path):
    data = saved(**kind)
    written = encode(retouched(data))
    pairs = zip(
        coefficients(data, tmp_path), coefficients(written, tmp_path), strict=True
    )
    for came, plane in pairs:
        moved = (came != plane).any((2, 3))
        assert 0 < moved.sum() < 0.07 * moved.size


def test_a_photo_that_was_not_changed_is_the_same_picture():
    data = saved(quality=75, subsampling=2)
    again = encode(read(data), provenance=Provenance("default", "smile", 1.0))
    np.testing.assert_array_equal(decoded(again), decoded(data))
    assert b"compositeWithTrainedAlgorithmicMedia" in again


def test_metadata_are_those_of_the_new_file():
    exif = Image.Exif()
    exif[0x010E] = "Collins"
    file = io.BytesIO()
    PORTRAIT.save(file, "JPEG", exif=exif, dpi=(300, 300), comment=b"NASA")
    after = Image.open(io.BytesIO(encode(retouched(file.getvalue()))))
    assert after.getexif()[0x010E] == "Collins"
    assert after.info["dpi"] == (300, 300) and after.info["comment"] == b"NASA"


def test_another_quality_is_another_compression(tmp_path):
    data = saved(quality=90)
    photo = read(data)
    assert decoded(encode(photo, quality=40)).shape == decoded(data).shape
    assert (decoded(encode(photo, quality=40)) != decoded(data)).any()
