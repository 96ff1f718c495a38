"""MediaPipe's face detector, from its .tflite file to weights that NumPy runs.

    python -m retouch.training.export.blazeface face_detection_short_range.tflite OUT

The file lies in the wheel mediapipe 0.10.21, under mediapipe/modules/face_detection.
"""

import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import typer

from pretrained.files import digest
from pretrained.registry import Row, Shelf
from retouch.errors import WeightsError
from retouch.faces.blazeface import BLOCKS, HEADS, WEIGHTS

SOURCE = "MediaPipe 0.10.21, face_detection_short_range.tflite"


def export(file: Path, out: Path) -> Row:
    """Write the weights of the file, and their row in the folder's manifest."""
    found = list(_layers(file))
    names = list(_names())
    if len(found) != len(names):
        raise WeightsError(
            f"{file} has {len(found)} layers; MediaPipe's short-range face detector has"
            f" {len(names)}. Take it from the wheel mediapipe 0.10.21."
        )
    arrays = {}
    for name, (kernel, bias) in zip(names, found, strict=True):
        arrays[f"{name}.kernel"] = _turned(kernel, bias, depth=name.endswith("depth"))
        arrays[f"{name}.bias"] = bias
    row = Row(
        WEIGHTS,
        "detector",
        f"{WEIGHTS}.safetensors",
        architecture="blazeface",
        licence="Apache-2.0",
        source=SOURCE,
        source_sha256=digest(file),
    )
    return Shelf(out).add(row, arrays, half=True)


def _layers(file: Path) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the kernel and the bias of each layer, as the file orders them."""
    import tensorflow

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it tells of its move to another package
        model = tensorflow.lite.Interpreter(str(file))
        details = sorted(model.get_tensor_details(), key=lambda told: told["index"])
        half = [told["index"] for told in details if told["dtype"] == np.float16]
        arrays = [model.get_tensor(index).astype(np.float32) for index in half]
    for pair in zip(arrays[::2], arrays[1::2], strict=True):
        bias, kernel = sorted(pair, key=np.ndim)
        yield kernel, bias


def _names() -> Iterator[str]:
    yield "stem"
    for i in range(BLOCKS):
        yield f"block{i}.depth"
        yield f"block{i}.point"
    for what in ("scores", "boxes"):
        for head in HEADS:
            yield f"{head}.{what}"


def _turned(kernel: np.ndarray, bias: np.ndarray, *, depth: bool) -> np.ndarray:
    """Return (3, 3, C) of a depthwise kernel, (inputs, outputs) of others."""
    if depth:
        return kernel[0]
    return np.ascontiguousarray(kernel.reshape(len(bias), -1).T)


if __name__ == "__main__":
    typer.run(lambda file, out: print(export(Path(file), Path(out)).file))
