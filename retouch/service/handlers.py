"""What a worker can do with a photo: each verb takes a frame and answers with one."""

import dataclasses
from collections import OrderedDict
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pretrained.registry import library
from retouch.edits.directions import DIRECTIONS
from retouch.edits.way import Moved
from retouch.engine.report import FaceReport
from retouch.engine.retoucher import Retoucher
from retouch.engine.session import Purpose, Result, Session, Task
from retouch.errors import FaceError, SizeError
from retouch.expressions.transfer import Transfers
from retouch.expressions.transfer_options import Transferring
from retouch.jobs.skin import SkinRetoucher
from retouch.photos.formats import FORMATS
from retouch.photos.masks import MASKS, held
from retouch.photos.photo import Photo, Provenance, encode, read
from retouch.service import moves
from retouch.service.coats import Coats
from retouch.service.frames import Frame
from retouch.service.inverted import DRAFT, PREVIEW, InvertedPhoto, packed, unpacked
from retouch.service.moves import Mover, Wishes
from retouch.settings import Settings, Skin

Floats = NDArray[np.float32]
Say = Callable[[str, float], None]

AT_HAND = 256 * 2**20  # bytes of inverted faces that a worker holds ready
PREVIEW_QUALITY = 88
DRAWN_AT = 128  # pixels a side at which a draft works out what changes


class Missing(Exception):
    """The inverted faces that a request names are not at hand in this worker."""


class Handlers:
    """One retoucher and the inverted faces that were last worked on."""

    def __init__(self, retoucher: Retoucher, max_pixels: int):
        self.retoucher, self.max_pixels = retoucher, max_pixels
        self.mover, self.coats = Mover(retoucher), Coats(retoucher.detector)
        self._kept: OrderedDict[str, InvertedPhoto] = OrderedDict()
        self.verbs: dict[str, Callable[[Frame, Say], Frame]] = {
            "faces": self.faces,
            "invert": self.invert,
            "beautify": self.beautify,
            "edit": self.edit,
            "skin": self.skin,
            "render": self.render,
        }
        installed = {row.name for row in library().rows()}
        if "expression" in installed:
            self.verbs["transfer"] = self.transfer
        if "mask" in installed:
            self.verbs["mask"] = self.mask

    # --- what there is ---------------------------------------------------------

    def description(self) -> dict[str, Any]:
        """Return what the front tells of this worker's model."""
        model = self.retoucher.model
        traits = model.traits
        rows = [
            {
                "name": row.name,
                "kind": row.kind,
                "architecture": row.architecture,
                "resolution": row.resolution,
                "licence": row.licence,
            }
            for row in library().rows()
        ]
        return {
            "verbs": list(self.verbs),
            "model": model.name,
            "resolution": model.generator.resolution,
            "latent_shape": list(model.generator.latent_shape),
            "directions": self._directions(),
            "parameters": moves.names(traits) if traits else [],
            "models": rows,
        }

    def _directions(self) -> list[dict[str, Any]]:
        offered = self.retoucher.registry.shipped()
        keys = "name", "trait", "meaning", "low", "high"
        return [
            {key: getattr(known, key) for key in keys}
            for known in DIRECTIONS.values()
            if known.name in offered
        ]

    # --- the verbs -------------------------------------------------------------

    def faces(self, frame: Frame, say: Say) -> Frame:
        """Find the faces of a photo."""
        photo = self._photo(frame)
        say("finding faces", 0.0)
        height, width = photo.pixels.shape[:2]
        found = enumerate(self.retoucher.find(photo))
        places = [FaceReport.of(i, face).place for i, face in found]
        return _done({"width": width, "height": height, "faces": places})

    def invert(self, frame: Frame, say: Say) -> Frame:
        """Find faces and turn them into latents; the answer's state is to be kept."""
        settings, photo = self._settings(frame), self._photo(frame)
        say("finding faces", 0.0)
        session = self.retoucher.cut(photo, settings)
        if not session.chosen:
            raise FaceError(
                f"No face can be worked on: {'; '.join(session.notes.values())}."
            )
        (session,) = self.retoucher.invert([session], settings, say)
        self._keep(frame.words["id"], InvertedPhoto(session))
        height, width = photo.pixels.shape[:2]
        report = {
            "width": width,
            "height": height,
            "faces": self._parametrised(session, frame.words["latents"]),
        }
        return _done(report, state=packed(session))

    def beautify(self, frame: Frame, say: Say) -> Frame:
        """Make each face a little more beautiful."""
        task = self.retoucher.beautifying(self._settings(frame))
        return self._worked(frame, task, say)

    def edit(self, frame: Frame, say: Say) -> Frame:
        """Move faces along named directions."""
        moves = frame.words["moves"]
        return self._worked(
            frame, self.retoucher.editing(moves, self._settings(frame)), say
        )

    def skin(self, frame: Frame, say: Say) -> Frame:
        """Retouch skin, eyes and teeth."""
        wish, settings = Skin(**frame.words["skin"]), self._settings(frame)
        photo = self._changing(frame)
        say("retouching", 0.0)
        skin = SkinRetoucher(self.retoucher.detector)
        return self._answered(frame, skin.retouched(photo, settings, wish))

    def transfer(self, frame: Frame, say: Say) -> Frame:
        """Give a face of the photo the expression of the source's."""
        wish, settings = Transferring(**frame.words["transfer"]), self._settings(frame)
        source = self._read(frame.blobs["source"], settings.max_pixels)
        target = self._changing(frame)
        say("finding faces", 0.0)
        engine, places = self._transfers, (wish.source_face, wish.target_face)
        giving = engine.cut(source, "The source", settings, places[0])
        taking = engine.cut(target, "The photo", settings, places[1])
        task = engine.task(giving, taking, [], wish, settings)
        return self._answered(frame, engine.run(taking, task, settings, say))

    def mask(self, frame: Frame, say: Say) -> Frame:
        """Lay a synthetic person's face over each face."""
        self.coats.masks.person = frame.words["mask"]["person"]
        photo, settings = self._changing(frame), self._settings(frame)
        return self._answered(frame, self.coats.masks.photo(photo, settings, say))

    def render(self, frame: Frame, say: Say) -> Frame:
        """Show inverted faces moved: a draft, a preview, or the photo in full size."""
        inverted, settings = (
            self._known(frame, frame.words["id"]),
            self._settings(frame),
        )
        wishes = Wishes.told(frame.words["wish"], frame.words["each"])
        sources = {name: self._known(frame, name) for name in wishes.sources}
        say("editing", 0.0)
        rows, notes = self.mover.allowed(inverted, wishes, settings)
        draft, session = frame.words["draft"], inverted.session
        small = draft or frame.words["preview"]
        side = 0 if not small else DRAFT if draft else PREVIEW
        area = tuple(frame.words["area"] or ()) or None
        if small:
            rows, session = inverted.reaching(rows, area), inverted.view(area, side)
        session = session.part(rows)
        session = dataclasses.replace(session, notes={**session.notes, **notes})
        before = session.photo
        session = self.coats.skinned(inverted, session, side, area, wishes)
        told = inverted, rows, wishes, settings, sources
        moved = self.mover.moved(*told, draft=draft)
        say("stitching", 0.5)
        if frame.words["report"] and not small:
            return self._judged(frame, session, wishes, settings, moved)
        photo = session.photo
        if rows:
            finest = DRAWN_AT if draft else None
            photo = self.retoucher.render(session, moved.way, settings, finest)
            photo = self.coats.masked(photo, session, wishes, settings)
        reports = _with_shares(session.reports(), session, moved)
        name = Provenance(self.retoucher.model.name, wishes.words, settings.strength)
        if not small:
            whole = Result(photo, before, tuple(reports), name, settings)
            return self._answered(frame, whole)
        format = "JPEG" if photo.alpha is None else "WEBP"
        picture = encode(photo, format, quality=PREVIEW_QUALITY)
        return _pictured(picture, format, reports)

    def forget(self, name: str) -> None:
        """Let go of inverted faces."""
        self._kept.pop(name, None)

    # --- the parts -------------------------------------------------------------

    @cached_property
    def _transfers(self) -> Transfers:
        return Transfers(self.retoucher)

    def _worked(self, frame: Frame, task: Task, say: Say) -> Frame:
        photo, settings = self._changing(frame), self._settings(frame)
        return self._answered(frame, self.retoucher.run(photo, task, settings, say))

    def _judged(
        self,
        frame: Frame,
        session: Session,
        wishes: Wishes,
        settings: Settings,
        moved: Moved,
    ) -> Frame:
        """Return the full size with all that the judge says of it."""
        going = moved if session.chosen and settings.strength else None
        purpose = Purpose(wishes.words, wishes.everyone.trait)
        result = self.retoucher.complete(session, going, purpose, settings)
        photo = self.coats.masked(result.photo, session, wishes, settings)
        return self._answered(frame, dataclasses.replace(result, photo=photo))

    def _answered(self, frame: Frame, result: Result) -> Frame:
        wanted = frame.words["delivery"]
        format = wanted["format"] or result.photo.format or "PNG"
        picture = encode(
            result.photo,
            format,
            quality=wanted["quality"],
            strip_location=wanted["strip_location"],
            provenance=result.provenance,
            seal=result.seal,
        )
        return _pictured(picture, format, result.faces)

    def _settings(self, frame: Frame) -> Settings:
        return Settings(**frame.words["settings"])

    def _photo(self, frame: Frame) -> Photo:
        return self._read(frame.blobs["photo"], self._settings(frame).max_pixels)

    def _changing(self, frame: Frame) -> Photo:
        """Return the photo as one that changes where the masks beside it let it."""
        return held(self._photo(frame), *(frame.blobs.get(name) for name in MASKS))

    def _read(self, data: bytes, max_pixels: int) -> Photo:
        limit = min(max_pixels, self.max_pixels)
        try:
            return read(data, max_pixels=limit)
        except SizeError:
            raise SizeError(
                f"The photo has more pixels than the {limit:,} that are taken here;"
                " send a smaller copy."
            ) from None

    def _known(self, frame: Frame, name: str) -> InvertedPhoto:
        """Return the inverted faces of that name, or those that came along."""
        if name not in self._kept:
            if f"{name}.state" not in frame.blobs:
                raise Missing
            photo = self._read(frame.blobs[f"{name}.photo"], self.max_pixels)
            state = frame.blobs[f"{name}.state"]
            self._keep(name, InvertedPhoto(unpacked(photo, state)))
        self._kept.move_to_end(name)
        return self._kept[name]

    def _keep(self, name: str, inverted: InvertedPhoto) -> None:
        self._kept[name] = inverted
        while (
            len(self._kept) > 1 and sum(k.size for k in self._kept.values()) > AT_HAND
        ):
            self._kept.popitem(last=False)

    def _parametrised(self, session: Session, latents: bool) -> list[dict[str, Any]]:
        """Return the reports of faces, the inverted ones with their parameters."""
        rows, traits = _told(session.reports()), self.retoucher.model.traits
        for place, number in enumerate(session.chosen):
            one = session.start[place : place + 1]
            rows[number]["inverted"] = True
            if traits is not None:
                found = moves.values(traits, one)[0]
                rows[number]["parameters"] = np.round(found, 5).tolist()
            if latents:
                rows[number]["latent"] = one[0].tolist()
        return rows


def _with_shares(
    reports: list[FaceReport], session: Session, moved: Moved
) -> list[FaceReport]:
    """Return the reports with how much of its way each face was let go."""
    shares = dict(zip(session.chosen, moved.shares.tolist(), strict=True))
    return [
        dataclasses.replace(report, share=shares.get(report.index, 0.0))
        for report in reports
    ]


def _told(reports: Iterable[FaceReport]) -> list[dict[str, Any]]:
    return [dataclasses.asdict(report) for report in reports]


def _done(report: dict[str, Any], **blobs: bytes) -> Frame:
    return Frame({"kind": "done", "report": report}, blobs)


def _pictured(picture: bytes, format: str, reports: Iterable[FaceReport]) -> Frame:
    words = {"media": FORMATS[format].media, "report": {"faces": _told(reports)}}
    return Frame({"kind": "done", **words}, {"picture": picture})
