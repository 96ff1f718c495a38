"""Fine-tuning on a tiny generator with random weights."""

import keras
import numpy as np
import pytest

from generators.stylegan2 import Config, StyleGAN2, official
from generators.weights import arrays
from retouch.errors import WeightsError
from retouch.inversion.tune import MOST, Tuner, Tuning, plan, tuned

SIZE = 32


@pytest.fixture(scope="module")
def generator():
    keras.utils.set_random_seed(3)
    plan = Config(SIZE, (16, 16, 8), width=16, depth=0, code=4, noise=False)
    return StyleGAN2(plan)


@pytest.fixture(scope="module")
def face(generator):
    """A picture that the generator cannot draw from these latents."""
    latents, other = np.asarray(generator.sample(2, seed=1))
    image = np.asarray(generator.decode(other[None]))[0]
    return image, np.ones((SIZE, SIZE, 1), "f4"), latents


@pytest.fixture(scope="module")
def tuner(generator):
    return Tuner(generator)


@pytest.fixture(scope="module")
def done(tuner, face):
    return tuner.tune(*face, steps=60)


def _gap(generator, latents, image):
    return np.abs(np.asarray(generator.decode(latents[None]))[0] - image).mean()


def test_tuning_brings_the_picture_nearer(generator, face, done):
    image, _, latents = face
    own = tuned(generator, done.deltas)
    assert _gap(own, latents, image) < 0.8 * _gap(generator, latents, image)
    assert done.losses.min() < 0.8 * done.losses[0]


def test_the_generator_itself_stays_as_it_was(generator, tuner, face):
    before = arrays(generator)
    tuner.tune(*face, steps=2)
    for name, weight in arrays(generator).items():
        np.testing.assert_array_equal(weight, before[name], err_msg=name)


def test_no_change_is_the_generator_itself(generator, tuner, face):
    nothing = {n: np.zeros_like(d) for n, d in _untrained(tuner, face).items()}
    own = tuned(generator, nothing)
    for name, weight in arrays(own).items():
        np.testing.assert_array_equal(weight, arrays(generator)[name], err_msg=name)


def test_at_first_nothing_is_changed(generator, tuner, face):
    _, _, latents = face
    own = tuned(generator, _untrained(tuner, face))
    assert _gap(own, latents, np.asarray(generator.decode(latents[None]))[0]) < 1e-6


def _untrained(tuner, face):
    return tuner.tune(*face, steps=0).deltas


def test_locality_holds_the_pictures_of_other_latents(generator, face, done):
    others = np.asarray(generator.sample(8, seed=5))
    before = np.asarray(generator.decode(others))

    def moved(deltas):
        own = tuned(generator, deltas)
        return float(np.abs(np.asarray(own.decode(others)) - before).mean())

    free = Tuner(generator, tuning=Tuning(steps=60, locality=0.0)).tune(*face)
    assert moved(done.deltas) < 0.8 * moved(free.deltas)


def test_the_same_face_is_tuned_to_the_same_bytes(generator, tuner, face):
    both = tuner, Tuner(generator)
    first, second = (each.tune(*face, steps=3).deltas for each in both)
    assert all(first[name].tobytes() == second[name].tobytes() for name in first)


def test_the_step_is_compiled_once(tuner, face):
    for steps in (1, 2):
        tuner.tune(*face, steps=steps)
    assert tuner._improve.experimental_get_tracing_count() == 1


def test_an_interrupt_keeps_the_best_so_far(tuner, face):
    def stop(part, loss):
        raise KeyboardInterrupt

    done = tuner.tune(*face, steps=50, on_step=stop)
    assert len(done.losses) == 1 and done.deltas


@pytest.mark.parametrize("config", [official(64), Config(SIZE, (16, 16, 8), width=16)])
def test_a_face_takes_less_than_two_mebibytes(config):
    shapes = [shape for pair in plan(StyleGAN2(config)).values() for shape in pair]
    numbers = sum(int(np.prod(shape)) for shape in shapes)
    assert 2 * numbers < 2 * 2**20 and numbers <= MOST


def test_a_tuning_of_another_model_is_refused(generator, done):
    plan = Config(SIZE, (16, 8, 8), width=16, depth=0, code=4, noise=False)
    with pytest.raises(WeightsError, match="does not fit the model"):
        tuned(StyleGAN2(plan), done.deltas)
