import io

import numpy as np
import pytest
from PIL import Image

from retouch.errors import PhotoError
from retouch.photos.masks import held, painted
from retouch.photos.photo import read
from tests.retouch.pictures import noise


def mask(white, size=(20, 10)):
    image = Image.new("L", size)
    image.paste(255, white)
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


LEFT, TOP = mask((0, 0, 10, 10)), mask((0, 0, 20, 5))


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_only_and_protect_hold_the_rest_bit_for_bit(kind):
    before, after = (noise((10, 20, 3), seed, kind) for seed in (0, 1))
    mixed = held(read(before), TOP, LEFT).with_pixels(after).pixels
    assert mixed.dtype == kind
    assert (mixed[5:, :10] == after[5:, :10]).all()
    assert (mixed[:5] == before[:5]).all()
    assert (mixed[:, 10:] == before[:, 10:]).all()


def test_grey_lets_a_photo_change_in_part():
    file = io.BytesIO()
    Image.new("L", (20, 10), 51).save(file, "PNG")  # a fifth of white
    photo = held(read(np.full((10, 20, 3), 100, np.uint8)), None, file.getvalue())
    assert (photo.with_pixels(photo.pixels + 100).pixels == 120).all()


def test_without_masks_everything_changes():
    before, after = noise((10, 20, 3)), noise((10, 20, 3), 1)
    photo = held(read(before), None, None)
    assert (photo.with_pixels(after).pixels == after).all()


def test_a_mask_of_another_size_is_fitted():
    assert painted(LEFT, (40, 80, 3)).shape == (40, 80)
    assert painted(LEFT, (40, 80, 3))[20, 10] == 1


def test_a_mask_of_another_shape_is_refused():
    with pytest.raises(PhotoError, match="20 x 10 pixels, the photo 20 x"):
        painted(LEFT, (20, 20, 3))


@pytest.mark.parametrize("content", [None, b"", b"no picture"])
def test_a_mask_that_cannot_be_read_is_named(content, tmp_path):
    path = tmp_path / "painted.png"
    if content is not None:
        path.write_bytes(content)
    photo = read(noise((10, 20, 3)))
    for masks in ((path, None), (None, str(path))):
        with pytest.raises(PhotoError, match=r"painted\.png"):
            held(photo, *masks)
