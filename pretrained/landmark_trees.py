"""dlib's regression trees for landmarks, as arrays that a process opens in no time.

dlib's file is one run of integers: a byte with length and sign, then their bytes. A
float is two: a mantissa, and an exponent of 2. It takes dlib half a second to read the
33 million of them whenever a program starts; so they are kept as plain numbers, in
their order, in the user's folder of things that can be made anew.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
import platformdirs
from numpy.typing import NDArray

from pretrained import files
from pretrained.dlib_files import LANDMARKS, locate
from retouch.errors import WeightsError

Floats = NDArray[np.float32]
Places = NDArray[np.int64]

POINTS, STAGES, TREES, SPLITS, LEAVES = 68, 15, 500, 15, 16
# How many numbers each part holds. Vectors come after their length, matrices after two
# sizes.
START, TREE = 4 + 2 * POINTS, 2 + 3 * SPLITS + LEAVES * (2 + 2 * POINTS)
FOREST, ANCHORS, OFFSETS = 1 + TREES * TREE, 1 + TREES, 1 + 2 * TREES
FIRST_LEAF = TREE - LEAVES * (2 + 2 * POINTS)
COUNT = START + STAGES * (FOREST + ANCHORS + OFFSETS) + 2

LANES = 4096  # places from which the file is read at once
AT_ONCE = 1 << 20  # numbers whose integers are put together at once
LENGTH, SIGN, LONGEST = 0x0F, 0x80, 4  # of an integer: in its first byte; bytes


class Trees(NamedTuple):
    """What is asked of a picture, and how landmarks move for the answers.

    Places are complex numbers, in sides of the face's box.
    """

    start: NDArray[np.complex64]  # (68,)
    anchors: NDArray[np.intp]  # (15, 500): landmarks beside which pixels are looked at
    offsets: NDArray[np.complex64]  # (15, 500): and where these lie from there
    pairs: NDArray[np.intp]  # (15, 500, 15, 2): of pixels that a tree compares
    limits: Floats  # (15, 500, 15): by how much the first is to be the brighter
    leaves: NDArray[np.complex64]  # (15, 500, 16, 68): moves


def landmark_trees() -> Trees:
    """Return the trees of the installed file."""
    return _trees(_kept(locate(LANDMARKS)))


def _trees(numbers: Floats) -> Trees:
    sizes = START, STAGES * FOREST, 1, STAGES * ANCHORS, 1, STAGES * OFFSETS
    parts = np.split(numbers, np.cumsum(sizes)[:-1])
    anchors, offsets = (parts[i].reshape(STAGES, -1)[:, 1:] for i in (3, 5))
    forests = parts[1].reshape(STAGES, FOREST)[:, 1:].reshape(STAGES, TREES, TREE)
    splits = forests[..., 1 : FIRST_LEAF - 1].reshape(STAGES, TREES, SPLITS, 3)
    leaves = forests[..., FIRST_LEAF:].reshape(STAGES, TREES, LEAVES, -1)[..., 2:]
    return Trees(
        parts[0][3:-1].view(np.complex64),
        anchors.astype(np.intp),
        offsets.view(np.complex64),
        splits[..., :2].astype(np.intp),
        np.ascontiguousarray(splits[..., 2]),
        leaves.view(np.complex64),
    )


def _kept(source: Path) -> Floats:
    """Return all numbers of dlib's file, as they were kept, or read anew and kept."""
    folder = Path(platformdirs.user_cache_dir("retouch", appauthor=False))
    path = folder / f"landmarks-{source.stat().st_size}.npy"
    with suppress(WeightsError):
        numbers = files.read(path)
        if numbers.shape == (COUNT,) and numbers.dtype == np.float32:
            return np.asarray(numbers)
    numbers = read(np.fromfile(source, np.uint8))
    with suppress(OSError):  # where nothing may be kept, it is read anew each time
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f"{path.name}.{os.getpid()}")
        try:
            with unfinished.open("wb") as file:
                np.save(file, numbers)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
    return numbers


def read(data: NDArray[np.uint8]) -> Floats:
    """Return the numbers of dlib's file, in their order."""
    floats = _floats()
    beginnings = np.flatnonzero(_beginnings(data))
    if len(beginnings) != COUNT + floats.sum():
        raise WeightsError(f"{LANDMARKS} is damaged. Install the package again.")
    padded = np.concatenate([data, np.zeros(LONGEST, np.uint8)])
    numbers, at = np.empty(COUNT, np.float32), 0
    for first in range(0, COUNT, AT_ONCE):
        some = slice(first, first + AT_ONCE)
        wide = floats[some]
        ends = np.cumsum(1 + wide)
        values = _integers(padded, beginnings[at : at + ends[-1]])
        exponents = np.where(wide, values[ends - 1], 0)
        numbers[some] = np.ldexp(values[ends - 1 - wide].astype(float), exponents)
        at += ends[-1]
    return numbers


def _floats() -> NDArray[np.bool_]:
    """Return which of the numbers are floats."""
    splits = np.tile([False, False, True], SPLITS)
    leaf = np.arange(2 + 2 * POINTS) >= 2
    tree = np.concatenate([[False], splits, [False], np.tile(leaf, LEAVES)])
    start = (np.arange(START) >= 3) & (np.arange(START) < START - 1)
    forest = np.concatenate([[False], np.tile(tree, TREES)])
    anchors = np.zeros(1 + STAGES * ANCHORS + 1, bool)
    offsets = np.tile(np.arange(OFFSETS) >= 1, STAGES)
    return np.concatenate([start, np.tile(forest, STAGES), anchors, offsets])


def _beginnings(data: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return at which bytes an integer begins.

    Where one does is known from the one before alone. So the file is read from many
    places side by side, of which most are wrong; but whoever begins at a wrong one soon
    meets a right one, and from there on is right.
    """
    steps = (data & LENGTH) + np.uint8(1)
    edges = np.linspace(0, len(data), LANES + 1).astype(np.int64)
    marks = np.zeros(len(data), bool)
    places, going = edges[:-1].copy(), np.arange(LANES)
    while len(going):
        at = places[going]
        marks[at] = True
        places[going] = at + steps[at]
        going = going[places[going] < edges[going + 1]]
    for place, edge in zip(places[:-1].tolist(), edges[1:-1], strict=True):
        right = []
        while place < len(data) and not marks[place]:
            right.append(place)
            place += int(steps[place])
        marks[edge:place] = False
        marks[right] = True
    return marks


def _integers(data: NDArray[np.uint8], at: Places) -> Places:
    """Return the integers that begin there; behind the last one bytes are to follow."""
    lengths = np.minimum(data[at] & LENGTH, LONGEST)
    values = np.zeros(len(at), np.int64)
    for place in range(LONGEST):
        byte = data[at + 1 + place].astype(np.int64)
        values += np.where(place < lengths, byte << (8 * place), 0)
    return np.where(data[at] & SIGN, -values, values)
