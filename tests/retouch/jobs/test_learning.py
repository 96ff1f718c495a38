"""Learning a direction from somebody's ratings."""

import dataclasses

import numpy as np
import pytest
import skimage.data
from PIL import Image

from pretrained import registry
from pretrained.registry import Library, Shelf
from retouch.edits import user_edits
from retouch.edits.learnt import Learnt, keep, load, rows
from retouch.errors import FaceError, SettingsError
from retouch.jobs import learning
from retouch.photos.photo import read
from retouch.settings import Settings

COUNT, AXES = 120, 20


def _seen(noise: float) -> learning.RatedFaces:
    rng = np.random.default_rng(0)
    descriptors = rng.normal(size=(COUNT, 128)).astype("f4") / 11
    landmarks = rng.normal(64, 3, (COUNT, 68, 2)).astype("f4") + np.arange(68)[:, None]
    coordinates = 11 * descriptors[:, :AXES] + rng.normal(0, 0.1, (COUNT, AXES))
    taste = 11 * descriptors[:, 0] + noise * rng.normal(size=COUNT)
    scores = 1000 + 30 * taste.astype("f4")
    return learning.RatedFaces(descriptors, landmarks, coordinates.astype("f4"), scores)


def test_a_taste_that_shows_is_learnt():
    learnt = learning.learn("mine", _seen(0.2))
    assert learnt.skill > 0.6
    assert learnt.judge.means[0] == pytest.approx(1000, abs=10)
    # The latents' slopes point along the axis that the taste goes by.
    assert np.argmax(np.abs(learnt.latent)) == 0 and learnt.latent[0] > 0


def test_a_taste_that_does_not_show_has_no_skill():
    learnt = learning.learn("noise", _seen(30.0))
    assert learnt.skill < learning.LEAST
    assert f"r = {learnt.skill:.2f}" in str(learning.refuse(learnt))


def test_scores_that_are_all_the_same_teach_nothing():
    seen = dataclasses.replace(_seen(0.2), scores=np.full(COUNT, 3, "f4"))
    with pytest.raises(SettingsError, match="nothing to learn"):
        learning.learn("flat", seen)


def test_what_is_kept_loads_as_it_was(tmp_path):
    shelf = Library(Shelf(tmp_path / "none"), Shelf(tmp_path / "own"))
    learnt = learning.learn("mine", _seen(0.2))
    keep(shelf, learnt, "default", COUNT)
    again = load(shelf, "mine")
    assert again.name == "mine" and again.skill == pytest.approx(learnt.skill)
    np.testing.assert_array_equal(again.latent, learnt.latent)
    np.testing.assert_array_equal(again.judge.slopes, learnt.judge.slopes)
    assert [row.name for row in rows(shelf, "default")] == ["mine"]
    assert rows(shelf, "another") == []


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "needs the columns file and score; got no row"),
        ("file,stars\na.jpg,3\n", "got file, stars"),
        ("one column\na,b,c\n", "got one column"),
        ("file,score\na.jpg,many\n", "Line 2 .* got 'a.jpg', 'many'"),
        ("file,score\na.jpg,nan\n", "Line 2"),
        ("file,score\n,1\n", "Line 2"),
    ],
)
def test_a_table_that_cannot_be_is_a_sentence(tmp_path, text, sentence):
    path = tmp_path / "ratings.csv"
    path.write_text(text)
    with pytest.raises(SettingsError, match=sentence):
        learning.table(path)


def test_files_are_looked_for_beside_the_table(tmp_path):
    (tmp_path / "ratings.csv").write_text("file,score\nsub/a.jpg,2.5\n")
    (rating,) = learning.table(tmp_path / "ratings.csv")
    assert rating == learning.Rating(tmp_path / "sub" / "a.jpg", 2.5)


# --- with the weights that ship -------------------------------------------------


def test_photos_without_a_face_are_named_and_too_few_refused(retoucher, tmp_path):
    Image.new("RGB", (90, 90)).save(tmp_path / "black.png")
    ratings = [
        learning.Rating(tmp_path / name, 1.0) for name in ("black.png", "gone.png")
    ]
    with pytest.raises(FaceError, match=r"0 rated faces .*black\.png: No face"):
        learning.see(retoucher, ratings)


@pytest.mark.slow
def test_a_learnt_direction_is_climbed_like_one_that_ships(
    retoucher, tmp_path, monkeypatch
):
    monkeypatch.setenv("RETOUCH_HOME", str(tmp_path))
    model = retoucher.model
    place = model.guide.names.index("happy")
    columns = {
        name: array[..., place : place + 1]
        for name, array in model.guide.arrays.items()
    }
    judge = type(model.guide)(("cheer",), **columns)
    slopes = model.traits.slopes[:, model.traits.index("happy")]
    library = Library(registry.library().shipped, Shelf(tmp_path / "models"))
    keep(library, Learnt(judge, slopes), "default", 50)
    portrait = read(skimage.data.astronaut())
    settings = Settings(steps=4, keep="age,gender,skin")
    done = retoucher.edited(portrait, {"cheer": -1.0}, settings)
    assert done.faces[0].changed["happy"] < -0.3
    with pytest.raises(SettingsError, match="ships with retouch"):
        user_edits.check_name(model, "smile")
