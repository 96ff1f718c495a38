"""What was learnt from a user's ratings, kept among the models and found again."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pretrained.registry import Library, Row, check_name
from scorers.judge import Judge

Floats = NDArray[np.float32]
ARCHITECTURE = "learnt"


@dataclass(frozen=True, eq=False)
class Learnt:
    """A reader of one trait, and its slopes in the latents' coordinates."""

    judge: Judge
    latent: Floats  # (K,)

    @property
    def name(self) -> str:
        return self.judge.names[0]

    @property
    def skill(self) -> float:
        """The correlation with ratings that were kept aside."""
        return float(self.judge.skill[0])


def keep(library: Library, learnt: Learnt, model: str, count: int) -> Row:
    """Keep a reader for the latents of a model."""
    row = Row(
        check_name(learnt.name),
        "scorer",
        f"{learnt.name}.safetensors",
        architecture=ARCHITECTURE,
        config={"skill": round(learnt.skill, 3)},
        licence="your own",
        source=f"learnt from {count} ratings",
        family=model,
    )
    return library.add(row, {**learnt.judge.arrays, "latent": learnt.latent})


def rows(library: Library, model: str) -> list[Row]:
    """Return the rows of what was learnt for the latents of a model."""
    every = (row for row in library.rows() if row.architecture == ARCHITECTURE)
    return [row for row in every if row.family == model]


def load(library: Library, name: str) -> Learnt:
    """Return the reader of that name."""
    arrays: dict[str, Any] = dict(library.weights(name, "scorer"))
    latent = arrays.pop("latent")
    return Learnt(Judge((name,), **arrays), latent)
