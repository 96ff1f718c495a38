"""The one core: a photograph goes in, its faces are edited, and it comes out."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retouch import crop, mask
from retouch.detect import Detector
from retouch.edit import Ascent, Direction, Moved, View, within_budget
from retouch.errors import FaceError, SettingsError
from retouch.geometry import Face
from retouch.models import Model
from retouch.photo import Photo, Provenance, Source, like, read
from retouch.report import Examiner, FaceReport, pair
from retouch.settings import Settings
from retouch.sitting import Result, Sitting, Task
from retouch.stitch import Change, Piece, stitch

Floats = NDArray[np.float32]
OnStep = Callable[[str, float], None]  # what is being done, the part of it done

ADULT = 18.0  # years
SMALLEST = 24.0  # pixels: the side of a face that can still be worked on
BEAUTY = 0.7  # deviations that strength 1 of beautify asks for
# What light does is not beauty: no edit may go that way.
LIGHT = ("light", "light-side", "light-above", "warmth", "contrast")
TRAIT_OF = {
    "beauty": "attractive",
    "smile": "happy",
    "age": "age",
    "masculine": "gender",
    "weight": "weight",
    "hair-length": "long-haired",
    "well-groomed": "well-groomed",
    "eye-make-up": "eye_makeup",
    "lip-make-up": "lip_makeup",
}


class Retoucher:
    """Edits photos; load it once and use it again."""

    def __init__(self, model: Model, detector: Detector | None = None):
        self.model = model
        self.detector = detector or Detector()
        self._edits: dict[Any, Any] = {}

    @classmethod
    def load(cls, model: str = "default") -> "Retoucher":
        """Return a retoucher with the model of that name."""
        return cls(Model.load(model))

    def beautify(self, photo: Source, settings: Settings | None = None) -> Any:
        """Beautify a path, bytes, PIL image or array, and give back the same kind."""
        settings = settings or Settings()
        return self._given_back(photo, self.beautified(read(photo), settings))

    def edit(
        self,
        photo: Source,
        moves: Mapping[str, float],
        settings: Settings | None = None,
    ) -> Any:
        """Move a photo along named directions and give back the same kind."""
        settings = settings or Settings()
        return self._given_back(photo, self.edited(read(photo), moves, settings))

    def beautified(
        self, photo: Photo, settings: Settings, on_step: OnStep | None = None
    ) -> Result:
        """Return the photo with its faces moved up the beauty scorer."""
        return self.worked(photo, self.beautifying(settings), settings, on_step)

    def edited(
        self,
        photo: Photo,
        moves: Mapping[str, float],
        settings: Settings,
        on_step: OnStep | None = None,
    ) -> Result:
        """Return the photo with its faces moved along directions, in deviations."""
        return self.worked(photo, self.editing(moves, settings), settings, on_step)

    # --- what can be done ------------------------------------------------------

    def beautifying(self, settings: Settings) -> Task:
        """Return the climb up the beauty scorer."""
        edit = self._edit("beauty", settings)

        def move(view: View) -> Floats:
            strength = settings.strength * BEAUTY
            return edit.apply(self.model.generator, view, strength)

        return Task("beautify", move, "attractive", adults=True)

    def editing(self, moves: Mapping[str, float], settings: Settings) -> Task:
        """Return the moves along named directions, in deviations."""
        edits = [(self._edit(n, settings), s) for n, s in moves.items()]
        first = next(iter(moves), "")

        def move(view: View) -> Floats:
            total = np.zeros_like(view.latents)
            for edit, strength in edits:
                moved = edit.apply(
                    self.model.generator, view, strength * settings.strength
                )
                total += moved - view.latents
            return view.latents + total

        words = ", ".join(f"{name} {strength:+g}" for name, strength in moves.items())
        return Task(words, move, TRAIT_OF.get(first, first), adults="beauty" in moves)

    # --- the steps -------------------------------------------------------------

    def worked(
        self, photo: Photo, task: Task, settings: Settings, on_step: OnStep | None
    ) -> Result:
        """Return the photo after the task."""
        if on_step is not None:
            on_step("finding faces", 0.0)
        sitting = self.sit(photo, settings, adults=task.adults)
        (result,) = self.finished([sitting], task, settings, on_step)
        return result

    def found(self, photo: Photo) -> list[Face]:
        """Return the faces of a photo, the largest first."""
        faces = self.detector.find(photo.pixels)
        if not faces:
            raise FaceError(
                "No face was found in the photo. Faces need some 40 pixels and must"
                " be turned to the camera."
            )
        return faces

    def sit(self, photo: Photo, settings: Settings, *, adults: bool = False) -> Sitting:
        """Find the faces of a photo, choose among them and cut those out.

        Args:
            adults: leave faces alone that look younger than 18.
        """
        faces = self.found(photo)
        wanted = settings.chosen(len(faces))
        said = self._left_alone(photo, [faces[i] for i in wanted], adults)
        notes = {i: note for i, note in zip(wanted, said, strict=True) if note}
        chosen = tuple(i for i in wanted if i not in notes)
        images, masks = self._cut(photo, [faces[i] for i in chosen])
        return Sitting(photo, tuple(faces), chosen, notes, images, masks)

    def inverted(
        self,
        sittings: Sequence[Sitting],
        settings: Settings,
        on_step: OnStep | None = None,
    ) -> list[Sitting]:
        """Return sittings with latents; those that have some keep them."""
        new = [s for s in sittings if s.latents is None and s.chosen]
        if not new:
            return list(sittings)
        say = on_step or (lambda what, part: None)
        latents = self.model.inverter.invert(
            np.concatenate([s.images for s in new]),
            np.concatenate([s.masks for s in new]),
            steps=settings.steps,
            on_step=lambda i, _: say("inverting", i / max(settings.steps, 1)),
        ).latents
        parts = iter(np.split(latents, np.cumsum([len(s.chosen) for s in new])[:-1]))
        return [
            dataclasses.replace(s, latents=next(parts)) if s in new else s
            for s in sittings
        ]

    def moved(
        self, sittings: Sequence[Sitting], task: Task, settings: Settings
    ) -> Moved:
        """Return the latents of all faces after the task, within their budgets."""
        names = "images", "masks", "start"
        parts = ([getattr(s, name) for s in sittings] for name in names)
        view = View(*map(np.concatenate, parts))
        generator, identity = self.model.generator, self.model.identity
        after = task.move(view)
        return within_budget(generator, identity, view, after, settings.identity)

    def rendered(self, sitting: Sitting, after: Floats, settings: Settings) -> Photo:
        """Return the sitting's photo with its faces' latents moved to others."""
        place = self.model.template, self.model.generator.resolution
        pictures = [
            np.clip(self.model.decode(latents) * 127.5 + 127.5, 0, 255)
            for latents in (sitting.start, after)
        ]
        pieces = [
            Piece(face, face.transform(*place), Change(a, b))
            for face, a, b in zip(sitting.faces, *pictures, strict=True)
        ]
        photo, regions = sitting.photo, settings.regions
        return photo.with_pixels(
            stitch(photo.pixels, pieces, method=settings.stitch, regions=regions)
        )

    def finished(
        self,
        sittings: Sequence[Sitting],
        task: Task,
        settings: Settings,
        on_step: OnStep | None = None,
    ) -> list[Result]:
        """Return each photo after the task; their faces share one batch."""
        name = Provenance(self.model.name, task.name, settings.strength)
        say = on_step or (lambda what, part: None)
        idle = settings.strength == 0
        busy = [] if idle else [s for s in sittings if s.chosen]
        if not busy:
            return [
                Result(s.photo, s.photo, tuple(s.reports()), name) for s in sittings
            ]
        done = iter(self._done(busy, task, settings, say))
        results = []
        for sitting in sittings:
            photo, reports = sitting.photo, sitting.reports()
            if sitting in busy:
                photo, reports = next(done)
            results.append(Result(photo, sitting.photo, tuple(reports), name))
        return results

    def _done(
        self, sittings: list[Sitting], task: Task, settings: Settings, say: OnStep
    ) -> Iterator[tuple[Photo, list[FaceReport]]]:
        sittings = self.inverted(sittings, settings, say)
        say("editing", 0.0)
        moved = self.moved(sittings, task, settings)
        at = 0
        for sitting in sittings:
            part = slice(at, at := at + len(sitting.chosen))
            after, shares = moved.latents[part], moved.shares[part]
            say("stitching", at / len(moved.latents))
            photo = self.rendered(sitting, after, settings)
            say("judging", at / len(moved.latents))
            yield photo, self._told(sitting, photo, after, shares, task.trait)

    def _told(
        self, sitting: Sitting, photo: Photo, after: Floats, shares: Floats, trait: str
    ) -> list[FaceReport]:
        """Return the reports with what was done to the chosen faces."""
        reports = sitting.reports()
        told = zip(
            sitting.chosen,
            shares,
            self._guided(sitting.start, after, trait),
            self._examiner.compare(sitting.photo, photo, sitting.faces, trait),
            strict=True,
        )
        for i, share, guided, judged in told:
            said = {"share": float(share), **guided, **judged}
            reports[i] = dataclasses.replace(reports[i], **said)
        return reports

    def _cut(self, photo: Photo, faces: list[Face]) -> tuple[Floats, Floats]:
        """Return the images and the masks of faces."""
        size = self.model.generator.resolution
        scale = np.float32(np.iinfo(photo.pixels.dtype).max / 2)
        images = np.empty((len(faces), size, size, 3), np.float32)
        masks = np.empty((len(faces), size, size, 1), np.float32)
        for i, face in enumerate(faces):
            transform = face.transform(self.model.template, size)
            images[i] = crop.cut(photo.pixels, transform, size) / scale - 1
            masks[i, ..., 0] = mask.draw(face, transform, size, photo.pixels.shape)
        return images, masks

    def _left_alone(self, photo: Photo, faces: list[Face], adults: bool) -> list[str]:
        """Return for each face why nothing is done to it, or nothing."""
        large = [face for face in faces if face.size >= SMALLEST]
        known = self._examiner.years(photo, large).tolist() if adults and large else []
        ages = iter(known)
        notes = []
        for face in faces:
            if face.size < SMALLEST:
                notes.append(
                    f"too small: {face.size:.0f} px, {SMALLEST:.0f} are needed"
                )
            elif next(ages, ADULT) < ADULT:
                notes.append("it looks younger than 18 and is left alone")
            else:
                notes.append("")
        return notes

    def _guided(self, before: Floats, after: Floats, trait: str) -> list[dict]:
        """Return the guide's own scores before and after, where it has the trait."""
        traits = self._traits
        if trait not in traits.names:
            return [{} for _ in before]
        scores = [np.asarray(traits.score(latents)) for latents in (before, after)]
        place = traits.index(trait)
        return [{"score": pair(scores, i, place)} for i in range(len(before))]

    # --- the parts -------------------------------------------------------------

    @cached_property
    def _examiner(self) -> Examiner:
        return Examiner(self.model, self.detector)

    @property
    def _traits(self):
        if self.model.traits is None:
            raise SettingsError(
                f"The model '{self.model.name}' has no reader of traits yet, so nothing"
                " can guide an edit. Use --model default, or fit one:"
                " retouch train traits."
            )
        return self.model.traits

    def _kept(self, settings: Settings, trait: str) -> tuple[str, ...]:
        names = (*settings.kept_traits, *LIGHT)
        return tuple(n for n in names if n != trait and n in self._traits.names)

    def _edit(self, name: str, settings: Settings) -> Ascent | Direction:
        """Return the edit of that name; climbing ones are kept, being compiled."""
        trait = TRAIT_OF.get(name, "")
        if trait not in self._traits.names:
            known = [n for n, t in TRAIT_OF.items() if t in self._traits.names]
            raise SettingsError(
                f"No direction is called '{name}'. Known: {', '.join(sorted(known))}."
            )
        keep = self._kept(settings, trait)
        guide = self.model.guide
        if guide is None or trait not in guide.names:
            return Direction.of(self._traits, trait, keep)
        if (trait, keep) not in self._edits:
            self._edits[trait, keep] = Ascent(
                self.model.generator,
                self.model.identity,
                self._traits,
                guide,
                trait,
                keep,
            )
        return self._edits[trait, keep]

    @staticmethod
    def _given_back(source: Source, result: Result) -> Any:
        return like(result.photo, source, provenance=result.provenance)
