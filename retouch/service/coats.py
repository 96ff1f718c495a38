"""Coats under and over the moves of a render: retouched skin, and masks.

Skin is retouched in the photo itself, before anything moves, so that it is worked out
once for all moves that follow; the last photo is kept.
"""

from collections.abc import Hashable
from dataclasses import dataclass, replace
from functools import cached_property

from retouch.engine.session import Session
from retouch.faces.detect import Detector
from retouch.photos.photo import Photo
from retouch.provenance import watermark
from retouch.service.inverted import InvertedPhoto
from retouch.service.moves import Wishes
from retouch.settings import Settings, Skin
from retouch.skin.retouch import retouched
from retouch.stitching.stitch import stitch
from retouch.video.mask_effect import MaskEffect


@dataclass(eq=False)
class Coats:
    """Retouches skin and lays masks; what masks need is loaded once it is asked for."""

    detector: Detector

    @cached_property
    def masks(self) -> MaskEffect:
        return MaskEffect.load()

    def skinned(
        self,
        inverted: InvertedPhoto,
        session: Session,
        side: int,
        area: Hashable,
        wishes: Wishes,
    ) -> Session:
        """Return the session in its photo with the skin of faces as it is wished.

        Args:
            side: of the view that this photo is; 0 for the photo itself.
            area: which part of the inverted session's photo it shows.
        """
        wanted = {
            number: Skin(look="none", **wishes.of(number).skin)
            for number in session.chosen
            if wishes.of(number).skin
        }
        if not wanted:
            return session
        key = area, tuple(wanted.items())
        known = inverted.skinned.get(side)
        if known is None or known[0] != key:
            photo = session.photo
            for number, skin in wanted.items():
                photo, _ = retouched(photo, [session.found[number]], skin)
            known = inverted.skinned[side] = key, photo
        return replace(session, photo=known[1])

    def masked(
        self, photo: Photo, session: Session, wishes: Wishes, settings: Settings
    ) -> Photo:
        """Return the photo with masks over the faces that are to wear one."""
        pieces = []
        for number, face in zip(session.chosen, session.faces, strict=True):
            if mask := wishes.of(number).mask:
                again = self.detector.again(photo.pixels, face)
                self.masks.person = mask["person"]
                pieces.append(self.masks.piece(photo.pixels, again, number))
        if not pieces:
            return photo
        pixels = stitch(photo.pixels, pieces, method="replace")
        for piece in pieces if settings.marked else ():  # the masks hide other marks
            pixels = watermark.add(pixels, piece.face)
        return photo.with_pixels(pixels)
