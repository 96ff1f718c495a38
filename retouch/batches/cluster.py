"""The same workers as actors of Ray, on one machine or on many.

Ray Data hands out the groups, moves the bytes, and starts anew what dies; pictures
are read where the work is done, and the results are kept where the batch was begun.
"""

import importlib.util
import json
import logging
import os
from collections.abc import Iterator, Sequence
from typing import Any

from pretrained.backend import silent
from pretrained.forward_models import runs_forwards
from pretrained.registry import library
from retouch.batches.job import Done, Job, Picture
from retouch.batches.worker import (
    ENVIRONMENT,
    GROUP,
    Environment,
    Worker,
    prepare,
)
from retouch.edits.names import climbs
from retouch.errors import DependencyError, SettingsError

COLUMNS = ("name", "files", "row")
SHARED_GPU = 4  # workers that share one GPU; each keeps a core busy beside it


def run(
    job: Job,
    weights: str,
    pictures: Sequence[Picture],
    workers: int | None = None,
    address: str | None = None,
) -> Iterator[Done]:
    """Yield what comes of each picture, as it comes."""
    if not pictures:
        return
    ray, own = _connected(address)
    there = ray.cluster_resources()
    gpus = int(there.get("GPU", 0)) if on_gpus(job) else 0
    count = workers or (gpus * SHARED_GPU if gpus else int(there.get("CPU", 1)))
    groups = -(-len(pictures) // GROUP)
    items = [{"name": p.name, "source": p.source, "stamp": p.stamp} for p in pictures]
    data = ray.data.from_items(items, override_num_blocks=groups).map_batches(
        Actor,
        fn_constructor_args=(job, weights),
        batch_size=None,  # a block, which is a group
        compute=ray.data.ActorPoolStrategy(size=min(count, groups)),
        num_cpus=1,
        num_gpus=1 / SHARED_GPU if gpus else 0,
        # A Ray of our own has it from its start, and need not set each actor up.
        runtime_env=None if own else {"env_vars": _environment()},
    )
    for block in _blocks(ray, data):
        for name, files, row in zip(*(block[k] for k in COLUMNS), strict=True):
            yield Done(str(name), _unpacked(files), json.loads(str(row)))


def on_gpus(job: Job) -> bool:
    """Tell whether a job's networks take GPUs: what runs forwards alone leaves them."""
    if job.kind == "skin":
        return False
    model = job.settings.model
    if job.kind != "invert" and climbs(model):
        return True
    return not runs_forwards(library().row(model, "generator"))


def _blocks(ray: Any, data: Any) -> Iterator[Any]:
    blocks = iter(data.iter_batches(batch_size=None, prefetch_batches=1))
    try:
        with silent():
            first = next(blocks)
        yield first
        yield from blocks
    except ray.exceptions.RayError as error:
        said = str(error).strip().rpartition("\n")[2][:300]
        raise SettingsError(
            f"Ray gave up ({said}). What is done is kept: run the command again, or"
            " with --engine local."
        ) from error


class Actor:
    """A worker that speaks Ray Data's language: columns in, columns out."""

    def __init__(self, job: Job, weights: str):
        prepare()
        self.worker = Worker(job, weights)

    def __call__(self, block: dict[str, Any]) -> dict[str, list[Any]]:
        columns = (block[name] for name in ("name", "source", "stamp"))
        texts = zip(*columns, strict=True)
        pictures = [Picture(*map(str, values)) for values in texts]
        found = list(self.worker.work(pictures))
        return {
            "name": [done.name for done in found],
            "files": [_packed(done.files) for done in found],
            "row": [json.dumps(done.row) for done in found],
        }


def _packed(files: Any) -> list[dict[str, Any]]:
    return [{"name": name, "data": data} for name, data in files.items()]


def _unpacked(files: Any) -> dict[str, bytes]:
    return {file["name"]: bytes(file["data"]) for file in files}


def _connected(address: str | None) -> tuple[Any, bool]:
    """Return Ray, and whether it was started here."""
    if importlib.util.find_spec("ray") is None:
        raise DependencyError(
            "The package ray is not installed, which --engine ray works with."
            " Install it: pip install 'ray[data]'"
        )
    # Ray tells of its own doings on stderr unless it is asked not to.
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    # And reports its use to its makers.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    import ray
    import ray.data

    for name in ("ray", "ray.data"):
        logging.getLogger(name).setLevel(logging.ERROR)

    own = address is None and not ray.is_initialized()
    if not ray.is_initialized():
        try:
            with Environment(_environment() if own else {}):
                ray.init(
                    address="local" if own else address,
                    log_to_driver=False,
                    logging_level=logging.ERROR,
                    include_dashboard=False if own else None,
                )
        except (ConnectionError, ValueError, RuntimeError) as error:
            said = str(error).strip().partition("\n")[0]
            raise SettingsError(
                f"No Ray answers at '{address}' ({said}). Start it there: ray start"
                " --head; or leave out --address to have one here."
            ) from None
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    return ray, own


def _environment() -> dict[str, str]:
    return {**ENVIRONMENT, "PYTHONPATH": _path()}


def _path() -> str:
    """Return where the packages of this program lie, for actors of this machine."""
    here = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    rest = os.environ.get("PYTHONPATH")
    return here if not rest else f"{here}{os.pathsep}{rest}"
