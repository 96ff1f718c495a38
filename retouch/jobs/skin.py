"""Skin, eyes and teeth of a photograph retouched: no generator, no TensorFlow."""

from dataclasses import replace

from retouch.cores import one_thread
from retouch.engine.report import FaceReport
from retouch.engine.session import KnownFaces, Result
from retouch.faces.detect import Detector
from retouch.faces.parse import parser
from retouch.photos.photo import Photo, Provenance
from retouch.provenance import seal, watermark
from retouch.settings import Settings, Skin
from retouch.skin.heal import healer
from retouch.skin.retouch import retouched


class SkinRetoucher:
    """Retouches the skin of photos; load it once and use it again."""

    def __init__(self, detector: Detector | None = None) -> None:
        self.detector = detector or Detector()

    @classmethod
    def load(cls, detector: Detector) -> "SkinRetoucher":
        """Return a retoucher whose networks are ready."""
        parser()
        healer()
        return cls(detector)

    @one_thread()
    def retouched(
        self, photo: Photo | KnownFaces, settings: Settings, wishes: Skin
    ) -> Result:
        """Return the photo with the skin of its chosen faces retouched."""
        seal.check(settings)
        known = photo
        if isinstance(known, Photo):
            known = KnownFaces(known, tuple(self.detector.present(known.pixels)))
        photo, found = known.photo, known.faces
        chosen = settings.chosen(len(found))
        faces = [found[i] for i in chosen]
        done, touched = retouched(photo, faces, wishes, settings.strength)
        reports = [FaceReport.of(i, face) for i, face in enumerate(found)]
        for i, share in zip(chosen, touched, strict=True):
            reports[i] = replace(reports[i], touched=share)
            if settings.marked and share:
                done = done.with_pixels(watermark.add(done.pixels, found[i]))
        name = Provenance("healing", f"skin, {wishes.words}", settings.strength)
        return Result(done, photo, tuple(reports), name, settings)
