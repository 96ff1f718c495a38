"""The desk of a worker: photos come in, files and rows of the report go out."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from retouch.batches.job import Done, Job, Picture
from retouch.errors import PhotoError, RetouchError

if TYPE_CHECKING:
    from retouch.engine.session import Result
    from retouch.photos.photo import Photo

Files = dict[str, bytes]


@dataclass(frozen=True)
class Desk:
    """What every kind of job does alike."""

    job: Job
    weights: str

    def read(self, picture: Picture) -> "Photo":
        """Return the photo of a picture, wherever it lies."""
        from retouch.batches import sources
        from retouch.photos import photo

        most = self.job.settings.max_pixels
        if sources.is_local(picture.source):
            path = Path(picture.source)
            if path.exists() and not path.is_file():
                raise PhotoError(f"'{path}' is no file: a pipe, a device or a folder.")
            return photo.read(path, max_pixels=most)
        return photo.read(sources.read(picture.source), max_pixels=most)

    def encoded(self, picture: Picture, result: "Result") -> Files:
        """Return the file of a finished photo, called as the picture is."""
        from retouch.engine.comparison import compared
        from retouch.photos import photo
        from retouch.photos.formats import finished, format_of

        job, kind = self.job, result.photo.format or "PNG"
        name = finished(PurePosixPath(picture.name), "", kind)
        shown = None
        if job.compare:
            shown = compared(result.before, result.photo, result.faces)
        data = photo.encode(
            shown or result.photo,
            format_of(name),
            quality=job.quality,
            strip_location=job.strip_location,
            provenance=result.provenance if job.provenance else None,
            seal=result.seal,
        )
        return {str(name): data}

    def done(
        self, picture: Picture, files: Files, faces: list[Any], seconds: float
    ) -> Done:
        """Return a picture's files and its row."""
        told = {"ok": True, "out": sorted(files), "faces": faces}
        return Done(picture.name, files, self._row(picture, told, seconds))

    def failed(self, picture: Picture, error: Exception, seconds: float = 0.0) -> Done:
        """Return the row of a picture that came to nothing."""
        text = " ".join(str(error).split()) or "no reason given"
        if not isinstance(error, RetouchError):
            text = f"{type(error).__name__}: {text[:500]}"
        told = {"ok": False, "kind": type(error).__name__, "error": text}
        return Done(picture.name, {}, self._row(picture, told, seconds))

    def _row(
        self, picture: Picture, told: Mapping[str, Any], seconds: float
    ) -> dict[str, Any]:
        """Return a picture's line of the report."""
        return {
            "picture": picture.name,
            "source": picture.source,
            "stamp": picture.stamp,
            **told,
            "seconds": round(seconds, 3),
            "settings": self.job.told(),
            "weights": self.weights,
        }
