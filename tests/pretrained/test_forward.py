import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import scorers.blemishes
import scorers.parsing
from pretrained.forward import Forward

ROOT = Path(__file__).parents[2]


SEEN = 3 * scorers.blemishes.BANDS + 3  # channels


@pytest.mark.parametrize(
    ("module", "channels"), [(scorers.parsing, 3), (scorers.blemishes, SEEN)]
)
def test_the_runtime_gives_what_keras_gives(module, channels):
    from generators import weights
    from retouch.training.builder import built

    model = built(module.network, 64, "small", channels)
    rng = np.random.default_rng(0)
    for variable in model.weights:
        spread = 1 / np.sqrt(np.prod(variable.shape[:-1]))
        variable.assign(spread * rng.standard_normal(variable.shape, np.float32))
    images = rng.uniform(-1, 1, (2, 64, 64, channels)).astype(np.float32)
    wanted = np.asarray(model(images))
    found = Forward(module.network, weights.arrays(model))(images)
    assert found.shape == wanted.shape
    assert np.abs(found - wanted).max() < 1e-4 * np.abs(wanted).max()


def test_a_network_takes_pictures_of_several_sizes():
    from generators import weights
    from retouch.training.builder import built

    model = built(scorers.blemishes.network, None, "any", SEEN)
    run = Forward(scorers.blemishes.network, weights.arrays(model))
    for height, width in ((32, 48), (64, 16)):
        assert run(np.zeros((1, height, width, SEEN))).shape[:3] == (1, height, width)


def test_running_forwards_loads_no_tensorflow():
    check = (
        "import sys, numpy as np; from retouch.faces.parse import Parser;"
        "Parser(); sys.exit('tensorflow' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", check], cwd=ROOT).returncode == 0
