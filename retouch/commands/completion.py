"""How words go on, for shells that complete them; no network is loaded for it."""

from collections.abc import Callable, Iterable

MASKS = ("expression-mask",)  # generators that no command takes as its model
SPAN = 11  # pictures of the range that is proposed


def directions(incomplete: str) -> list[str]:
    """Return the directions of the model that ships, and the user's own for it."""
    from retouch.edits import user_edits
    from retouch.edits.directions import offered
    from retouch.edits.names import traits

    names = [*offered(traits("default")), *user_edits.names("default")]
    return [name for name in names if name.startswith(incomplete)]


def moves(incomplete: str) -> list[str]:
    """Return how a --set may go on: names, or of a single one how far is safe.

    The shell adds no blank to what has two ends.
    """
    names = directions(incomplete)
    if len(names) == 1:
        return [f"{names[0]}={end:g}" for end in _ends(names[0])]
    return [f"{name}=" for name in names]


def spans(incomplete: str) -> list[str]:
    """Return how a --range may go on: the safe range of each direction."""
    ends = {name: _ends(name) for name in directions(incomplete)}
    return [f"{name}={low:g}:{high:g}:{SPAN}" for name, (low, high) in ends.items()]


def _ends(name: str) -> tuple[float, float]:
    from retouch.edits.directions import DIRECTIONS

    known = DIRECTIONS.get(name)
    return (known.low, known.high) if known else (-1.0, 1.0)


def models(incomplete: str) -> list[str]:
    """Return how the name of a model may go on."""
    from pretrained.registry import library

    rows = library().rows()
    rows = [r for r in rows if r.kind == "generator" and r.architecture not in MASKS]
    return [row.name for row in rows if row.name.startswith(incomplete)]


def kept(incomplete: str) -> list[str]:
    """Return how the name of anything in the library may go on."""
    from pretrained.registry import library

    return [r.name for r in library().rows() if r.name.startswith(incomplete)]


def one_of(known: Iterable[str]) -> Callable[[str], list[str]]:
    """Return what tells how one of these words goes on."""
    return lambda incomplete: [word for word in known if word.startswith(incomplete)]


def some_of(known: Iterable[str]) -> Callable[[str], list[str]]:
    """Return what tells how the last of several words goes on, each named once."""

    def going(incomplete: str) -> list[str]:
        before, comma, last = incomplete.rpartition(",")
        given = before.split(",")
        left = (word for word in known if word not in given)
        return [f"{before}{comma}{word}" for word in left if word.startswith(last)]

    return going
