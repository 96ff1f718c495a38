"""Make training data: the faces of folders of pictures, cut, sifted and packed.

    retouch train data ~/portraits runs/data
    retouch train data a=~/portraits b=~/film runs/data --table a=a.csv --weight b=.4

Each source becomes shards SOURCE-0000.npz and so on, of its files in the order of
their names. Interrupted work goes on behind the last whole shard; a shard is made
anew only if its files, their labels or the recipe changed. dropped.csv says which
pictures were left out and why; data.json how often each source is drawn.
"""

import csv
import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TimeRemainingColumn,
)

from retouch.errors import RetouchError, SettingsError
from retouch.photos.disk import AS_NAMES
from retouch.training.options import Recipe
from retouch.training.packing import SHARD_BYTES, Shard, Source, shards_of
from retouch.training.shards import Contents, Share
from retouch.training.sifting import Crop, Reject, end_with_parent, examine


class Drop(NamedTuple):
    """A picture left out."""

    source: str
    file: str
    reason: str
    detail: str


@dataclass(frozen=True)
class Report:
    """How many crops a folder of shards holds, and what was left out."""

    kept: Mapping[str, int]  # by source
    dropped: tuple[Drop, ...]

    def lines(self) -> Iterator[str]:
        """Yield a sentence for each source."""
        for source, kept in self.kept.items():
            reasons = Counter(d.reason for d in self.dropped if d.source == source)
            why = "".join(f", {reason} {n:,}" for reason, n in reasons.most_common())
            yield f"{source}: {kept:,} of {kept + reasons.total():,} kept{why}."


def pack(
    sources: Mapping[str, Source],
    out: Path,
    recipe: Recipe | None = None,
    *,
    workers: int | None = None,
    shard_bytes: int = SHARD_BYTES,
) -> Report:
    """Pack the main face of every picture of the sources into shards.

    Sources that were packed into the folder before stay there.

    Args:
        workers: processes; None takes one for each core.
    """
    recipe = recipe or Recipe()
    out.mkdir(parents=True, exist_ok=True)
    shards: list[Shard] = []
    for name, source in sources.items():
        shards += shards_of(name, source, out, recipe, shard_bytes)
    _declare(sources, out, recipe)
    _remove_others(set(sources), out, {shard.path for shard in shards})
    _fill(shards, recipe, workers or os.cpu_count() or 1)
    return report(out)


def report(out: Path) -> Report:
    """Count what a folder of shards holds, and write its dropped.csv."""
    kept: Counter[str] = Counter()
    dropped = []
    for path in sorted(out.glob("*.npz")):
        source = path.stem.rpartition("-")[0]
        with np.load(path) as shard:
            kept[source] += len(shard["names"])
            lost = json.loads(str(shard["dropped"]))
        dropped += [Drop(source, *row) for row in lost]
    with (out / "dropped.csv").open("w", -1, "utf-8", AS_NAMES, "") as file:
        csv.writer(file).writerows([Drop._fields, *dropped])
    return Report(kept, tuple(dropped))


def _declare(sources: Mapping[str, Source], out: Path, recipe: Recipe) -> None:
    """Write data.json, or see that what it says still holds."""
    contents = Contents(recipe.crop, recipe.resolution)
    if (out / "data.json").exists():
        contents = Contents.read(out)
    old, new = (contents.crop, contents.resolution), (recipe.crop, recipe.resolution)
    if old != new:
        raise SettingsError(
            f"{out} holds crops '{old[0]}' of {old[1]} px; asked for '{new[0]}' of"
            f" {new[1]} px. Name another folder, or delete this one."
        )
    shares = dict(contents.sources)
    for name, source in sources.items():
        shares[name] = source.share or shares.get(name, Share())
    Contents(*new, shares).write(out)


def _remove_others(sources: set[str], out: Path, wanted: set[Path]) -> None:
    """Remove shards of these sources from when they had more files."""
    for path in out.glob("*-*.npz"):
        match = re.fullmatch(r"(\w+)-\d{4,}", path.stem)
        if match and match[1] in sources and path not in wanted:
            path.unlink()


def _fill(shards: list[Shard], recipe: Recipe, workers: int) -> None:
    waiting = [shard for shard in shards if not shard.done]
    files = [path for shard in waiting for path in shard.wanted]
    if not waiting:
        return
    with _progress() as bar, _mapping(min(workers, len(files))) as run:
        task = bar.add_task("", total=len(files))
        found = run(partial(examine, recipe=recipe), files)
        results = _counted(found, partial(bar.advance, task))
        for shard in waiting:
            shard.write(results)


def _counted(
    results: Iterable[Crop | Reject], count: Callable[[], None]
) -> Iterator[Crop | Reject]:
    for result in results:
        count()
        yield result


@contextmanager
def _mapping(workers: int) -> Iterator[Callable[..., Iterable[Any]]]:
    """Give a map over processes; what has not begun is dropped when work stops."""
    if workers <= 1:
        yield map
        return
    context = get_context("spawn")
    pool = ProcessPoolExecutor(workers, context, initializer=end_with_parent)
    try:
        yield partial(pool.map, chunksize=4)
    except BrokenProcessPool:
        raise RetouchError(
            "A process that examined pictures was ended from outside, perhaps for want"
            " of memory. What is packed is kept: run it again with fewer workers."
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _progress() -> Progress:
    return Progress(BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
