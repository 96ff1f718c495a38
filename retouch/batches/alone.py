"""Jobs that work on each picture alone: skin that is retouched, faces inverted."""

import dataclasses
import io
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from retouch.batches.desk import Desk, Files
from retouch.batches.job import Done, Picture, latent_name

if TYPE_CHECKING:
    from retouch.photos.photo import Photo

# Returns the files of a picture, and what its row says of each face.
Make = Callable[[Picture, "Photo"], tuple[Files, list[dict[str, Any]]]]


class Alone:
    """Makes what a job asks for of one picture after the other."""

    def __init__(self, desk: Desk, make: Make):
        self.desk, self.make = desk, make

    def work(self, pictures: Sequence[Picture]) -> Iterator[Done]:
        """Yield what comes of each picture; none raises."""
        for picture in pictures:
            start = time.perf_counter()
            try:
                made = self.make(picture, self.desk.read(picture))
            except Exception as error:
                spent = time.perf_counter() - start
                yield self.desk.failed(picture, error, spent)
                continue
            yield self.desk.done(picture, *made, time.perf_counter() - start)


def skin(desk: Desk) -> Make:
    """Return what retouches the skin of photos."""
    from retouch.jobs.skin import SkinRetoucher

    retoucher, job = SkinRetoucher(), desk.job

    def made(picture: Picture, photo: "Photo") -> tuple[Files, list[dict[str, Any]]]:
        result = retoucher.retouched(photo, job.settings, job.skin)
        faces = [dataclasses.asdict(face) for face in result.faces]
        return desk.encoded(picture, result), faces

    return made


def inversion(desk: Desk) -> Make:
    """Return what inverts faces, and files their latents."""
    from retouch.engine.retoucher import Retoucher
    from retouch.inversion import latent_files
    from retouch.jobs import saved_faces

    settings = desk.job.settings
    retoucher = Retoucher.load(settings.model)

    def made(picture: Picture, photo: "Photo") -> tuple[Files, list[dict[str, Any]]]:
        files, faces = {}, []
        for face in saved_faces.invert(retoucher, photo, settings):
            name, buffer = latent_name(picture.name, face.index), io.BytesIO()
            latent_files.dump(face.saved, buffer)
            files[name] = buffer.getvalue()
            told = {"index": face.index, "size": face.saved.face.size, "file": name}
            told |= {"loss": face.saved.loss, "fidelity": face.saved.fidelity}
            faces.append(told)
        return files, faces

    return made
