"""What is no photo is called what it is, and results are named as photos are."""

from pathlib import Path

import pytest
from PIL import Image

from retouch.errors import PhotoError
from retouch.photos.formats import finished
from retouch.photos.photo import like, read
from tests.retouch import clips
from tests.retouch.pictures import picture, saved

OTHERS = {
    "GIF": "a GIF, .* a single frame",
    "BMP": "a BMP",
    "JPEG2000": "a JPEG 2000",
    "PDF": "a PDF",
}


@pytest.mark.parametrize(("format", "called"), OTHERS.items())
def test_a_picture_of_another_kind_is_called_what_it_is(format, called):
    with pytest.raises(PhotoError, match=f"^The photo is {called}"):
        read(saved(picture("RGB"), format))


def test_a_film_is_sent_to_the_command_for_films(tmp_path):
    for name in ("clip.mp4", "clip.mkv"):
        path = clips.write(tmp_path / name, clips.frames(2), sound=None)
        with pytest.raises(PhotoError, match=r"is a film, .* retouch video"):
            read(path)


def test_a_result_is_named_as_the_photo_is_in_a_format_that_there_is(tmp_path):
    names = {
        "me.jpg": "me-smile.jpg",
        "me.WebP": "me-smile.WebP",
        "me.php": "me.php-smile.tif",
        "me": "me-smile.tif",
        "12.5. Anna": "12.5. Anna-smile.tif",
    }
    for name, result in names.items():
        assert finished(Path("a/b") / name, "-smile", "TIFF") == Path("a/b") / result
    Image.new("RGB", (8, 8)).save(tmp_path / "me.php", "JPEG")
    back = like(read(tmp_path / "me.php"), tmp_path / "me.php")
    assert back == tmp_path / "me.php-retouched.jpg" and back.exists()
