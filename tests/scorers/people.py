"""A small population whose latents follow their traits, and moves in it."""

import numpy as np

from scorers.moves import Moves

NAMES = ("happy", "age", "beard")
STYLES, SIDE, CHANNELS, WIDTH = 2, 2, 4, 4  # four rows of code
ROWS = STYLES + SIDE * SIDE * CHANNELS // WIDTH
HIDDEN = 12


def moves(side: int = SIDE, seed: int = 0) -> Moves:
    """Return moves of random weights."""
    rng = np.random.default_rng(seed)
    rows = ROWS if side else STYLES
    shapes = {
        "read.styles": (STYLES * WIDTH, HIDDEN),
        "read.all": (HIDDEN + side * side * 5, HIDDEN),
        "read.out": (HIDDEN, len(NAMES)),
        "typical.first": (len(NAMES), HIDDEN),
        "typical.second": (HIDDEN, HIDDEN),
        "typical.third": (HIDDEN, HIDDEN),
        "typical.out": (HIDDEN, rows * WIDTH),
        "typical.straight": (len(NAMES), rows * WIDTH),
    }
    biased = {
        n: s[-1:] for n, s in shapes.items() if not n.endswith(("styles", "straight"))
    }
    if side:
        shapes |= {"read.near": (3, 3, CHANNELS, 6), "read.wide": (3, 3, 6, 5)}
        biased |= {"read.near": (side, side, 6), "read.wide": (side, side, 5)}
    weights = {
        name: (rng.normal(size=shape) / np.sqrt(np.prod(shape[:-1]))).astype("f4")
        for name, shape in shapes.items()
    }
    for name, shape in biased.items():
        weights[f"{name}.bias"] = (0.1 * rng.normal(size=shape)).astype("f4")
    together = np.float32([[1, 0.2, 0], [0.2, 1, 0.4], [0, 0.4, 1]])
    spread = rng.uniform(0.5, 2, (rows, 1)).astype("f4")
    mean = rng.normal(size=(rows, WIDTH)).astype("f4")
    rest = rng.uniform(0.5, 1, side * side).astype("f4")
    return Moves(NAMES, together, mean, spread, rest, weights, STYLES)


def latents(count: int, seed: int = 3, side: int = SIDE) -> np.ndarray:
    rows = ROWS if side else STYLES
    rng = np.random.default_rng(seed)
    return rng.normal(size=(count, rows, WIDTH)).astype("f4")
