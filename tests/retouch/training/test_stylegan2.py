import json
import shutil
from dataclasses import asdict, replace

import keras
import numpy as np
import pytest
from keras import ops
from PIL import Image
from safetensors.numpy import load_file

from generators import weights
from generators.stylegan2 import StyleGAN2
from retouch.errors import SettingsError, WeightsError
from retouch.training import devices, stylegan2
from retouch.training.export.generator import export, latents_of, with_prior
from retouch.training.losses import importance, reconstruction
from retouch.training.options import FacesConfig
from retouch.training.plan import Plan
from retouch.training.shards import Shards, as_images
from retouch.training.stylegan2 import Trainer
from tests.retouch.training import blobs

STEPS = 10
CONFIG = FacesConfig(
    images=8 * STEPS,
    batch=8,
    rate=0.02,
    warm_up=2,
    average=0.5,
    latent_noise=0.05,
    adversarial=0.01,
    adversarial_from=8 * 5,
    mixed=4,
    r1_every=5,
)


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    return Shards.read(blobs.write(tmp_path_factory.mktemp("data")))


@pytest.fixture(scope="module")
def halfway(tmp_path_factory):
    """Return a copy of the run below as it was after eight steps."""
    return tmp_path_factory.mktemp("halfway") / "run"


@pytest.fixture(scope="module")
def trained(shards, halfway, tmp_path_factory):
    """Return a trainer after ten steps, and its first report."""
    trainer = Trainer(CONFIG, shards, tmp_path_factory.mktemp("run"), plan=blobs.PLAN)
    before = trainer.report()
    blobs.train(trainer, 8, halfway)
    return trainer, before


def metrics(folder):
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def test_ten_steps_bring_copies_nearer_to_the_pictures(trained):
    trainer, before = trained
    assert trainer.report()["psnr"] > before["psnr"] + 1


def test_a_training_writes_metrics_sheets_and_its_config(trained):
    trainer, _ = trained
    line = metrics(trainer.run.folder)[-1]
    assert line["images"] == 8 * STEPS
    assert {"copy", "prior", "deviation", "fool", "match", "critic", "norm"} <= set(
        line
    )
    assert all(np.isfinite(value) for value in line.values())
    with Image.open(trainer.run.folder / "sheet-0000080.png") as sheet:
        assert sheet.size == (8 * blobs.SIZE, 30 * blobs.SIZE)
    assert Plan.read(trainer.run.folder) == blobs.PLAN
    record = json.loads((trainer.run.folder / "config.json").read_text())
    assert record["training"] == asdict(CONFIG)


def test_a_training_stopped_and_resumed_equals_one_that_ran_through(
    trained, halfway, shards
):
    trainer = Trainer(CONFIG, shards, halfway, plan=blobs.PLAN)
    trainer.train()
    assert [line["images"] for line in metrics(halfway)] == [64, 80]
    again, once = trainer.run.checkpoint, trained[0].run.checkpoint
    assert again.read_bytes() == once.read_bytes()


def test_export_hands_over_the_averaged_networks(trained, shards, tmp_path):
    trainer, _ = trained
    export(trainer.run.folder, shards, tmp_path, name="tiny", crops=200)
    rows = json.loads((tmp_path / "manifest.json").read_text())["networks"]
    assert [(row["name"], row["kind"]) for row in rows] == [
        ("tiny", "generator"),
        ("tiny-encoder", "encoder"),
    ]
    generator, encoder = blobs.PLAN.networks()
    for network, row in zip((generator, encoder), rows, strict=True):
        arrays = load_file(tmp_path / row["file"])
        assert {array.dtype for array in arrays.values()} == {np.dtype(np.float16)}
        arrays.pop("axes", None)
        weights.assign(network, arrays)
    images = ops.convert_to_tensor(shards.held_out(32))
    copies = generator.decode(encoder.encode(images))
    wanted = trainer._pictures(images)[0]
    np.testing.assert_allclose(ops.convert_to_numpy(copies), wanted, atol=0.02)


def test_export_tells_the_generator_where_latents_lie(trained, shards, tmp_path):
    trainer, _ = trained
    export(trainer.run.folder, shards, tmp_path, name="tiny", crops=200)
    arrays = load_file(tmp_path / "tiny.safetensors")
    _, encoder = blobs.PLAN.networks()
    weights.assign(encoder, load_file(tmp_path / "tiny-encoder.safetensors"))
    images = shards.images[~shards.testing()]
    latents = encoder.encode(ops.convert_to_tensor(as_images(images)))
    mean = ops.convert_to_numpy(latents).mean(0)
    spread = ops.convert_to_numpy(latents).std(0)
    assert np.abs(arrays["mean_latent"] - mean).mean() < 0.3 * spread.mean()
    assert 0.7 < arrays["spread"].mean() / spread.mean() < 1.4
    assert arrays["spread"].min() >= 1e-3
    own = StyleGAN2(replace(blobs.PLAN.generator, axes=len(arrays["axes"])))
    weights.assign(own, arrays)
    assert 0.5 < float(ops.mean(own.penalty(latents))) < 2
    # Samples vary as people do: along the axes, together.
    drawn = ops.convert_to_numpy(own.sample(300, seed=0)) - mean
    known = ops.convert_to_numpy(latents) - mean
    first = arrays["axes"][0] / np.linalg.norm(arrays["axes"][0])
    along = [np.tensordot(x, first, 2).std() for x in (drawn, known)]
    assert 0.6 < along[0] / along[1] < 1.6


def test_the_spread_of_latents_that_never_differ_stays_above_zero(shards):
    generator, encoder = blobs.PLAN.networks()
    for variable in encoder.trainable_variables:
        variable.assign(np.zeros(variable.shape, np.float32))
    latents = latents_of(encoder, shards, 20)
    assert not latents.any()
    generator = with_prior(generator, latents)
    np.testing.assert_allclose(weights.arrays(generator)["spread"], 1e-3)
    samples = ops.convert_to_numpy(generator.sample(2, seed=0))
    assert np.abs(samples).max() < 0.01


def test_a_training_can_begin_with_what_was_exported(trained, shards, tmp_path):
    trainer, before = trained
    export(trainer.run.folder, shards, tmp_path, crops=200)
    plan, more = blobs.PLAN, {"begin": tmp_path}
    other = Trainer(CONFIG, shards, tmp_path / "run", plan=plan, **more)
    assert other.report()["psnr"] > before["psnr"] + 1
    with pytest.raises(WeightsError, match=r"no exported default\.safetensors"):
        Trainer(CONFIG, shards, tmp_path / "new", plan=plan, begin=tmp_path / "run")


def test_a_folder_without_a_training_exports_nothing(shards, tmp_path):
    with pytest.raises(WeightsError, match=r"no config\.json"):
        export(tmp_path, shards, tmp_path)
    with pytest.raises(WeightsError, match="no state of a training"):
        export(tmp_path, shards, tmp_path, plan=blobs.PLAN)


def test_a_failed_training_is_not_handed_over(trained, shards, tmp_path):
    shutil.copytree(trained[0].run.folder, tmp_path / "run")
    trainer = Trainer(CONFIG, shards, tmp_path / "run", plan=blobs.PLAN)
    trainer.run.state.lists["mean"] = [
        t * np.nan for t in trainer.run.state.lists["mean"]
    ]
    trainer.run.state.save(trainer.run.checkpoint)
    with pytest.raises(WeightsError, match="no finite"):
        export(tmp_path / "run", shards, tmp_path / "out", crops=20)


def test_crops_of_another_size_are_refused(shards, tmp_path):
    with pytest.raises(SettingsError, match=r"crops 'tight' of 128 px.* 16 px"):
        Trainer(CONFIG, shards, tmp_path)


def test_the_command_takes_every_option_of_the_config(shards, tmp_path, monkeypatch):
    data = blobs.write(tmp_path / "data")
    options = ["--adversarial-from", "32", "--rate", "1e-3", "--precision", "float32"]
    with pytest.raises(SettingsError, match="Make the data anew"):
        stylegan2.main([str(data), str(tmp_path / "run"), *options])


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"batch": 6}, "multiple of 4"),
        ({"mixed": 16}, "mixed must lie in"),
        ({"images": 3}, "at least one batch"),
    ],
)
def test_options_that_cannot_be_are_refused(wrong, words):
    with pytest.raises(SettingsError, match=words):
        FacesConfig(**wrong)


def test_networks_that_do_not_fit_each_other_are_refused():
    wide = replace(blobs.PLAN.encoder, width=32)
    with pytest.raises(SettingsError, match="must be the generator's"):
        Plan(blobs.PLAN.generator, wide)
    noisy = replace(blobs.PLAN.generator, noise=True)
    with pytest.raises(SettingsError, match="noise must be False"):
        Plan(noisy, blobs.PLAN.encoder)


def test_the_default_plan_fits_together():
    plan = Plan()
    assert plan.generator.latent_shape == (16, 256)
    assert plan.generator.resolution >> (len(plan.discriminator) - 1) == 4


def test_equal_pictures_are_at_no_distance_and_eyes_weigh_more():
    weight = importance(16)
    np.testing.assert_allclose(weight.mean(), 1, rtol=1e-5)
    assert weight[6, 5] > weight[8, 8] > weight[0, 0]
    images = ops.convert_to_tensor(as_images(blobs.images(2)))
    field = ops.convert_to_tensor(weight[None])
    terms = {"edges": 1.0, "chroma": 1.0}
    assert abs(float(reconstruction(images, images, field, **terms))) < 1e-6
    assert float(reconstruction(images + 0.1, images, field, **terms)) > 0.05


@pytest.mark.skipif(keras.backend.backend() != "jax", reason="JAX parts batches")
def test_a_batch_is_parted_between_devices(shards, trained, tmp_path):
    count = len(keras.distribution.list_devices())
    devices.use_all(8)
    try:
        trainer = Trainer(CONFIG, shards, tmp_path, plan=blobs.PLAN)
        trainer.train()
    finally:
        keras.distribution.set_distribution(None)
    own = trainer.run.state.lists["own"]
    assert all(len(tensor.sharding.device_set) == count for tensor in own)
    for one, other in zip(own, trained[0].run.state.lists["own"], strict=True):
        np.testing.assert_allclose(one, other, atol=1e-3)
