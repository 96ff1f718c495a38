"""An encoder alone learns for a generator of the library, which stays as it is."""

import dataclasses
import json

import keras
import numpy as np
import pytest
from keras import ops
from safetensors.numpy import load_file

from encoders.compact import Compact
from generators import stylegan2, weights
from pretrained.registry import Row, library
from retouch.errors import SettingsError, WeightsError
from retouch.models import Model
from retouch.training.export.generator import export
from retouch.training.options import EncoderConfig
from retouch.training.plan import DISCRIMINATOR, ENCODER, GENERATOR, Plan
from retouch.training.shards import Shards
from retouch.training.stylegan2 import Trainer
from tests.command_line import retouch
from tests.retouch.training import blobs
from tests.retouch.training.test_stylegan2 import metrics
from tests.retouch.training.untraced import untraced

STEPS = 24
CONFIG = EncoderConfig(
    images=8 * STEPS,
    batch=8,
    rate=0.03,
    warm_up=2,
    average=0.5,
    likeness=0.0,
    adversarial=0.01,
    adversarial_from=8 * 16,
    mixed=4,
    r1_every=5,
)
# As others' networks are: no spatial code, a mapping, fields of noise.
OTHERS = stylegan2.official(16, 128, 16, width=16, inputs=16, depth=2, crop="tight")


@pytest.fixture(scope="module", autouse=True)
def quick():
    """Leave the trainer's steps untraced: `test_stylegan2.py` traces the same."""
    with untraced():
        yield


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    return Shards.read(blobs.write(tmp_path_factory.mktemp("data")))


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory):
    """A library with a network like others' and one that has learnt blobs."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RETOUCH_HOME", str(folder))
        network = stylegan2.StyleGAN2(OTHERS)
        arrays = weights.arrays(network)
        arrays["mean_latent"] += 0.5
        arrays |= {n: a + 0.1 for n, a in arrays.items() if n.endswith("strength")}
        row = Row("others", "generator", "others.safetensors", family="theirs")
        config = dataclasses.asdict(OTHERS)
        more = {"architecture": "stylegan2", "config": config, "crop": "tight"}
        library().add(dataclasses.replace(row, **more), arrays)
        yield folder


def plan_of(model):
    """Return the plan for a generator of the library, with small networks."""
    plan = Plan.of(model)
    encoder = dataclasses.replace(plan.encoder, channels=(8, 16), neck=16)
    return dataclasses.replace(plan, encoder=encoder, discriminator=(8, 16, 16))


def trainer(shards, folder, model="others", **more):
    return Trainer(CONFIG, shards, folder, plan=plan_of(model), **more)


@pytest.fixture(scope="module")
def halfway(tmp_path_factory):
    """Return a copy of the run below as it was before its last steps."""
    return tmp_path_factory.mktemp("halfway") / "run"


@pytest.fixture(scope="module")
def trained(shards, halfway, tmp_path_factory):
    """Return a trainer after its training, and its first report."""
    own = trainer(shards, tmp_path_factory.mktemp("run"))
    before = own.report()
    blobs.train(own, 21, halfway)
    return own, before


@pytest.fixture(scope="module")
def exported(trained, shards):
    """Return the run that was exported beside its generator."""
    run = trained[0].run.folder
    export(run, shards, None, name="others", licence="mine")
    return run


def test_copies_come_nearer_and_the_generator_stays(trained):
    own, before = trained
    assert own.report()["psnr"] > before["psnr"] + 0.5
    kept = library().weights("others")
    for name, array in weights.arrays(own.generator).items():
        np.testing.assert_array_equal(array, kept[name])


def test_metrics_have_every_loss_and_the_state_only_the_encoder(trained):
    own, _ = trained
    line = metrics(own.run.folder)[-1]
    losses = {"copy", "prior", "deviation", "fool", "match", "critic", "norm"}
    assert {*losses, "psnr", "psnr_dark", "rate"} <= set(line)
    assert all(np.isfinite(value) for value in line.values())
    assert len(own.run.state.lists["own"]) == len(own.encoder.trainable_variables)
    assert (own.run.folder / f"sheet-{8 * STEPS:07}.png").exists()
    assert Plan.read(own.run.folder) == plan_of("others")


def test_a_training_stopped_and_resumed_equals_one_that_ran_through(
    trained, halfway, shards
):
    own = trainer(shards, halfway)
    assert own.run.state.images == 8 * 21
    own.train()
    again, once = own.run.checkpoint, trained[0].run.checkpoint
    assert again.read_bytes() == once.read_bytes()


def test_an_encoder_begins_where_the_generators_latents_lie(shards):
    images = ops.convert_to_tensor(shards.held_out(32))
    for model in ("others", "default"):
        plan = Plan.of(model)
        generator, encoder = plan.networks()
        if plan.generator.resolution != blobs.SIZE:
            images = ops.image.resize(images, (plan.generator.resolution,) * 2)
        penalty = ops.convert_to_numpy(generator.penalty(encoder.encode(images)))
        assert 0 < penalty.mean() < 4


def test_an_encoder_goes_beside_the_generator_it_is_for(trained, exported, shards):
    row = library().row("others-encoder", "encoder")
    assert (row.family, row.licence, row.crop) == ("theirs", "mine", "tight")
    model = Model.load("others")
    images = shards.held_out(32)
    copies = model.decode(model.inverter.encode(images))
    wanted = trained[0]._pictures(images)[0]
    np.testing.assert_allclose(copies, wanted, atol=0.02)
    with pytest.raises(WeightsError, match="already called 'others-encoder'"):
        export(exported, shards, None, name="others")


def test_under_a_new_name_the_generator_comes_along(trained, shards, tmp_path):
    manifest = export(trained[0].run.folder, shards, tmp_path, name="new")
    rows = {row["name"]: row for row in json.loads(manifest.read_text())["networks"]}
    assert {name: row["kind"] for name, row in rows.items()} == {
        "new": "generator",
        "new-encoder": "encoder",
    }
    kept, copied = library().weights("others"), load_file(tmp_path / "new.safetensors")
    assert {name: a.dtype for name, a in copied.items()} == dict.fromkeys(
        kept, np.dtype(np.float32)
    )
    for name, array in kept.items():
        np.testing.assert_array_equal(copied[name], array)


def test_a_known_encoder_learns_on(exported, shards, tmp_path):
    own = trainer(shards, tmp_path / "own", begin="others-encoder")
    kept = library().weights("others-encoder")
    for name, array in weights.arrays(own.encoder).items():
        np.testing.assert_array_equal(array, kept[name])
    with pytest.raises(WeightsError, match="'default-encoder' is no encoder to begin"):
        trainer(shards, tmp_path / "other", begin="default-encoder")


def test_a_generator_of_the_plans_shape_gets_the_plans_encoder():
    plan = Plan.of("default128")
    assert plan.encoder == ENCODER and plan.discriminator == DISCRIMINATOR
    assert dataclasses.replace(plan.generator, axes=0) == GENERATOR


def test_a_folder_of_another_generator_is_refused(trained, shards):
    other = library().weights("others")
    row = dataclasses.replace(library().row("others"), name="alike")
    row = dataclasses.replace(row, file="alike.safetensors")
    library().add(row, {name: 0.9 * array for name, array in other.items()})
    run = trained[0].run.folder
    with pytest.raises(SettingsError, match="for another generator"):
        trainer(shards, run, "alike")
    own = dataclasses.replace(Plan.of("alike"), sha256=Plan.of("others").sha256)
    with pytest.raises(WeightsError, match="no longer the generator"):
        own.networks()


def test_only_generators_of_the_family_have_encoders_trained():
    with pytest.raises(SettingsError, match="'vae' is of the architecture 'vae'"):
        Plan.of("vae")
    with pytest.raises(WeightsError, match="No generator is called 'nobody'"):
        Plan.of("nobody")


def test_large_pictures_are_shrunk_and_rows_are_those_of_the_generator():
    config = dataclasses.replace(OTHERS, resolution=512, channels=(16,) * 8)
    row = dataclasses.replace(library().row("others"), name="large")
    network = stylegan2.StyleGAN2(config)
    more = {"file": "large.safetensors", "config": dataclasses.asdict(config)}
    library().add(dataclasses.replace(row, **more), weights.arrays(network))
    plan = Plan.of("large")
    assert (plan.encoder.resolution, plan.encoder.side) == (256, 8)
    assert len(plan.discriminator) == 8
    narrow = dataclasses.replace(plan.encoder, channels=(4,) * 5, neck=8)
    latents = Compact(narrow).encode(np.zeros((2, 512, 512, 3), np.float32))
    assert tuple(latents.shape) == (2, 16, 16)


def test_the_command_trains_exports_and_the_model_loads(home, tmp_path):
    data, run = blobs.write(tmp_path / "data"), tmp_path / "run"
    few = "--images", 16, "--batch", 8, "--likeness", 0, "--mixed", 4
    done = retouch("train", "encoder", data, run, "--model", "others", *few)
    assert done.returncode == 0, done.stderr
    assert keras.config.dtype_policy().name == "float32"  # half within alone
    done = retouch("train", "export", data, run, "--name", "taught", text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(home / "models/manifest.json")
    model = Model.load("taught").in_keras
    assert model.encoder.config.layers == 6 and model.generator.config.depth == 2
