"""Whether what lies in front of a face stays as it is: hands, fringes, cups, glasses.

    python -m benchmarks.occlusions ../shared/faces [--sheet FILE]

`labels/occlusions.csv` and `labels/parts.csv` outline it by hand in pictures of the
folder. Each command is done to each of them at full strength, and the outlined pixels
are compared.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import typer
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import binary_erosion

from benchmarks.parsing import LABELS, placed
from retouch.engine.retoucher import Retoucher
from retouch.engine.session import KnownFaces, Session
from retouch.faces.parse import parser
from retouch.photos.photo import Photo
from retouch.settings import Settings, Skin
from retouch.skin.retouch import retouched
from retouch.training.outlines import areas_of, opened, rows_of

OUTLINES = LABELS.with_name("occlusions.csv"), LABELS
PARTS = {"hand": "hands", "hair": "fringes", "thing": "things", "front": "things"} | {
    "glasses": "glasses"
}
RIM = 1  # pixels by which outlines may be off
SEEN = 8  # levels: a change that is seen
TOUCHED = 0.01  # of the outlined pixels: what a picture may lose without being counted
SETTINGS = Settings()

Pixels = NDArray[np.uint8]


class Picture(NamedTuple):
    """A picture whose face something hides in part, and where that is."""

    name: str
    session: Session
    hidden: dict[str, NDArray[np.bool_]]


class Outcome(NamedTuple):
    """What a command did to a kind of thing in front of a face."""

    kind: str
    changed: float  # part of its pixels that differ at all
    seen: float  # part that differs by more than SEEN


def smiled(engine: Retoucher, session: Session) -> Pixels:
    task = engine.editing({"smile": 1.0}, SETTINGS)
    return engine.finish([session], task, SETTINGS)[0].photo.pixels


def beautified(engine: Retoucher, session: Session) -> Pixels:
    task = engine.beautifying(SETTINGS)
    return engine.finish([session], task, SETTINGS)[0].photo.pixels


def smoothed(engine: Retoucher, session: Session) -> Pixels:
    wishes = Skin(look="studio")
    return retouched(session.photo, session.faces, wishes)[0].pixels


COMMANDS: dict[str, Callable[[Retoucher, Session], Pixels]] = {
    "smile": smiled,
    "beautify": beautified,
    "skin": smoothed,
}


def main(faces: Annotated[Path, typer.Argument()], sheet: Path | None = None) -> None:
    """Print the table."""
    engine = Retoucher.load()
    outcomes: dict[str, list[Outcome]] = defaultdict(list)
    shown = []
    for picture in pictures(faces, engine):
        before = picture.session.photo.pixels
        row = [before]
        for name, command in COMMANDS.items():
            after = command(engine, picture.session)
            row.append(after)
            for kind, area in picture.hidden.items():
                outcomes[name].append(outcome(kind, area, before, after))
        tell(picture, outcomes)
        shown.append(np.concatenate(row, 1))
    summarise(outcomes)
    if sheet is not None:
        width = max(row.shape[1] for row in shown)
        same = [np.pad(r, ((0, 0), (0, width - r.shape[1]), (0, 0))) for r in shown]
        Image.fromarray(np.concatenate(same)).save(sheet)


def tell(picture: Picture, outcomes: dict[str, list[Outcome]]) -> None:
    """Print what the commands have just done to a picture, and what is found of it."""
    for number, kind in enumerate(reversed(picture.hidden), 1):
        print(f"{picture.name[-32:]:34}{kind:9}{found(picture, kind):6.0%}", end="")
        print("".join(f"{told[-number].seen:10.0%}" for told in outcomes.values()))


def summarise(outcomes: dict[str, list[Outcome]]) -> None:
    """Print for each kind how many stay, and which part of their pixels."""
    print(f"\n{'':10}{'number':>7}", end="")
    print("".join(f"{name + ', stay':>16}{'pixels':>8}" for name in outcomes))
    for kind in dict.fromkeys(PARTS.values()):
        told = [[o for o in some if o.kind == kind] for some in outcomes.values()]
        print(f"{kind:10}{len(told[0]):7}", end="")
        for some in told:
            stay = sum(o.seen <= TOUCHED for o in some)
            print(f"{stay:16}{1 - np.mean([o.changed for o in some]):8.0%}", end="")
        print()


def outcome(
    kind: str, area: NDArray[np.bool_], before: Pixels, after: Pixels
) -> Outcome:
    inside = binary_erosion(area, iterations=RIM)
    off = np.abs(after.astype(int) - before)[inside if inside.any() else area].max(-1)
    return Outcome(kind, float((off > 0).mean()), float((off > SEEN).mean()))


def found(picture: Picture, kind: str) -> float:
    """Return which part of what lies in front is found and kept from every edit."""
    photo, (face,) = picture.session.photo, picture.session.faces
    parts, area = parser().parts(photo.pixels, face), picture.hidden[kind]
    covered = 1 - parts.free(parts.transform, len(parts.inside))
    return float((placed(parts, covered, area.shape)[area] > 0.5).mean())


def pictures(faces: Path, engine: Retoucher) -> Iterator[Picture]:
    """Yield the pictures that the tables outline, their faces inverted."""
    outlines: dict[str, list[dict[str, str]]] = defaultdict(list)
    for table in OUTLINES:
        for name, rows in rows_of(table).items():
            for row in rows:
                if kind := PARTS.get(row["part"]):
                    outlines[name].append(row | {"part": kind})
    for name, rows in outlines.items():
        pixels, (face, *_) = opened(faces, name, engine.detector)
        hidden = areas_of(rows, pixels.shape)
        photo = KnownFaces(Photo(pixels), (face,))
        (session,) = engine.invert([engine.cut(photo, SETTINGS)], SETTINGS)
        yield Picture(name, session, hidden)


if __name__ == "__main__":
    typer.run(main)
