"""Readers of traits, fitted to crops whose traits are known."""

import dataclasses

import numpy as np
import pytest

from pretrained.loading import load_judge, load_traits
from pretrained.registry import Library, Shelf
from retouch.training.traits import (
    RATED,
    Config,
    Faces,
    fit,
    keep,
    labels_of,
    lighting,
    openness,
    rated,
    skill_of_latents,
)

COUNT = 240


@pytest.fixture(scope="module")
def faces():
    rng = np.random.default_rng(0)
    latents = rng.normal(size=(COUNT, 4, 16)).astype("f4")
    descriptors = latents.reshape(COUNT, -1)[:, :64] @ rng.normal(size=(64, 128)) / 8
    marks = rng.normal(64, 3, (COUNT, 68, 2)) + np.arange(68)[:, None]
    images = rng.integers(0, 256, (COUNT, 128, 128, 3), np.uint8)
    names = np.array([f"{i}.webp" for i in range(COUNT)])
    sources = np.array(["rated"] * 200 + ["labelled"] * 40)
    return Faces(images, marks, names, sources, descriptors.astype("f4"), latents)


@pytest.fixture(scope="module")
def tables(faces, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tables")
    traits = 50 + 10 * faces.latents[:, 0, : len(RATED)]
    rows = [
        f"{n},{','.join(map(str, t))}" for n, t in zip(faces.names, traits, strict=True)
    ]
    (folder / "rated.csv").write_text("\n".join(["file," + ",".join(RATED), *rows]))
    worn = ["NoGlasses" if z < 0 else "Reading" for z in faces.latents[:, 1, 0]]
    rows = [f"{n},{w}" for n, w in zip(faces.names, worn, strict=True)]
    (folder / "labels.csv").write_text("\n".join(["file,glasses", *rows]))
    return folder


@pytest.fixture(scope="module")
def readers(faces, tables):
    index, ratings = rated(faces, "rated", tables / "rated.csv")
    labels = labels_of(faces, "labelled", tables / "labels.csv", {"glasses": "glasses"})
    config = Config(dimensions=40, judge_ridge=1.0, latent_ridge=1.0)
    return fit(faces, index, ratings, labels, config)


def test_ratings_are_taken_of_their_source_alone(faces, tables):
    index, ratings = rated(faces, "rated", tables / "rated.csv")
    assert len(index) == 200 and ratings.shape == (200, len(RATED))


def test_words_that_begin_with_no_count_as_absent(faces, tables):
    labels = labels_of(faces, "labelled", tables / "labels.csv", {"glasses": "glasses"})
    worn = faces.latents[labels.index, 1, 0] >= 0
    assert (labels.values[worn, 0] > 0).all() and (labels.values[~worn, 0] < 0).all()


def test_guide_and_judge_learn_the_rule_from_different_faces(readers):
    _, guide, judge = readers
    count = len(RATED)
    for reader in (guide, judge):
        assert reader.skill[:count].mean() > 0.7  # chance is 0
        assert reader.names == (*RATED, "glasses", "eyes-open")
    assert not np.allclose(guide.slopes, judge.slopes)
    assert judge.means[:count] == pytest.approx(50, abs=4)


def test_the_skill_of_latents_is_that_with_ratings_kept_aside(faces, tables, readers):
    index, ratings = rated(faces, "rated", tables / "rated.csv")
    traits, _, _ = readers
    mixed = np.random.default_rng(1).permutation(ratings)
    skill = skill_of_latents(traits, faces, index, ratings)
    chance = skill_of_latents(traits, faces, index, mixed)
    np.testing.assert_array_equal(traits.skill[: len(RATED)], skill)
    assert skill.mean() > 0.2 + chance.mean()


def test_people_held_out_teach_nothing(faces, tables):
    index, ratings = rated(faces, "rated", tables / "rated.csv")
    labels = labels_of(faces, "labelled", tables / "labels.csv", {"glasses": "glasses"})
    held = np.zeros(COUNT, bool)
    held[200:220] = True
    spoilt = faces.latents.copy()
    spoilt[held] = 1e3
    config = Config(dimensions=40, judge_ridge=1.0, latent_ridge=1.0)
    own = index, ratings, labels, config
    clean = dataclasses.replace(faces, held_out=held)
    spoiled = dataclasses.replace(clean, latents=spoilt)
    both = [fit(f, *own)[0] for f in (clean, spoiled)]
    np.testing.assert_array_equal(both[0].slopes, both[1].slopes)


def test_eyes_that_are_wider_open_are_seen(faces):
    wide = faces.landmarks[:1].copy()
    wide[:, [37, 38, 43, 44], 1] -= 5
    wide[:, [40, 41, 46, 47], 1] += 5
    narrow = faces.landmarks[:1].copy()
    narrow[:, 36:48, 1] = narrow[:, 36:48, 1].mean()
    assert openness(wide) > openness(narrow)


def test_what_is_kept_loads_as_it_was(readers, tmp_path):
    keep(*readers, "default", tmp_path, "none")
    library = Library(Shelf(tmp_path), Shelf(tmp_path))
    traits, judge = load_traits(library, "default-traits"), load_judge(library, "judge")
    assert traits.names == readers[0].names and judge.names == readers[2].names
    np.testing.assert_allclose(traits.slopes, readers[0].slopes, atol=1e-3)
    np.testing.assert_array_equal(judge.slopes, readers[2].slopes)


def test_brightness_and_its_slopes_are_seen():
    ramp = np.zeros((2, 128, 128, 3), np.uint8)
    ramp[1] = np.linspace(0, 255, 128).astype(np.uint8)[None, :, None]
    bright, side, above, warmth, _ = lighting(ramp).T
    assert bright[1] > bright[0] and side[1] < 0
    assert above == pytest.approx(0) and warmth == pytest.approx(0)
