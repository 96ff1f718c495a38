"""The one core: a photograph goes in, its faces are edited, and it comes out."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retouch import crop, mask
from retouch.detect import Detector
from retouch.edit import Ascent, Direction, Move, View, within_budget
from retouch.errors import FaceError, SettingsError
from retouch.geometry import Face
from retouch.models import Model
from retouch.photo import Photo, Provenance, Source, like, read
from retouch.report import Examiner, FaceReport, pair
from retouch.settings import Settings
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


@dataclass(frozen=True, eq=False)
class Result:
    """A finished photo with the report of its faces."""

    photo: Photo
    before: Photo
    faces: tuple[FaceReport, ...]
    provenance: Provenance


@dataclass(frozen=True, eq=False)
class _Crops:
    """The chosen faces of a photo as the networks see them."""

    faces: list[Face]
    images: Floats  # (N, R, R, 3)
    masks: Floats  # (N, R, R, 1)


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
        edit = self._edit("beauty", settings)
        name = Provenance(self.model.name, "beautify", settings.strength)

        def move(view: View) -> Floats:
            strength = settings.strength * BEAUTY
            return edit.apply(self.model.generator, view, strength)

        return self._run(
            photo, move, "attractive", name, settings, on_step, adults=True
        )

    def edited(
        self,
        photo: Photo,
        moves: Mapping[str, float],
        settings: Settings,
        on_step: OnStep | None = None,
    ) -> Result:
        """Return the photo with its faces moved along directions, in deviations."""
        edits = [(self._edit(n, settings), s) for n, s in moves.items()]
        words = ", ".join(f"{name} {strength:+g}" for name, strength in moves.items())
        first = next(iter(moves), "")
        name = Provenance(self.model.name, words, settings.strength)

        def move(view: View) -> Floats:
            total = np.zeros_like(view.latents)
            for edit, strength in edits:
                moved = edit.apply(
                    self.model.generator, view, strength * settings.strength
                )
                total += moved - view.latents
            return view.latents + total

        adults = "beauty" in moves
        trait = TRAIT_OF.get(first, first)
        return self._run(photo, move, trait, name, settings, on_step, adults=adults)

    def found(self, photo: Photo) -> list[Face]:
        """Return the faces of a photo, the largest first."""
        faces = self.detector.find(photo.pixels)
        if not faces:
            raise FaceError(
                "No face was found in the photo. Faces need some 40 pixels and must"
                " be turned to the camera."
            )
        return faces

    # --- the steps -------------------------------------------------------------

    def _run(
        self,
        photo: Photo,
        move: Move,
        trait: str,
        name: Provenance,
        settings: Settings,
        on_step: OnStep | None,
        *,
        adults: bool,
    ) -> Result:
        say = on_step or (lambda what, part: None)
        say("finding faces", 0.0)
        faces = self.found(photo)
        reports = [FaceReport.of(i, face) for i, face in enumerate(faces)]
        chosen = settings.chosen(len(faces))
        notes = self._left_alone(photo, [faces[i] for i in chosen], adults)
        reports = [
            dataclasses.replace(
                r, note=dict(zip(chosen, notes, strict=True)).get(i, "")
            )
            for i, r in enumerate(reports)
        ]
        chosen = [i for i, note in zip(chosen, notes, strict=True) if not note]
        if not chosen or settings.strength == 0:
            return Result(photo, photo, tuple(reports), name)
        crops = self._cut(photo, [faces[i] for i in chosen])
        before = self.model.inverter.invert(
            crops.images,
            crops.masks,
            steps=settings.steps,
            on_step=lambda i, _: say("inverting", i / max(settings.steps, 1)),
        ).latents
        say("editing", 0.0)
        view = View(crops.images, crops.masks, before)
        moved = within_budget(
            self.model.generator,
            self.model.identity,
            view,
            move(view),
            settings.identity,
        )
        say("stitching", 0.0)
        pixels = self._stitched(photo, crops, before, moved.latents, settings)
        done = photo.with_pixels(pixels)
        say("judging", 0.0)
        told = zip(
            chosen,
            moved.shares,
            self._guided(before, moved.latents, trait),
            self._examiner.compare(photo, done, crops.faces, trait),
            strict=True,
        )
        for i, share, guided, judged in told:
            said = {"share": float(share), **guided, **judged}
            reports[i] = dataclasses.replace(reports[i], **said)
        return Result(done, photo, tuple(reports), name)

    def _cut(self, photo: Photo, faces: list[Face]) -> _Crops:
        size = self.model.generator.resolution
        scale = np.float32(np.iinfo(photo.pixels.dtype).max / 2)
        images, masks = [], []
        for face in faces:
            transform = face.transform(self.model.template, size)
            images.append(crop.cut(photo.pixels, transform, size) / scale - 1)
            area = mask.draw(face, transform, size, photo.pixels.shape)
            masks.append(area[..., None])
        return _Crops(faces, np.stack(images), np.stack(masks))

    def _stitched(
        self,
        photo: Photo,
        crops: _Crops,
        before: Floats,
        after: Floats,
        settings: Settings,
    ) -> NDArray:
        size = self.model.generator.resolution
        pictures = [
            np.clip(self.model.decode(latents) * 127.5 + 127.5, 0, 255)
            for latents in (before, after)
        ]
        pieces = [
            Piece(face, face.transform(self.model.template, size), Change(a, b))
            for face, a, b in zip(crops.faces, *pictures, strict=True)
        ]
        return stitch(
            photo.pixels, pieces, method=settings.stitch, regions=settings.regions
        )

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
