"""What a picture file says of how it came about, and whether that holds."""

from dataclasses import dataclass, field

from retouch.errors import DependencyError
from retouch.faces.detect import Detector
from retouch.photos.formats import FORMATS
from retouch.photos.metadata import Notes, notes
from retouch.photos.photo import Photo
from retouch.provenance import carried, originals, watermark
from retouch.provenance.manifest import Statement, stated


@dataclass(frozen=True)
class Findings:
    """Everything a file says, none of it believed without a signature."""

    manifest: Statement
    notes: Notes  # which everybody can write
    originals: str  # "none", "open" or "locked"
    marks: tuple[float, ...] = field(default=())  # each face's likeness
    unread: str = ""  # why the manifest was not looked at

    @property
    def marked(self) -> int:
        """How many faces have the hidden mark."""
        return sum(mark >= watermark.PRESENT for mark in self.marks)

    @property
    def holds(self) -> bool:
        """Whether nothing that is said was found to be wrong."""
        before = self.manifest.photo
        return self.manifest.state != "broken" and not before.startswith("broken")


def findings(photo: Photo, data: bytes, anchors: str | None = None) -> Findings:
    """Return what the file of a photo says.

    Args:
        anchors: the certificates of those who vouch for signers, as PEM.
    """
    unread, statement = "", Statement("none")
    try:
        media = FORMATS[photo.format].media if photo.format else ""
        statement = stated(data, media, anchors)
    except DependencyError as error:
        unread = str(error)
    payload, kind = carried.take(data, photo.format), "none"
    if payload is not None:
        kind = "locked" if originals.is_locked(payload) else "open"
    faces = Detector().find(photo.pixels)
    marks = tuple(round(watermark.likeness(photo.pixels, f), 2) for f in faces)
    return Findings(statement, notes(photo.metadata), kind, marks, unread)
