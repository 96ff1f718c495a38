"""Faces kept as latents: made of a photo, known in it again, drawn on their own."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retouch.contracts import OnStep
from retouch.engine.retoucher import Retoucher
from retouch.engine.session import YOUNG, KnownFaces, Session
from retouch.errors import FaceError, SettingsError
from retouch.geometry import Face
from retouch.inversion.latent_files import SavedFace
from retouch.inversion.plan import Inversion
from retouch.models import Model
from retouch.photos.levels import pixels_of
from retouch.photos.photo import Photo
from retouch.presets import chosen
from retouch.settings import Settings

Floats = NDArray[np.float32]
WORSE = 6.0  # decibels by which a photo's face may differ more than when it was kept


@dataclass(frozen=True, eq=False)
class InvertedFace:
    """A face to be kept, and how it was found."""

    index: int
    saved: SavedFace
    image: Floats  # (R, R, 3)
    copies: Floats  # (K, R, R, 3): from the guess to the result
    tuning: Floats  # (steps + 1,): the losses of the fine-tuning
    interrupted: bool


def invert(
    retoucher: Retoucher,
    photo: Photo | KnownFaces,
    settings: Settings,
    *,
    tune: bool = False,
    copies: int = 0,
    before: Callable[[Sequence[int]], None] | None = None,
    on_step: OnStep | None = None,
) -> list[InvertedFace]:
    """Return the wanted faces of a photo as latents.

    Args:
        tune: fine-tune the generator for each face as well.
        copies: how many pictures from guess to result are wanted.
        before: told which faces there are, before the long work.
    """
    say = on_step or (lambda what, part: None)
    model, session = retoucher.model, retoucher.cut(photo, settings)
    if not session.chosen:
        raise FaceError(f"No face can be inverted: {'; '.join(session.notes.values())}")
    if before is not None:
        before(session.chosen)
    found = model.inverter.invert(
        session.images,
        session.masks,
        preset=chosen(settings.preset),
        steps=settings.steps,
        space=settings.space,
        keep=copies,
        on_step=lambda part, loss: say(f"inverting, loss {loss.mean():.3f}", part),
    )
    tune = tune and not found.interrupted
    return [
        _inverted(retoucher, session, found, row, say if tune else None)
        for row in range(len(session.chosen))
    ]


def _inverted(
    retoucher: Retoucher,
    session: Session,
    found: Inversion,
    row: int,
    tuning: OnStep | None,
) -> InvertedFace:
    """Return one of a session's faces, the generator tuned to it if that is told."""
    model, index = retoucher.model, session.chosen[row]
    image, mask, latents = session.images[row], session.masks[row], found.latents[row]
    deltas: Mapping[str, NDArray[Any]] = {}
    losses = np.zeros(0, np.float32)
    if tuning is not None:
        deltas, losses = _tuned(model, (image, mask, latents), tuning)
    saved = SavedFace(
        latents,
        model.name,
        model.sha256,
        session.found[index],
        session.photo.pixels.shape[:2],
        0.0,
        found.losses[:, row],
        deltas,
    )
    own = suited(retoucher, [saved]).model
    result = own.decode(latents[None])[0]
    saved = dataclasses.replace(saved, fidelity=fidelity(result, image, mask))
    ways = [model.decode(way[row][None])[0] for way in found.way]
    if tuning is not None and ways:
        ways.append(result)
    copies = np.array(ways, np.float32).reshape(-1, *image.shape)
    return InvertedFace(index, saved, image, copies, losses, found.interrupted)


def suited(retoucher: Retoucher, saved: Sequence[SavedFace]) -> Retoucher:
    """Return the retoucher whose generator is as these faces need it."""
    model, shape = retoucher.model, retoucher.model.generator.latent_shape
    for face in saved:
        face.check_model(model.name, model.sha256, tuple(shape))
    if not any(face.tuned for face in saved):
        return retoucher
    if len(saved) > 1:
        raise SettingsError(
            "A face with a generator of its own is worked on alone;"
            f" got {len(saved)} files. Take one after the other."
        )
    network = model.in_keras.generator
    from retouch.inversion.tune import tuned

    own = tuned(network, saved[0].tuned)
    changed = dataclasses.replace(model, generator=own)
    return Retoucher(changed, retoucher.detector)


def known(retoucher: Retoucher, photo: Photo, saved: Sequence[SavedFace]) -> KnownFaces:
    """Return the faces as the photo's, if they can be those that it shows.

    Args:
        retoucher: the one that suits them.
    """
    for face in saved:
        face.check_photo(photo.pixels.shape)
    faces = tuple(face.face for face in saved)
    latents = np.stack([face.latents for face in saved])
    images, masks = retoucher.crops(photo, faces)
    copies = retoucher.model.decode(latents)
    for face, *parts in zip(saved, copies, images, masks, strict=True):
        like = fidelity(*parts)
        if like < face.fidelity - WORSE:
            raise SettingsError(
                "The latents do not show the face that is there in this photo"
                f" ({like:.0f} dB, {face.fidelity:.0f} when they were kept). Give the"
                " photo that was inverted, or invert this one."
            )
    return KnownFaces(photo, faces, latents)


def drawn(
    retoucher: Retoucher,
    saved: SavedFace,
    moves: Mapping[str, float],
    settings: Settings,
) -> Photo:
    """Return the generator's crop of a kept face, moved along directions."""
    own = suited(retoucher, [saved])
    model, latents = own.model, saved.latents[None]
    if moves:
        images = model.decode(latents)
        size = model.generator.resolution
        place = saved.face.transform(model.template, size)
        session = Session(
            _photo(images[0]),
            (Face(place(saved.face.landmarks), (0.0, 0.0, float(size), float(size))),),
            (0,),
            {},
            images,
            np.ones((1, size, size, 1), np.float32),
            latents,
        )
        task = own.editing(moves, settings)
        if task.purpose.adults and not own.grown(session).chosen:
            raise FaceError(f"The face is not moved: {YOUNG}.")
        latents = own.move([session], task, settings).latents
    return _photo(model.draw(latents)[0])


def fidelity(copy: Floats, image: Floats, mask: Floats) -> float:
    """Return the peak signal-to-noise ratio inside the mask, in decibels."""
    square = float((mask * (copy - image) ** 2).mean() / max(mask.mean(), 1e-6))
    return float(10 * np.log10(4 / max(square, 1e-10)))


def _photo(image: Floats) -> Photo:
    return Photo(pixels_of(image))


def _tuned(
    model: Model, parts: tuple[Floats, Floats, Floats], say: OnStep
) -> tuple[Mapping[str, NDArray[Any]], Floats]:
    own = model.in_keras
    from retouch.inversion.tune import Tuner

    done = Tuner(own.generator, own.identity).tune(
        *parts, on_step=lambda part, loss: say(f"tuning, loss {loss:.3f}", part)
    )
    # They are kept in half precision, and what is used is what is kept.
    deltas = {
        name: np.asarray(delta, np.float16).astype(np.float32)
        for name, delta in done.deltas.items()
    }
    return deltas, done.losses
