"""The workers: processes that each do one thing at a time, behind one bounded queue.

A worker that dies takes the one request with it that it ran, and another takes its
place. Latents that clients come back for are kept in the front, so none is lost.
"""

import asyncio
import contextlib
import json
import logging
import math
import os
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import retouch
from retouch.contracts import OnStep
from retouch.errors import RetouchError
from retouch.service.frames import Frame, receive, send
from retouch.service.limits import Limits
from retouch.service.refusals import Refused

GRACE = 5.0  # seconds for a worker to see by itself that the time is over
LOOKING = 0.5  # seconds between looks whether the client still waits
LOADING = 600.0  # seconds
PATIENCE = 30.0  # seconds between attempts to start a worker, at most
WORKER = "retouch.service.worker"
BUFFER = 1 << 20  # bytes of an answer that are read ahead
log = logging.getLogger("retouch.service")
LOST = "The worker that ran this was stopped, and another takes its place; try again."
LATE = "The time for a request is over; send a smaller photo, or try again later."


class Lost(Exception):
    """A worker is gone."""


async def _always() -> bool:
    return True


def _nothing() -> dict[str, bytes]:
    return {}


@dataclass(frozen=True, eq=False)
class Job:
    """A frame for a worker, and what is to be known while it waits and runs."""

    frame: Frame
    urgent: bool = False  # a preview goes before work that takes long
    more: Callable[[], dict[str, bytes]] = _nothing  # what a worker may lack
    on_step: OnStep | None = None
    wanted: Callable[[], Awaitable[bool]] = _always  # whether the client still waits


@dataclass(frozen=True, eq=False)
class _Waiting:
    job: Job
    until: float
    answer: asyncio.Future[Frame] = field(default_factory=asyncio.Future)

    def fail(self, error: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


class WorkerPool:
    """A number of workers with one model, and the queue before them."""

    def __init__(self, model: str, workers: int, limits: Limits):
        self.model, self.workers, self.limits = model, workers, limits
        self.description: dict[str, Any] = {}  # what a worker says of its model
        self.admitted = self.lost = 0
        self._seconds = 2.0  # what a job takes, a moving average
        self._numbers = count()
        self._queue: asyncio.PriorityQueue[Any] = asyncio.PriorityQueue()
        self._tasks: list[asyncio.Task[None]] = []
        self._processes: dict[int, Process] = {}
        self._ready: set[int] = set()

    @property
    def ready(self) -> int:
        """How many workers are alive and have their model warm."""
        return len(self._ready)

    @property
    def pids(self) -> list[int]:
        """The processes of the workers that are alive."""
        return [process.pid for process in self._processes.values()]

    async def start(self) -> None:
        """Start the workers; return once the first has its model, or raise as it did.

        It answers as soon as it is warm; what comes before that waits.
        """
        try:
            first = await self._hired(0)
        except Lost:
            raise RetouchError("The worker ended while it loaded its model.") from None
        for place in range(self.workers):
            known = first if place == 0 else None
            self._tasks.append(asyncio.create_task(self._serve(place, known)))

    async def close(self) -> None:
        """Stop the workers; what still runs is lost."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for place in list(self._processes):
            await self._dismiss(place)

    @contextlib.contextmanager
    def place(self) -> Iterator[None]:
        """Hold a place among those who run or wait; Refused if all are taken."""
        if self.admitted >= self.workers + self.limits.queue:
            rounds = self.admitted / self.workers
            wait = math.ceil(min(60.0, max(1.0, rounds * self._seconds)))
            sentence = f"Too many requests are waiting; try again in {wait} s."
            raise Refused(429, sentence, retry_after=wait)
        self.admitted += 1
        try:
            yield
        finally:
            self.admitted -= 1

    async def do(self, job: Job) -> Frame:
        """Have a job done; raise Refused where there is no answer."""
        waiting = _Waiting(job, time.monotonic() + self.limits.seconds)
        urgency = 0 if job.urgent else 1
        self._queue.put_nowait((urgency, next(self._numbers), waiting))
        frame = await waiting.answer
        if frame.kind == "refused":
            raise Refused(frame.words["status"], frame.words["error"])
        return frame

    def forget(self, name: str) -> None:
        """Tell every worker to let go of inverted faces."""
        frame = Frame({"kind": "forget", "id": name})
        for process in self._processes.values():
            _inbox(process).writelines(frame.packed())

    # --- one worker ------------------------------------------------------------

    async def _serve(self, place: int, process: Process | None) -> None:
        """Keep one worker at work, and replace it whenever it is gone."""
        pause = 0.5
        while True:
            try:
                process = process or await self._hired(place)
                await self._warmed(place, process)
                pause = 0.5
                while True:
                    await self._one(process)
            except (Lost, RetouchError, OSError):
                self.lost += 1
                served = place in self._ready
                await self._dismiss(place)
                process = None
                if not served:
                    await asyncio.sleep(pause)
                    pause = min(2 * pause, PATIENCE)

    async def _one(self, process: Process) -> None:
        """Do the next job that is still wanted, as soon as there is one."""
        waiting = await self._next(process)
        if waiting.answer.done() or not await waiting.job.wanted():
            waiting.answer.cancel()
            return
        start = time.monotonic()
        await self._run(process, waiting)
        self._seconds += 0.2 * (time.monotonic() - start - self._seconds)

    async def _next(self, process: Process) -> _Waiting:
        """Wait for a job; raise Lost if the worker is gone before there is one."""
        get = asyncio.create_task(self._queue.get())
        gone = asyncio.create_task(process.wait())
        try:
            await asyncio.wait({get, gone}, return_when=asyncio.FIRST_COMPLETED)
            if gone.done():
                if get.done():
                    self._queue.put_nowait(get.result())
                raise Lost
        finally:
            gone.cancel()
            get.cancel()  # which does nothing to what is done
        return get.result()[2]

    async def _run(self, process: Process, waiting: _Waiting) -> None:
        seconds = waiting.until - time.monotonic()
        if seconds <= 0:
            waiting.fail(Refused(504, LATE))
            return
        watching = asyncio.create_task(self._watch(process, waiting))
        try:
            async with asyncio.timeout(seconds + GRACE):
                answer = await self._talk(process, waiting.job, seconds)
        except Refused as error:
            waiting.fail(error)
        except TimeoutError:
            waiting.fail(Refused(504, LATE))
            raise Lost from None
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            waiting.fail(Refused(503, LOST, retry_after=1))
            raise Lost from error
        except asyncio.CancelledError:
            waiting.fail(Refused(503, LOST, retry_after=1))
            raise
        else:
            if not waiting.answer.done():
                waiting.answer.set_result(answer)
        finally:
            watching.cancel()

    async def _watch(self, process: Process, waiting: _Waiting) -> None:
        """Have the worker stop once nobody waits for what it does."""
        while True:
            await asyncio.sleep(LOOKING)
            if waiting.answer.done() or not await waiting.job.wanted():
                _inbox(process).writelines(Frame({"kind": "stop"}).packed())

    async def _talk(self, process: Process, job: Job, seconds: float) -> Frame:
        words = {
            **job.frame.words,
            "seconds": seconds,
            "steps": job.on_step is not None,
        }
        inbox, outbox = _inbox(process), process.stdout
        assert outbox is not None
        await send(Frame(words, job.frame.blobs), inbox)
        while True:
            frame = await receive(outbox)
            if frame.kind == "missing":
                await send(Frame(words, {**job.frame.blobs, **job.more()}), inbox)
            elif frame.kind != "step":
                return frame
            elif job.on_step is not None:
                job.on_step(frame.words["what"], frame.words["part"])

    async def _hired(self, place: int) -> Process:
        """Start a worker and wait until it has loaded its model."""
        options = {"model": self.model, "max_pixels": self.limits.max_pixels}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", WORKER, json.dumps(options)),
            stdin=PIPE,
            stdout=PIPE,
            limit=BUFFER,
            env=_environment(self.workers),
            start_new_session=True,  # Ctrl-C is for the front, which ends in order
        )
        self._processes[place] = process
        hello = await self._heard(place, process)
        if hello.kind == "refused":
            await self._dismiss(place)
            raise RetouchError(hello.words["error"])
        self.description = hello.words
        return process

    async def _warmed(self, place: int, process: Process) -> None:
        """Wait until a worker can answer without delay."""
        start = time.monotonic()
        await self._heard(place, process)
        self._ready.add(place)
        log.info("ready; warming up took %.1f s", time.monotonic() - start)

    async def _heard(self, place: int, process: Process) -> Frame:
        """Return what a worker says by itself as it starts."""
        assert process.stdout is not None
        try:
            async with asyncio.timeout(LOADING):
                return await receive(process.stdout)
        except (TimeoutError, asyncio.IncompleteReadError) as error:
            await self._dismiss(place)
            raise Lost from error

    async def _dismiss(self, place: int) -> None:
        self._ready.discard(place)
        process = self._processes.pop(place, None)
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _inbox(process: Process) -> asyncio.StreamWriter:
    assert process.stdin is not None
    return process.stdin


def _environment(workers: int) -> dict[str, str]:
    """Return the environment of a worker, which shares the cores with the others."""
    cores = str(max(1, (os.cpu_count() or 1) // workers))
    names = "TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS"
    shared = dict.fromkeys(names, cores) if workers > 1 else {}
    shared["OPENBLAS_NUM_THREADS"] = "1"  # as for commands
    # Nor may a folder `scorers` where somebody stands come before ours: see -P.
    ours, theirs = Path(retouch.__file__).parents[1], os.environ.get("PYTHONPATH")
    places = f"{ours}{os.pathsep}{theirs}" if theirs else str(ours)
    return {**shared, **os.environ, "PYTHONPATH": places}
