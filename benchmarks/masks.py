"""What the expression mask shows and hides, on faces it was not trained on.

    python -m benchmarks.masks DATA [--count 120] [--sheet out.png]

DATA is a folder of shards; only people held out are used. Expression: landmarks read
on the masked face against where they belong, in distances of the eyes, and the judged
happiness before and after. Anonymity: the distance of dlib's descriptor between the
driver and the mask; 0.6 and more is another person.
"""

import json
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from pretrained.loading import load_judge
from pretrained.registry import library
from retouch.faces.detect import Detector
from retouch.faces.identity import apart, descriptors
from retouch.geometry import TIGHT, Face
from retouch.stitching.stitch import stitch
from retouch.training.loop import sheet
from retouch.training.shards import Shards, as_images
from retouch.video.mask_effect import MaskEffect

RESULTS = Path(__file__).parent / "results" / "masks.json"
APART = 0.6  # of descriptors: another person
EYES = 0.4  # their distance in a tight crop


def main(
    data: Annotated[Path, typer.Argument(help="Folder of shards.")],
    count: int = 120,
    persons: int = 8,
    sources: str = "omi,synthetic,utk,lfw",
    sheet_to: Annotated[Path | None, typer.Option("--sheet")] = None,
) -> None:
    """Measure masks over held-out faces and write the figures."""
    crops, landmarks, names = drivers(Shards.read(data), count, sources.split(","))
    detector, effect = Detector(), MaskEffect.load()
    masked, errors, again = [], [], []
    for i, (crop, points) in enumerate(zip(crops, landmarks, strict=True)):
        effect.person = i % persons
        after, error, marks = worn(detector, effect, crop, points)
        masked.append(after)
        errors.append(error)
        again.append(marks)
    before = descriptors(as_images(crops), landmarks.astype(np.float32))
    now = np.array(masked)
    behind = descriptors(as_images(now), np.array(again, np.float32))
    judge = load_judge(library(), "judge")
    happy = judge.names.index("happy")
    glad = judge.score(before, landmarks)[:, happy]
    shown = judge.score(behind, np.array(again))[:, happy]
    gaps = apart(before, behind)
    rows = {"all": np.ones(len(gaps), bool)}
    rows |= {name: names == name for name in sources.split(",")}
    figures = {
        name: {
            "faces": int(chosen.sum()),
            "landmark error, % of the eyes' distance": pc(np.array(errors)[chosen]),
            "happiness, correlation": r(glad[chosen], shown[chosen]),
            "identity distance, median": round(float(np.median(gaps[chosen])), 3),
            "5th percentile": round(float(np.quantile(gaps[chosen], 0.05)), 3),
            "share at 0.6 or more": round(float((gaps[chosen] >= APART).mean()), 3),
        }
        for name, chosen in rows.items()
    }
    print(json.dumps(figures, indent=2))
    RESULTS.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    if sheet_to is not None:
        rows_shown = [part[i : i + 8] for i in range(0, 32, 8) for part in (crops, now)]
        sheet(as_images(np.concatenate(rows_shown)), 8, sheet_to)


def drivers(
    shards: Shards, count: int, sources: list[str]
) -> tuple[NDArray[np.uint8], NDArray, NDArray]:
    """Return crops of held-out people with their landmarks, as many of each source."""
    index = [
        np.flatnonzero(shards.testing() & (shards.sources == source))
        for source in sources
    ]
    each = count // len(sources)
    chosen = np.concatenate(
        [i[np.linspace(0, len(i) - 1, min(each, len(i))).astype(int)] for i in index]
    )
    return shards.images[chosen], shards.landmarks[chosen], shards.sources[chosen]


def worn(
    detector: Detector, effect: MaskEffect, crop: NDArray[np.uint8], points: NDArray
) -> tuple[NDArray[np.uint8], float, NDArray]:
    """Return the masked crop, its landmarks' error, and the landmarks."""
    face = Face(points.astype(float), (0.0, 0.0, *map(float, crop.shape[1::-1])))
    piece, worn_face = effect.worn_by(crop, face)
    after = stitch(crop, [piece], method="replace")
    again = detector.again(after, face)
    upright = TIGHT.transform(points, 1)
    gap = upright(again.landmarks) - upright(worn_face.landmarks)
    error = np.hypot(*gap.T).mean() / EYES
    return after, float(error), again.landmarks


def pc(errors: NDArray) -> float:
    return round(100 * float(np.mean(errors)), 2)


def r(one: NDArray, other: NDArray) -> float:
    return round(float(np.corrcoef(one, other)[0, 1]), 3)


if __name__ == "__main__":
    typer.run(main)
