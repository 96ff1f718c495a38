"""The reader of shapes is fitted to features that tell of them."""

import numpy as np

from pretrained.loading import load_shape
from pretrained.registry import Library, Shelf
from retouch.training.sight import fit, keep

COUNT, WIDTH = 400, 60


def _features(noise=0.05):
    rng = np.random.default_rng(0)
    inner = rng.normal(size=(COUNT, 5))
    shapes = inner @ rng.normal(size=(5, 136)) / 10 + rng.normal(size=136)
    features = inner @ rng.normal(size=(5, WIDTH)) + noise * rng.normal(
        size=(COUNT, WIDTH)
    )
    features[:, 7] = 3.0  # one that never changes
    return (features * 100).astype("f4"), shapes.astype("f4")


def test_shapes_are_read_of_people_that_were_not_learnt():
    features, shapes = _features()
    kept = np.arange(COUNT) % 10 == 0
    # A ridge made for thousands of crops holds hundreds back too much.
    reader = fit(features, shapes, kept, hold=1.0)
    assert reader.skill[0] > 0.95
    read = np.asarray(reader.read(features[kept]))
    left = ((read - shapes[kept]) ** 2).sum() / (
        (shapes[kept] - reader.mean) ** 2
    ).sum()
    np.testing.assert_allclose(1 - left, reader.skill[0], atol=1e-4)


def test_features_that_tell_nothing_have_no_skill():
    features, shapes = _features()
    mixed = np.random.default_rng(1).permutation(features)
    reader = fit(mixed, shapes, np.arange(COUNT) % 10 == 0, hold=1.0)
    assert reader.skill[0] < 0.2


def test_what_is_kept_reads_the_same(tmp_path):
    features, shapes = _features()
    reader = fit(features, shapes, np.arange(COUNT) % 10 == 0, hold=1.0)
    keep(reader, tmp_path, "none")
    again = load_shape(Library(Shelf(tmp_path), Shelf(tmp_path)), "shape")
    first, second = (np.asarray(r.read(features[:50])) for r in (reader, again))
    assert np.abs(first - second).max() < 0.05 * shapes.std(0).max()
