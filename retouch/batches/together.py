"""Edits of faces of several photos, which go through the networks together.

Always the same number of them, the last ones repeated where faces are missing. A face's
numbers then depend on nothing but the face: neither on its neighbours, nor on what was
done before.
"""

import dataclasses
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from retouch.batches.desk import Desk
from retouch.batches.job import Done, Picture
from retouch.edits.way import Moved, Way
from retouch.engine.retoucher import Retoucher
from retouch.engine.session import Session, Task
from retouch.geometry import Face

HELD = 60_000_000  # pixels of photos that wait for each other


@dataclass(eq=False)
class _Case:
    """A picture under way, and the seconds it has taken."""

    picture: Picture
    session: Session
    seconds: float
    moved: Moved | None = None  # where its latents go, if anywhere


class Together:
    """Edits the faces of pictures, a few photos at a time."""

    def __init__(self, desk: Desk):
        self.desk, self.settings = desk, desk.job.settings
        self.retoucher = Retoucher.load(self.settings.model)
        self.task = self._asked()
        group = next(self.retoucher.model.inverter.groups(1 << 16))
        self.count = group.stop - group.start  # of faces

    def work(self, pictures: Sequence[Picture]) -> Iterator[Done]:
        """Yield what comes of each picture, in any order; none raises."""
        waiting: list[_Case] = []
        adults = self.task.purpose.adults
        for picture in pictures:
            start = time.perf_counter()
            try:
                photo = self.desk.read(picture)
                session = self.retoucher.cut(photo, self.settings, adults=adults)
            except Exception as error:
                spent = time.perf_counter() - start
                yield self.desk.failed(picture, error, spent)
                continue
            waiting.append(_Case(picture, session, time.perf_counter() - start))
            if sum(case.session.photo.pixels.size // 3 for case in waiting) > HELD:
                yield from self._finished(waiting)
                waiting = []
        yield from self._finished(waiting)

    def _asked(self) -> Task:
        job = self.desk.job
        if job.kind == "beautify":
            return self.retoucher.beautifying(job.settings, job.climb)
        return self.retoucher.editing(dict(job.moves), job.settings)

    def _finished(self, cases: list[_Case]) -> Iterator[Done]:
        """Yield the results of cases; if they fail together, of each alone."""
        busy = [case for case in cases if case.session.chosen]
        try:
            if busy and self.settings.strength:
                self._move(busy)
        except Exception as error:
            if len(cases) == 1:
                yield self.desk.failed(cases[0].picture, error, cases[0].seconds)
            else:
                for case in cases:
                    yield from self._finished([case])
            return
        for case in cases:
            yield self._ended(case)

    def _move(self, cases: list[_Case]) -> None:
        """Invert the faces of cases, and find where their latents go."""
        start = time.perf_counter()
        sessions = [case.session for case in cases]
        images, masks = (
            np.concatenate([getattr(session, name) for session in sessions])
            for name in ("images", "masks")
        )
        crops = self.retoucher.in_crops(*sessions)
        ways = [
            self._portion(
                sessions[0], [crops[i] for i in rows], images[rows], masks[rows]
            )
            for rows in _rows(len(images), self.count)
        ]
        # The photos themselves will tell who has gone too far.
        whole = Moved.whole(Way.joined(ways)[: len(images)])
        seconds, at = (time.perf_counter() - start) / len(images), 0
        for case in cases:
            part = slice(at, at := at + len(case.session.chosen))
            latents = whole.way.start[part]
            case.session = dataclasses.replace(case.session, latents=latents)
            case.moved = whole[part]
            case.seconds += len(case.session.chosen) * seconds

    def _portion(
        self, session: Session, faces: list[Face], images: Any, masks: Any
    ) -> Way:
        """Return where the task leads faces that lie in their crops like that."""
        table = dataclasses.replace(
            session,
            found=tuple(faces),
            chosen=tuple(range(len(images))),
            notes={},
            images=images,
            masks=masks,
            latents=None,
        )
        (table,) = self.retoucher.invert([table], self.settings)
        return self.task.move(self.retoucher.view([table], self.settings))

    def _ended(self, case: _Case) -> Done:
        start, desk = time.perf_counter(), self.desk
        try:
            result = self.retoucher.complete(
                case.session, case.moved, self.task.purpose, self.settings
            )
            data = desk.encoded(case.picture, result)
        except Exception as error:
            spent = case.seconds + time.perf_counter() - start
            return desk.failed(case.picture, error, spent)
        spent = case.seconds + time.perf_counter() - start
        faces = [dataclasses.asdict(face) for face in result.faces]
        return desk.done(case.picture, data, faces, spent)


def _rows(count: int, size: int) -> Iterator[Any]:
    """Yield the numbers of `size` rows at a time; the last row fills the last up."""
    for at in range(0, count, size):
        yield np.arange(at, at + size).clip(max=count - 1)
