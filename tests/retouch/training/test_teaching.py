"""A generator's own pictures teach what its latents mean."""

import dataclasses

import numpy as np
import pytest
import skimage.data
from keras import ops

from generators import glow
from generators.glow import Glow
from generators.stylegan2 import StyleGAN2, official
from generators.weights import arrays
from pretrained.loading import load_judge, load_traits
from pretrained.registry import Library, Row, Shelf, library
from retouch.errors import WeightsError
from retouch.training.teaching import learn, study, teach
from tests.retouch.training import blobs


def silent(what, part):
    pass


class Portraits:
    """A generator of one portrait whose latents set its light, warmth and contrast."""

    resolution, crop, latent_shape = 256, "ffhq", (1, 3)

    def __init__(self):
        portrait = skimage.data.astronaut()[2:258, 96:352] / np.float32(127.5) - 1
        self.portrait = portrait[None]
        self.mean_latent = np.zeros(self.latent_shape, np.float32)

    def sample(self, count, *, seed):
        rng = np.random.default_rng(seed)
        return rng.standard_normal((count, *self.latent_shape), np.float32)

    def decode(self, latents):
        light, warmth, contrast = (latents[:, 0, i, None, None, None] for i in range(3))
        tint = ops.convert_to_tensor(np.array([0.06, 0, -0.06], np.float32))
        return self.portrait * (1 + 0.1 * contrast) + 0.1 * light + tint * warmth


@pytest.fixture(scope="module")
def guide():
    return load_judge(library(), "guide")


def test_what_a_latent_does_to_pictures_is_learnt(guide):
    faces = study(Portraits(), 48, seed=0, on_step=silent)
    traits = learn(faces, guide, 400)
    rows = {name: traits.step(name) for name in ("light", "warmth", "contrast")}
    moves = {name: traits.space.offset(row[None])[0] for name, row in rows.items()}
    found = [int(np.argmax(np.asarray(move)[0])) for move in moves.values()]
    assert found == [0, 1, 2]
    skill = dict(zip(traits.names, traits.skill, strict=True))
    assert min(skill[name] for name in moves) > 0.9


def test_crops_landmarks_and_latents_belong_together():
    generator, told = Portraits(), []
    faces = study(generator, 6, seed=1, on_step=lambda what, part: told.append(part))
    assert faces.images.shape == (6, 128, 128, 3)
    assert faces.descriptors.shape == (6, 128)
    np.testing.assert_array_equal(faces.latents, generator.sample(6, seed=1))
    brightest = faces.images.mean((1, 2, 3)).argmax()
    assert brightest == faces.latents[:, 0, 0].argmax()
    assert told == sorted(told) and faces.landmarks.min() > 0


@pytest.fixture
def shelves(tmp_path):
    """A library of what ships and of a random network."""
    shelves = Library(library().shipped, Shelf(tmp_path))
    network = StyleGAN2(official(32, 512, 16, width=16, inputs=16, depth=2))
    config = dataclasses.asdict(network.config)
    row = Row("noise", "generator", "noise.safetensors", architecture="stylegan2")
    row = dataclasses.replace(row, config=config, family="noise", crop="ffhq")
    shelves.add(row, arrays(network))
    return shelves


def test_a_generator_of_no_faces_cannot_be_taught(shelves):
    with pytest.raises(WeightsError, match="'noise' cannot be taught: none of its"):
        teach(shelves, "noise", samples=100)
    assert [row.name for row in shelves.own.rows()] == ["noise"]


def test_what_is_known_is_not_learnt_again(shelves):
    with pytest.raises(WeightsError, match="'default-traits' ships with retouch"):
        teach(shelves, "default", samples=100)


def test_crops_teach_a_flow_which_encodes_them_itself(shelves, tmp_path):
    flow = Glow(glow.Config(resolution=8, steps=(2,), hidden=(8,)))
    row = Row("flow", "generator", "flow.safetensors", architecture="glow")
    config = dataclasses.asdict(flow.config)
    row = dataclasses.replace(row, config=config, family="flow", crop="tight")
    shelves.add(row, arrays(flow))
    data = blobs.write(tmp_path / "data")
    out = tmp_path / "out"
    taught = teach(shelves, "flow", data=data, dimensions=12, out=out)
    reader = load_traits(Library(shelves.shipped, Shelf(out)), taught.name)
    assert reader.space.axes.shape == (12, 8 * 8 * 3)
    skill = dict(zip(reader.names, reader.skill, strict=True))
    assert skill["light"] > 0.9
    with pytest.raises(WeightsError, match="'noise' has no encoder"):
        teach(shelves, "noise", data=data)


@pytest.mark.slow
def test_a_taught_generator_is_kept_with_its_reader(shelves):
    row = dataclasses.replace(library().row("default"), name="mine", family="mine")
    row = dataclasses.replace(row, file="mine.safetensors")
    shelves.add(row, library().weights("default"))
    taught = teach(shelves, "mine", samples=120)
    reader = load_traits(shelves, taught.name)
    assert taught.name == "mine-traits" and taught.family == "mine"
    assert {"attractive", "age", "light"} <= set(reader.names)
    assert np.isfinite(reader.slopes).all()
