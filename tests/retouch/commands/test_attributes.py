"""Attributes told of a photo, and of all in a folder."""

import json

import pytest
import skimage.data
from PIL import Image

from tests.command_line import retouch


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("photos")
    Image.fromarray(skimage.data.astronaut()).save(place / "eileen.png")
    Image.new("RGB", (64, 64)).save(place / "nobody.png")
    (place / "torn.jpg").write_bytes(b"no picture")
    (place / "notes.txt").write_text("no picture at all")
    return place


def test_a_folder_is_told_of_photo_by_photo(folder):
    done = retouch("attributes", folder, text=True)
    (line,) = done.stdout.splitlines()
    assert line.startswith(f"{folder}/eileen.png: face 0: ") and "happy +" in line
    nobody, torn = done.stderr.splitlines()
    assert nobody.startswith(f"retouch: {folder}/nobody.png: No face")
    assert torn.startswith(f"retouch: '{folder}/torn.jpg' ") and "notes" not in torn
    assert done.returncode == 1


def test_a_folder_is_an_object_a_line_for_programs(folder):
    done = retouch("attributes", folder, "--json", text=True)
    rows = list(map(json.loads, done.stdout.splitlines()))
    names = [row["photo"].rpartition("/")[2] for row in rows]
    assert names == ["eileen.png", "nobody.png", "torn.jpg"]
    assert rows[0]["faces"][0]["attributes"]["happy"] > 0
    assert "No face" in rows[1]["error"] and "torn.jpg" in rows[2]["error"]
    alone = retouch("attributes", folder / "eileen.png", "--json", text=True)
    assert json.loads(alone.stdout) == rows[0]["faces"] and alone.returncode == 0
