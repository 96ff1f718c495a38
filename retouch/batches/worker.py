"""One worker: it loads the model once and does a job on pictures, group by group."""

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from retouch.batches.alone import Alone, inversion, skin
from retouch.batches.desk import Desk
from retouch.batches.job import Done, Job, Picture

if TYPE_CHECKING:
    from retouch.batches.together import Together

GROUP = 8  # pictures that a worker is handed at a time
# One thread a worker: several workers then keep all cores busy, none waits for
# another, and the numbers do not depend on how many cores there are.
ENVIRONMENT = {
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_FORCE_GPU_ALLOW_GROWTH": "true",
    "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
}


class Worker:
    """Does a job on pictures; load it after `ENVIRONMENT` is set."""

    def __init__(self, job: Job, weights: str):
        self._kind = _kind(Desk(job, weights))

    def work(self, pictures: Sequence[Picture]) -> Iterator[Done]:
        """Yield what comes of each picture, in any order; none raises."""
        return self._kind.work(pictures)


def _kind(desk: Desk) -> "Alone | Together":
    """Return what does a job; what other kinds need is not loaded."""
    if desk.job.kind == "skin":
        return Alone(desk, skin(desk))
    if desk.job.kind == "invert":
        return Alone(desk, inversion(desk))
    from retouch.batches.together import Together

    return Together(desk)


class Environment:
    """Sets variables for what is started meanwhile."""

    def __init__(self, values: Mapping[str, str]):
        self.values = values

    def __enter__(self) -> None:
        self.before = {name: os.environ.get(name) for name in self.values}
        os.environ.update(self.values)

    def __exit__(self, *_: object) -> None:
        for name, value in self.before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def prepare() -> None:
    """Set what must be set before the networks' backend is loaded."""
    os.environ.update(ENVIRONMENT)
