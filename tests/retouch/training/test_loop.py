import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops
from PIL import Image
from safetensors.numpy import save_file

from generators.adam import Adam, averaged
from retouch.errors import WeightsError
from retouch.training.loop import Run, State, clipped, sheet, using, values

ROOT = Path(__file__).parents[3]
RNG = np.random.default_rng(0)


def tensors(*shapes):
    drawn = [RNG.standard_normal(shape).astype(np.float32) for shape in shapes]
    return [ops.convert_to_tensor(array) for array in drawn]


def arrays(found):
    return [ops.convert_to_numpy(tensor) for tensor in found]


def test_adam_takes_the_steps_of_keras():
    own = tensors((3, 2), (4,))
    adam, theirs = Adam(0.01), keras.optimizers.Adam(0.01, 0.9, 0.99, epsilon=1e-8)
    variables = [keras.Variable(tensor) for tensor in own]
    state = adam.start(own)
    for _ in range(6):
        slopes = tensors((3, 2), (4,))
        own, state = adam.apply(state, slopes, own)
        theirs.apply(slopes, variables)
        for one, other in zip(arrays(own), arrays(values(variables)), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-7)


def test_the_step_size_warms_up_and_decays_along_a_cosine():
    adam, own = Adam(0.1, warm_up=4, decay_over=8), tensors((1,))
    state, sizes = adam.start(own), []
    for _ in range(10):
        # Adam moves by the step size along a slope that stays the same.
        moved, state = adam.apply(state, [ops.ones(1)], own)
        sizes.append(float(own[0][0] - moved[0][0]))
        own = moved
    step = np.arange(1, 11)
    cosine = 0.02 + 0.49 * (1 + np.cos(np.pi * np.minimum(1, step / 8)))
    wanted = 0.1 * np.minimum(1, step / 4) * cosine
    np.testing.assert_allclose(sizes, wanted, rtol=1e-3)


def test_a_long_gradient_is_shortened_and_a_short_one_kept():
    gradients = tensors((5,), (2, 2))
    length = np.sqrt(sum((array**2).sum() for array in arrays(gradients)))
    short, norm = clipped(gradients, 0.5)
    np.testing.assert_allclose(float(norm), length, rtol=1e-6)
    for one, other in zip(arrays(short), arrays(gradients), strict=True):
        np.testing.assert_allclose(one, other * 0.5 / length, rtol=1e-5)
    same, _ = clipped(gradients, 100.0)
    assert all(map(np.array_equal, arrays(same), arrays(gradients)))


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_a_gradient_that_is_no_number_moves_nothing(wrong):
    still, _ = clipped([ops.convert_to_tensor([1.0, wrong]), ops.ones(3)], 1.0)
    assert not any(array.any() for array in arrays(still))


def test_averages_move_towards_the_tensors():
    means, own = tensors((3,)), tensors((3,))
    (found,) = arrays(averaged(means, own, 0.75))
    wanted = 0.75 * arrays(means)[0] + 0.25 * arrays(own)[0]
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-7)


def test_variables_are_used_with_other_values_and_keep_their_own():
    layer = keras.layers.Dense(2, use_bias=False)
    layer.build((None, 2))
    before = arrays(values(layer.trainable_variables))
    with using(layer.trainable_variables, [ops.eye(2)]):
        np.testing.assert_array_equal(layer(np.eye(2)), np.eye(2))
    assert np.array_equal(arrays(values(layer.trainable_variables))[0], before[0])


def test_a_state_is_read_back_as_it_was_written(tmp_path):
    state = State({"own": tensors((2, 3), (4,)), "adam": tensors((), (5,))}, images=48)
    state.save(tmp_path / "state.safetensors")
    other = State({"own": tensors((2, 3), (4,)), "adam": tensors((), (5,))})
    assert other.load(tmp_path / "state.safetensors") == []
    assert other.images == 48
    for name, wanted in state.lists.items():
        assert all(map(np.array_equal, arrays(other.lists[name]), arrays(wanted)))


def test_a_list_of_other_shapes_begins_anew_and_that_is_noted(tmp_path):
    path = tmp_path / "state.safetensors"
    State({"own": tensors((2,)), "critic": tensors((3,))}, 8).save(path)
    critic = tensors((4,))
    run = Run(tmp_path, State({"own": tensors((2,)), "critic": critic}), 4, 8)
    assert run.state.lists["critic"][0] is critic[0]
    assert run.state.images == 8
    assert "critic" in (tmp_path / "metrics.jsonl").read_text()


def test_the_state_of_another_network_is_refused(tmp_path):
    path = tmp_path / "state.safetensors"
    State({"own": tensors((2,))}).save(path)
    with pytest.raises(WeightsError, match="another network"):
        State({"own": tensors((3,))}).load(path)


def test_a_damaged_state_is_refused(tmp_path):
    path = tmp_path / "state.safetensors"
    path.write_bytes(b"no state")
    with pytest.raises(WeightsError, match="damaged"):
        State({"own": tensors((2,))}).load(path)
    save_file({"own/0000": np.zeros(2, np.float32)}, path)
    with pytest.raises(WeightsError, match="damaged"):
        State({"own": tensors((2,))}).load(path)


class Counting:
    """A step that adds its number, so that each must be taken once and in order."""

    def __init__(self, folder, minutes=float("inf")):
        self.run = Run(folder, State({"own": [ops.zeros(())]}), 4, 40, minutes)

    def step(self, index):
        (value,) = self.run.state.lists["own"]
        self.run.state.lists = {"own": [value * 2 + index]}
        return {"loss": index}

    def go(self):
        self.run.go(self.step, lambda: {"psnr": 1.0})
        return float(self.run.state.lists["own"][0])


def test_a_run_in_slices_takes_the_same_steps(tmp_path):
    whole = Counting(tmp_path / "whole").go()
    for _ in range(10):
        last = Counting(tmp_path / "slices", minutes=0).go()
    assert last == whole
    lines = (tmp_path / "slices/metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["images"] for line in lines] == list(range(4, 44, 4))
    Counting(tmp_path / "slices").go()
    assert (tmp_path / "slices/metrics.jsonl").read_text().splitlines() == lines


def test_metrics_hold_the_mean_of_each_loss(tmp_path):
    Counting(tmp_path).go()
    (line,) = (tmp_path / "metrics.jsonl").read_text().splitlines()
    record = json.loads(line)
    assert record["loss"] == 4.5
    assert record["psnr"] == 1.0
    assert record["rate"] > 0


def test_control_c_saves_before_it_ends(tmp_path):
    counting = Counting(tmp_path)

    def step(index):
        if index == 3:
            raise KeyboardInterrupt
        return counting.step(index)

    with pytest.raises(KeyboardInterrupt):
        counting.run.go(step, dict)
    assert Counting(tmp_path).run.state.images == 12


def test_a_sheet_shows_the_images_row_by_row(tmp_path):
    images = np.linspace(-1, 1, 3)[:, None, None, None] * np.ones((3, 4, 5, 3))
    sheet(images, 2, tmp_path / "sheet.png")
    pixels = np.asarray(Image.open(tmp_path / "sheet.png"))
    assert pixels.shape == (8, 10, 3)
    assert pixels[::4, ::5, 0].tolist() == [[0, 128], [255, 0]]


FULL_DISK = """
import resource, sys
from pathlib import Path
from keras import ops
from retouch.errors import WeightsError
from retouch.training.loop import State
path = Path(sys.argv[1]) / "state.safetensors"
State({"own": [ops.zeros(2)]}, 8).save(path)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    State({"own": [ops.zeros(9999)]}, 16).save(path)
except WeightsError as error:
    print(error)
"""


def test_a_full_disk_leaves_the_state_before_it(tmp_path):
    pytest.importorskip("resource")
    command = [sys.executable, "-c", FULL_DISK, tmp_path]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    assert "failed" in ran.stdout and "goes on from what was written" in ran.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["state.safetensors"]
    state = State({"own": tensors((2,))})
    state.load(tmp_path / "state.safetensors")
    assert state.images == 8
