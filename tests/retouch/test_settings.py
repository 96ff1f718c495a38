"""Options: their limits and their sentences."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retouch.errors import SettingsError
from retouch.settings import Settings, Skin


def test_the_defaults_are_allowed():
    assert Settings().chosen(3) == [0, 1, 2]


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("strength", 7.0, r"strength must lie in \[0.0, 3.0\]; got 7.0\."),
        ("strength", float("nan"), "strength must lie in .*; got nan"),
        ("identity", -1.0, "identity must lie in"),
        ("steps", -1, "steps must lie in"),
        ("stitch", "glue", "stitch is one of difference, replace; got 'glue'"),
        ("keep", "age,soul", "keep is made of age, .*; got 'soul'"),
        ("mask_region", "ear", "mask-region is made of face, .*; got 'ear'"),
        ("faces", "some", "faces must be all, largest, or numbers"),
        ("faces", "-1", "faces must be all, largest, or numbers"),
        ("faces", "", "faces must be all, largest, or numbers"),
        ("faces", 0, "faces takes text, such as 'all'; got 0"),
        ("keep", ("age",), r"keep takes text, such as 'age,.*'; got \('age',\)"),
        ("strength", "1", "strength takes a number, such as 1.0; got '1'"),
        ("strength", None, "strength takes a number"),
        ("steps", 2.5, "steps takes a whole number; got 2.5"),
        ("sign", "no", "sign takes True or False"),
    ],
)
def test_what_is_out_of_range_is_refused_in_a_sentence(name, value, sentence):
    with pytest.raises(SettingsError, match=sentence):
        Settings(**{name: value})


def test_numbers_of_every_library_are_numbers():
    settings = Settings(strength=np.float32(0.5), steps=np.int64(4), identity=0)
    assert (settings.strength, settings.steps, settings.identity) == (0.5, 4, 0)


def test_faces_are_chosen_by_number_by_size_or_all():
    assert Settings(faces="2, 0").chosen(3) == [0, 2]
    assert Settings(faces="largest").chosen(3) == [0]
    with pytest.raises(SettingsError, match="There is no face 3: 3 found"):
        Settings(faces="3").chosen(3)


def test_settings_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().strength = 2.0


@given(st.lists(st.sampled_from(["age", "gender", "expression", "skin"]), unique=True))
def test_what_is_kept_is_read_in_any_order_and_number(names):
    assert len(Settings(keep=",".join(names)).kept_traits) == len(names)


def test_beside_an_edit_blemishes_go_wholly_and_the_rest_of_a_natural_look_by_half():
    natural = Skin(look="natural").filled()
    gentle = {name: natural[name] / 2 for name in ("even", "shine", "circles")}
    assert Skin.beside("natural").filled() == natural | gentle
    assert Skin.beside("natural", 2.0).filled() == natural
    assert Skin.beside("natural", 0.5).filled()["blemishes"] == 0.5
    assert Skin.beside("studio", 1.5).filled() == Skin(look="studio").filled()
    assert Skin.beside("studio", 0.0).is_nothing and Skin.beside("none").is_nothing
