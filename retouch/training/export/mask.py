"""Hand over a trained expression mask, with what it must know of people."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from generators import expression_mask, weights
from generators.expression_mask import ExpressionMask
from generators.gradients import compiled
from pretrained.registry import Row
from retouch.expressions.expression import Shapes, with_irises
from retouch.training import shapes
from retouch.training.export.files import LICENCE, keep, restore
from retouch.training.expression_mask import StyleReader
from retouch.training.people import Album
from retouch.training.shards import Shards, as_images

CROPS = 4000  # whose styles and shapes tell where people's lie
AT_ONCE = 50
AHEAD = np.array([[[0.5, 0.0]] * 2], np.float32)  # both irises amid their eyes


def export(
    run: Path,
    shards: Shards,
    out: Path,
    *,
    name: str = "mask",
    licence: str = LICENCE,
    crops: int = CROPS,
    plan: expression_mask.Config | None = None,
) -> Row:
    """Write a run's averaged generator, in half precision, with a manifest."""
    plan = plan or expression_mask.Config()
    mask = ExpressionMask(plan, name="generator")
    reader = StyleReader(plan.style, size=plan.resolution, name="reader")
    restore(run, [*mask.trainable_variables, *reader.trainable_variables], "mask")
    known = shapes.fit(shards, ~shards.testing())
    axes = shapes.axes(known, plan.shapes)
    album = Album(shards, AT_ONCE, seed=0)
    rng = np.random.default_rng(0)
    chosen = rng.choice(len(album.probability), crops, p=album.probability)
    people = np.concatenate(
        [styles_of(reader, shards, chosen), _shapes(known, axes, album.shapes[chosen])],
        1,
    )
    own = {
        "people_mean": people.mean(0),
        "people": _axes(people),
        "shape_mean": with_irises(known.mean.reshape(1, 68, 2), AHEAD).ravel(),
        "shape_axes": axes,
        "between": known.between,
        "within": known.within,
    }
    arrays = weights.arrays(mask) | own
    return keep(
        out,
        name,
        "generator",
        "expression-mask",
        arrays,
        config=asdict(plan),
        licence=licence,
        family=name,
        resolution=plan.resolution,
        crop=plan.crop,
    )


def styles_of(
    reader: StyleReader, shards: Shards, chosen: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Return the styles of crops, (N, S)."""
    read = compiled(lambda images: reader(images)[0])
    parts = [chosen[i : i + AT_ONCE] for i in range(0, len(chosen), AT_ONCE)]
    images = (ops.convert_to_tensor(as_images(shards.images[part])) for part in parts)
    return np.concatenate([ops.convert_to_numpy(read(x)) for x in images])


def _shapes(
    known: Shapes, axes: NDArray[Any], own: NDArray[Any]
) -> NDArray[np.float32]:
    """Return what is one's own in each shape, in numbers along the axes."""
    offsets = np.stack([known.own(shape).ravel() for shape in own])
    return (offsets @ axes.T).astype(np.float32)


def _axes(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the matrix that makes unit normals vary as rows do."""
    sizes, axes = np.linalg.eigh(np.cov(rows.T))
    return (axes * np.sqrt(np.maximum(sizes, 0))).T.astype(np.float32)
