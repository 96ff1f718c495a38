"""Where results go when no name is given: beside the photo, named for what was done."""

import pytest

from retouch.commands import sliders
from retouch.commands.output import Output
from retouch.errors import PhotoError
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
