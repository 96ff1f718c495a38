"""Attributes of every crop, read by what learnt from a few."""

import numpy as np
import pytest

from pretrained.loading import load_judge
from pretrained.registry import library
from retouch.errors import SettingsError
from retouch.training.conditions import label, read, read_once
from retouch.training.shards import Contents, Shards

COUNT = 400


@pytest.fixture(scope="module")
def guide():
    return load_judge(library(), "guide")


@pytest.fixture(scope="module")
def descriptors():
    return np.random.default_rng(1).normal(0, 0.1, (COUNT, 128)).astype("f4")


@pytest.fixture(scope="module")
def shards(descriptors):
    rng = np.random.default_rng(0)
    marks = rng.normal(64, 3, (COUNT, 68, 2)) + np.arange(68)[:, None]
    labels = np.stack([10 * descriptors[:, 0], descriptors[:, 1]], 1)
    labels[50:, 0] = np.nan  # a table speaks of few
    labels = np.repeat(labels, 2, 1)[:, :3]
    names = np.array([f"{i}.png" for i in range(COUNT)])
    return Shards(
        rng.integers(0, 256, (COUNT, 128, 128, 3), np.uint8),
        marks.astype("f4"),
        names,
        np.array(["faces"] * COUNT),
        names,
        labels.astype("f4"),
        ("glasses=ReadingGlasses", "glasses=Sunglasses", "age"),
        Contents("tight", 128, {}),
    )


def test_crops_without_labels_are_read_by_what_learnt_from_others(
    shards, guide, descriptors
):
    found = read(shards, ("happy", "light", "young"), guide, descriptors)
    learn = ~shards.testing()
    assert found.values.shape == (COUNT, 3)
    np.testing.assert_allclose(found.values[learn].std(0), 1, atol=0.02)
    truth = -descriptors[~learn, 1]
    assert np.corrcoef(found.values[~learn, 2], truth)[0, 1] > 0.5
    happy = guide.score(descriptors, shards.landmarks)[:, guide.names.index("happy")]
    assert np.corrcoef(found.values[:, 0], happy)[0, 1] > 0.99
    assert found.skill[2] > found.skill[1]  # a descriptor does not see this light


def test_what_two_columns_tell_is_added_up_and_silence_stays(shards):
    glasses, young = label(shards, "glasses"), label(shards, "young")
    np.testing.assert_allclose(glasses[:50], shards.labels[:50, :2].sum(1), rtol=1e-5)
    assert np.isnan(glasses[50:]).all()
    np.testing.assert_array_equal(young, -shards.labels[:, 2])


def test_a_trait_that_no_table_tells_is_named_with_the_remedy(shards):
    with pytest.raises(SettingsError, match=r"no labels of 'beard'.*--table"):
        label(shards, "beard")


def test_what_was_read_once_is_taken_from_its_file(
    shards, guide, descriptors, tmp_path
):
    path, names = tmp_path / "traits.npz", ("happy", "light")
    first = read_once(shards, names, guide, descriptors, path)
    again = read_once(shards, names, guide, descriptors * 0, path)
    np.testing.assert_array_equal(first.values, again.values)
    other = read_once(shards, names[:1], guide, descriptors * 0, path)
    assert other.values.shape == (COUNT, 1)
