"""FaceNet's embedding (Schroff et al., 2015), where facenet-pytorch is installed."""

import importlib.util
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
SIZE = 160  # pixels a side of what the network reads
PACKAGE = "facenet_pytorch"


class Facenet:
    """Embeds tight crops by the InceptionResnetV1 trained on VGGFace2."""

    def __init__(self, network: Any):
        self.network = network

    @classmethod
    def installed(cls) -> "Facenet | None":
        """Return the network if its package is there."""
        if importlib.util.find_spec(PACKAGE) is None:
            return None
        package = importlib.import_module(PACKAGE)
        return cls(package.InceptionResnetV1(pretrained="vggface2").eval())

    def embed(self, images: Floats) -> Floats:
        """Return embeddings (N, 512) of images (N, R, R, 3) in [-1, 1]."""
        import torch

        planes = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
        planes = torch.nn.functional.interpolate(
            planes.float(), (SIZE, SIZE), mode="bilinear", antialias=True
        )
        with torch.no_grad():
            return np.asarray(self.network(planes).numpy(), np.float32)
