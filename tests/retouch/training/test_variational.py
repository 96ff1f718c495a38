"""Trainings of the variational family: a few steps of tiny networks on blobs."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from keras import ops

from encoders import vae as sight
from encoders import vqvae as maps
from generators import cvae, vae, vqvae
from generators.gradients import differentiate
from generators.weights import arrays, variables
from retouch.errors import SettingsError, WeightsError
from retouch.training.conditions import Conditions
from retouch.training.fidelity import contrast, figures
from retouch.training.losses import importance
from retouch.training.options import PriorConfig, VAEConfig, VQConfig
from retouch.training.shards import Shards, as_images
from retouch.training.vae import Trainer, divergence, held, restore, take
from retouch.training.vqvae import PriorTrainer
from retouch.training.vqvae import Trainer as VQTrainer
from tests.retouch.training import blobs

SIDE, STEPS, HALF = blobs.SIZE, 24, 12
NAMES = ("bright", "yaw")
QUICK = {"images": 8 * STEPS, "batch": 8, "rate": 0.01, "warm_up": 2, "average": 0.5}
CONFIG = VAEConfig(**QUICK, anneal=8 * 6, described=0.0)
TOKENS = {"resolution": SIDE, "channels": (16, 8), "tokens": 4, "width": 4}
SIGHT = {"resolution": SIDE, "channels": (8, 16), "tokens": 4, "width": 4, "mixers": 2}
CODED = vqvae.Config(
    resolution=SIDE,
    channels=(12, 8, 8),
    codes=16,
    conditions=NAMES,
    attention=16,
    depth=1,
    refining=8,
)


def plain():
    keras.utils.set_random_seed(0)  # every pair begins alike
    decoder = vae.VAE(vae.Config(**TOKENS, mixers=1), name="generator")
    return decoder, sight.Sight(sight.Config(**SIGHT), name="encoder")


def told():
    decoder = cvae.CVAE(
        cvae.Config(conditions=NAMES, **TOKENS, mixers=1), name="generator"
    )
    config = sight.Config(**SIGHT, conditions=NAMES)
    return decoder, sight.Sight(config, name="encoder")


def coded():
    decoder = vqvae.VQVAE(CODED, name="generator")
    config = maps.Config(resolution=SIDE, channels=(8, 8, 12))
    return decoder, maps.Maps(config, name="encoder")


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    return Shards.read(blobs.write(tmp_path_factory.mktemp("data")))


@pytest.fixture(scope="module")
def conditions(shards):
    bright = shards.images.mean((1, 2, 3))
    bright = (bright - bright.mean()) / bright.std()
    values = np.stack([bright, np.ones_like(bright)], 1).astype("f4")
    nothing = np.zeros((128, 2), "f4")
    return Conditions(NAMES, values, nothing, np.zeros(2, "f4"))


@pytest.fixture(scope="module")
def halfway(tmp_path_factory):
    """Return a copy of the run below as it was halfway."""
    return tmp_path_factory.mktemp("halfway") / "run"


@pytest.fixture(scope="module")
def whole(shards, halfway, tmp_path_factory):
    """Return a VAE's trainer after its training, and its reports before and after."""
    trainer = Trainer(CONFIG, shards, tmp_path_factory.mktemp("whole"), pair=plain())
    before = trainer.report()
    blobs.train(trainer, HALF, halfway)
    return trainer, before, trainer.report()


def test_a_few_steps_bring_copies_of_a_vae_nearer(whole):
    trainer, before, after = whole
    assert after["psnr"] > before["psnr"] + 1
    assert (trainer.run.folder / f"sheet-{CONFIG.images:07}.png").exists()


def test_a_training_that_was_stopped_goes_on_as_if_it_had_not(whole, shards, halfway):
    again = Trainer(CONFIG, shards, halfway, pair=plain())
    assert again.run.state.images == HALF * CONFIG.batch
    again.train()
    lists = (trainer.run.state.lists["mean"] for trainer in (again, whole[0]))
    for one, other in zip(*lists, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_the_divergence_is_that_of_two_normals():
    mean, spread = np.array([[1.0], [-1.0]], "f4"), np.log([[4.0], [0.25]]).astype("f4")
    expected = np.mean([0.5 * (1 + s - 1 - np.log(s)) for s in (4.0, 0.25)])
    assert float(divergence(mean, spread)[0]) == pytest.approx(expected, rel=1e-5)


def test_free_nats_pull_at_nothing_and_all_beyond_them_counts():
    nats = ops.convert_to_tensor(np.array([0.05, 0.2, 3.0], "f4"))
    (total, _), slope = differentiate(lambda n: (held(n, 0.1), None), nats)
    assert float(total) == pytest.approx(0.1 + 0.2 + 3.0)
    np.testing.assert_array_equal(slope, [0, 1, 1])


def test_a_conditional_training_learns_to_read_its_conditions(
    shards, conditions, tmp_path
):
    config = replace(CONFIG, images=8 * 180, rate=3e-3, attributes=3.0)
    pair = told()
    trainer = Trainer(config, shards, tmp_path, conditions=conditions, pair=pair)
    trainer.train()
    restore(tmp_path, *pair)
    read = np.asarray(pair[1].encode(as_images(shards.images)))[:, -2]
    assert np.corrcoef(read, conditions.values[:, 0])[0, 1] > 0.7


def test_only_traits_that_have_a_side_turn_with_the_picture(conditions):
    flips = np.array([True, False])
    values = conditions.of(np.array([0, 0]), flips)
    assert values[0, 0] == values[1, 0] and values[0, 1] == -values[1, 1] != 0


def test_a_conditional_one_can_begin_with_a_plain_ones_weights(whole, monkeypatch):
    trainer, *_ = whole
    monkeypatch.setattr("retouch.training.vae.networks", plain)
    pair, before = told(), arrays(told()[0])
    take(trainer.run.folder, *pair)
    old, new = (variables(network) for network in (trainer.decoder, pair[0]))
    mean = dict(
        zip([v.path for v in trainer.own], trainer.run.state.lists["mean"], strict=True)
    )
    shared = [n for n in new if n in old and new[n].shape == old[n].shape]
    assert "last.mix.kernel" in shared and before.keys() - set(shared)
    for name in shared:
        if old[name].path in mean:
            np.testing.assert_array_equal(new[name].value, mean[old[name].path])


def test_a_few_steps_bring_copies_of_a_vqvae_nearer(shards, tmp_path):
    trainer = VQTrainer(VQConfig(**QUICK), shards, tmp_path, pair=coded())
    before = trainer.report()
    trainer.train()
    assert trainer.report()["psnr"] > before["psnr"] + 1


def test_codes_that_nothing_uses_begin_anew_where_vectors_are(shards, tmp_path):
    trainer = VQTrainer(VQConfig(**QUICK), shards, tmp_path, pair=coded())
    lists, decoder = trainer.run.state.lists, trainer.decoder
    lists["used"] = [np.stack([np.zeros(16), np.full(16, 1 / 16)]).astype("f4")]
    paths = [variable.path for variable in trainer.own]
    places = [paths.index(book.codes.path) for book in decoder.books]
    kept = np.array(lists["own"][places[1]])
    images = as_images(shards.images[:4])
    assert trainer._revive(images, 0) == 16
    vectors = np.asarray(decoder.maps(trainer.encoder.encode(images))[0])
    gaps = np.abs(lists["own"][places[0]][:, None] - vectors.reshape(1, -1, 4)).max(-1)
    np.testing.assert_allclose(gaps.min(1), 0, atol=1e-6)
    np.testing.assert_array_equal(lists["own"][places[1]], kept)


def test_the_prior_learns_which_codes_are_there(shards, conditions, tmp_path):
    config = PriorConfig(images=8 * 40, batch=8, rate=0.01, warm_up=2)
    trainer = PriorTrainer(config, shards, tmp_path, conditions, coded())
    kept = arrays(trainer.decoder)
    numbers = [trainer.step(i) for i in range(40)]
    first, last = ({n: float(x[n]) for n in x} for x in (numbers[0], numbers[-1]))
    assert last["coarse"] < first["coarse"] - 0.1 and last["fine"] < first["fine"] - 0.1
    for name, array in arrays(trainer.decoder).items():
        np.testing.assert_array_equal(array, kept[name])  # the decoder stays


def test_contrast_is_nothing_between_equals_and_grows_as_a_copy_pales():
    rng = np.random.default_rng(0)
    images = rng.uniform(-1, 1, (2, 8, 8, 3)).astype("f4")
    weight = ops.convert_to_tensor(importance(8)[None])
    losses = [float(contrast(s * images, images, weight)) for s in (1.0, 0.9, 0.5)]
    assert losses[0] == pytest.approx(0, abs=1e-6) and losses[0] < losses[1] < losses[2]
    told = figures(images, images / 2)
    assert told["deviation"] == pytest.approx(0.5, abs=1e-5)


@pytest.mark.parametrize("config", [VAEConfig, VQConfig, PriorConfig])
def test_batches_that_cannot_be_are_refused(config):
    with pytest.raises(SettingsError, match="multiple of 4; got 6"):
        config(batch=6)
    with pytest.raises(SettingsError, match="at least one batch, 16; got 3"):
        config(images=3)


def test_a_folder_without_a_training_is_said_to_be_none(tmp_path):
    with pytest.raises(
        WeightsError, match=r"holds no state of a training\. Train first"
    ):
        restore(tmp_path, *plain())
