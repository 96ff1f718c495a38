"""One worker: it loads the model once and works on pictures, a few at a time.

Faces of several photos go through the networks together, always the same number of
them, the last ones repeated where faces are missing. A face's numbers then depend
on nothing but the face: neither on its neighbours, nor on what was done before.
"""

import dataclasses
import io
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np

from retouch.batches.job import Done, Job, Picture, latent_name
from retouch.errors import PhotoError, RetouchError

if TYPE_CHECKING:
    from retouch.edits.way import Way
    from retouch.engine.session import Result, Session, Task
    from retouch.geometry import Face
    from retouch.photos.photo import Photo

GROUP = 8  # pictures that a worker is handed at a time
HELD = 60_000_000  # pixels of photos that wait for each other
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


@dataclass(eq=False)
class _Case:
    """A picture under way, and the seconds it has taken."""

    picture: Picture
    photo: "Photo"
    session: "Session"
    seconds: float = 0.0


class Worker:
    """Does a job on pictures; load it after `ENVIRONMENT` is set."""

    def __init__(self, job: Job, weights: str):
        self.job, self.weights = job, weights
        if job.kind == "skin":
            from retouch.jobs.skin import SkinRetoucher

            self.skin = SkinRetoucher()
            return
        from retouch.engine.retoucher import Retoucher

        self.retoucher = Retoucher.load(job.settings.model)
        self._task = self._asked()
        group = next(self.retoucher.model.inverter.groups(1 << 16))
        self.together = group.stop - group.start  # faces

    def work(self, pictures: Sequence[Picture]) -> Iterator[Done]:
        """Yield what comes of each picture, in any order; none raises."""
        waiting: list[_Case] = []
        for picture in pictures:
            start = time.perf_counter()
            try:
                photo = self._read(picture)
                if self.job.kind == "skin":
                    yield self._skinned(picture, photo, start)
                    continue
                if self.job.kind == "invert":
                    yield self._inverted(picture, photo, start)
                    continue
                adults = self._task is not None and self._task.purpose.adults
                session = self.retoucher.cut(photo, self.job.settings, adults=adults)
            except Exception as error:
                yield self._failed(picture, error, time.perf_counter() - start)
                continue
            spent = time.perf_counter() - start
            waiting.append(_Case(picture, photo, session, spent))
            if sum(case.photo.pixels.size // 3 for case in waiting) > HELD:
                yield from self._finished(waiting)
                waiting = []
        yield from self._finished(waiting)

    def _asked(self) -> "Task | None":
        job = self.job
        if job.kind == "beautify":
            return self.retoucher.beautifying(job.settings, job.climb)
        if job.kind == "edit":
            return self.retoucher.editing(dict(job.moves), job.settings)
        return None

    def _read(self, picture: Picture) -> "Photo":
        from retouch.batches import sources
        from retouch.photos import photo

        most = self.job.settings.max_pixels
        if sources.is_local(picture.source):
            path = Path(picture.source)
            if path.exists() and not path.is_file():
                raise PhotoError(f"'{path}' is no file: a pipe, a device or a folder.")
            return photo.read(path, max_pixels=most)
        return photo.read(sources.read(picture.source), max_pixels=most)

    # --- edits -----------------------------------------------------------------

    def _finished(self, cases: list[_Case]) -> Iterator[Done]:
        """Yield the results of cases; if they fail together, of each alone."""
        idle = self.job.settings.strength == 0
        busy = [] if idle else [case for case in cases if case.session.chosen]
        moved: dict[int, Any] = {}
        try:
            if busy:
                moved = self._moved(busy)
        except Exception as error:
            if len(cases) == 1:
                yield self._failed(cases[0].picture, error, cases[0].seconds)
            else:
                for case in cases:
                    yield from self._finished([case])
            return
        for case in cases:
            yield self._ended(case, moved.get(id(case)))

    def _moved(self, cases: list[_Case]) -> dict[int, Any]:
        """Return each case's inverted session and where its latents go."""
        from retouch.edits.way import Moved, Way

        start = time.perf_counter()
        faces = [len(case.session.chosen) for case in cases]
        images, masks = (
            np.concatenate([getattr(case.session, name) for case in cases])
            for name in ("images", "masks")
        )
        crops = [f for case in cases for f in self.retoucher.in_crops(case.session)]
        ways = [
            self._portion(
                cases[0].session, [crops[i] for i in rows], images[rows], masks[rows]
            )
            for rows in _rows(len(images), self.together)
        ]
        # The photos themselves will tell who has gone too far.
        whole = Moved.whole(Way.joined(ways)[: len(images)])
        seconds = (time.perf_counter() - start) / len(images)
        found, at = {}, 0
        for case, count in zip(cases, faces, strict=True):
            part = slice(at, at := at + count)
            session = dataclasses.replace(case.session, latents=whole.way.start[part])
            case.seconds += count * seconds
            found[id(case)] = session, whole[part]
        return found

    def _portion(
        self, session: "Session", faces: list["Face"], images: Any, masks: Any
    ) -> "Way":
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
        settings, retoucher = self.job.settings, self.retoucher
        (table,) = retoucher.invert([table], settings)
        assert self._task is not None
        return self._task.move(retoucher.view([table], settings))

    def _ended(self, case: _Case, moved: Any) -> Done:
        start, settings = time.perf_counter(), self.job.settings
        assert self._task is not None
        try:
            session, after = moved or (case.session, None)
            purpose = self._task.purpose
            result = self.retoucher.complete(session, after, purpose, settings)
            data = self._encoded(case.picture, result)
        except Exception as error:
            spent = case.seconds + time.perf_counter() - start
            return self._failed(case.picture, error, spent)
        spent = case.seconds + time.perf_counter() - start
        faces = [dataclasses.asdict(face) for face in result.faces]
        return self._done(case.picture, data, faces, spent)

    def _encoded(self, picture: Picture, result: "Result") -> dict[str, bytes]:
        from retouch.engine.comparison import compared
        from retouch.photos import photo
        from retouch.photos.formats import format_of

        job, name = self.job, picture.name
        if PurePosixPath(name).suffix:
            kind = format_of(Path(name))
        else:  # an address need not tell
            kind = result.photo.format or "PNG"
            name += f".{kind.lower()}"
        shown = None
        if job.compare:
            shown = compared(result.before, result.photo, result.faces)
        data = photo.encode(
            shown or result.photo,
            kind,
            quality=job.quality,
            strip_location=job.strip_location,
            provenance=result.provenance if job.provenance else None,
            seal=result.seal,
        )
        return {name: data}

    def _skinned(self, picture: Picture, photo: "Photo", start: float) -> Done:
        result = self.skin.retouched(photo, self.job.settings, self.job.skin)
        faces = [dataclasses.asdict(face) for face in result.faces]
        data = self._encoded(picture, result)
        return self._done(picture, data, faces, time.perf_counter() - start)

    # --- latents ---------------------------------------------------------------

    def _inverted(self, picture: Picture, photo: "Photo", start: float) -> Done:
        from retouch.inversion import latent_files
        from retouch.jobs import saved_faces

        files, faces = {}, []
        for face in saved_faces.invert(self.retoucher, photo, self.job.settings):
            name, buffer = latent_name(picture.name, face.index), io.BytesIO()
            latent_files.dump(face.saved, buffer)
            files[name] = buffer.getvalue()
            told = {"index": face.index, "size": face.saved.face.size, "file": name}
            told |= {"loss": face.saved.loss, "fidelity": face.saved.fidelity}
            faces.append(told)
        return self._done(picture, files, faces, time.perf_counter() - start)

    # --- rows ------------------------------------------------------------------

    def _done(
        self,
        picture: Picture,
        files: dict[str, bytes],
        faces: list[Any],
        seconds: float,
    ) -> Done:
        told = {"ok": True, "out": sorted(files), "faces": faces}
        whole = row(self.job, self.weights, picture, told, seconds)
        return Done(picture.name, files, whole)

    def _failed(self, picture: Picture, error: Exception, seconds: float) -> Done:
        return failed(self.job, self.weights, picture, error, seconds)


def failed(
    job: Job, weights: str, picture: Picture, error: Exception, seconds: float = 0.0
) -> Done:
    """Return the row of a picture that came to nothing."""
    text = " ".join(str(error).split()) or "no reason given"
    if not isinstance(error, RetouchError):
        text = f"{type(error).__name__}: {text[:500]}"
    told = {"ok": False, "kind": type(error).__name__, "error": text}
    return Done(picture.name, {}, row(job, weights, picture, told, seconds))


def row(
    job: Job, weights: str, picture: Picture, told: Mapping[str, Any], seconds: float
) -> dict[str, Any]:
    """Return a picture's line of the report."""
    return {
        "picture": picture.name,
        "source": picture.source,
        "stamp": picture.stamp,
        **told,
        "seconds": round(seconds, 3),
        "settings": job.told(),
        "weights": weights,
    }


def _rows(count: int, size: int) -> Iterator[Any]:
    """Yield the numbers of `size` rows at a time; the last row fills the last up."""
    for at in range(0, count, size):
        yield np.arange(at, at + size).clip(max=count - 1)


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
