"""Mouths that smiles open, beside people's own smiles.

    python -m benchmarks.mouths ../shared/faces/crops [--sheet out.png]

Closed mouths of people held out are made to smile. Three things are asked of them that
real smiles tell the answer to: how single their teeth stand, by the contrast along
rows; whether skin around the mouth darkens or lightens as it does in people of whom
there is a closed mouth and a smile; and whether a small classifier that sees the mouth
alone, and learns from other people, tells it from a real one. A wide smile is easily
told from a slight one, however real both look, and a sharp collection from a soft one:
so every mouth has beside it a real one that is about as open, of the same collection
where there is one.
"""

import json
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import typer
from numpy.typing import NDArray
from PIL import Image
from rich.console import Console
from rich.table import Table
from scipy.ndimage import gaussian_filter, gaussian_filter1d
from scipy.optimize import linear_sum_assignment
from skimage.color import rgb2lab

from benchmarks.people import Crops, Person, held_out, opened, seen
from benchmarks.realism import sorted_rightly, statistics
from retouch.engine.report import FaceReport
from retouch.engine.retoucher import Retoucher
from retouch.engine.session import Session
from retouch.faces.crop import cut, resized
from retouch.faces.identity import apart, comparable, described, landmarks_of
from retouch.geometry import INNER_LIPS, OUTER_LIPS, Face, Points, Similarity
from retouch.photos.levels import pixels_of
from retouch.photos.photo import Photo
from retouch.settings import Settings
from retouch.stitching.mouths import filled, opening

RESULTS = Path(__file__).parent / "results"
SOURCES = (
    *(("mebeauty", "me", 24), ("utk", "utk", 12)),
    *(("omi", "omi", 14), ("lfw", "lfw", 10)),
)
MANY = 400  # people of a collection at most, among whom real smiles are sought
ELSEWHERE = 0.05  # how much further off a mouth of another collection seems
CLOSED, SMILING = 0.03, 0.1  # how far lips are apart: at most, at least
PARTED = 0.05  # at least, in the smiles that are compared, made or real
SIDE, WIDE = 96, 1.6  # pixels of a mouth's crop, and its part of the mouth's width
NEAR, FAR = 0.1, 0.3  # of a mouth's width: the skin around it
COARSE = 3.0  # pixels of the crop: what is broader is no tooth's edge
MODELS = ("default", "default128")
STRENGTHS = (0.5, 1.0, 1.5)  # at the first, closed lips stay closed
FEW = 10  # mouths that tell of nothing
HAPPY = 0.3  # deviations, at least, in real smiles
HAPPIER = 0.7  # deviations that a smile is judged to be, at least
CHIP = 150  # pixels a side, as the classifier's network takes pictures

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]
Row = dict[str, float]


class Mouth(NamedTuple):
    """A face in a photo of some collection."""

    source: str
    photo: Photo
    face: Face

    @property
    def opening(self) -> float:
        return opening(self.face.landmarks)

    @property
    def contrast(self) -> float:
        return teeth(self.photo, self.face)

    @property
    def pixels(self) -> Pixels:
        return mouth(self.photo, self.face)


# --- what is seen of a mouth --------------------------------------------------


def mouth(photo: Photo, face: Face) -> Pixels:
    """Return the crop of a mouth, (SIDE, SIDE, 3)."""
    crop = cut(photo.pixels, _place(face.landmarks), SIDE)
    return np.rint(crop.clip(0, 255)).astype(np.uint8)


def _place(marks: Points) -> Similarity:
    lips = marks[OUTER_LIPS]
    scale = SIDE / (WIDE * max(float(np.ptp(lips[:, 0])), 1.0))
    corner = lips.mean(0) - SIDE / scale / 2
    return Similarity.scaling(scale) @ Similarity.shifting(*-corner)


def teeth(photo: Photo, face: Face) -> float:
    """Return the contrast along rows of what lies between lips, in L."""
    lightness = rgb2lab(mouth(photo, face))[..., 0]
    edges = lightness - gaussian_filter1d(lightness, COARSE, axis=1)
    lips = _place(face.landmarks)(face.landmarks[INNER_LIPS])
    inside = filled(lips, SIDE, -1.5, 0.0) > 0.5
    return float(edges[inside].std()) if inside.sum() > 20 else 0.0


def shade(photo: Photo, face: Face) -> float:
    """Return how much lighter the skin around the mouth is than the cheeks, in L."""
    lightness = rgb2lab(mouth(photo, face))[..., 0]
    lips = _place(face.landmarks)(face.landmarks[OUTER_LIPS])
    width = float(np.ptp(lips[:, 0]))
    near, far = (filled(lips, SIDE, r * width, 1.0) for r in (NEAR, FAR))
    around = float((lightness * (far - near)).sum() / (far - near).sum())
    return around - _cheeks(photo, face.landmarks)


def _cheeks(photo: Photo, marks: Points) -> float:
    span = np.hypot(*(marks[45] - marks[36]))
    spots = [(marks[eye].mean(0) + marks[c]) / 2 for eye, c in _SIDES]
    soft = gaussian_filter(photo.pixels.astype(np.float32), (span / 10, span / 10, 0))
    rows = [
        np.clip(s[::-1].astype(int), 0, np.array(soft.shape[:2]) - 1) for s in spots
    ]
    colours = np.array([soft[row, column] for row, column in rows])
    return float(rgb2lab(colours[None] / 255)[0, :, 0].mean())


_SIDES = (slice(36, 42), 48), (slice(42, 48), 54)


# --- real smiles --------------------------------------------------------------


def smiles(folder: Path, engine: Retoucher) -> list[Mouth]:
    """Return people held out who smile with parted lips, as the judge sees it."""
    sources = [(source, called, MANY) for source, called, _ in SOURCES]
    people = held_out(folder, sources, lambda marks: opening(marks) >= PARTED)
    found = [
        Mouth(_source(name), photo, seen(engine, photo, marks))
        for name, photo, marks in people
    ]
    return [m for m in found if _judged(engine, m.photo, m.face)[0] >= HAPPY]


def _source(name: str) -> str:
    return name.partition("/")[0]


def alike(some: list[Mouth], others: list[Mouth]) -> list[Mouth]:
    """Return for each mouth another that is about as open, each but once."""
    sources, apart = ([getattr(m, key) for m in some] for key in ("source", "opening"))
    cost = np.abs(np.subtract.outer(apart, [m.opening for m in others]))
    same = np.equal.outer(sources, [m.source for m in others])
    _, rows = linear_sum_assignment(cost + ELSEWHERE * ~same)
    return [others[row] for row in rows]


def _judged(engine: Retoucher, photo: Photo, face: Face) -> tuple[float, float, Floats]:
    """Return how happy the judge sees a face, with and without landmarks, and who."""
    judge = engine.model.judge
    assert judge is not None
    at = judge.names.index("happy")
    look = comparable(photo.pixels, [face])
    who = described(look)
    read = judge.score(who, landmarks_of(look)), judge.second_opinion(who)
    return float(read[0][0, at]), float(read[1][0, at]), who[0]


def pairs(folder: Path, engine: Retoucher) -> list[Row]:
    """Return what changes as people smile, of whom there are two pictures."""
    crops = Crops.read(folder / "lfw.npz")
    both: dict[str, dict[bool, int]] = defaultdict(dict)
    for i, marks in enumerate(crops.landmarks):
        if not CLOSED < opening(marks) < SMILING:
            both[str(crops.people[i])].setdefault(opening(marks) >= SMILING, i)
    found = [own for own in both.values() if len(own) == 2]
    rows = [_pair(crops, engine, own[False], own[True]) for own in found]
    return [row for row in rows if row["happier"] > HAPPIER]


def _pair(crops: Crops, engine: Retoucher, closed: int, smiling: int) -> Row:
    rows = []
    for place in (closed, smiling):
        photo = crops.photo(place)
        face = seen(engine, photo, crops.landmarks[place])
        happy, second, who = _judged(engine, photo, face)
        rows.append((happy, second, shade(photo, face), who))
    (happy, second, light, who), (happier, other, lighter, whom) = rows
    return {
        "happier": happier - happy,
        "without landmarks": other - second,
        "identity": float(apart(who, whom)),
        "shade": lighter - light,
    }


# --- smiles that are made -----------------------------------------------------


def smiled(
    engine: Retoucher, sessions: Mapping[str, Session], strength: float
) -> tuple[list[Mouth], list[FaceReport]]:
    """Return mouths after a smile, and what is reported of them."""
    settings = Settings()
    task = engine.editing({"smile": strength}, settings)
    made, reports = [], []
    for name, session in sessions.items():
        (result,) = engine.finish([session], task, settings)
        face = engine.detector.again(result.photo.pixels, session.faces[0])
        made.append(Mouth(_source(name), result.photo, face))
        reports.append(result.faces[0])
    return made, reports


def copied(engine: Retoucher, real: list[Mouth]) -> list[Mouth]:
    """Return the generator's copies of real smiles."""
    people = [
        (f"{m.source}/{i}", m.photo, m.face.landmarks) for i, m in enumerate(real)
    ]
    copies = []
    for name, session in opened(engine, people, Settings()).items():
        (picture,) = engine.model.draw(session.start)
        pixels = pixels_of(picture)
        (face,) = engine.in_crops(session)
        face = engine.detector.again(pixels, face)
        copies.append(Mouth(_source(name), Photo(pixels), face))
    return copies


def figures(made: list[Mouth], real: list[Mouth]) -> Row:
    """Return how like real mouths those are that opened."""
    parted = [m for m in made if m.opening >= PARTED]
    row = {"open": len(parted) / len(made)}
    if len(parted) < FEW:
        return row
    others = alike(parted, real)
    contrast, usual = (np.median([m.contrast for m in x]) for x in (parted, others))
    row["teeth"] = float(contrast / usual)
    row["told from real"] = told(parted, others)
    return row


def told(some: list[Mouth], others: list[Mouth]) -> float:
    """Return how often a classifier of mouths sorts two kinds rightly."""
    views = [
        statistics(np.stack([m.pixels for m in part]) / np.float32(127.5) - 1, _chips)
        for part in (some, others)
    ]
    return sorted_rightly(views[0], views[1], np.arange(len(some) + len(others)))


def _chips(images: Floats) -> Floats:
    return np.stack([resized(image, CHIP) for image in images])


def main(
    folder: Path,
    sheet: Annotated[Path | None, typer.Option(help="Mouths before and after.")] = None,
) -> None:
    """Compare mouths that smiles opened with real ones."""
    engine = Retoucher.load()
    real, own = smiles(folder, engine), pairs(folder, engine)
    limit = float(np.quantile(np.abs([row["shade"] for row in own]), 0.9))
    names = "happier", "without landmarks", "identity"
    record: dict[str, Row] = {
        "people's own": {
            "pairs": float(len(own)),
            "shade, 90 %": limit,
            **{n: float(np.mean([row[n] for row in own])) for n in names},
        },
        "copies of real smiles": figures(copied(engine, real[::2]), real[1::2]),
        "real smiles": figures(real[::2][: len(real) // 2], real[1::2]),
    }
    people: list[Person] = held_out(
        folder, SOURCES, lambda marks: opening(marks) <= CLOSED
    )
    columns = []
    for model in MODELS:
        engine = engine if model == "default" else Retoucher.load(model)
        sessions = opened(engine, people, Settings(model=model))
        before = [
            Mouth(_source(name), s.photo, s.faces[0]) for name, s in sessions.items()
        ]
        columns.append([m.pixels for m in before])
        for strength in STRENGTHS:
            made, reports = smiled(engine, sessions, strength)
            shades = [
                shade(new.photo, new.face) - shade(old.photo, old.face)
                for new, old in zip(made, before, strict=True)
            ]
            row = figures(made, real) | {
                "shade within": float(np.mean(np.abs(shades) <= limit)),
                "happier": _gain(reports, "judged"),
                "without landmarks": _gain(reports, "second"),
                "identity": float(np.mean([r.identity for r in reports])),
            }
            record[f"{model}, smile {strength:+g}"] = row
            columns.append([m.pixels for m in made])
    _show(record)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "mouths.json").write_text(json.dumps(record, indent=1) + "\n")
    if sheet is not None:
        rows = [np.concatenate(row, 1) for row in zip(*columns, strict=False)]
        Image.fromarray(np.concatenate(rows)).save(sheet)


def _gain(reports: list[FaceReport], kind: str) -> float:
    pairs_ = [getattr(report, kind) for report in reports]
    return float(np.mean([after - before for before, after in pairs_]))


def _show(record: dict[str, Row]) -> None:
    keys = list(dict.fromkeys(key for row in record.values() for key in row))
    table = Table("", *keys)
    for name, row in record.items():
        table.add_row(name, *(f"{row[k]:.2f}" if k in row else "" for k in keys))
    Console(width=160).print(table)


if __name__ == "__main__":
    typer.run(main)
