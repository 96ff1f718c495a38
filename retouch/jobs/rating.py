"""Rating one's own photos by pairs: which of two is better, counted as in chess.

The scores are Elo's (1978): a surprise moves both further than what was expected.
"""

import csv
import io
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

from retouch.errors import RetouchError, SettingsError
from retouch.photos import disk
from retouch.photos.formats import SUFFIXES

if TYPE_CHECKING:
    from retouch.engine.retoucher import Retoucher

START, SPREAD = 1000.0, 400.0
ENOUGH = 6  # times that each photo is to be compared, by and by
FASTEST, SLOWEST = 48.0, 16.0  # points a comparison can move; less with experience


@dataclass
class Elo:
    """Scores of photos, and how often each was compared."""

    names: list[str]
    scores: list[float] = field(default_factory=list)
    seen: list[int] = field(default_factory=list)
    out: set[int] = field(default_factory=set)  # photos that nobody is asked about
    # What was answered: who won, who lost, and the points that it moved.
    past: list[tuple[int, int, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.scores = self.scores or [START] * len(self.names)
        self.seen = self.seen or [0] * len(self.names)

    def pair(self, rng: np.random.Generator) -> tuple[int, int]:
        """Return two photos to compare: one seldom seen, one of about its score."""
        known = [i for i in range(len(self.names)) if i not in self.out]
        if len(known) < 2:
            raise SettingsError("Fewer than two photos of adults are there to compare.")
        order = rng.permutation(known)
        first = min(order, key=lambda i: self.seen[i])
        others = [i for i in order if i != first]
        reach = rng.exponential(60, len(others))
        gaps = [abs(self.scores[i] - self.scores[first]) for i in others]
        second = others[int(np.argmin(np.array(gaps) + reach))]
        pair = int(first), int(second)
        return pair if rng.random() < 0.5 else pair[::-1]

    def better(self, winner: int, loser: int) -> None:
        """Take in that one is better than the other."""
        gap = self.scores[loser] - self.scores[winner]
        surprise = 1 - 1 / (1 + 10 ** (gap / SPREAD))
        known = (self.seen[winner] + self.seen[loser]) / 2
        points = max(SLOWEST, FASTEST / (1 + known / 8)) * surprise
        self.past.append((winner, loser, points))
        self._move(winner, loser, points, 1)

    def undo(self) -> tuple[int, int] | None:
        """Take the last comparison back and return its pair; None if there is none."""
        if not self.past:
            return None
        winner, loser, points = self.past.pop()
        self._move(winner, loser, -points, -1)
        return winner, loser

    def _move(self, winner: int, loser: int, points: float, times: int) -> None:
        for i, won in ((winner, points), (loser, -points)):
            self.scores[i] += won
            self.seen[i] += times

    @property
    def progress(self) -> tuple[int, int]:
        """How many comparisons there were, and how many are enough."""
        asked = len(self.names) - len(self.out)
        return sum(self.seen) // 2, asked * ENOUGH // 2

    @property
    def rounds(self) -> float:
        """How often a photo was compared, in the mean."""
        return sum(self.seen) / len(self.names)


class Adults:
    """Tells whether a photo shows adults, and adults alone."""

    def __init__(self, retoucher: "Retoucher"):
        self.retoucher = retoucher

    def __call__(self, path: Path) -> bool:
        from retouch.engine.session import ADULT
        from retouch.photos.photo import read

        try:
            photo = read(path)
            years = self.retoucher.examiner.years(photo, self.retoucher.find(photo))
        except RetouchError:
            return False
        return bool((years >= ADULT).all())


@dataclass
class Table:
    """A folder of photos and the CSV that keeps their scores."""

    folder: Path
    path: Path
    elo: Elo

    @classmethod
    def open(cls, folder: Path, path: Path) -> Self:
        """Return the photos of a folder, with the scores that they have already."""
        if not folder.is_dir():
            raise SettingsError(f"There is no folder '{folder}'.")
        names = sorted(
            file.name
            for file in folder.iterdir()
            if file.suffix.lower() in SUFFIXES and file.is_file()
        )
        if len(names) < 3:
            raise SettingsError(
                f"'{folder}' holds {len(names)} photos; pairs need three or more."
            )
        known = _known(path) if path.exists() else {}
        rows = [known.get(name, (START, 0)) for name in names]
        return cls(folder, path, Elo(names, [r[0] for r in rows], [r[1] for r in rows]))

    def save(self) -> None:
        """Write the scores, whole or not at all."""
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(("file", "score", "compared"))
        beside = self.path.resolve().parent
        for name, score, seen in zip(
            self.elo.names, self.elo.scores, self.elo.seen, strict=True
        ):
            file = os.path.relpath(self.folder.resolve() / name, beside)
            writer.writerow((file, f"{score:.1f}", seen))
        disk.put(self.path, text.getvalue().encode(errors=disk.AS_NAMES))


def _known(path: Path) -> dict[str, tuple[float, int]]:
    try:
        with open(path, newline="", encoding="utf-8", errors=disk.AS_NAMES) as file:
            return {
                Path(row["file"]).name: (float(row["score"]), int(row["compared"]))
                for row in csv.DictReader(file)
            }
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise SettingsError(
            f"'{path}' is no table of this command ({error}). Choose another: --out."
        ) from None
