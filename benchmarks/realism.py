"""Whether edited faces can be told from real ones: a small classifier's hit rate.

It sees statistics of the descriptor network's early features and of fine detail, and
is judged on people that it did not learn from: half right is what chance gives.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from pretrained import dlib_files

Floats = NDArray[np.float32]
BLOCKS = (0, 2, 6)
FOLDS = 5
HOLD = 30.0


def seen(images: Floats) -> Floats:
    """Return what the classifier sees of crops in [-1, 1], (N, statistics)."""
    identity = dlib_files.identity()
    columns = []
    for part in np.array_split(images, max(1, len(images) // 16)):
        features = identity.features(identity.chips(part))
        maps = [np.asarray(features[i]) for i in BLOCKS]
        rows = [f(m, axis=(1, 2)) for m in maps for f in (np.mean, np.std)]
        columns.append(np.concatenate([*rows, _fine(part)], 1))
    return np.concatenate(columns)


def _fine(images: Floats) -> Floats:
    """Return how strong detail of several widths is in nine fields, (N, 27)."""
    rows = []
    for width in (0.7, 1.5, 3.0):
        soft = gaussian_filter(images, (0, width, width, 0))
        energy = np.abs(images - soft).mean(-1)
        side = images.shape[1] // 3
        fields = energy[:, : 3 * side, : 3 * side].reshape(-1, 3, side, 3, side)
        rows.append(np.log(fields.mean((2, 4)) + 1e-4).reshape(len(images), -1))
    return np.concatenate(rows, 1)


def told_apart(real: Floats, edited: Floats) -> float:
    """Return the part of crops that are sorted rightly, by person cross-validated."""
    count = len(real)
    inputs = np.concatenate([seen(real), seen(edited)])
    inputs = (inputs - inputs.mean(0)) / (inputs.std(0) + 1e-6)
    signs = np.repeat([-1.0, 1.0], count)
    people = np.tile(np.random.default_rng(0).permutation(count) % FOLDS, 2)
    right = 0
    for fold in range(FOLDS):
        own, other = people != fold, people == fold
        x = inputs[own]
        # Fewer faces than statistics: the dual form.
        dual = np.linalg.solve(x @ x.T + HOLD * np.eye(len(x)), signs[own])
        guesses = inputs[other] @ (x.T @ dual)
        right += int((guesses * signs[other] > 0).sum())
    return right / len(signs)
