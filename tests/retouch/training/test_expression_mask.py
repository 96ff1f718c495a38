import json

import numpy as np
import pytest
from keras import ops
from safetensors.numpy import load_file

from generators import weights
from generators.expression_mask import Config, ExpressionMask
from pretrained.loading import load
from pretrained.registry import Library, Shelf
from retouch.errors import SettingsError, WeightsError
from retouch.training import shapes
from retouch.training.export.mask import export
from retouch.training.expression_mask import Trainer
from retouch.training.options import MaskConfig
from retouch.training.people import Album
from retouch.training.shards import Contents, Shards
from tests.retouch.drawing import drawn_face
from tests.retouch.training import blobs

SIZE, PEOPLE = 32, 110
PLAN = Config(resolution=SIZE, channels=(8, 8, 8), style=4, manner=6, shapes=3)
CONFIG = MaskConfig(
    images=8 * 26,
    batch=8,
    rate=0.01,
    warm_up=2,
    average=0.5,
    likeness=0.0,
    adversarial_from=8 * 22,
)


def draw(landmarks, colour):
    """Return a crop of that skin with dark features where the landmarks lie."""
    y, x = (np.mgrid[:SIZE, :SIZE] + 0.5) / SIZE
    crop = np.ones((SIZE, SIZE, 3)) * colour
    for px, py in landmarks[17:]:
        crop *= 1 - 0.5 * np.exp(-((x - px) ** 2 + (y - py) ** 2) / 0.001)[..., None]
    return (255 * crop).clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    rng, rest = np.random.default_rng(0), drawn_face().landmarks
    images, landmarks, people = [], [], []
    for person in range(PEOPLE):
        colour, own = rng.uniform(0.3, 0.9, 3), rng.normal(0, 0.01, (68, 2))
        for _ in range(2):
            shape = rest + own
            shape[48:] += (0, rng.normal(0, 0.03))  # the mouth is what acts
            images.append(draw(shape, colour))
            landmarks.append(shape * SIZE)
            people.append(f"p{person}")
    np.savez(
        folder / "faces-0000.npz",
        images=np.array(images),
        landmarks=np.array(landmarks, np.float32),
        names=np.array([f"{i}.png" for i in range(len(images))]),
        sources=np.array(["faces"] * len(images)),
        people=np.array(people),
    )
    Contents("tight", SIZE).write(folder)
    return Shards.read(folder)


@pytest.fixture(scope="module")
def halfway(tmp_path_factory):
    """Return a copy of the run below as it was after twenty steps."""
    return tmp_path_factory.mktemp("halfway") / "run"


@pytest.fixture(scope="module")
def trained(shards, halfway, tmp_path_factory):
    trainer = Trainer(CONFIG, shards, tmp_path_factory.mktemp("run"), plan=PLAN)
    before = trainer.report()
    blobs.train(trainer, 20, halfway)
    return trainer, before


def test_some_steps_bring_copies_nearer_to_the_pictures(trained):
    trainer, before = trained
    assert trainer.report()["psnr"] > before["psnr"] + 1
    written = (trainer.run.folder / "metrics.jsonl").read_text()
    line = json.loads(written.splitlines()[-1])
    wanted = {"copy", "divergence", "fool", "match", "critic", "norm", "psnr"}
    assert wanted <= set(line) and all(np.isfinite(v) for v in line.values())


def test_a_training_stopped_and_resumed_equals_one_that_ran_through(
    trained, halfway, shards
):
    trainer = Trainer(CONFIG, shards, halfway, plan=PLAN)
    assert trainer.run.state.images == 8 * 20
    trainer.train()
    kept = load_file(trainer.run.checkpoint)
    for name, array in load_file(trained[0].run.checkpoint).items():
        np.testing.assert_allclose(kept[name], array, rtol=1e-3, atol=1e-4)


def test_what_acts_and_what_is_ones_own_are_told_apart(shards):
    known = shapes.fit(shards, np.ones(len(shards.names), bool))
    varies = np.diag(known.within).reshape(68, 2)
    assert varies[48:, 1].mean() > 20 * varies[:48].mean()
    own = np.diag(known.between).reshape(68, 2)
    np.testing.assert_allclose(own[:48].mean(), 1.0, rtol=0.3)  # (0.01 * 100) ** 2
    assert shapes.axes(known, 3).shape == (3, 136)


def test_too_few_people_are_a_sentence(shards):
    with pytest.raises(SettingsError, match="Of 0 people there are several pictures"):
        shapes.fit(shards, np.zeros(len(shards.names), bool))


def test_batches_depend_on_the_step_alone_and_hold_nobody_back_twice(shards):
    album = Album(shards, 16, seed=1)
    one, again, other = (album.draw(step, 4) for step in (3, 3, 4))
    for name, array in one.items():
        np.testing.assert_array_equal(array, again[name])
    assert (one["images"] != other["images"]).any()
    assert not album.probability[shards.testing()].any()
    assert (one["sources"] != one["images"]).any((1, 2, 3)).mean() > 0.3
    assert one["inside"].shape == (16, 32, 32, 1) and one["inside"].max() == 1


def test_points_of_a_mirrored_crop_lie_where_its_features_are(shards):
    album = Album(shards, 16, seed=0)
    batch = album._batch(np.arange(8), np.ones(8, bool))
    for image, points in zip(batch["images"], batch["points"], strict=True):
        x, y = (points[48:68] * SIZE).astype(int).clip(0, SIZE - 1).T
        assert image[y, x].mean() < image.mean()


def test_export_hands_over_a_mask_that_loads(trained, shards, tmp_path):
    trainer, _ = trained
    row = export(trainer.run.folder, shards, tmp_path, crops=100, plan=PLAN)
    assert (row.name, row.architecture) == ("mask", "expression-mask")
    library = Library(Shelf(tmp_path), Shelf(tmp_path / "none"))
    mask = load(library, "mask", "generator")
    trainer_mask = ExpressionMask(PLAN, name="generator")
    own = trainer_mask.trainable_variables
    for variable, tensor in zip(own, trainer.run.state.lists["mean"], strict=False):
        variable.assign(tensor)
    latents = mask.sample(4, seed=0)
    images = ops.convert_to_numpy(mask.decode(latents))
    wanted = ops.convert_to_numpy(trainer_mask.decode(latents))
    np.testing.assert_allclose(images, wanted, atol=0.05)
    people = np.stack([np.concatenate(_person(mask, i)) for i in range(300)])
    mean = weights.arrays(mask)["people_mean"][: PLAN.style]
    np.testing.assert_allclose(people[:, : PLAN.style].mean(0), mean, atol=0.3)


def _person(mask, seed):
    style, shape = mask.person(seed)
    return style, shape.ravel()


def test_a_folder_without_a_training_exports_nothing(shards, tmp_path):
    with pytest.raises(WeightsError, match="no state of a training"):
        export(tmp_path, shards, tmp_path, plan=PLAN)


def test_crops_of_another_size_are_refused(shards, tmp_path):
    with pytest.raises(SettingsError, match="Make the data anew"):
        Trainer(CONFIG, shards, tmp_path)
