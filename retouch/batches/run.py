"""A batch from its source to its report."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pretrained.registry import library
from retouch.batches import sources
from retouch.batches.job import Done, Job, Picture
from retouch.batches.plan import Plan
from retouch.batches.store import Store
from retouch.errors import SettingsError

OnDone = Callable[[Done, int, int], None]  # what is done, its number, of how many


@dataclass(eq=False)
class Summary:
    """What came of a batch."""

    found: int = 0
    ignored: int = 0  # files that are no pictures by their names
    skipped: int = 0  # done before
    given_up: int = 0  # came to nothing before, and are not tried again
    errors: dict[str, list[str]] = field(default_factory=dict)  # pictures by kind
    done: int = 0
    faces: int = 0
    seconds: float = 0.0

    @property
    def failed(self) -> int:
        return sum(map(len, self.errors.values()))

    def told(self) -> dict[str, Any]:
        rate = (self.done + self.failed) / max(self.seconds, 1e-9)
        counts = {kind: len(names) for kind, names in self.errors.items()}
        return {**vars(self), "errors": counts, "rate": round(rate, 3)}

    def count(self, done: Done) -> None:
        if done.row["ok"]:
            self.done += 1
            self.faces += len(done.row["faces"])
        else:
            self.errors.setdefault(done.row["kind"], []).append(done.name)


def run(
    source: str, out: Path, job: Job, plan: Plan, on_done: OnDone | None = None
) -> Summary:
    """Do a job on every picture of a source, and keep the results in a folder."""
    start = time.perf_counter()
    _check_apart(source, out)
    weights = job.weights(library())
    found = sources.find(source, out)
    if plan.shuffle:
        found = found.shuffled(job.settings.seed)
    with Store(out, force=plan.force) as store:
        known = over(store, job, weights, plan)
        before = [known.get((p.name, p.stamp)) for p in found.pictures]
        summary = Summary(len(found.pictures), found.ignored)
        summary.skipped, summary.given_up = before.count(True), before.count(False)
        pairs = zip(found.pictures, before, strict=True)
        todo = [p for p, well in pairs if well is None][: plan.limit]
        for number, done in enumerate(_engine(plan)(job, weights, todo), 1):
            store.keep(done)
            summary.count(done)
            if on_done is not None:
                on_done(done, number, len(todo))
    summary.seconds = round(time.perf_counter() - start, 2)
    return summary


def over(
    store: Store, job: Job, weights: str, plan: Plan
) -> dict[tuple[str, str], bool]:
    """Return the pictures, with their stamps, that need not be done.

    Beside each stands whether it went well.
    """
    if not plan.resume:
        return {}
    told = json.loads(json.dumps(job.told()))
    return {
        (row["picture"], row["stamp"]): row["ok"]
        for row in store.rows()
        if row["settings"] == told
        and row["weights"] == weights
        and (store.holds(row) if row["ok"] else not plan.retry_errors)
    }


def _engine(
    plan: Plan,
) -> Callable[[Job, str, Sequence[Picture]], Iterator[Done]]:
    if plan.engine == "ray":
        from retouch.batches import cluster

        return lambda job, weights, todo: cluster.run(
            job, weights, todo, plan.workers, plan.address
        )
    from retouch.batches import local

    return lambda job, weights, todo: local.run(job, weights, todo, plan.workers)


def _check_apart(source: str, out: Path) -> None:
    path, results = Path(source).resolve(), out.resolve()
    inside = results in (path, *path.parents) and path.exists()
    if sources.is_local(source) and inside:
        raise SettingsError(
            f"The results of '{source}' need a folder of their own; got '{out}', which"
            " holds the photos."
        )
