"""The guide and the judge, fitted to ratings of several sources."""

import dataclasses

import numpy as np
import pytest

from pretrained.loading import load_judge
from pretrained.registry import Library, Shelf
from retouch.training.judges import CONTROLS, Pooled, fit, fit_pooled, keep, parts
from retouch.training.rated import RATED, labels_of, openness, rated
from scorers.judge import FREED, shape_of
from tests.retouch.training import raters


@pytest.fixture(scope="module")
def faces():
    return raters.drawn_faces()


@pytest.fixture(scope="module")
def said(faces, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tables")
    raters.write_tables(faces, folder)
    ratings = [
        rated(faces, "rated", folder / "rated.csv"),
        rated(faces, "others", folder / "others.csv", RATED[:1]),
    ]
    glasses = {"glasses": "glasses"}
    return ratings, labels_of(faces, "labelled", folder / "labels.csv", glasses)


@pytest.fixture(scope="module")
def readers(faces, said):
    return fit(faces, *said)


def test_ratings_are_taken_of_their_source_alone(said):
    (here, there), _ = said
    assert len(here[0]) == raters.RATED_HERE and here[1].shape[1] == len(RATED)
    assert here[0].max() < there[0].min() and there[1].shape == (raters.RATED_THERE, 1)


def test_words_that_begin_with_no_count_as_absent(faces, said):
    _, labels = said
    worn = faces.latents[labels.index, 1, 0] >= 0
    assert (labels.values[worn, 0] > 0).all() and (labels.values[~worn, 0] < 0).all()


def test_guide_and_judge_learn_the_rule_from_different_faces(readers):
    count = len(RATED)
    for reader in readers:
        assert reader.skill[:count].mean() > 0.6  # chance is 0
        assert reader.names == (*RATED, "glasses", "eyes-open", FREED)
        assert reader.means[1:count] == pytest.approx(50, abs=4)
    assert not np.allclose(readers[0].slopes, readers[1].slopes)


def test_no_rated_face_teaches_both():
    both = np.concatenate(parts(31))
    assert sorted(both) == list(range(31))


def test_different_scales_of_different_raters_do_not_matter(faces, said):
    (here, (index, ratings)), _ = said
    plain = Pooled.of([here, (index, ratings)])
    scaled = Pooled.of([here, (index, 10 + 90 * ratings)])
    np.testing.assert_allclose(plain.values, scaled.values, atol=1e-4)


def test_a_source_whose_raters_differ_is_read_within_itself(faces, said):
    pooled = Pooled.of(said[0])
    seen = np.concatenate([faces.descriptors, shape_of(faces.landmarks)], 1)
    agreeing = pooled.skills(seen[pooled.index], 100.0)
    mixed = pooled.values.copy()
    there = pooled.source == 1
    mixed[there] = np.random.default_rng(0).permutation(mixed[there])
    noisy = dataclasses.replace(pooled, values=mixed)
    skills = noisy.skills(seen[pooled.index], 100.0)
    assert agreeing.min() > 0.6 and skills[0] > 0.5 and abs(skills[1]) < 0.25


def test_what_controls_explain_is_gone_and_the_rest_is_left(said):
    pooled = Pooled.of(said[0])
    rng = np.random.default_rng(1)
    controls = rng.normal(size=(len(pooled.index), 3))
    spoilt = dataclasses.replace(pooled, values=pooled.values + 2 * controls[:, 1])
    freed = spoilt.freed(controls).values
    assert abs(np.corrcoef(freed, controls[:, 1])[0, 1]) < 1e-6
    assert np.corrcoef(freed, pooled.values)[0, 1] > 0.98


def test_freed_beauty_is_read_apart_from_what_it_was_freed_of(faces, readers):
    guide, _ = readers
    scores = guide.score(faces.descriptors, faces.landmarks)
    free = scores[:, guide.names.index(FREED)]
    known = [guide.names.index(name) for name in CONTROLS if name in guide.names]
    assert len(known) == 3  # no make-up is labelled here
    ties = [abs(np.corrcoef(free, scores[:, i])[0, 1]) for i in known]
    assert max(ties) < 0.25
    assert np.corrcoef(free, scores[:, 0])[0, 1] > 0.6


def test_people_held_out_teach_nothing(faces, said):
    held = np.zeros(len(faces.names), bool)
    held[100:160] = held[-20:] = True
    spoilt = faces.descriptors.copy()
    spoilt[held] = 1e3
    clean = dataclasses.replace(faces, held_out=held)
    spoiled = dataclasses.replace(clean, descriptors=spoilt)
    for one, other in zip(fit(clean, *said), fit(spoiled, *said), strict=True):
        np.testing.assert_array_equal(one.slopes, other.slopes)


def test_one_source_alone_will_do(faces, said):
    (here, _), _ = said
    alone = fit_pooled(faces, Pooled.of([here]), "attractive")
    assert alone.slopes.shape == (264, 1) and alone.skill[0] > 0.6


def test_eyes_that_are_wider_open_are_seen(faces):
    wide = faces.landmarks[:1].copy()
    wide[:, [37, 38, 43, 44], 1] -= 5
    wide[:, [40, 41, 46, 47], 1] += 5
    narrow = faces.landmarks[:1].copy()
    narrow[:, 36:48, 1] = narrow[:, 36:48, 1].mean()
    assert openness(wide) > openness(narrow)


def test_what_is_kept_loads_as_it_was(readers, tmp_path):
    keep(*readers, tmp_path, "none")
    library = Library(Shelf(tmp_path), Shelf(tmp_path))
    for name, reader in zip(("guide", "judge"), readers, strict=True):
        kept = load_judge(library, name)
        assert kept.names == reader.names
        np.testing.assert_array_equal(kept.slopes, reader.slopes)
