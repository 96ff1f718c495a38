"""One face's expression on another: followed as a measure, or added to the latent.

Following reads the source's expression apart from who it is and how the head is
turned, and moves the target's latent until the target's picture shows as much of it.
Arithmetic is z_target + alpha (z_expression - mean z_neutral), and works with every
generator; the source's pictures are first laid into the target's shape, so that the
difference of their latents moves what lies in the same places.
"""

import dataclasses
import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from pretrained.loading import load_action_units
from pretrained.registry import library
from retouch.edits.edit import View
from retouch.edits.manner import FOLDS
from retouch.edits.moves import EXPRESSION
from retouch.edits.way import Way
from retouch.engine.retoucher import Retoucher
from retouch.engine.session import Purpose, Result, Session, Task
from retouch.errors import FaceError, SettingsError
from retouch.expressions.aim import KEPT, Aim
from retouch.expressions.transfer_options import Transferring
from retouch.photos import disk
from retouch.photos.levels import pixels_of
from retouch.photos.photo import Photo
from retouch.settings import Settings
from retouch.stitching import flow
from scorers.action_units import ActionUnits
from scorers.expression import Expressions
from scorers.latent import LIGHT
from scorers.moves import Moves

if TYPE_CHECKING:  # what follows by slopes loads Keras
    from retouch.expressions.follow import Following

Floats = NDArray[np.float32]
# Of a StyleGAN2 that starts from a constant: the rows of 8 to 32 px.
EXPRESSIVE = slice(1, 8)
AT_ONCE = 8  # alphas that share a batch
MOST_LACKING = 2.5  # deviations of a trait that are believed
# Two people's brows, lids and lips differ by who they are, too: what of it is believed.
SHOWN = {"eyes-open": 0.5, "brow-height": 0.35, "brow-gap": 0.35, "lip-thickness": 0.35}
ALIKE = 0.5  # an axis: how much a mean wants every picture to count alike


@dataclass(frozen=True, eq=False)
class MeanFace:
    """A person's face, the expressions of several pictures weighed out."""

    latent: Floats  # latent_shape
    image: Floats  # (R, R, 3) in [-1, 1], of that latent
    landmarks: Floats  # (68, 2), in pixels of the image
    weights: Floats  # (N,) of the pictures, of sum 1

    @property
    def pixels(self) -> NDArray[np.uint8]:
        return pixels_of(self.image)

    def save(self, path: Path, names: Sequence[str], model: str) -> None:
        """Write latent, landmarks and weights as plain numbers, whole or not at all."""
        file = io.BytesIO()
        np.savez(
            file,
            latent=self.latent,
            landmarks=self.landmarks,
            weights=self.weights,
            pictures=np.array([Path(name).name for name in names]),
            model=np.array(model),
        )
        disk.put(path, file.getvalue())


class Transfers:
    """Takes expressions from one face to another; load it once and use it again."""

    def __init__(self, retoucher: Retoucher, units: ActionUnits | None = None):
        self.retoucher = retoucher
        self.units = units or load_action_units(library())

    @property
    def expressions(self) -> Expressions:
        return self.units.expressions

    def cut(
        self, photo: Photo, what: str, settings: Settings, face: int | None = None
    ) -> Session:
        """Cut one face out of a photo.

        Args:
            what: the photo's name in what is said of it.
            face: its number; None takes the largest.
        """
        faces = "largest" if face is None else str(face)
        try:
            chosen = dataclasses.replace(settings, faces=faces)
            session = self.retoucher.cut(photo, chosen)
        except (FaceError, SettingsError) as error:
            raise type(error)(f"{what}: {error}") from None
        if not session.chosen:
            note = next(iter(session.notes.values()), "no face can be used")
            raise FaceError(f"{what}: {note}. Choose another picture or face.")
        return session

    def task(
        self,
        source: Session,
        target: Session,
        neutral: Sequence[Session],
        wish: Transferring,
        settings: Settings,
    ) -> Task:
        """Return what moves the target's face; sessions hold one face each."""
        return self.tasks(source, target, neutral, [wish.alpha], wish.method, settings)

    def tasks(
        self,
        source: Session,
        target: Session,
        neutral: Sequence[Session],
        alphas: Sequence[float],
        method: str,
        settings: Settings,
    ) -> Task:
        """Return what moves as many copies of the target's face as there are alphas."""
        parts = np.array(alphas, np.float32)
        purpose = Purpose(f"transfer {alphas[0]:g}", "happy")
        moves = self.retoucher.model.moves
        if moves is not None and method != "arithmetic":
            change = self.lacking(moves, source, target, neutral)

            def go(view: View) -> Way:
                way = Way.learnt(view.latents, parts[:, None] * change, moves)
                return dataclasses.replace(way, manner=FOLDS)

            return Task(purpose, go)
        if self._follows(method):
            aim = self.aim(source, target, neutral)

            def move(view: View) -> Way:
                there = self._following.apply(view, aim, parts)
                return Way.straight(view.latents, there)

            return Task(purpose, move)
        offset = self.difference(source, target, neutral, settings)
        wide = parts.reshape(-1, *[1] * (offset.ndim - 1))
        return Task(purpose, lambda view: Way(view.latents, wide * offset))

    def ranged(
        self,
        source: Session,
        target: Session,
        neutral: Sequence[Session],
        alphas: Sequence[float],
        wish: Transferring,
        settings: Settings,
    ) -> list[Photo]:
        """Return the target's photo once for each alpha."""
        (target,) = self.retoucher.invert([target], settings)
        shown = []
        for i in range(0, len(alphas), AT_ONCE):
            some = alphas[i : i + AT_ONCE]
            task = self.tasks(source, target, neutral, some, wish.method, settings)
            moved = self.retoucher.move([target] * len(some), task, settings)
            for i in range(len(some)):
                way = moved.way[i : i + 1]
                shown.append(self.retoucher.render(target, way, settings))
        return shown

    def run(
        self, target: Session, task: Task, settings: Settings, on_step: Any = None
    ) -> Result:
        """Return the target's photo after a task."""
        (result,) = self.retoucher.finish([target], task, settings, on_step)
        return result

    # --- as people go ----------------------------------------------------------

    def lacking(
        self,
        moves: Moves,
        source: Session,
        target: Session,
        neutral: Sequence[Session],
    ) -> Floats:
        """Return what traits of expression the target's face lacks, (traits,).

        With neutral pictures it is all that the source's face has more than those.
        """
        guess = self.retoucher.model.inverter.guess
        others = [s.images for s in neutral] or [target.images]
        told = moves.read(guess(np.concatenate([source.images, *others])))
        shown = dict.fromkeys(EXPRESSION, 1.0) | ({} if neutral else SHOWN)
        part = np.array([shown.get(name, 0.0) for name in moves.names])
        gap = part * (told[0] - told[1:].mean(0))
        return np.clip(gap, -MOST_LACKING, MOST_LACKING).astype(np.float32)

    # --- following -------------------------------------------------------------

    def aim(self, source: Session, target: Session, neutral: Sequence[Session]) -> Aim:
        """Return what the target's face lacks of the source's expression."""
        own = self.placed(source), self.placed(target)
        plain = np.concatenate([self.placed(n) for n in neutral]) if neutral else None
        gap = self.expressions.read(own[0], plain) - self.expressions.read(own[1])
        return Aim(gap, self._following.happier(source.images, target.images))

    def _follows(self, method: str) -> bool:
        model = self.retoucher.model
        able = model.traits is not None and model.sight is not None
        if method == "follow" and not able:
            raise SettingsError(
                f"The model '{model.name}' has no reader of traits, without which"
                " nothing can be followed. Use --method arithmetic."
            )
        return able and method != "arithmetic"

    @cached_property
    def _following(self) -> "Following":
        model = self.retoucher.model.in_keras
        from retouch.expressions.follow import Following

        if model.traits is None or model.sight is None:
            raise SettingsError(f"The model '{model.name}' has no reader of traits.")
        parts = model.generator, model.traits, model.sight, self.expressions
        return Following(*parts, keep=(*KEPT, *LIGHT))

    # --- arithmetic ------------------------------------------------------------

    def difference(
        self,
        source: Session,
        target: Session,
        neutral: Sequence[Session],
        settings: Settings,
    ) -> Floats:
        """Return what the source's expression adds to a latent, (1, *latent_shape).

        Without neutral pictures the source itself is one, its expression bent away.
        """
        marks = self.placed(target)
        plain = np.concatenate([self.placed(n) for n in neutral]) if neutral else None
        told = self.expressions.read(self.placed(source), plain)
        posed = marks + self.expressions.moves(told, marks)
        laid = [self._laid(source, posed)]
        laid += [self._laid(n, marks) for n in neutral or [source]]
        laid = [dataclasses.replace(s, masks=target.masks) for s in laid]
        latents = [s.start for s in self.retoucher.invert(laid, settings)]
        offset = latents[0] - np.mean(latents[1:], 0)
        return np.asarray(offset * self._expressive(offset.shape), np.float32)

    def _laid(self, session: Session, landmarks: Floats) -> Session:
        """Return a session whose picture is bent until its landmarks lie there."""
        image, marks = session.images[0], self.placed(session)[0]
        bent = flow.fetch(image, flow.between(marks, landmarks[0], len(image)))
        bent = np.clip(bent, -1, 1).astype(np.float32)
        return dataclasses.replace(session, images=bent[None], latents=None)

    def _expressive(self, shape: tuple[int, ...]) -> Floats:
        """Return 1 where latents of this shape carry expression, (1, *shape)."""
        every = np.ones(shape, np.float32)
        config = getattr(self.retoucher.model.generator, "config", None)
        if len(shape) != 3 or getattr(config, "code", True):
            return every
        every[:] = 0
        every[:, EXPRESSIVE] = 1
        return every

    # --- means -----------------------------------------------------------------

    def mean(self, sessions: Sequence[Session], settings: Settings) -> MeanFace:
        """Return the mean face of pictures of one person, without expression."""
        marks = np.concatenate([self.placed(s) for s in sessions])
        weights = balanced(self.expressions.read(marks))
        middle = np.einsum("n,nij->ij", weights, marks).astype(np.float32)
        laid = [self._laid(s, middle[None]) for s in sessions]
        latents = [s.start[0] for s in self.retoucher.invert(laid, settings)]
        latent = np.einsum("n,n...->...", weights, np.stack(latents))
        latent = latent.astype(np.float32)
        image = self.retoucher.model.decode(latent[None])[0]
        return MeanFace(latent, np.clip(image, -1, 1), middle, weights)

    def placed(self, session: Session) -> Floats:
        """Return the landmarks of a session's faces in its images' pixels."""
        faces = self.retoucher.in_crops(session)
        return np.array([face.landmarks for face in faces], np.float32)


def balanced(expressions: Floats) -> Floats:
    """Return weights (N,) under which expressions cancel out, as even as may be."""
    count, axes = expressions.shape
    wish = np.sqrt(ALIKE * axes)
    sums = 1e3 * np.ones((1, count))
    told = np.asarray(expressions, np.float64).T
    matrix = np.concatenate([told, wish * np.eye(count), sums])
    wanted = np.concatenate([np.zeros(axes), np.full(count, wish / count), [1e3]])
    weights, _ = nnls(matrix, wanted)
    return (weights / weights.sum()).astype(np.float32)
