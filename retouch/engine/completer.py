"""A photo's faces laid in as they moved, each within its budget, and told of.

A photo shows more than its crops, so that a face may have moved further in it than its
latents said: what the finished photo shows counts.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retouch.cores import together
from retouch.edits.manner import GLASSES
from retouch.edits.way import Moved, Way, within_reach
from retouch.engine.examiner import Examiner, pair
from retouch.engine.rendering import Renderer
from retouch.engine.report import FaceReport
from retouch.engine.session import HELD, PAINTED_OVER, UNDRAWN, Purpose, Session
from retouch.models import Model
from retouch.photos.photo import Photo
from retouch.settings import Settings, Skin
from retouch.skin.retouch import retouched

Floats = NDArray[np.float32]
TRIES = 5  # at keeping to the identity budget in the finished photo


@dataclass(frozen=True, eq=False)
class Completer:
    """Lays moved faces into their photo, and says what became of them."""

    model: Model
    renderer: Renderer
    examiner: Examiner

    def completed(
        self, session: Session, moved: Moved, purpose: Purpose, settings: Settings
    ) -> tuple[Photo, list[FaceReport]]:
        """Return the photo and the reports; ways that lead too far are shortened."""

        def looked(way: Way) -> tuple[Photo, list[dict[str, Any]]]:
            jobs: list[Callable[[], Any]] = [
                lambda: self._finished(session, way, purpose, settings),
                lambda: self.examiner.seen(session.photo, session.faces),
            ]
            (photo, touched), old = together(lambda job: job(), jobs)
            judged = self.examiner.compare(old, photo, session.faces, purpose.trait)
            for told, share in zip(judged, touched, strict=True):
                told["touched"] = share
            return photo, judged

        looks: list[tuple[Floats, Floats]] = []
        for _ in range(TRIES):
            photo, judged = looked(moved.way.bare)
            gone = np.array([told["identity"] for told in judged])
            beyond = gone > settings.identity
            if not beyond.any():
                break
            looks.append((moved.shares, gone))
            less = within_reach(looks, settings.identity)
            moved = moved * np.where(beyond, less, 1).astype(np.float32)
        if GLASSES in moved.way.manner.things:
            who = [told["identity"] for told in judged]
            photo, judged = looked(moved.way)
            judged = [
                told | {"identity": w} for told, w in zip(judged, who, strict=True)
            ]
        same = bool(np.array_equal(photo.pixels, session.photo.pixels))
        return photo, self._told(session, moved, judged, purpose, same=same)

    def _finished(
        self, session: Session, way: Way, purpose: Purpose, settings: Settings
    ) -> tuple[Photo, list[float]]:
        """Return the photo after a way, and the shares of it whose skin was retouched.

        The skin is that of the faces that are edited.
        """
        pixels = session.photo.pixels
        pixels = self.renderer.laid(pixels, session.faces, way, settings)
        skin = Skin.beside(purpose.look, settings.strength)
        return retouched(session.photo.with_pixels(pixels), session.faces, skin)

    def _told(
        self,
        session: Session,
        moved: Moved,
        judged: list[dict[str, Any]],
        purpose: Purpose,
        *,
        same: bool,
    ) -> list[FaceReport]:
        """Return reports of what was done to the chosen faces, if anything was."""
        reports = session.reports()
        guided = self._guided(session.start, moved.latents, purpose.trait)
        for row, i in enumerate(session.chosen):
            said = {"share": float(moved.shares[row]), **guided[row], **judged[row]}
            leads = bool(moved.way[[row]].leads)
            if same or not (leads or said["touched"]):
                why = UNDRAWN
                if leads and session.photo.free is not None:
                    why = PAINTED_OVER
                if not moved.shares[row]:
                    why = HELD
                said |= {"share": 0.0, "note": why if purpose.asks else ""}
            reports[i] = dataclasses.replace(reports[i], **said)
        return reports

    def _guided(
        self, before: Floats, after: Floats, trait: str
    ) -> list[dict[str, Any]]:
        """Return the guide's own scores before and after, where it has the trait."""
        sight = self.model.sight
        if sight is None or trait not in sight.names:
            return [{} for _ in before]
        pictures = (self.model.draw(x, finished=False) for x in (before, after))
        scores = [np.asarray(sight.look(images)[1]) for images in pictures]
        place = sight.names.index(trait)
        return [{"score": pair(scores, i, place)} for i in range(len(before))]
