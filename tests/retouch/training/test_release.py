"""What a variational training hands over loads as it was learnt."""

import json

import keras
import numpy as np
import pytest
import skimage.data
from PIL import Image

from generators.weights import arrays
from pretrained.loading import load, load_traits
from pretrained.registry import Library, Shelf, library
from retouch.errors import SettingsError
from retouch.faces.detect import Detector
from retouch.geometry import TIGHT
from retouch.models import Model
from retouch.training import straight_moves, vae
from retouch.training.conditions import TOLD_BY
from retouch.training.export import variational
from retouch.training.loop import State, values
from retouch.training.shards import Contents, Share

COUNT, SIDE = 48, 128


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Crops of one face in many lights, with a column of each label."""
    (face,) = Detector(scout=False).find(skimage.data.astronaut())
    picture = Image.fromarray(skimage.data.astronaut())
    to_crop = face.transform(TIGHT, SIDE)
    back = np.array([to_crop.inverse((x, y)) for x, y in ((0, 0), (1, 0), (0, 1))])
    across, down = back[1] - back[0], back[2] - back[0]
    affine = across[0], down[0], back[0, 0], across[1], down[1], back[0, 1]
    shown = picture.transform(
        (SIDE, SIDE), Image.Transform.AFFINE, affine, Image.Resampling.BICUBIC
    )
    rng = np.random.default_rng(0)
    light = rng.uniform(0.7, 1.1, (COUNT, 1, 1, 3))
    crops = np.clip(np.asarray(shown) * light, 0, 255).astype(np.uint8)
    columns = [c for n in variational.LABELLED for c in TOLD_BY.get(n, {n: 1})]
    folder = tmp_path_factory.mktemp("release") / "data"
    folder.mkdir()
    np.savez(
        folder / "omi-0000.npz",
        images=crops,
        landmarks=np.tile(to_crop(face.landmarks), (COUNT, 1, 1)).astype("f4"),
        names=np.array([f"{i}.png" for i in range(COUNT)]),
        sources=np.array(["omi"] * COUNT),
        people=np.array([str(i) for i in range(COUNT)]),
        labels=rng.normal(size=(COUNT, len(columns))).astype("f4"),
        traits=np.array(columns),
    )
    Contents("tight", SIDE, {"omi": Share()}).write(folder)
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run as `retouch train vae` leaves it, but for its learning."""
    keras.utils.set_random_seed(0)
    decoder, encoder = vae.networks()
    own = [*encoder.trainable_variables, *decoder.trainable_variables]
    folder = tmp_path_factory.mktemp("release") / "run"
    folder.mkdir()
    State({"mean": values(own)}, images=640).save(folder / "state.safetensors")
    (folder / "config.json").write_text('{"images": 640}')
    return folder, decoder, encoder


def test_networks_readers_and_vectors_load_as_they_were_learnt(
    data, run, tmp_path, monkeypatch
):
    monkeypatch.setattr(straight_moves, "MOVED", ())  # which take minutes to be sought
    folder, _, encoder = run
    out = tmp_path / "networks"
    path = variational.release(data, folder, out, "vae", name="mine", licence="free")
    record = json.loads(path.read_text())
    assert record["images"] == 640 and record["training"] == {"images": 640}
    shelf = Library(library().shipped, Shelf(out))
    mine = {row.name: row for row in shelf.own.rows()}
    assert set(mine) == {"mine", "mine-encoder", "mine-traits", "mine-means"}
    assert {row.licence for row in mine.values()} == {"free"}
    reader = load_traits(shelf, "mine-traits")
    assert set(record["skill"]) == set(reader.names)
    assert {*reader.names} | {*record["left out"]} >= {*variational.LABELLED}
    for name, array in arrays(load(shelf, "mine-encoder", "encoder")).items():
        np.testing.assert_allclose(array, arrays(encoder)[name], rtol=2e-3, atol=1e-4)
    model = Model.load("mine", shelf)
    with np.load(data / "omi-0000.npz") as shard:
        latents = model.inverter.guess(shard["images"][:2] / np.float32(127.5) - 1)
    assert model.decode(np.asarray(latents)).shape == (2, SIDE, SIDE, 3)
    assert set(model.means) == {*reader.names} - {*variational.UNOFFERED}
    assert {vector.shape for vector in model.means.values()} == {latents[0].shape}


def test_a_kind_that_is_none_is_refused(data, run, tmp_path):
    with pytest.raises(SettingsError, match="kind is one of vae, cvae, vqvae"):
        variational.release(data, run[0], tmp_path, "gan")
