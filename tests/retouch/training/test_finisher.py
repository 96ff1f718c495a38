import numpy as np
import pytest
from skimage import data

from generators import finisher_graph
from pretrained import forward_models
from pretrained.registry import Library, Shelf
from retouch.errors import SettingsError, WeightsError
from retouch.faces.crop import cut
from retouch.faces.detect import Detector
from retouch.geometry import LOWER_INSIDE, TIGHT, UPPER_INSIDE
from retouch.models import Model
from retouch.photos.photo import Photo
from retouch.smoothing import smoothed
from retouch.training import mouths
from retouch.training.critics import Eyes
from retouch.training.finisher import Trainer, train
from retouch.training.mouths import HEIGHT, WIDTH, Mouths
from retouch.training.options import FinisherConfig
from retouch.training.shards import Contents, Shards
from scorers.parsing import BLOCKS, STEM

QUICK = {"images": 120, "batch": 4, "warm_up": 2, "width": 4, "rate": 1e-2}


@pytest.fixture(scope="module")
def eyes(tmp_path_factory):
    """Return eyes that have seen nothing."""
    rng, arrays, channels = np.random.default_rng(0), {}, STEM
    shapes = {"stem": (3, 3, 3, STEM)}
    for i, (kernel, _, wider, width) in enumerate(BLOCKS):
        inner = channels * wider
        if wider > 1:
            shapes[f"{i}.e"] = 1, 1, channels, inner
        shapes[f"{i}.d"] = kernel, kernel, inner
        shapes[f"{i}.p"] = 1, 1, inner, width
        channels = width
    for name, shape in shapes.items():
        deep = np.prod(shape[: 2 if name.endswith("d") else 3])
        arrays[f"{name}.w"] = rng.normal(0, deep**-0.5, shape)
        arrays[f"{name}.b"] = np.zeros(shape[-1])
    path = tmp_path_factory.mktemp("eyes") / "eyes.npz"
    np.savez(path, **arrays)
    return Eyes(path)


@pytest.fixture(scope="module")
def teeth():
    """Return mouths of stripes, sharp and blurred."""
    rng = np.random.default_rng(1)
    phases = rng.uniform(0, 6, (64, 1, 1))
    stripes = 128 + 90 * np.sign(np.sin(np.arange(WIDTH) * 0.8 + phases))
    sharp = np.broadcast_to(stripes[..., None], (64, HEIGHT, WIDTH, 3))
    soft = np.stack([smoothed(s.astype(np.float32), 2.0) for s in sharp])
    shown = np.zeros((64, HEIGHT, WIDTH), np.uint8)
    shown[:, 16:48, 16:80] = 255
    apart = np.linspace(0.1, 0.3, 64, dtype=np.float32)
    sharp, soft = sharp.astype(np.uint8), soft.astype(np.uint8)
    return Mouths(soft, sharp, shown, shown, apart, soft[::-1], shown, apart[::-1])


def _inside(trainer):
    return trainer.report()["aside"]


def test_copies_get_as_sharp_as_their_originals(tmp_path, eyes, teeth):
    options = FinisherConfig(**QUICK | {"images": 400}, fool=0.2)
    trainer = Trainer(options, teeth, tmp_path / "run", eyes)
    before = _inside(trainer)
    trainer.train()
    assert _inside(trainer) < 0.8 * before
    trainer.export(tmp_path / "out", "none", "own")
    library = Library(Shelf(tmp_path / "out"), Shelf(tmp_path))
    network = forward_models.load(library, "own-finisher", "finisher")
    picture = np.zeros((1, 256, 256, 3), np.float32)
    own = trainer.network.finish(picture)
    np.testing.assert_allclose(network.finish(picture), own, atol=0.02)
    top, *_ = finisher_graph.edges(network.differentiable.config.window, 256)
    assert (network.finish(picture)[:, :top] == 0).all()


def test_a_training_goes_on_where_it_was_stopped(tmp_path, eyes, teeth):
    few = FinisherConfig(**QUICK | {"images": 8})
    whole = Trainer(few, teeth, tmp_path / "whole", eyes)
    whole.train()
    part = Trainer(few, teeth, tmp_path / "part", eyes)
    part.run.until = 4
    part.train()
    rest = Trainer(few, teeth, tmp_path / "part", eyes)
    assert rest.run.state.images == 4
    rest.train()
    for one, other in zip(
        *(t.run.state.lists["own"] for t in (whole, rest)), strict=True
    ):
        np.testing.assert_allclose(one, other, atol=1e-4)


def test_drawn_mouths_are_compared_with_real_ones_as_open(teeth, monkeypatch):
    monkeypatch.setattr(mouths, "ALIKE", 3)
    rows = np.arange(64)
    found = teeth.alike(rows, np.random.default_rng(0))
    gaps = np.abs(teeth.apart[found] - teeth.drawn_apart[rows])
    assert gaps.max() < 4.5 * np.diff(teeth.apart).max()


def test_mouths_are_people_s_own_and_those_that_smiles_draw(monkeypatch):
    photo = Photo(data.astronaut())
    (face,) = Detector().find(photo.pixels)
    place = face.transform(TIGHT, 256)
    image = np.rint(cut(photo.pixels, place, 256)).clip(0, 255).astype(np.uint8)
    smiling = place(face.landmarks)
    closed = smiling.copy()
    middle = (closed[UPPER_INSIDE] + closed[LOWER_INSIDE]) / 2
    closed[UPPER_INSIDE] = closed[LOWER_INSIDE] = middle
    names = np.array([str(i) for i in range(40)])
    shards = Shards(
        np.stack([image] * 40),
        np.stack([smiling, closed] * 20).astype(np.float32),
        names,
        np.array(["x"] * 40),
        names,
        np.zeros((40, 0), np.float32),
        (),
        Contents("tight", 256),
    )
    model = Model.load("default")
    with pytest.raises(SettingsError, match="a finisher needs"):
        Mouths.of(shards, model)
    monkeypatch.setattr(mouths, "FEW", 1)
    found = Mouths.of(shards, model)
    held = int(shards.testing().sum())
    shut = len(found.drawn)
    parted = 40 - held - shut
    assert held and len(found.copies) == parted + min(shut, parted // 2)
    assert (found.apart[: min(shut, parted // 2)] < mouths.AJAR).all()
    assert found.copies.shape[1:] == (HEIGHT, WIDTH, 3)
    # The copy is the picture's, but softer; what is looked at lies between the lips.
    gap = np.abs(found.copies.astype(float) - found.originals).mean()
    assert 1 < gap < 30
    teeth, lips = ((p[-9:] > 127).mean() for p in (found.teeth, found.lips))
    assert 0.02 < teeth < lips < 0.8
    assert (found.drawn_apart > mouths.PARTED).all()


def test_a_file_that_holds_no_eyes_is_said_before_anything_is_drawn(tmp_path):
    (tmp_path / "eyes.npz").write_bytes(b"no eyes")
    options, run = FinisherConfig(**QUICK), tmp_path / "run"
    with pytest.raises(WeightsError, match="EfficientNet-Lite0"):
        train(tmp_path / "data", run, options, eyes=tmp_path / "eyes.npz")
    assert not run.exists()
