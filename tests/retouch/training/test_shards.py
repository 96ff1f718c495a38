import numpy as np
import pytest

from retouch.errors import SettingsError
from retouch.training.shards import Batches, Contents, Shards, Share
from tests.retouch.training import blobs

SHAPE = (8, 16)


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    return Shards.read(blobs.write(tmp_path_factory.mktemp("shards")))


def drawn(shards, batches, steps):
    """Return the index of every crop of many batches, mirrored ones too."""
    keys = {}
    for i, crop in enumerate(shards.images):
        keys[crop.tobytes()] = keys[crop[:, ::-1].tobytes()] = i
    found = []
    for step in range(steps):
        images = batches.draw(step, 4, SHAPE)["images"]
        crops = np.rint((images + 1) * 127.5).astype(np.uint8)
        found.append([keys[crop.tobytes()] for crop in crops])
    return np.array(found)


def test_a_batch_depends_on_seed_and_step_alone(shards):
    first, again = Batches(shards, 8, seed=3), Batches(shards, 8, seed=3)
    again.draw(4, 4, SHAPE)
    one, same = first.draw(5, 4, SHAPE), again.draw(5, 4, SHAPE)
    assert all(np.array_equal(one[name], same[name]) for name in one)
    for other in (first.draw(6, 4, SHAPE), Batches(shards, 8, 4).draw(5, 4, SHAPE)):
        assert not np.array_equal(one["images"], other["images"])
        assert not np.array_equal(one["noise"], other["noise"])


def test_people_held_out_are_never_drawn(shards):
    testing = shards.testing()
    assert 0 < testing.sum() < len(testing) / 5
    index = drawn(shards, Batches(shards, 8, 0), 300)
    assert not testing[index].any()
    pairs = np.char.add(shards.sources, shards.people)
    assert not set(pairs[testing]) & set(pairs[~testing])


def test_pictures_held_out_are_of_those_people(shards):
    held = {crop.tobytes() for crop in shards.images[shards.testing()]}
    images = shards.held_out(5)
    crops = np.rint((images + 1) * 127.5).astype(np.uint8)
    assert {crop.tobytes() for crop in crops} <= held


def test_of_very_few_people_one_is_held_out(tmp_path):
    blobs.shard(tmp_path, "few", ["a.png", "b.png", "c.png"])
    Contents("tight", blobs.SIZE).write(tmp_path)
    assert Shards.read(tmp_path).testing().sum() == 1


def test_a_batch_begins_with_a_trait_growing(shards):
    index = drawn(shards, Batches(shards, 8, 0), 50)
    for names in shards.names[index[:, :3]]:
        stems = {name.rsplit("_", 1)[0] for name in names}
        levels = [name.rsplit("_", 1)[1] for name in names]
        assert len(stems) == 1
        assert levels == ["0.png", "1.png", "2.png"]


def test_sums_and_mixtures_keep_the_whole(shards):
    batches = Batches(shards, 8, 0)
    for step in range(50):
        inputs = batches.draw(step, 4, SHAPE)
        for name in ("arithmetic", "mix_styles", "mix_code"):
            np.testing.assert_allclose(inputs[name].sum(1), 1, rtol=1e-6)
        assert np.array_equal(inputs["arithmetic"][3:], np.eye(8)[3:])
        assert inputs["mix_styles"].shape == inputs["mix_code"].shape == (4, 8)


def test_sums_hold_for_a_latent_that_grows_evenly(shards):
    start, growth = np.random.default_rng(0).normal(size=(2, 5))
    latents = start + growth * np.arange(3)[:, None]
    for step in range(20):
        sums = Batches(shards, 8, 0).draw(step, 4, SHAPE)["arithmetic"][:3, :3]
        np.testing.assert_allclose(sums @ latents, latents, atol=1e-6)


def test_weights_of_the_folder_decide_how_often_a_source_is_drawn(shards):
    index = drawn(shards, Batches(shards, 8, 0), 400)[:, 3:]
    allowed = ~shards.testing()
    faces = (allowed & (shards.sources == "faces")).sum() * 2
    steps = (allowed & (shards.sources == "steps")).sum()
    share = (shards.sources[index] == "faces").mean()
    assert abs(share - faces / (faces + steps)) < 0.05


def test_weights_given_to_a_training_win(shards):
    batches = Batches(shards, 8, 0, weights={"faces": 0})
    assert set(shards.sources[drawn(shards, batches, 20)].ravel()) == {"steps"}
    with pytest.raises(SettingsError, match="none is left to train on"):
        Batches(shards, 8, 0, weights={"faces": 0, "steps": 0})


def test_labels_of_several_sources_are_joined(tmp_path):
    blobs.shard(tmp_path, "one", ["a.png"], labels=[[1.0, 2.0]], traits=["age", "glad"])
    blobs.shard(tmp_path, "other", ["b.png"], labels=[[3.0]], traits=["glad"])
    Contents("tight", blobs.SIZE).write(tmp_path)
    shards = Shards.read(tmp_path)
    assert shards.traits == ("age", "glad")
    np.testing.assert_array_equal(shards.labels, [[1, 2], [np.nan, 3]])


def test_what_a_folder_says_of_itself_is_read_back(tmp_path):
    contents = Contents("ffhq", 64, {"own": Share(0.5, series=True)})
    contents.write(tmp_path)
    assert Contents.read(tmp_path) == contents


def test_a_folder_without_data_is_named_with_the_remedy(tmp_path):
    with pytest.raises(SettingsError, match="retouch train data"):
        Shards.read(tmp_path)
    Contents("tight", 16).write(tmp_path)
    with pytest.raises(SettingsError, match="holds no crops"):
        Shards.read(tmp_path)


@pytest.mark.parametrize("record", ["", "[]", "{}", '{"crop": "tight", "sources": {}}'])
def test_a_folder_that_does_not_say_what_it_holds_is_one_sentence(record, tmp_path):
    (tmp_path / "data.json").write_text(record)
    with pytest.raises(SettingsError, match=r"data\.json does not say .* Remove it"):
        Contents.read(tmp_path)
