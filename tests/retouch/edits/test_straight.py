"""Moves by name with the models that ship: axes and differences of means."""

import numpy as np
import pytest
import skimage.data

from retouch.edits.straight import MOST, bounded, named, unknown
from retouch.engine.retoucher import Retoucher
from retouch.errors import SettingsError
from retouch.models import Model
from retouch.photos.photo import read
from retouch.settings import Settings

QUICK = Settings(steps=0)


@pytest.fixture(scope="module")
def model():
    return Model.load("vae")


@pytest.fixture(scope="module")
def portrait():
    return read(skimage.data.astronaut())


def test_axes_go_from_the_widest_to_the_narrowest(model):
    lengths = [
        np.linalg.norm(named(model, f"axis:{i}").offset) for i in (0, 1, 5, 50, 159)
    ]
    assert lengths == sorted(lengths, reverse=True) and lengths[-1] > 0


def test_a_difference_of_means_raises_the_reading_by_about_a_deviation(model):
    offset = named(model, "mean:smiling").offset
    before, after = (
        np.asarray(model.traits.score(latents))[0]
        for latents in (model.generator.mean_latent[None], offset[None])
    )
    place = model.traits.index("smiling")
    assert 0.5 < (after - before)[place] < 1.5


def test_other_names_are_left_to_others(model):
    assert named(model, "smile") is None and named(model, "what:ever") is None


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("axis:160", r"axis:0 to axis:159, by their variance; got 'axis:160'"),
        ("axis:-1", "got 'axis:-1'"),
        ("axis:", "got 'axis:'"),
        ("straight:agee", "'agee'. Did you mean 'age'\\?"),
        ("mean:smilling", "'smilling'. Did you mean 'smiling'\\?"),
    ],
)
def test_a_name_that_is_nothing_is_said_with_what_there_is(model, name, sentence):
    with pytest.raises(SettingsError, match=sentence):
        named(model, name)


def test_nothing_near_gives_no_suggestion():
    assert "Did you mean" not in str(unknown("direction", "qqq", ["smile"]))


@pytest.mark.parametrize("name", ["mean:smiling", "straight:age"])
def test_the_default_has_no_moves_that_only_others_have(name):
    with pytest.raises(SettingsError, match="Use --model vae"):
        named(Model.load(), name)


def test_a_straight_move_is_the_one_that_was_fitted(model):
    move = named(model, "straight:age")
    step = np.asarray(
        model.traits.space.coordinates(move.offset + model.traits.space.mean)
    )
    expected = model.traits.moves[:, model.traits.index("age")]
    np.testing.assert_allclose(step[0], expected, atol=1e-3)
    assert move.name == "straight:age" and np.abs(expected).max() > 0


@pytest.mark.parametrize("strength", [MOST + 0.1, -99, float("nan"), float("inf")])
def test_strengths_beyond_people_are_refused(strength):
    with pytest.raises(SettingsError, match=r"'smile' must lie in \[-5, 5\]; got"):
        bounded("smile", strength)
    assert bounded("smile", 5) == 5


@pytest.fixture(scope="module")
def vae():
    return Retoucher.load("vae")


def test_the_engine_suggests_the_nearest_direction(vae, portrait):
    with pytest.raises(SettingsError, match=r"'smille'\. Did you mean 'smile'"):
        vae.edited(portrait, {"smille": 1}, QUICK)
    with pytest.raises(SettingsError, match="must lie in"):
        vae.edited(portrait, {"smile": 7}, QUICK)
    for name in ("skin-color", "attractive"):
        with pytest.raises(SettingsError, match=f"No direction is called '{name}'"):
            vae.edited(portrait, {name: 1}, QUICK)


def test_a_difference_of_means_reaches_the_photo_and_zero_does_not(vae, portrait):
    result = vae.edited(portrait, {"mean:smiling": 2}, QUICK)
    assert (result.photo.pixels != portrait.pixels).any()
    assert result.faces[0].identity > 0
    same = vae.edited(portrait, {"mean:smiling": 0}, QUICK)
    np.testing.assert_array_equal(same.photo.pixels, portrait.pixels)
