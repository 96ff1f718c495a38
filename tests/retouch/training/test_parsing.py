import numpy as np
import pytest
from PIL import Image

from pretrained.forward import Forward
from pretrained.registry import Library, Shelf
from retouch.errors import SettingsError, WeightsError
from retouch.geometry import Similarity
from retouch.training import healing, parsing, parts, patches
from retouch.training.heads import Head, Heads, drawn, person
from retouch.training.options import HealingConfig, ParsingConfig
from retouch.training.shards import Contents, Shards
from scorers import blemishes
from scorers.parsing import PARTS, network
from tests.retouch.training.test_parts import head, picture
from tests.retouch.training.untraced import untraced

TINY = {"images": 8, "batch": 4, "warm_up": 1}


def heads():
    image, marks = picture(), head()
    sets = parts.of_landmarks(image, marks, glasses=False)
    plain = np.full(image.shape[:2], parts.BIT["skin"], np.int32)
    return [
        Head("a", image, plain, marks, drawn=True),
        *(Head(str(i), image, sets, marks) for i in range(2)),
    ]


def shards(count=24):
    images, marks = np.stack([picture()] * count), np.stack([head()] * count)
    names = np.array([str(i) for i in range(count)])
    sources, labels = np.array(["x"] * count), np.zeros((count, 0), np.float32)
    contents = Contents("tight", 256)
    known = marks.astype(np.float32), names, sources, names, labels
    return Shards(images, *known, (), contents)


def test_a_batch_depends_on_seed_and_step_alone():
    one, two = (Heads(heads(), 4, seed=3).draw(5) for _ in range(2))
    assert (one[0] == two[0]).all() and (one[1] == two[1]).all()
    assert np.abs(one[0]).max() <= 1
    other = Heads(heads(), 4, seed=3).draw(6)
    assert (one[0] != other[0]).any()


def test_beyond_a_picture_nothing_is_known():
    scene = heads()[0].placed(Similarity.shifting(100, 0))
    assert (scene.sets[:, :100] == parts.ANYTHING).all()
    assert (scene.sets[:, 100:] == parts.BIT["skin"]).all()


def test_drawn_masks_and_crops_are_both_needed():
    with pytest.raises(SettingsError, match="got 1 and 0"):
        Heads(heads()[:1], 4, seed=0)


def test_outlined_pictures_are_drawn_too():
    image, marks = picture(), head()
    front = np.full(image.shape[:2], parts.BIT["front"], np.int32)
    seen = [*heads(), Head("c", image, front, marks, outlined=True)]
    sets = Heads(seen, 40, seed=1).draw(0)[1]
    whole = (sets == parts.BIT["front"]) | (sets == parts.ANYTHING)
    assert 2 <= (whole.mean((1, 2)) > 0.95).sum() <= 16


def test_two_pictures_of_one_person_are_of_one_person():
    assert person("personne01143_0-45") == person("personne01246_0_0") == "personne01"
    assert person("f1") != person("f10")


def test_pictures_without_a_face_are_left_out(tmp_path):
    Image.fromarray(picture()).save(tmp_path / "a.webp")
    Image.new("P", (256, 256)).save(tmp_path / "a.png")
    assert list(drawn(tmp_path)) == []


def test_no_trunk_in_a_file_is_said(tmp_path):
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    trainer = parsing.Trainer(ParsingConfig(**TINY), heads(), tmp_path, 9.0)
    with pytest.raises(WeightsError, match="no EfficientNet-Lite0"):
        trainer.begin(tmp_path / "other.npz", None)


@pytest.fixture(scope="module")
def handed(tmp_path_factory):
    """Return a trainer that was stopped and went on, and where its network is."""
    run, out = (tmp_path_factory.mktemp(name) for name in ("run", "out"))
    for images in (4, 8):
        options = ParsingConfig(**{**TINY, "images": images})
        trainer = parsing.Trainer(options, heads(), run, 9.0)
        with untraced():  # traced below, where what it began with stays
            trainer.train()
    trainer.export(out, "none")
    return trainer, out


def test_a_training_begins_with_a_network(handed, tmp_path):
    first, out = handed
    other = parsing.Trainer(ParsingConfig(**TINY), heads(), tmp_path, 9.0)
    other.begin(out / "parsing.safetensors", None)
    pairs = zip(first.network.get_weights(), other.network.get_weights(), strict=True)
    assert all(np.allclose(a, b, atol=2e-3) for a, b in pairs)
    (tmp_path / "other.safetensors").write_bytes(b"no weights")
    with pytest.raises(WeightsError, match="no parsing network"):
        other.begin(tmp_path / "other.safetensors", None)


def test_what_it_began_with_may_stay_in_part(tmp_path):
    options = ParsingConfig(**TINY, rate=0.01, stay=0.25)
    trainer = parsing.Trainer(options, heads(), tmp_path / "run", 9.0)
    first = np.array(trainer.first[0])
    trainer.train()
    learnt = np.array(trainer.run.state.lists["mean"][0])
    trainer.export(tmp_path / "out", "none")
    assert np.abs(learnt - first).max() > 1e-3
    mixed = np.array(trainer.own[0].value)
    assert mixed == pytest.approx(0.75 * learnt + 0.25 * first, abs=1e-6)


def test_parsing_learns_goes_on_and_is_handed_over(handed, tmp_path):
    trainer, out = handed
    assert trainer.run.state.images == 8
    weights = Library(Shelf(out), Shelf(tmp_path)).weights("parsing", "scorer")
    logits = Forward(network, weights)(np.zeros((1, 256, 256, 3)))
    assert logits.shape == (1, 256, 256, len(PARTS)) and np.isfinite(logits).all()


def test_healing_learns_what_was_painted(tmp_path):
    run, out = tmp_path / "run", tmp_path / "out"
    options = HealingConfig(**{**TINY, "images": 160, "rate": 3e-3})
    trainer = healing.Trainer(options, shards(), run, 9.0)
    first = trainer.report()["aside"]
    trainer.train()
    assert trainer.report()["aside"] < 0.8 * first
    trainer.export(out, "none")
    weights = Library(Shelf(out), Shelf(tmp_path)).weights("healing", "scorer")
    seen = np.zeros((1, 64, 64, 3 * blemishes.BANDS + 3))
    assert Forward(blemishes.network, weights)(seen).shape[-1] == 3
    kept = out / "healing.safetensors"
    other = healing.Trainer(options, shards(), tmp_path / "other", 9.0, kept)
    assert other.report()["left"] == pytest.approx(trainer.report()["left"], rel=0.02)


def test_no_weights_to_begin_with_are_said(tmp_path):
    (tmp_path / "other.safetensors").write_bytes(b"no weights")
    with pytest.raises(WeightsError, match="holds no weights"):
        run, file = tmp_path / "run", tmp_path / "other.safetensors"
        healing.Trainer(HealingConfig(**TINY), shards(), run, 9.0, file)


def test_what_was_painted_is_in_the_patches(monkeypatch):
    monkeypatch.setattr(patches, "KEPT", 12)
    shown, stained, weight = patches.Patches(shards(), 8, seed=1).draw(2)
    again = patches.Patches(shards(), 8, seed=1).draw(2)
    assert (shown == again[0]).all() and (stained == again[1]).all()
    assert shown.shape == (*stained.shape[:3], 3 * blemishes.BANDS + 3)
    assert np.isfinite(shown).all() and np.abs(stained).max() > 3
    assert set(np.unique(weight)) <= {0.0, 1.0}
    # What the network sees without the stains is skin again, wherever that counts.
    spots = np.abs(stained).max(-1) > 3
    clean = blemishes.unseen(shown) - stained
    red = [lab[spots & (weight > 0), 1].mean() for lab in (clean + stained, clean)]
    assert red[0] > red[1] + 2


def test_bands_of_a_stained_skin_are_those_of_skin_and_stain():
    rng = np.random.default_rng(0)
    skin, stain = rng.uniform(0, 60, (2, 48, 48, 3)).astype(np.float32)
    grey = np.broadcast_to(blemishes.GREY, stain.shape)
    both, first, second = (
        blemishes.seen(*blemishes.bands(x, 150.0))
        for x in (skin + stain, skin, stain + grey)
    )
    assert np.abs(both - first - second).max() < 1e-4
    assert np.abs(blemishes.unseen(both) - skin - stain).max() < 1e-3


def test_spots_of_the_crop_are_no_lesson_but_its_folds_and_nostrils_are():
    size = patches.PATCH
    v, u = np.mgrid[:size, :size]
    lab = np.tile(np.float32([60, 12, 15]), (size, size, 1))
    spot, nostril = (np.hypot(u - x, v - y) < 4 for x, y in ((30, 30), (100, 100)))
    fold = (np.abs(v - 70 - 0.1 * u) < 2.5) & (u > 20) & (u < 80)
    lab[..., 1] += 9 * (spot | nostril | fold)
    marks = np.full((68, 2), 100.5)
    own = patches._own_spots(lab, np.ones((size, size), bool), marks, 300.0)
    assert own[spot].all()
    assert not own[fold].any() and not own[nostril].any()
