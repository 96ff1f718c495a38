"""The one core: a photograph goes in, its faces are edited, and it comes out."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, partial, reduce
from io import BytesIO
from operator import add
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, overload

import numpy as np
from numpy.typing import NDArray

from retouch.contracts import OnStep
from retouch.cores import one_thread
from retouch.edits.beauty import GOAL, Beauty
from retouch.edits.directions import DIRECTIONS, Known, trait_of
from retouch.edits.edit import Direction, View
from retouch.edits.manner import BROAD, DRAWN, TYPICAL, WHOLE
from retouch.edits.moves import TraitMove
from retouch.edits.registry import Registry
from retouch.edits.straight import bounded
from retouch.edits.way import Moved, Way, within_budget, within_reach
from retouch.engine.completer import Completer
from retouch.engine.examiner import Examiner
from retouch.engine.rendering import Renderer
from retouch.engine.session import (
    ADULT,
    KnownFaces,
    Purpose,
    Result,
    Session,
    Task,
)
from retouch.errors import SettingsError
from retouch.faces import crop
from retouch.faces.detect import Detector
from retouch.faces.face_crop import FaceCrop
from retouch.faces.identity import apart
from retouch.geometry import TIGHT, Face, Similarity
from retouch.models import Model
from retouch.photos.photo import (
    PathLike,
    Photo,
    Provenance,
    Same,
    Source,
    like,
    read,
)
from retouch.presets import BALANCED, GUESS, chosen
from retouch.provenance import seal
from retouch.settings import Climb, Settings
from retouch.stitching import mask

if TYPE_CHECKING:  # what climbs by slopes loads Keras
    from retouch.edits.climb import Ascent

Floats = NDArray[np.float32]
Moves = Mapping[str, float]  # strengths of named directions, in deviations

LEAST_SEEN = 0.5  # of a face's square: the part that must lie in the photo
SEEN_AT = 32  # pixels a side of a square that is looked at for that
SMALLEST = 24.0  # pixels: the side of a face that can still be worked on
TRIED_AT = 128  # pixels a side: at this size it is seen what edits do to faces
EARLY = 1.35  # to this power of what even straying allows: most stray at first
BEAUTY = 0.7  # deviations that strength 1 of beautify asks for


class Retoucher:
    """Edits photos; load it once and use it again."""

    def __init__(self, model: Model, detector: Detector | None = None):
        self.model = model
        self.detector = detector or Detector()
        self.registry = Registry(model)
        self.renderer = Renderer(model, self.detector)

    @classmethod
    def load(
        cls, model: str = "default", detector: Detector | None = None
    ) -> "Retoucher":
        """Return a retoucher with the model of that name."""
        return cls(Model.load(model), detector)

    @overload
    def beautify(
        self, photo: Same, settings: Settings | None = None, *, force: bool = False
    ) -> Same: ...

    @overload
    def beautify(
        self, photo: PathLike, settings: Settings | None = None, *, force: bool = False
    ) -> Path: ...

    @overload
    def beautify(
        self, photo: BinaryIO, settings: Settings | None = None, *, force: bool = False
    ) -> BytesIO: ...

    def beautify(
        self, photo: Source, settings: Settings | None = None, *, force: bool = False
    ) -> object:
        """Beautify a path, bytes, PIL image or array, and give back the same kind.

        Args:
            force: replace the file beside a path that is there from before.
        """
        result = self.beautified(read(photo), settings or Settings())
        return _given_back(photo, result, force)

    @overload
    def edit(
        self,
        photo: Same,
        moves: Moves,
        settings: Settings | None = None,
        *,
        force: bool = False,
    ) -> Same: ...

    @overload
    def edit(
        self,
        photo: PathLike,
        moves: Moves,
        settings: Settings | None = None,
        *,
        force: bool = False,
    ) -> Path: ...

    @overload
    def edit(
        self,
        photo: BinaryIO,
        moves: Moves,
        settings: Settings | None = None,
        *,
        force: bool = False,
    ) -> BytesIO: ...

    def edit(
        self,
        photo: Source,
        moves: Moves,
        settings: Settings | None = None,
        *,
        force: bool = False,
    ) -> object:
        """Move a photo along named directions and give back the same kind.

        Args:
            force: replace the file beside a path that is there from before.
        """
        result = self.edited(read(photo), moves, settings or Settings())
        return _given_back(photo, result, force)

    def beautified(
        self,
        photo: Photo | KnownFaces,
        settings: Settings,
        on_step: OnStep | None = None,
        climb: Climb | None = None,
    ) -> Result:
        """Return the photo with its faces moved up the beauty scorer."""
        return self.run(photo, self.beautifying(settings, climb), settings, on_step)

    def edited(
        self,
        photo: Photo | KnownFaces,
        moves: Moves,
        settings: Settings,
        on_step: OnStep | None = None,
    ) -> Result:
        """Return the photo with its faces moved along directions, in deviations."""
        return self.run(photo, self.editing(moves, settings), settings, on_step)

    @one_thread()
    def edited_each(
        self,
        photo: Photo | KnownFaces,
        wishes: Mapping[int, Mapping[str, float]],
        settings: Settings,
        on_step: OnStep | None = None,
    ) -> Result:
        """Return the photo with each face, by its number, moved as it is wished."""
        tasks = {i: self.editing(wishes[i], settings) for i in sorted(wishes)}
        numbers = ",".join(str(i) for i in tasks)
        chosen = dataclasses.replace(settings, faces=numbers)
        adults = any(task.purpose.adults for task in tasks.values())
        whole = self.cut(photo, chosen, adults=adults)
        (whole,) = self.invert([whole], chosen, on_step)
        now, reports = whole.photo, whole.reports()
        for i in whole.chosen if settings.strength else ():
            session = dataclasses.replace(whole.only(i), photo=now)
            (done,) = self.finish([session], tasks[i], settings, on_step)
            now, reports[i] = done.photo, done.faces[i]
        words = "; ".join(f"face {i}: {t.purpose.name}" for i, t in tasks.items())
        name = Provenance(self.model.name, words, settings.strength)
        return Result(now, whole.photo, tuple(reports), name, settings)

    # --- what can be done ------------------------------------------------------

    def beautifying(self, settings: Settings, wish: Climb | None = None) -> Task:
        """Return the climb up the beauty scorer."""
        climb = wish or Climb()
        edit = self.registry.beautify(settings.kept_traits, climb.max_steps)

        def move(view: View) -> Way:
            strengths = np.full(len(view.latents), settings.strength, np.float32)
            goals = (GOAL if isinstance(edit, Beauty) else BEAUTY) * strengths
            if climb.until_score is not None:
                goals = np.maximum(climb.until_score - self._beauty(view), 0)
            if isinstance(edit, Beauty):
                return edit.way(view, strengths, goals)
            return self._way("beauty", edit, view, goals)

        look = climb.look if climb.skin else "none"
        purpose = Purpose("beautify", "attractive", adults=True, look=look)
        return Task(purpose, move)

    def _beauty(self, view: View) -> Floats:
        """Return how attractive the guide finds the faces, (N,)."""
        sight = self.model.sight
        if sight is None:
            raise SettingsError("Without a guide there is no score to climb to.")
        seen = np.asarray(sight.look(view.images)[1])
        return seen[:, sight.names.index("attractive")]

    def editing(self, moves: Mapping[str, float | Floats], settings: Settings) -> Task:
        """Return the moves along named directions, in deviations: one, or (N,)."""
        edits = [
            (n, self.registry.edit(n, settings.kept_traits), bounded(n, s))
            for n, s in moves.items()
        ]
        first = next(iter(moves), "")

        def move(view: View) -> Way:
            ways = [
                self._way(name, edit, view, strength * settings.strength)
                for name, edit, strength in edits
            ]
            return reduce(add, ways, Way.none(view.latents))

        words = ", ".join(f"{n} {np.mean(s):+g}" for n, s in moves.items())
        adults = any(self.registry.for_adults(name) for name in moves)
        asks = any(np.any(s) for s in moves.values())
        return Task(Purpose(words, trait_of(first), adults, asks=asks), move)

    def _way(
        self,
        name: str,
        edit: "Ascent | Direction | TraitMove",
        view: View,
        strength: float | Floats,
    ) -> Way:
        """Return the way of an edit, and how it is to be drawn."""
        known = DIRECTIONS.get(name, Known(name, name, "", manner=TYPICAL))
        if isinstance(edit, TraitMove):
            way = edit.way(view, strength * known.moved)
            return dataclasses.replace(way, manner=known.manner)
        there = edit.apply(self.model.generator, view, strength * known.climbed)
        way = Way.straight(view.latents, there)
        # A slope's fine light is the person's where colour is meant, else its own.
        manner = known.manner
        coloured = bool(manner.things & DRAWN) or (manner.fine and manner.colour > 0)
        return dataclasses.replace(way, manner=WHOLE if coloured else BROAD)

    # --- the steps -------------------------------------------------------------

    @one_thread()
    def run(
        self,
        photo: Photo | KnownFaces,
        task: Task,
        settings: Settings,
        on_step: OnStep | None,
    ) -> Result:
        """Return the photo after the task."""
        if on_step is not None:
            on_step("finding faces", 0.0)
        session = self.cut(photo, settings, adults=task.purpose.adults)
        (result,) = self.finish([session], task, settings, on_step)
        return result

    def find(self, photo: Photo) -> list[Face]:
        """Return the faces of a photo, the largest first."""
        return self.detector.present(photo.pixels)

    @one_thread()
    def cut(
        self, photo: Photo | KnownFaces, settings: Settings, *, adults: bool = False
    ) -> Session:
        """Find the faces of a photo, choose among them and cut those out.

        Args:
            adults: leave faces alone that look younger than 18.
        """
        seal.check(settings)
        known = photo
        if isinstance(known, Photo):
            known = KnownFaces(known, tuple(self.find(known)))
        photo, faces, latents = known.photo, known.faces, known.latents
        wanted = settings.chosen(len(faces))
        said = [_hindrance(photo, faces[i]) for i in wanted]
        notes = {i: note for i, note in zip(wanted, said, strict=True) if note}
        chosen = tuple(i for i in wanted if i not in notes)
        faces = tuple(
            self.renderer.settled(photo.pixels, face) if i in chosen else face
            for i, face in enumerate(faces)
        )
        images, masks = self.crops(photo, [faces[i] for i in chosen])
        own = None if latents is None else latents[list(chosen)]
        session = Session(photo, faces, chosen, notes, images, masks, own)
        return self.grown(session) if adults else session

    def grown(self, session: Session) -> Session:
        """Return the session without faces that look younger than 18."""
        return session if session.grown else session.without(self._young(session))

    def _young(self, session: Session) -> list[int]:
        """Return the rows of the faces that look younger than 18."""
        if session.grown or not session.chosen:
            return []
        years = self.examiner.years(session.photo, session.faces)
        return np.flatnonzero(years < ADULT).tolist()

    @one_thread()
    def invert(
        self,
        sessions: Sequence[Session],
        settings: Settings,
        on_step: OnStep | None = None,
    ) -> list[Session]:
        """Return sessions with latents; those that have some keep them."""
        new = [s for s in sessions if s.latents is None and s.chosen]
        if not new:
            return list(sessions)
        say = on_step or (lambda what, part: None)
        # Moves read the latents that encoders give; climbs gain by a closer copy.
        needed = BALANCED if self.model.moves is None else GUESS
        latents = self.model.inverter.invert(
            np.concatenate([s.images for s in new]),
            np.concatenate([s.masks for s in new]),
            preset=chosen(settings.preset, needed),
            steps=settings.steps,
            space=settings.space,
            on_step=lambda part, loss: say(
                f"inverting, loss {loss.mean():.3f}", float(part)
            ),
        ).latents
        parts = iter(np.split(latents, np.cumsum([len(s.chosen) for s in new])[:-1]))
        return [
            dataclasses.replace(s, latents=next(parts)) if s in new else s
            for s in sessions
        ]

    @one_thread()
    def move(
        self, sessions: Sequence[Session], task: Task, settings: Settings
    ) -> Moved:
        """Return the latents of all faces after the task, within their budgets."""
        return self.hold(sessions, self._way_of(sessions, task, settings), settings)

    def hold(
        self,
        sessions: Sequence[Session],
        way: Way,
        settings: Settings,
        *,
        glimpse: bool = False,
    ) -> Moved:
        """Return how far faces may go a way, each within its budget of identity.

        Args:
            glimpse: look once, and take it that faces stray as most do.
        """
        images, faces, free = self._small(sessions, settings)
        old = self.model.embed(images)

        def strayed(part: Way) -> Floats:
            shown = self.renderer.shown(images, faces, free, part.bare, settings)
            return apart(self.model.embed(shown), old)

        if glimpse:
            whole = Moved.whole(way)
            reach = within_reach([(whole.shares, strayed(way))], settings.identity)
            early = np.minimum(reach, 1) ** EARLY
            return whole * early.astype(np.float32)
        return within_budget(way, settings.identity, strayed)

    def _way_of(
        self,
        sessions: Sequence[Session],
        task: Task,
        settings: Settings,
        say: OnStep | None = None,
    ) -> Way:
        """Return where a task leads faces; from what is for adults the young stay."""
        view = self.view(sessions, settings)
        if say is not None:
            view = dataclasses.replace(view, tell=partial(say, "editing"))
        way = task.move(view)
        adults = task.purpose.adults
        young = [self._young(s) if adults else [] for s in sessions]
        if any(young):
            shares = [np.ones(len(s.chosen), np.float32) for s in sessions]
            for share, rows in zip(shares, young, strict=True):
                share[rows] = 0
            way = way * np.concatenate(shares)
        return way

    def view(self, sessions: Sequence[Session], settings: Settings) -> View:
        """Return the faces of sessions as edits look at them."""
        names = "images", "masks", "start"
        parts = ([getattr(s, name) for s in sessions] for name in names)
        images, masks, latents = map(np.concatenate, parts)
        small, faces, free = self._small(sessions, settings)

        def show(way: Way, row: int) -> Floats:
            own, seen = (
                np.repeat(x[row : row + 1], len(way), 0) for x in (small, free)
            )
            there = [faces[row]] * len(way)
            return self.renderer.shown(own, there, seen, way, settings)

        marks = np.array([face.landmarks for face in faces], np.float32)
        return View(images, masks, latents, settings.identity, show, marks)

    def _small(
        self, sessions: Sequence[Session], settings: Settings
    ) -> tuple[Floats, list[Face], Floats]:
        """Return crops of sessions in which edits are tried, and the faces in them.

        Beside them stands where these may change, for something may lie before them.
        """
        whole = np.concatenate([s.images for s in sessions])
        size = min(whole.shape[1], TRIED_AT)
        shrunk = Similarity.scaling(size / whole.shape[1])
        faces = [face.moved(shrunk) for face in self.in_crops(*sessions)]
        small = np.stack([crop.resized(image, size) for image in whole])
        free = [
            self.renderer.free(s.photo.pixels, s.faces, size, settings)
            for s in sessions
        ]
        return small, faces, np.concatenate(free)

    def in_crops(self, *sessions: Session) -> list[Face]:
        """Return the faces of sessions as they lie in their crops."""
        place = self.model.template, self.model.generator.resolution
        faces = [face for session in sessions for face in session.faces]
        return [face.moved(face.transform(*place)) for face in faces]

    @one_thread()
    def render(
        self,
        session: Session,
        way: Way,
        settings: Settings,
        finest: int | None = None,
    ) -> Photo:
        """Return the session's photo with its faces' latents gone a way.

        Args:
            finest: pixels a side at which changes are worked out, at the most.
        """
        pixels = session.photo.pixels
        pixels = self.renderer.laid(pixels, session.faces, way, settings, finest)
        return session.photo.with_pixels(pixels)

    @one_thread()
    def finish(
        self,
        sessions: Sequence[Session],
        task: Task,
        settings: Settings,
        on_step: OnStep | None = None,
    ) -> list[Result]:
        """Return each photo after the task; their faces share one batch."""
        say = on_step or (lambda what, part: None)
        if task.purpose.adults:
            sessions = [self.grown(session) for session in sessions]
        if settings.strength:
            sessions = self.invert(sessions, settings, say)
        busy = [s for s in sessions if s.chosen and settings.strength]
        moved = self._all_moved(busy, task, settings, say)
        return [
            self.complete(s, next(moved) if s in busy else None, task.purpose, settings)
            for s in sessions
        ]

    def _all_moved(
        self, sessions: list[Session], task: Task, settings: Settings, say: OnStep
    ) -> Iterator[Moved]:
        """Yield where the faces of each session go, whatever they are allowed."""
        if not sessions:
            return
        say("editing", 0.0)
        # The photos themselves will tell who has gone too far.
        moved = Moved.whole(self._way_of(sessions, task, settings, say))
        at = 0
        for session in sessions:
            part = slice(at, at := at + len(session.chosen))
            say("stitching", at / len(moved.way))
            yield moved[part]

    @one_thread()
    def complete(
        self,
        session: Session,
        moved: Moved | None,
        purpose: Purpose,
        settings: Settings,
    ) -> Result:
        """Return the photo whose faces' latents have been moved, and its report.

        Args:
            moved: None if nothing is done to the photo.
        """
        photo, reports = session.photo, session.reports()
        if moved is not None:
            photo, reports = self.completer.completed(session, moved, purpose, settings)
        name = Provenance(self.model.name, purpose.name, settings.strength)
        return Result(photo, session.photo, tuple(reports), name, settings)

    def crops(self, photo: Photo, faces: Sequence[Face]) -> tuple[Floats, Floats]:
        """Return the images and the masks of faces."""
        size, pixels = self.model.generator.resolution, photo.pixels
        images = np.empty((len(faces), size, size, 3), np.float32)
        masks = np.empty((len(faces), size, size, 1), np.float32)
        for i, face in enumerate(faces):
            seen = FaceCrop.of(pixels, face, self.model.template, size)
            images[i] = seen.image
            masks[i, ..., 0] = mask.draw(face, seen.transform, size, pixels.shape)
        return images, masks

    # --- the parts -------------------------------------------------------------

    @cached_property
    def examiner(self) -> Examiner:
        """What judges faces and guides no edit."""
        return Examiner(self.model, self.detector)

    @cached_property
    def completer(self) -> Completer:
        """What finishes photos of moved faces."""
        return Completer(self.model, self.renderer, self.examiner)


def _given_back(source: Source, result: Result, force: bool) -> object:
    told = result.provenance
    return like(result.photo, source, force=force, provenance=told, seal=result.seal)


def _hindrance(photo: Photo, face: Face) -> str:
    """Return why nothing can be done to a face, or nothing."""
    if face.size < SMALLEST:
        return f"too small: {face.size:.0f} px, {SMALLEST:.0f} are needed"
    place = face.transform(TIGHT, SEEN_AT)
    seen = float(crop.coverage(place, SEEN_AT, photo.pixels.shape).mean())
    if seen < LEAST_SEEN:
        return f"{seen:.0%} of it lies in the photo, half of it must"
    return ""
