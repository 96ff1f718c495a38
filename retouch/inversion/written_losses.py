"""The losses of a search and their slopes written into one graph, without Keras."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from generators import stylegan2_graph
from pretrained.forward import Computing
from pretrained.forward_models import Embedder, Generator, weights_of_dlib
from pretrained.slopes import FLOAT, slope
from retouch.presets import Weights
from scorers import identity_graph
from scorers.dlib_layout import COMPARED
from scorers.pixels_graph import mean, total, unlikeness

Floats = NDArray[np.float32]

AIMS = [f"aim{i}" for i in range(len(COMPARED) + 1)]
KNOBS = ["tie", *(field.name for field in fields(Weights))]
RANKS = {"latents": 3, "knobs": 1, "images": 4, "masks": 4}
RANKS |= dict.fromkeys(AIMS, 4) | {AIMS[-1]: 2}


class WrittenLosses:
    """What a search asks of a generator and an embedder that are written in graphs."""

    def __init__(self, generator: Generator, identity: Embedder):
        self.generator, self.identity = generator, identity
        # By it styles become their mean; the code stays.
        rows = np.eye(generator.latent_shape[0], dtype=np.float32)
        self._joined = generator.tied(rows[None])[0]
        weights = {**generator.weights, **weights_of_dlib()}
        self._aims = Computing(self._aimed, weights, {"images": 4})
        self._losses = Computing(self._sloping, weights, RANKS, often=True)

    def targets(self, images: Floats, masks: Floats) -> Sequence[Floats]:
        """Return what pictures are compared with, computed once."""
        return [images, masks, *self._aims.compute(images=images)]

    def at(
        self, latents: Floats, targets: Sequence[Floats], knobs: Floats
    ) -> tuple[Floats, Floats]:
        """Return the losses (N,), and the slope of each by its latents."""
        given = dict(zip(RANKS, (latents, knobs, *targets), strict=True))
        losses, slopes = self._losses.compute(**given)
        return losses, slopes

    def _aimed(self, graph: Any, images: str) -> list[str]:
        return self._compared(graph, graph.entering(images))

    def _compared(self, graph: Any, crops: str) -> list[str]:
        size = self.generator.resolution
        return identity_graph.compared(graph, crops, self.identity.crop, size)

    def _sloping(
        self, graph: Any, latents: str, knobs: str, *targets: str
    ) -> list[str]:
        numbers = (
            graph.node("Gather", [knobs, np.array(i)]) for i in range(len(KNOBS))
        )
        knob = dict(zip(KNOBS, numbers, strict=True))
        tied = self._tied(graph, latents, knob["tie"])
        terms = self._far(graph, tied) | self._unlike(graph, tied, *targets)
        weighed = [graph.node("Mul", [term, knob[n]]) for n, term in terms.items()]
        losses = total(graph, weighed)
        return [losses, slope(graph, losses, latents)]

    def _tied(self, graph: Any, latents: str, tie: str) -> str:
        joined = graph.node("MatMul", [self._joined, latents])
        way = graph.node("Sub", [joined, latents])
        return graph.add(latents, graph.node("Mul", [way, tie]))

    def _far(self, graph: Any, latents: str) -> dict[str, str]:
        """Return how far latents lie from the population, and their rows apart."""
        offset = graph.node("Sub", [latents, self.generator.mean_latent])
        offset = graph.node("Div", [offset, self.generator.spread])
        joined = graph.node("MatMul", [self._joined, latents])
        apart = graph.node("Sub", [latents, joined])
        return {"prior": _power(graph, offset), "deltas": _power(graph, apart)}

    def _unlike(
        self, graph: Any, latents: str, images: str, masks: str, *aims: str
    ) -> dict[str, str]:
        """Return how unlike images the pictures of latents are, where masks are."""
        images, masks = graph.entering(images), graph.entering(masks)
        copies = graph.entering(stylegan2_graph.network(graph, latents))
        difference = graph.node("Sub", [copies, images])
        # What lies outside does not leak in through the coarser scales.
        within = graph.node("Greater", [masks, 0.0])
        shown = graph.node("Mul", [graph.node("Cast", [within], to=FLOAT), difference])
        area = graph.node("Add", [mean(graph, masks), 1e-6])
        pixels, edges = unlikeness(graph, shown, masks)
        # Outside the mask the copy is not asked to be alike.
        seen = graph.add(images, graph.node("Mul", [masks, difference]))
        look, who = identity_graph.gaps(graph, self._compared(graph, seen), aims)
        return {
            "pixels": graph.node("Div", [pixels, area]),
            "edges": graph.node("Div", [edges, area]),
            "features": look,
            "identity": who,
        }


def _power(graph: Any, rows: str) -> str:
    square = graph.node("Mul", [rows, rows])
    return graph.node("ReduceMean", [square], axes=[1, 2], keepdims=0)
