"""What `retouch edit` understands, without the networks."""

import pytest
import typer

from retouch.commands import sliders
from retouch.errors import SettingsError
from retouch.jobs.ranges import Range


def _read(moves=(), faces=(), span=None, loop=False):
    return sliders.read(list(moves), list(faces), span, loop=loop)


def test_moves_are_for_all_faces():
    assert _read(["smile=1.5", "age=-0.5"]).all == {"smile": 1.5, "age": -0.5}


def test_each_face_has_its_moves():
    wish = _read(faces=["0:smile=1", "1:age=-1", "0:age=2"])
    assert wish.each == {0: {"smile": 1, "age": 2}, 1: {"age": -1}}


def test_a_range_stands_alone():
    assert _read(span="smile=-2:2:9").span == Range("smile", -2, 2, 9)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({}, "got none"),
        ({"moves": ["smile=1"], "faces": ["0:age=1"]}, "got --set and --face"),
        ({"faces": ["smile=1"]}, "--face takes NUMBER:NAME=NUMBER"),
        ({"faces": ["-1:smile=1"]}, "--face takes NUMBER:NAME=NUMBER"),
        ({"faces": ["0:smile"]}, "--face takes NAME=NUMBER"),
        ({"moves": ["smile=9"]}, r"'smile' must lie in \[-5, 5\]; got 9"),
        ({"faces": ["0:smile=-6"]}, "must lie in"),
        ({"span": "smile=0:6:3"}, "must lie in"),
        ({"moves": ["smile=1"], "loop": True}, "show a --range"),
    ],
)
def test_what_cannot_be_meant_is_a_sentence(words, sentence):
    with pytest.raises(SettingsError, match=sentence):
        _read(**words)


@pytest.mark.parametrize(
    "words",
    [{"moves": ["smile=1", "smile=-1"]}, {"faces": ["0:smile=1", "00: smile =1"]}],
)
def test_what_is_given_twice_is_not_understood(words):
    with pytest.raises(typer.BadParameter, match="smile is given twice, as 1 and as"):
        _read(**words)


def test_what_lies_beyond_the_safe_range_is_said(capsys):
    sliders.warn(_read(["smile=4", "age=1"]))
    said = capsys.readouterr().err
    assert "smile +4 lies beyond its safe range" in said and "age" not in said
