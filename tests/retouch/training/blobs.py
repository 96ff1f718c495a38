"""Crops of 16 pixels that are soft blobs of colour, and networks as small."""

import shutil

import numpy as np

from encoders import compact
from generators import stylegan2
from retouch.training.plan import Plan
from retouch.training.shards import Contents, Share
from tests.retouch.drawing import drawn_face

SIZE = 16
PLAN = Plan(
    stylegan2.Config(
        resolution=SIZE,
        channels=(16, 8, 8),
        width=16,
        depth=0,
        code=4,
        noise=False,
        crop="tight",
    ),
    compact.Config(
        resolution=SIZE, channels=(8, 16), layers=6, width=16, code=4, neck=16
    ),
    discriminator=(8, 16, 16),
)


def images(count, seed=0):
    """Return crops (N, 16, 16, 3), each of four blobs."""
    rng = np.random.default_rng(seed)
    y, x = (np.mgrid[:SIZE, :SIZE] + 0.5) / SIZE
    crops = np.zeros((count, SIZE, SIZE, 3))
    for _ in range(4):
        across, down = rng.random((2, count, 1, 1))
        spot = np.exp(-((x - across) ** 2 + (y - down) ** 2) / 0.05)
        crops += spot[..., None] * rng.random((count, 1, 1, 3))
    return (127 * crops).clip(0, 255).astype(np.uint8)


def shard(folder, source, names, **beside):
    """Write one shard; return its crops."""
    crops = images(len(names), seed=len(source))
    arrays = {
        "images": crops,
        "landmarks": np.tile(drawn_face(SIZE).landmarks, (len(names), 1, 1)),
        "names": np.array(names),
        "sources": np.array([source] * len(names)),
        "people": np.array([name.split("_")[0] for name in names]),
    }
    np.savez(folder / f"{source}-0000.npz", **(arrays | beside))
    return crops


def write(folder):
    """Write data of two sources, one of them of series; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    ends = [f"{trait}_{level}.png" for trait in ("glad", "old") for level in range(3)]
    people = [f"p{i}_{end}" for i in range(20) for end in ends]
    shard(folder, "steps", people)
    shard(folder, "faces", [f"q{i}.png" for i in range(60)])
    shares = {"steps": Share(series=True), "faces": Share(weight=2.0)}
    Contents("tight", SIZE, shares).write(folder)
    return folder


def train(trainer, steps, copy):
    """Train to the end; copy the run's folder as it is after so many steps.

    A step is traced once by each trainer, which takes most of a test's time.
    """
    whole, trainer.run.until = trainer.run.until, trainer.run.batch * steps
    trainer.train()
    shutil.copytree(trainer.run.folder, copy)
    trainer.run.until = whole
    trainer.train()
