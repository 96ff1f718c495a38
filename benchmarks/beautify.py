"""Beautify on real people held out: what it gains, and what it must not touch.

    python -m benchmarks.beautify ../shared/faces/crops [--portraits FOLDER]
        [--second FOLDER] [--sheets FOLDER]

People of three collections of photographs who taught nothing, at strengths 1 and 2;
beside them the plain wish, within the same distance of identity. Large portraits show
what it does at full size. The judge's ratings guide no edit, nor does the second
opinion on who it is. Means hide what goes wrong: each limit is counted face by face.
What of irises and skin is noise is told by the same reading of the photograph written
again as a JPEG.
"""

import dataclasses
import io
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray
from PIL import Image
from rich.console import Console
from rich.table import Table
from skimage.color import rgb2lab

from benchmarks.people import held_out, opened, portraits
from benchmarks.realism import told_apart
from benchmarks.second import Second
from retouch.edits.beauty import WISHED
from retouch.edits.edit import View
from retouch.edits.way import Way
from retouch.engine.report import FaceReport
from retouch.engine.retoucher import Retoucher
from retouch.engine.session import Purpose, Session, Task
from retouch.faces.face_crop import FaceCrop
from retouch.geometry import LEFT_EYE, MOUTH_CORNERS, RIGHT_EYE, TIGHT, Points
from retouch.photos.photo import Photo
from retouch.settings import Settings
from scorers.judge import FREED

Pixels = NDArray[np.uint8]
Row = dict[str, float]

RESULTS = Path(__file__).parent / "results"
SOURCES = (("mebeauty", "me", 16), ("utk", "utk", 4), ("lfw", "lfw", 4))
LARGE = 16  # portraits
DRIFTS = ("weight", "eye_makeup", "lip_makeup", "age", "gender", "happy")
# What no face's change may be beyond, whichever way.
LIMITS = {"iris": 3.0, "skin": 1.0, "weight": 0.25, "eye_makeup": 0.15} | {
    "lip_makeup": 0.15
}
PLAIN = 2.0  # deviations of the plain wish,
WITHIN = 0.18  # and of identity, that it may go
QUALITY = 90  # of the JPEG that tells the noise of what is read
SHEET, SHOWN = 8, 400  # faces on a sheet, and pixels a side of each


# --- what is read of a face ---------------------------------------------------


def irises(pixels: Pixels, marks: Points) -> NDArray[np.float64]:
    """Return both irises' colours in Lab, (2, 3), without pupils and lids."""
    lab, away = rgb2lab(pixels), _distances(pixels)
    rows, colours = np.mgrid[: len(pixels), : pixels.shape[1]][0] + 0.5, []
    for eye in (LEFT_EYE, RIGHT_EYE):
        points = marks[eye]
        width = np.hypot(*(points[3] - points[0]))
        lids = points[[1, 2]][:, 1].mean(), points[[4, 5]][:, 1].mean()
        far = away(points[[1, 2, 4, 5]].mean(0)) / width
        ring = (far < 0.2) & (far > 0.07)
        open_ = ring & (rows > lids[0] + 0.02 * width) & (rows < lids[1])
        colours.append(np.median(lab[open_ if open_.sum() > 5 else ring], 0))
    return np.array(colours)


def skin(pixels: Pixels, marks: Points) -> NDArray[np.float64]:
    """Return the colour of both cheeks and of the nose's root in Lab, (3,)."""
    lab, away = rgb2lab(pixels), _distances(pixels)
    eyes = [marks[eye].mean(0) for eye in (LEFT_EYE, RIGHT_EYE)]
    apart = np.hypot(*(eyes[1] - eyes[0]))
    spots = [
        (eye + marks[corner]) / 2
        for eye, corner in zip(eyes, MOUTH_CORNERS, strict=True)
    ]
    spots.append(1.9 * marks[27] - 0.9 * marks[30])
    return np.concatenate([lab[away(spot) < 0.14 * apart] for spot in spots]).mean(0)


def _distances(pixels: Pixels) -> Callable[[Points], NDArray[np.float64]]:
    rows, columns = np.mgrid[: len(pixels), : pixels.shape[1]] + 0.5
    return lambda point: np.hypot(columns - point[0], rows - point[1])


def changes(engine: Retoucher, session: Session, after: Photo) -> Row:
    """Return how far irises and skin moved in Lab."""
    (face,), seen = session.faces, []
    for photo in (session.photo, after):
        marks = engine.detector.again(photo.pixels, face).landmarks
        seen.append((irises(photo.pixels, marks), skin(photo.pixels, marks)))
    (eyes, tone), (other_eyes, other_tone) = seen
    iris = np.linalg.norm(other_eyes - eyes, axis=1).max()
    return {"iris": float(iris), "skin": float(np.linalg.norm(other_tone - tone))}


def noise(engine: Retoucher, sessions: dict[str, Session]) -> Row:
    """Return the same of photographs that were only written again, on average."""
    rows = []
    for session in sessions.values():
        buffer = io.BytesIO()
        Image.fromarray(session.photo.pixels).save(buffer, "JPEG", quality=QUALITY)
        again = Photo(np.asarray(Image.open(buffer)))
        rows.append(changes(engine, session, again))
    return {key: float(np.mean([row[key] for row in rows])) for key in rows[0]}


def told(report: FaceReport, more: Row) -> Row:
    """Return the figures of one face."""
    assert report.judged is not None and report.second is not None
    drifts = {name: report.changed[name] for name in DRIFTS}
    return {
        "judged": report.judged[1] - report.judged[0],
        "without landmarks": report.second[1] - report.second[0],
        "freed": report.changed[FREED],
        "identity": report.identity,
        **drifts,
        **more,
    }


# --- the edits ----------------------------------------------------------------


def plain(engine: Retoucher) -> Task:
    """Return the wish for more of what raters like, and nothing held."""
    moves = engine.model.moves
    assert moves is not None

    def move(view: View) -> Way:
        change = PLAIN * moves.wish(WISHED)
        return Way.learnt(
            view.latents, np.repeat(change[None], len(view.latents), 0), moves
        )

    return Task(Purpose("plain wish", WISHED), move)


def worked(
    engine: Retoucher,
    sessions: dict[str, Session],
    task: Task,
    settings: Settings,
    second: Second | None,
) -> tuple[dict[str, Row], list[Photo]]:
    """Return each person's figures, and the photos."""
    rows, photos = {}, []
    for name, session in sessions.items():
        (result,) = engine.finish([session], task, settings)
        more = changes(engine, session, result.photo)
        if second is not None:
            faces = (session.photo, result.photo), 2 * session.faces
            more["identity, second opinion"] = second.apart(*second.describe(*faces))
        rows[name] = told(result.faces[0], more)
        photos.append(result.photo)
    return rows, photos


def summary(rows: dict[str, Row]) -> Row:
    """Return means, and on how many faces each limit holds."""
    every = list(rows.values())
    means = {key: float(np.mean([row[key] for row in every])) for key in every[0]}
    held = {
        f"{key} within {limit:g}": float(
            np.mean([abs(row[key]) <= limit for row in every])
        )
        for key, limit in LIMITS.items()
    }
    rising = float(np.mean([row["judged"] > 0 for row in every]))
    most = max(row["identity"] for row in every)
    return {**means, "rising": rising, "identity, most": most, **held}


def groups(
    engine: Retoucher, sessions: dict[str, Session], rows: dict[str, Row]
) -> Row:
    """Return the judged gain of each group, by what the judge sees of the faces."""
    judge, looks = engine.model.judge, engine.examiner
    assert judge is not None
    seen = [judge.score(*looks.seen(s.photo, s.faces))[0] for s in sessions.values()]
    scores = dict(zip(judge.names, np.array(seen).T, strict=True))
    gains = np.array([row["judged"] for row in rows.values()])
    dark = scores["skin-color"] >= np.median(scores["skin-color"])
    old = scores["age"] >= np.median(scores["age"])
    man = scores["gender"] >= 0
    parts = {"darker skin": dark, "lighter skin": ~dark, "older": old, "younger": ~old}
    large = np.array([min(s.photo.pixels.shape[:2]) > 256 for s in sessions.values()])
    parts |= {"masculine": man, "feminine": ~man, "large": large, "held out": ~large}
    return {name: float(gains[own].mean()) for name, own in parts.items() if own.any()}


def crops(sessions: dict[str, Session], photos: list[Photo], size: int) -> Pixels:
    """Return the faces of photos."""
    pairs = zip(photos, sessions.values(), strict=True)
    crops = [FaceCrop.of(p.pixels, s.faces[0], TIGHT, size) for p, s in pairs]
    return np.stack([crop.picture for crop in crops])


def main(
    folder: Path,
    large: Annotated[
        Path | None, typer.Option("--portraits", help="Photos of large faces.")
    ] = None,
    opinion: Annotated[
        Path | None, typer.Option("--second", help="Where faceres.json lies.")
    ] = None,
    sheets: Annotated[
        Path | None, typer.Option(help="A folder for before, plain, 1 and 2.")
    ] = None,
) -> None:
    """Measure beautify on real people held out, and on large portraits."""
    engine, settings = Retoucher.load(), Settings()
    people = held_out(folder, SOURCES)
    people += portraits(engine, large, LARGE) if large is not None else []
    second = Second.read(opinion) if opinion is not None else None
    sessions = opened(engine, people, settings)
    real = [session.photo for session in sessions.values()]
    before = crops(sessions, real, 128) / np.float32(127.5) - 1
    record: dict = {"noise": noise(engine, sessions)}
    pictures = [crops(sessions, real, SHOWN)]
    for name, (task, own) in tasks(engine, settings).items():
        since = time.process_time()
        rows, photos = worked(engine, sessions, task, own, second)
        seconds = (time.process_time() - since) / len(rows)
        after = crops(sessions, photos, 128) / np.float32(127.5) - 1
        figures = {**summary(rows), "processor seconds": seconds}
        figures["told from their originals"] = told_apart(before, after)
        by_group = groups(engine, sessions, rows)
        record[name] = {"figures": figures, "groups": by_group, "faces": rows}
        pictures.append(crops(sessions, photos, SHOWN))
        _show(name, {**figures, **by_group})
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps(record, indent=1)
    (RESULTS / "beautify.json").write_text(text + "\n")
    if sheets is not None:
        _drawn(pictures, sheets)


def tasks(engine: Retoucher, settings: Settings) -> dict[str, tuple[Task, Settings]]:
    """Return what is compared: the plain wish, and beautify at two strengths."""
    within = dataclasses.replace(settings, identity=WITHIN)
    found = {"plain wish": (plain(engine), within)}
    for strength in (1.0, 2.0):
        own = dataclasses.replace(settings, strength=strength)
        found[f"strength {strength:g}"] = engine.beautifying(own), own
    return found


def _drawn(pictures: list[Pixels], folder: Path) -> None:
    """Write sheets of faces, each in a row with what became of it."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [np.concatenate(list(own), 1) for own in zip(*pictures, strict=True)]
    for i in range(0, len(rows), SHEET):
        sheet = Image.fromarray(np.concatenate(rows[i : i + SHEET]))
        sheet.save(folder / f"{i // SHEET}.png")


def _show(name: str, figures: Row) -> None:
    table = Table("", name)
    for key, value in figures.items():
        table.add_row(key, f"{value:+.2f}")
    Console(width=80).print(table)


if __name__ == "__main__":
    typer.run(main)
