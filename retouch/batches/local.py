"""Workers of this machine: one process a core, each with one thread.

A worker that dies, of a damaged picture or for want of memory, is replaced; the
pictures it held are tried again one by one, and the one that kills a second worker
gets a row that says so.
"""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from math import ceil
from multiprocessing.connection import Connection, wait
from typing import Any

from pretrained.backend import silent
from retouch.batches.desk import Desk
from retouch.batches.job import Done, Job, Picture
from retouch.batches.worker import (
    ENVIRONMENT,
    GROUP,
    Environment,
    Worker,
)
from retouch.errors import PhotoError, RetouchError, SettingsError
from retouch.inversion import memory

AHEAD = 2  # groups a worker has at hand, so that it never waits for the next
A_WORKER = 1.6e9  # bytes: what one takes at the default model, photos included
Group = list[Picture]


def run(
    job: Job, weights: str, pictures: Sequence[Picture], workers: int | None = None
) -> Iterator[Done]:
    """Yield what comes of each picture, as it comes."""
    count = workers or wanted()
    groups = deque(list(part) for part in parts(pictures, count))
    pool = _Pool(job, weights, groups, min(count, len(groups)))
    try:
        yield from pool.results()
    finally:
        pool.close()


def wanted() -> int:
    """Return as many workers as there are cores, and as memory has room for."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0
    free = memory.free()
    room = cores if free is None else int(free / A_WORKER)
    return max(1, min(cores or os.cpu_count() or 1, room or 1))


def parts(pictures: Sequence[Picture], workers: int) -> Iterator[Sequence[Picture]]:
    """Yield groups, smaller ones towards the end: so all workers end together."""
    at = 0
    while left := len(pictures) - at:
        size = min(GROUP, ceil(left / (2 * workers)))
        yield pictures[at : at + size]
        at += size


@dataclass(eq=False)
class _Process:
    """A worker's process, the line to it, and the groups it was handed."""

    process: Any
    line: Connection
    groups: deque[Group] = field(default_factory=deque)


class _Pool:
    """Hands out groups and gathers what comes of them."""

    def __init__(self, job: Job, weights: str, groups: deque[Group], count: int):
        self.job, self.weights, self.groups = job, weights, groups
        self.alone: set[str] = set()  # names of pictures that are tried on their own
        self.context = multiprocessing.get_context("spawn")
        self.workers = [self._start() for _ in range(count)]

    def results(self) -> Iterator[Done]:
        while any(worker.groups for worker in self.workers):
            lines = {worker.line: worker for worker in self.workers}
            for line in wait(list(lines)):
                worker = lines[line]  # type: ignore[index]
                try:
                    message = worker.line.recv()
                except (EOFError, OSError):
                    yield from self._replaced(worker)
                    continue
                if isinstance(message, RetouchError):
                    raise message
                if isinstance(message, Done):
                    left = [p for p in worker.groups[0] if p.name != message.name]
                    worker.groups[0] = left
                    yield message
                else:  # the group is over
                    worker.groups.popleft()
                    self._hand(worker)

    def close(self) -> None:
        for worker in self.workers:
            worker.line.close()
            worker.process.terminate()
        for worker in self.workers:
            worker.process.join()
            worker.process.close()

    def _start(self) -> _Process:
        ours, theirs = self.context.Pipe()
        target = _serve, (theirs, self.job, self.weights)
        process = self.context.Process(target=target[0], args=target[1], daemon=True)
        with Environment(ENVIRONMENT):
            process.start()
        theirs.close()
        worker = _Process(process, ours)
        for _ in range(AHEAD):
            self._hand(worker)
        return worker

    def _hand(self, worker: _Process) -> None:
        """Hand the next group to a worker, unless it has enough."""
        if self.groups and len(worker.groups) < AHEAD:
            worker.groups.append(self.groups.popleft())
            with suppress(OSError):  # if it has died, the end of its line will tell
                worker.line.send(worker.groups[-1])

    def _replaced(self, worker: _Process) -> Iterator[Done]:
        """Put another in the place of a worker that died; retry what it had."""
        worker.process.join()
        code = worker.process.exitcode
        worker.line.close()
        self.workers.remove(worker)
        current = worker.groups.popleft() if worker.groups else []
        self.groups.extendleft(reversed(worker.groups))
        for picture in current:
            if picture.name not in self.alone:
                self.alone.add(picture.name)
                self.groups.appendleft([picture])
                continue
            error = PhotoError(
                f"The process that worked on it died twice (exit code {code}); the file"
                " may be damaged, or memory short: try fewer --workers."
            )
            yield Desk(self.job, self.weights).failed(picture, error)
        if self.groups:
            self.workers.append(self._start())


def _serve(line: Connection, job: Job, weights: str) -> None:
    """Work on groups until the line ends; runs in a process of its own."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends its workers
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        with silent():
            worker = Worker(job, weights)
    except RetouchError as error:
        line.send(error)
        return
    except Exception as error:
        line.send(SettingsError(f"A worker cannot start: {error}."))
        return
    try:
        while True:
            for done in worker.work(line.recv()):
                line.send(done)
            line.send(None)
    except (EOFError, OSError):
        return


def _end_with_parent() -> None:
    """End when the parent does, be it killed, so that the folder is free at once."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
