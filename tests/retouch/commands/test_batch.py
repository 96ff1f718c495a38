"""What a batch says of pictures that came to nothing, to somebody who knows no code."""

import json

import pytest
from PIL import Image

from tests import command_line


def retouch(*words):
    return command_line.retouch("batch", *words, "skin", "--workers", "1", text=True)


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("batch") / "photos"
    folder.mkdir()
    for name in ("a.jpg", "b.jpg", "c\n.jpg", "d.jpg"):
        (folder / name).write_bytes(b"no picture")
    Image.new("RGB", (99, 99)).save(folder / "nobody.png")
    return folder


@pytest.fixture(scope="module")
def first(photos):
    done = retouch(photos, photos.parent / "out")
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_reasons_are_told_in_words_with_names_of_pictures(first):
    lines = first.splitlines()
    assert lines[0].startswith("0 done (0 faces), 5 came to nothing, 0 done before;")
    assert "    4 cannot be read: " in lines[1] and lines[1].endswith(" and 1 more")
    assert lines[2] == "    1 without a face to work on: nobody.png"
    assert "Error" not in first


def test_a_name_with_a_line_break_stays_on_its_line(photos, tmp_path):
    done = retouch(photos / "c\n.jpg", tmp_path / "out")
    assert "    1 cannot be read: 'c\\n.jpg'\n" in done.stdout, done.stderr


def test_what_came_to_nothing_before_is_not_told_to_be_done(first, photos):
    again = retouch(photos, photos.parent / "out")
    assert ", 0 came to nothing, 0 done before;" in again.stdout
    assert "5 came to nothing before; --retry-errors tries again" in again.stdout
    told = json.loads(retouch(photos, photos.parent / "out", "--json").stdout)
    assert (told["skipped"], told["given_up"], told["errors"]) == (0, 5, {})
