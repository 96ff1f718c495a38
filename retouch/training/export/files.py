"""Handing over: what a run has learnt becomes files that load, with their rows."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from pretrained.registry import Row, Shelf
from retouch.errors import WeightsError
from retouch.training.loop import State, values

LICENCE = "non-commercial research"


def restore(run: Path, variables: Sequence[keras.Variable], command: str) -> int:
    """Give variables their moving average in a run; return how many images it saw.

    Args:
        command: of `retouch train`, that makes such a run.
    """
    path = run / "state.safetensors"
    if not path.exists():
        raise WeightsError(
            f"{run} holds no state of a training. Train first: retouch train"
            f" {command} DATA {run}"
        )
    state = State({"mean": values(variables)})
    state.load(path)
    found = list(zip(variables, state.lists["mean"], strict=True))
    _check({v.path: keras.ops.convert_to_numpy(tensor) for v, tensor in found})
    for variable, tensor in found:
        variable.assign(tensor)
    return state.images


def keep(
    out: Path,
    name: str,
    kind: str,
    architecture: str,
    arrays: Mapping[str, np.ndarray],
    *,
    half: bool = True,
    **terms: Any,
) -> Row:
    """Write arrays as a file of that name, and its row in the folder's manifest.

    Args:
        half: keeps them in half precision.
        terms: of the row, such as `licence` and `family`.
    """
    _check(arrays, np.float16 if half else np.float32)
    terms = {"licence": LICENCE, "source": "trained by this project", **terms}
    row = Row(name, kind, f"{name}.safetensors", architecture=architecture, **terms)
    return Shelf(out).add(row, arrays, half=half)


def _check(arrays: Mapping[str, np.ndarray], kind: type = np.float32) -> None:
    limit = np.finfo(kind).max
    wrong = [name for name, a in arrays.items() if not (np.abs(a) <= limit).all()]
    if wrong:
        raise WeightsError(
            f"Weights are no finite {kind.__name__} numbers: {wrong[:3]}. The training"
            " has failed; go on from an earlier state."
        )
