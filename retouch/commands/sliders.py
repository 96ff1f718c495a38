"""What `retouch edit` is asked for: moves for all faces, for some, or a range."""

import re
from dataclasses import dataclass, field

import typer

from retouch.commands.options import assignments
from retouch.edits.directions import DIRECTIONS
from retouch.edits.straight import bounded
from retouch.errors import SettingsError
from retouch.jobs.ranges import Range

Moves = dict[str, float]


@dataclass(frozen=True)
class Wish:
    """One of three, the others being empty."""

    all: Moves = field(default_factory=dict)
    each: dict[int, Moves] = field(default_factory=dict)
    span: Range | None = None

    @property
    def names(self) -> list[str]:
        """What faces are moved along, each once."""
        return list(dict.fromkeys(name for name, _ in self.strengths))

    @property
    def strengths(self) -> list[tuple[str, float]]:
        """How far faces are moved along what, of a range its ends."""
        if self.span is not None:
            return [(self.span.name, end) for end in (self.span.low, self.span.high)]
        every = [self.all, *self.each.values()]
        return list(dict.fromkeys(move for moves in every for move in moves.items()))

    @property
    def word(self) -> str:
        """What is done, as a part of a file's name."""
        if self.span is not None:
            return f"{self.span.name}-range"
        return re.sub(r"[^\w.-]+", "-", "-".join(self.names))


def read(moves: list[str], faces: list[str], span: str | None, *, loop: bool) -> Wish:
    """Return the wish that the flags --set, --face and --range express."""
    if (given := [bool(moves), bool(faces), span is not None]).count(True) != 1:
        what = "and ".join(f"--{n} " for n, g in zip(FLAGS, given, strict=True) if g)
        raise SettingsError(
            "edit takes one of --set smile=1.5, --face 0:smile=1 and"
            f" --range smile=-1:1.5:11; got {what.strip() or 'none'}."
        )
    if loop and span is None:
        raise SettingsError(
            "--gif and --mp4 show a --range; give one: smile=-1:1.5:11."
        )
    if span is not None:
        return _checked(Wish(span=Range.parse(span)))
    texts: dict[int, list[str]] = {}
    for text in faces:
        number, move = _of_face(text)
        texts.setdefault(number, []).append(move)
    each = {number: assignments(own, "--face") for number, own in texts.items()}
    return _checked(Wish(assignments(moves), each))


def _checked(wish: Wish) -> Wish:
    for name, strength in wish.strengths:
        bounded(name, strength)
    return wish


FLAGS = "set", "face", "range"


def _of_face(text: str) -> tuple[int, str]:
    number, colon, rest = text.partition(":")
    if not colon or not number.strip().isascii() or not number.strip().isdigit():
        raise SettingsError(
            f"--face takes NUMBER:NAME=NUMBER such as 0:smile=1; got '{text}'."
        )
    return int(number), rest


def warn(wish: Wish) -> None:
    """Say on standard error which strengths lie beyond what is known to look well."""
    for name, value in wish.strengths:
        known = DIRECTIONS.get(name)
        if known is not None and not known.holds(value):
            typer.echo(
                f"retouch: {name} {value:+g} lies beyond its safe range,"
                f" {known.low:+g} to {known.high:+g}.",
                err=True,
            )
