"""The reader of traits from latents, fitted to crops whose traits are known."""

import dataclasses

import numpy as np
import pytest

from pretrained.loading import load_traits
from pretrained.registry import Library, Shelf
from retouch.training import judges
from retouch.training.rated import RATED, labels_of, rated
from retouch.training.traits import Config, fit, keep, lighting, skill_of_latents
from tests.retouch.training import raters

SMALL = Config(dimensions=40, latent_ridge=1.0)


@pytest.fixture(scope="module")
def faces():
    return raters.drawn_faces()


@pytest.fixture(scope="module")
def said(faces, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tables")
    raters.write_tables(faces, folder)
    glasses = {"glasses": "glasses"}
    ratings = rated(faces, "rated", folder / "rated.csv")
    return *ratings, labels_of(faces, "labelled", folder / "labels.csv", glasses)


@pytest.fixture(scope="module")
def guide(faces, said):
    index, ratings, labels = said
    return judges.fit(faces, [(index, ratings)], labels)[0]


@pytest.fixture(scope="module")
def traits(faces, guide, said):
    return fit(faces, guide, *said, SMALL)


def test_the_skill_of_latents_is_that_with_ratings_kept_aside(faces, said, traits):
    index, ratings, _ = said
    mixed = np.random.default_rng(1).permutation(ratings)
    skill = skill_of_latents(traits, faces, index, ratings)
    chance = skill_of_latents(traits, faces, index, mixed)
    np.testing.assert_array_equal(traits.skill[: len(RATED)], skill)
    assert skill.mean() > 0.2 + chance.mean()


def test_people_held_out_teach_nothing(faces, guide, said):
    held = np.zeros(len(faces.names), bool)
    held[-50:-20] = True
    spoilt = faces.latents.copy()
    spoilt[held] = 1e3
    clean = dataclasses.replace(faces, held_out=held)
    spoiled = dataclasses.replace(clean, latents=spoilt)
    both = [fit(f, guide, *said, SMALL) for f in (clean, spoiled)]
    np.testing.assert_array_equal(both[0].slopes, both[1].slopes)


def test_what_is_kept_loads_as_it_was(traits, tmp_path):
    keep(traits, "default", tmp_path, "none")
    library = Library(Shelf(tmp_path), Shelf(tmp_path))
    kept = load_traits(library, "default-traits")
    assert kept.names == traits.names
    np.testing.assert_allclose(kept.slopes, traits.slopes, atol=1e-3)


def test_brightness_and_its_slopes_are_seen():
    ramp = np.zeros((2, 128, 128, 3), np.uint8)
    ramp[1] = np.linspace(0, 255, 128).astype(np.uint8)[None, :, None]
    bright, side, above, warmth, _ = lighting(ramp).T
    assert bright[1] > bright[0] and side[1] < 0
    assert above == pytest.approx(0) and warmth == pytest.approx(0)
