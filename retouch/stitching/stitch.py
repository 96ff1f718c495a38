"""Stitching an edited face into its photo, so that nothing else changes.

Two methods. `replace` lays in the generator's picture, its colours matched to the
photo's. `difference` keeps the photo's own pixels: they are moved as the edit moves
the face and lit as the edit lights it; only what comes into view between lips is
painted. Sums are taken in float on the encoded values, as the generator saw them, and
rounded once.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import grey_erosion

from retouch.edits.manner import BEARD, DRAWN, FACE, LINES, MAKE_UP
from retouch.errors import SettingsError
from retouch.faces.crop import Pixels, cut, resized
from retouch.faces.face_crop import FaceCrop
from retouch.geometry import Face, Similarity
from retouch.stitching import mask
from retouch.stitching.beard import MARGIN
from retouch.stitching.change import Change, Masks
from retouch.stitching.colour import matched
from retouch.stitching.difference import difference, put_on
from retouch.stitching.layers import Layers
from retouch.stitching.mouths import OPEN, opening
from retouch.stitching.toning import Toning

METHODS = ("difference", "replace")
MOVING = 0.18  # of the face's size: room around a jaw that may leave its crop
SMALLEST = 16  # pixels a side to which crops are shrunk at most


@dataclass(frozen=True, eq=False)
class Piece:
    """A changed face and where it belongs."""

    face: Face
    transform: Similarity  # from the photo to the change's crops
    change: Change
    visible: Pixels | None = None  # (R, R), see `mask.draw`
    uncovered: Pixels | None = None  # the same of hands and things alone
    hair: Pixels | None = None  # (R, R), how surely a pixel shows the head's
    flesh: Pixels | None = None  # (R, R), and skin, or the beard on it
    # The same as visible on a crop that is wider on each side, where the photo's pixels
    # may move: jaws lie at the rim of crops, or beyond. None moves beyond without it.
    beyond: Pixels | None = None

    def fitted(self, finest: int | None = None) -> "Piece":
        """Return this piece no finer than the photo, which could not show more.

        Args:
            finest: pixels a side that are enough, if they are told.
        """
        size = self.change.size
        shown = max(SMALLEST, int(size / self.transform.scale))
        finest = min(shown, finest or shown)
        if size <= finest or self.change.is_none:
            return self
        transform = Similarity.scaling(finest / size) @ self.transform
        planes = self.visible, self.uncovered
        visible, uncovered = (_coarser(plane, finest) for plane in planes)
        change = self.change.resized(finest)
        hair, flesh = (
            None if plane is None else resized(plane[..., None], finest)[..., 0]
            for plane in (self.hair, self.flesh)
        )
        beyond = self._beyond(finest)
        return replace(
            self,
            transform=transform,
            change=change,
            visible=visible,
            uncovered=uncovered,
            hair=hair,
            flesh=flesh,
            beyond=beyond,
        )

    def _beyond(self, finest: int) -> Pixels | None:
        if self.beyond is None:
            return None
        size = self.change.size
        part, wide = finest / size, (len(self.beyond) - size) // 2
        beside = int(part * wide)
        back = Similarity.scaling(part) @ Similarity.shifting(-wide, -wide)
        place = Similarity.shifting(beside, beside) @ back
        seen = _clear(self.beyond, finest / size)
        side = finest + 2 * beside
        return cut(seen[..., None], place, side, linear=True)[..., 0].clip(0, 1)


def _coarser(visible: Pixels | None, size: int) -> Pixels | None:
    """Return what nothing hides, without losing a pixel of what does."""
    if visible is None:
        return None
    visible = _clear(visible, size / len(visible))
    return resized(visible[..., None], size)[..., 0].clip(0, 1)


def _clear(visible: Pixels, part: float) -> Pixels:
    """Return what nothing hides of what is to be shrunk by so much, nor beside it."""
    near = 2 * int(np.ceil(2 / part)) + 1
    return np.asarray(grey_erosion(visible, near), np.float32)


def stitch(
    photo: NDArray[Any],
    pieces: Iterable[Piece],
    *,
    method: str = "difference",
    regions: Iterable[str] = ("face",),
    finest: int | None = None,
) -> NDArray[Any]:
    """Return the photo (H, W, 3), 8 or 16 bit, with the pieces laid in, in order.

    Where no mask reaches, and where an edit changed nothing, every pixel is the same.

    Args:
        finest: pixels a side at which changes are worked out, at the most.
    """
    if method not in METHODS:
        known = ", ".join(METHODS)
        raise SettingsError(f"Stitching is one of {known}; got {method!r}.")
    if photo.dtype not in (np.uint8, np.uint16) or photo.shape[2:] != (3,):
        got = f"{photo.shape} {photo.dtype}"
        raise ValueError(f"A photo is (H, W, 3), 8 or 16 bit; received {got}.")
    result = photo.copy()
    for piece in pieces:
        fitted = piece.fitted(finest)
        if layers := planned(result, fitted, method=method, regions=regions):
            layers.lay(result, fitted.transform)
    return result


def planned(
    photo: NDArray[Any],
    piece: Piece,
    *,
    method: str = "difference",
    regions: Iterable[str] = ("face",),
) -> Layers | None:
    """Return what is to be done to a photo for a fitted piece, if there is anything."""
    if piece.change.is_none:
        return None
    face, transform, size = piece.face, piece.transform, piece.change.size
    outline = mask.Outline.of(face, transform, size, photo.shape)
    masks = _masks(outline, tuple(regions), piece, photo.shape)
    if not masks.edit.any():
        return None
    own = FaceCrop.at(photo, face, transform, size).levels
    unit = face.size * transform.scale
    laid = _replacement if method == "replace" else difference
    return replace(laid(piece.change, own, masks, unit), toning=Toning.of(own))


def _masks(
    outline: mask.Outline,
    names: tuple[str, ...],
    piece: Piece,
    shape: tuple[int, ...],
) -> Masks:
    wider = int(MARGIN * piece.change.size)
    edit, skin = (outline.draw(part, piece.visible) for part in (names, ["skin"]))
    manner = piece.change.manner
    edit *= outline.draw(manner.where) if FACE not in manner.where else 1
    own = outline.eyeballs()
    if opening(outline.points) >= OPEN:
        own = np.maximum(own, outline.gap())
    return Masks(
        edit,
        _room(edit, names, piece, shape),
        outline.whole_surface,
        skin,
        own,
        outline.lashes(),
        np.zeros_like(skin) if piece.hair is None else piece.hair,
        np.ones_like(skin) if piece.flesh is None else piece.flesh,
        outline.both_brows,
        outline.points,
        {
            thing: _shown(thing, names, piece, shape, wider)
            for thing in manner.things & DRAWN
        },
        wider,
    )


def _room(
    edit: Pixels, names: tuple[str, ...], piece: Piece, shape: tuple[int, ...]
) -> Pixels:
    """Return where the photo's pixels may move, beyond the crop if that is known."""
    if piece.beyond is None:
        return edit
    beside = (len(piece.beyond) - piece.change.size) // 2
    transform = Similarity.shifting(beside, beside) @ piece.transform
    outline = mask.Outline.of(piece.face, transform, len(piece.beyond), shape)
    outline = replace(outline, margin=MOVING)
    room, where = outline.draw(names, piece.beyond), piece.change.manner.where
    return room if FACE in where else room * outline.draw(where)


def _shown(
    thing: str,
    names: tuple[str, ...],
    piece: Piece,
    shape: tuple[int, ...],
    wider: int,
) -> Pixels:
    """Return where a thing may show, on a crop that is wider on each side.

    Chins lie at the rim of crops, or beyond; glasses stand out from a turned face.
    """
    transform = Similarity.shifting(wider, wider) @ piece.transform
    size = piece.change.size + 2 * wider
    outline = mask.Outline.of(piece.face, transform, size, shape)
    where = outline.union(names)
    if thing == BEARD:
        return where * outline.beard() * _padded(piece.visible, wider)
    if thing == MAKE_UP:
        return where * outline.surface * _padded(piece.visible, wider)
    if thing == LINES:
        return where * outline.furrowed() * _padded(piece.visible, wider)
    inside = np.float32((where > 0) | (FACE in names))
    visible, uncovered = (_padded(p, wider) for p in (piece.visible, piece.uncovered))
    rims, arms = inside * uncovered, inside * visible
    return np.stack([rims, arms, outline.surface * visible], -1)


def _padded(visible: Pixels | None, wider: int) -> Pixels:
    if visible is None:
        return np.ones((1, 1), np.float32)
    return np.pad(visible, wider, mode="edge")


def _replacement(change: Change, own: Pixels, masks: Masks, unit: float) -> Layers:
    paint = matched(change.after, change.after, own, masks.skin)
    cover = masks.edit * masks.surface
    nothing = np.zeros_like(own)
    things = put_on(change, own, masks, unit)
    return Layers(cover, nothing[..., :2], nothing, paint, cover, things=things)
