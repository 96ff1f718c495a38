import json
from dataclasses import replace

import numpy as np
import pytest
from keras import ops

from generators.glow import Config
from pretrained.loading import load
from pretrained.registry import Library, Shelf
from retouch.errors import SettingsError
from retouch.training.glow import Trainer
from retouch.training.options import GlowConfig
from retouch.training.shards import Shards, as_images, shrunk
from tests.retouch.training import blobs

PLAN = Config(8, steps=(2, 1), hidden=(8, 8))
OPTIONS = GlowConfig(images=8 * 12, batch=8, rate=3e-3, warm_up=2, average=0.5)


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    return Shards.read(blobs.write(tmp_path_factory.mktemp("data")))


@pytest.fixture(scope="module")
def trained(shards, tmp_path_factory):
    """Return a trainer after twelve steps, and its first report."""
    trainer = Trainer(OPTIONS, shards, tmp_path_factory.mktemp("run"), plan=PLAN)
    before = trainer.report()
    trainer.train()
    return trainer, before


def test_bits_of_people_held_out_fall(trained):
    trainer, before = trained
    lines = (trainer.run.folder / "metrics.jsonl").read_text().splitlines()
    assert json.loads(lines[-1])["held_out_bits"] < before["held_out_bits"]


def test_a_training_goes_on_as_if_it_had_never_stopped(trained, shards, tmp_path):
    half = replace(OPTIONS, images=8 * 6)
    first = Trainer(half, shards, tmp_path, plan=PLAN)
    first.adam = trained[0].adam  # the whole training's schedule
    first.train()
    second = Trainer(OPTIONS, shards, tmp_path, plan=PLAN)
    assert second.run.state.images == 8 * 6
    second.train()
    pairs = zip(
        trained[0].run.state.lists["mean"], second.run.state.lists["mean"], strict=True
    )
    for one, other in pairs:
        assert np.allclose(ops.convert_to_numpy(one), ops.convert_to_numpy(other))


def test_what_is_exported_loads_and_undoes_itself(trained, shards, tmp_path):
    trained[0].export(tmp_path, name="flow", licence="terms")
    network = load(Library(Shelf(tmp_path), Shelf(tmp_path)), "flow", "generator")
    pictures = shrunk(as_images(shards.images[:4]), 8)
    again = ops.convert_to_numpy(network.decode(network.encode(pictures)))
    assert np.abs(again - pictures).max() < 1e-3


def test_shrunk_pictures_are_means_of_whole_greys():
    pictures = as_images(blobs.images(2))
    small = shrunk(pictures, 8)
    greys = (small + 1) * 127.5
    assert np.allclose(greys, np.rint(greys), atol=1e-3)
    mean = pictures[0, :2, :2].mean((0, 1))
    assert np.abs(small[0, 0, 0] - mean).max() <= 0.5 / 127.5 + 1e-6


def test_crops_that_do_not_fit_are_refused(shards, tmp_path):
    with pytest.raises(SettingsError, match="no multiple"):
        shrunk(as_images(shards.images[:1]), 12)
    with pytest.raises(SettingsError, match="ffhq"):
        Trainer(OPTIONS, shards, tmp_path, plan=replace(PLAN, crop="ffhq"))
    with pytest.raises(SettingsError, match="at least one batch"):
        GlowConfig(images=4, batch=8)
