"""What edits gain, what they cost in identity, and what else they change.

    python -m benchmarks.edits FOLDER_OF_PORTRAITS --data SHARDS [--sheet out.png]

Every edit runs the whole way, from photo to photo, at the default settings. Gains
are in standard deviations of the judged trait, by the judge and by the second
opinion that sees no landmarks; identity is the distance of dlib's descriptor. Beside
each stands the same edit without a network, at the same identity distance.
"""

import dataclasses
import json
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from benchmarks import baseline
from benchmarks.realism import People, told_apart
from retouch.edits.edit import View
from retouch.engine.report import FaceReport
from retouch.engine.retoucher import Retoucher
from retouch.engine.session import Session
from retouch.errors import RetouchError
from retouch.faces.face_crop import FaceCrop
from retouch.geometry import TIGHT
from retouch.photos.levels import levels_of
from retouch.photos.photo import Photo, read
from retouch.settings import Settings
from retouch.stitching.change import Change
from retouch.stitching.stitch import Piece, stitch

RESULTS = Path(__file__).parent / "results"
DRIFTS = ("age", "gender", "skin-color", "happy", "weight")
SHOWN = 160  # pixels a side of a face on the sheet
AT_ONCE = 8  # faces in a batch
# Name, moves (none is beautify), strength, the judged trait.
EDITS: tuple[tuple[str, dict[str, float], float, str], ...] = (
    ("beautify 1", {}, 1.0, "attractive"),
    ("beautify 2", {}, 2.0, "attractive"),
    ("smile +1.5", {"smile": 1.5}, 1.0, "happy"),
    ("age +1", {"age": 1.0}, 1.0, "age"),
    ("age -1", {"age": -1.0}, 1.0, "age"),
)

Row = dict[str, float]


@dataclasses.dataclass(frozen=True, eq=False)
class Done:
    """One edit of every portrait."""

    reports: list[FaceReport]
    photos: list[Photo]


class Bench:
    """Portraits, inverted once, and the engine that edits them."""

    def __init__(self, folder: Path, settings: Settings, most: int):
        self.retoucher = Retoucher.load(settings.model)
        self.settings = settings
        self.sessions: list[Session] = []
        self.left_out: list[str] = []
        for path in sorted(p for p in folder.iterdir() if p.is_file())[:most]:
            try:
                session = self.retoucher.cut(read(path), settings, adults=True)
            except RetouchError as error:
                self.left_out.append(f"{path.name}: {error}")
                continue
            if session.chosen:
                self.sessions.append(session)
            else:
                self.left_out.append(f"{path.name}: {session.notes}")
        parts = _parts(self.sessions)
        inverted = [self.retoucher.invert(part, settings) for part in parts]
        self.sessions = [session for part in inverted for session in part]
        self.judge = self.retoucher.model.judge
        looks = [self._look(s.photo, s) for s in self.sessions]
        self.scores = np.concatenate([self.judge.score(*look) for look in looks])

    def edited(self, moves: dict[str, float], strength: float) -> Done:
        """Edit all portraits in batches."""
        settings = dataclasses.replace(self.settings, strength=strength)
        engine = self.retoucher
        task = (
            engine.editing(moves, settings) if moves else engine.beautifying(settings)
        )
        results = []
        for part in _parts(self.sessions):
            results += engine.finish(part, task, settings)
        return Done([r.faces[0] for r in results], [r.photo for r in results])

    def pasted(self, picture: np.ndarray, identity: float, trait: str) -> Done:
        """Add one picture of differences to all, as far as the identity allows."""
        names = "images", "masks", "start"
        whole = (
            np.concatenate([getattr(s, name) for s in self.sessions]) for name in names
        )
        view = View(*whole)
        model = self.retoucher.model
        strength = baseline.strengthened(model, view, picture, identity)
        reports, photos = [], []
        for session in self.sessions:
            photo = self._laid(session, np.float32(strength) * picture)
            (told,) = self.retoucher.examiner.compare(
                self._look(session.photo, session), photo, session.faces, trait
            )
            reports.append(dataclasses.replace(session.reports()[0], **told))
            photos.append(photo)
        return Done(reports, photos)

    def _laid(self, session: Session, difference: np.ndarray) -> Photo:
        model = self.retoucher.model
        before, after = (
            levels_of(image)
            for image in (session.images[0], session.images[0] + difference)
        )
        face = session.faces[0]
        place = face.transform(model.template, model.generator.resolution)
        drawn, again = face.moved(place), self.retoucher.detector.again
        was, now = (again(np.rint(p).astype(np.uint8), drawn) for p in (before, after))
        change = Change(before, after, (was.landmarks, now.landmarks))
        piece = Piece(face, place, change)
        return session.photo.with_pixels(stitch(session.photo.pixels, [piece]))

    def _look(self, photo: Photo, session: Session) -> tuple:
        return self.retoucher.examiner.seen(photo, session.faces)

    def crops(self, photos: list[Photo], size: int) -> np.ndarray:
        """Return the faces of photos in [-1, 1]."""
        pairs = zip(photos, self.sessions, strict=True)
        crops = [FaceCrop.of(p.pixels, s.faces[0], TIGHT, size) for p, s in pairs]
        return np.clip(np.stack([crop.image for crop in crops]), -1, 1)

    def groups(self) -> dict[str, np.ndarray]:
        """Return which portraits belong to a group, by what the judge sees."""
        names = self.judge.names
        skin, gender = (
            self.scores[:, names.index(n)] for n in ("skin-color", "gender")
        )
        place = names.index("age")
        years = self.scores[:, place] * self.judge.deviations[place]
        years = years + self.judge.means[place]
        low, high = np.quantile(skin, (1 / 3, 2 / 3))
        return {
            "skin, low third": skin <= low,
            "skin, middle": (skin > low) & (skin < high),
            "skin, high third": skin >= high,
            "feminine": gender < 0,
            "masculine": gender >= 0,
            "under 30": years < 30,
            "30 to 45": (years >= 30) & (years < 45),
            "45 and over": years >= 45,
        }


def _parts(items: list) -> list:
    return [items[i : i + AT_ONCE] for i in range(0, len(items), AT_ONCE)]


# --- figures ------------------------------------------------------------------


def figures(reports: list[FaceReport]) -> Row:
    """Return the means over the faces that were worked on."""
    gains = np.array([r.judged[1] - r.judged[0] for r in reports])
    second = np.array([r.second[1] - r.second[0] for r in reports])
    way = np.sign(gains.mean())
    row = {"faces": float(len(reports)), "judged gain": float(gains.mean())}
    row["moved the right way"] = float((gains * way > 0).mean())
    row["without landmarks"] = float(second.mean())
    if all(r.score for r in reports):
        row["guide's gain"] = float(np.mean([r.score[1] - r.score[0] for r in reports]))
    row["identity"] = float(np.mean([r.identity for r in reports]))
    row["identity, most"] = float(np.max([r.identity for r in reports]))
    for name in DRIFTS:
        row[f"{name} drift"] = float(np.mean([r.changed[name] for r in reports]))
    return row


def realism(
    people: People,
    reports: list[FaceReport],
    crops: tuple[np.ndarray, np.ndarray],
    trait: str,
) -> Row:
    """Return how often pictures are told from those of others with as much of a trait.

    Beside it the same of the portraits as they were, and how often real people are told
    apart who differ by as much as the edit.

    Args:
        crops: before the edit and after it.
    """
    old, new = np.array([r.judged for r in reports]).T
    return {
        "told from alike": people.told_from_alike(crops[1], new, trait),
        "unedited told from alike": people.told_from_alike(crops[0], old, trait),
        "people told apart": people.told_apart(trait, (new - old).mean(), len(old)),
    }


def by_group(
    groups: dict[str, np.ndarray], reports: list[FaceReport]
) -> dict[str, Row]:
    """Return gain and drift of the skin's colour in each group."""
    gains = np.array([r.judged[1] - r.judged[0] for r in reports])
    skin = np.array([r.changed["skin-color"] for r in reports])
    return {
        name: {
            "faces": float(own.sum()),
            "judged gain": float(gains[own].mean()),
            "skin-color drift": float(skin[own].mean()),
        }
        for name, own in groups.items()
        if own.any()
    }


def parts_of_a_face(bench: Bench) -> Row:
    """Return the seconds of each stage of beautify, once everything is compiled."""
    photo, seconds = bench.sessions[0].photo, {}
    for _ in range(2):
        since, stage = time.perf_counter(), "finding"

        def say(what: str, part: float) -> None:
            nonlocal since, stage
            now = time.perf_counter()
            seconds[stage] = seconds.get(stage, 0.0) + now - since
            since, stage = now, what.partition(",")[0]

        seconds.clear()
        bench.retoucher.beautified(photo, bench.settings, say)
        say("", 1.0)
    return {**seconds, "in all": sum(seconds.values())}


# --- the command --------------------------------------------------------------


def main(
    folder: Path,
    data: Path | None = None,
    model: str = "default",
    most: int = 40,
    sheet: Path | None = None,
    extra: str = "",
) -> None:
    """Measure the edits on the largest face of every picture of a folder.

    Args:
        data: shards of a training, for the edits without a network.
        extra: further edits, such as `beard,beard=-1`; without a number at +1.
    """
    bench = Bench(folder, Settings(faces="largest", model=model), most)
    real = [s.photo for s in bench.sessions]
    faces = bench.crops(real, 128)
    pixels = baseline.Pixels.fit(data, bench.retoucher.model) if data else None
    people = People.held_out(data, bench.retoucher.model, faces) if data else None
    rows: dict[str, dict[str, Any]] = {}
    pictures = [bench.crops(real, SHOWN)]
    for name, moves, strength, trait in (*EDITS, *_further(extra)):
        done = bench.edited(moves, strength)
        row: dict[str, Any] = {"ours": figures(done.reports)}
        crops = bench.crops(done.photos, 128)
        row["ours"]["told apart"] = told_apart(faces, crops)
        row["groups"] = by_group(bench.groups(), done.reports)
        if people is not None:
            row["ours"] |= realism(people, done.reports, (faces, crops), trait)
        if pixels is not None:
            sign = np.sign(row["ours"]["judged gain"])
            size = bench.retoucher.model.generator.resolution
            picture = sign * pixels.picture(trait, bench.settings, size)
            pasted = bench.pasted(picture, row["ours"]["identity"], trait)
            row["no network"] = figures(pasted.reports)
            row["no network"]["told apart"] = told_apart(
                faces, bench.crops(pasted.photos, 128)
            )
        rows[name] = row
        pictures.append(bench.crops(done.photos, SHOWN))
        _show(name, row)
        if sheet is not None:
            _draw(pictures, sheet)
    seconds = parts_of_a_face(bench)
    Console().print("seconds of one face:", seconds)
    _keep(rows, seconds, bench)


def _further(extra: str) -> list[tuple[str, dict[str, float], float, str]]:
    from retouch.edits.directions import DIRECTIONS

    pairs = [word.partition("=") for word in extra.split(",") if word]
    wishes = [(name, float(strength or 1)) for name, _, strength in pairs]
    return [(f"{n} {s:+g}", {n: s}, 1.0, DIRECTIONS[n].trait) for n, s in wishes]


def _draw(pictures: list[np.ndarray], path: Path) -> None:
    from retouch.training.loop import sheet

    order = [row[i] for i in range(len(pictures[0])) for row in pictures]
    sheet(np.stack(order), len(pictures) * max(1, 12 // len(pictures)), path)


def _show(name: str, row: dict[str, Any]) -> None:
    table = Table(name, *(k for k in row if k != "groups"))
    for figure in row["ours"]:
        values = (row[k].get(figure) for k in row if k != "groups")
        table.add_row(figure, *("" if v is None else f"{v:+.2f}" for v in values))
    for group, own in row["groups"].items():
        told = f"{own['judged gain']:+.2f}, skin {own['skin-color drift']:+.2f}"
        table.add_row(f"{group} ({own['faces']:.0f})", told)
    Console(width=110).print(table)


def _keep(rows: dict, seconds: Row, bench: Bench) -> None:
    command = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(command, capture_output=True, text=True).stdout.strip()
    settings = dataclasses.asdict(bench.settings)
    record = {"commit": commit, "settings": settings, "left out": bench.left_out}
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps({**record, "seconds": seconds, "edits": rows}, indent=1)
    (RESULTS / "edits.json").write_text(text + "\n")


if __name__ == "__main__":
    typer.run(main)
