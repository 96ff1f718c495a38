"""Where results go when no name is given: beside the photo, named for what was done."""

import numpy as np
import pytest

from retouch.commands import sliders
from retouch.commands.output import Output
from retouch.errors import PhotoError, SettingsError
from retouch.photos.photo import Photo
from retouch.settings import Settings


@pytest.mark.parametrize(
    ("moves", "faces", "span", "word"),
    [
        (["smile=1.5"], [], None, "smile"),
        (["smile=1", "age=-1"], [], None, "smile-age"),
        ([], ["0:smile=1", "1:smile=2", "1:age=1"], None, "smile-age"),
        ([], [], "smile=-1:1:3", "smile-range"),
        (["my/own:way=1"], [], None, "my-own-way"),
    ],
)
def test_an_edit_is_named_for_its_moves(moves, faces, span, word):
    assert sliders.read(moves, faces, span, loop=False).word == word


def test_results_of_different_commands_do_not_meet(tmp_path):
    photo = str(tmp_path / "portrait.jpg")
    names = [
        Output().target(photo, done, Settings())
        for done in ("smile", "beautify", "mask")
    ]
    assert names[0].endswith("portrait-smile.jpg") and len(set(names)) == 3
    compared = Output(compare=True).target(photo, "smile", Settings())
    assert compared.endswith("portrait-smile-compared.jpg")


def test_what_exists_is_refused_by_the_flags_own_name(tmp_path):
    (tmp_path / "portrait-mask.jpg").touch()
    with pytest.raises(PhotoError, match="--force"):
        Output().target(str(tmp_path / "portrait.jpg"), "mask", Settings())
    Output(force=True).target(str(tmp_path / "portrait.jpg"), "mask", Settings())


def test_what_comes_from_standard_input_goes_to_standard_output():
    assert Output().target("-", "mask", Settings()) == "-"


@pytest.mark.parametrize(
    ("came", "name", "told"),
    [
        ("PNG", "a.png", "a PNG keeps every pixel"),
        ("JPEG", "a.tif", "a TIFF keeps every pixel"),
        ("PNG", "a", "a PNG keeps every pixel"),
        ("PNG", "a.jpg", ""),
        ("JPEG", "a", ""),
        ("WEBP", "a.webp", ""),
    ],
)
def test_a_quality_that_cannot_be_is_told(came, name, told, tmp_path, capsys):
    photo = Photo(np.zeros((8, 8, 3), np.uint8), format=came)
    Output(quality=80).put(photo, str(tmp_path / name))
    said = capsys.readouterr().err
    assert told in said and bool(told) == bool(said)
    Output(quality=80, quiet=True, force=True).put(photo, str(tmp_path / name))
    Output(force=True).put(photo, str(tmp_path / name))
    assert not capsys.readouterr().err


@pytest.mark.parametrize("quality", [0, 101])
def test_a_quality_out_of_range_is_refused_before_any_work(quality):
    with pytest.raises(SettingsError, match=r"quality must lie in \[1, 100\]"):
        Output(quality=quality)
