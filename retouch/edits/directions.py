"""The directions that ship: what each moves, how far that is safe, what it costs.

One deviation is that of the judged trait in the population, whatever the model. What
is not offered cannot be done: a head asked to turn by one deviation turns by a fifth of
it, hair lies outside the mask, and nothing moves ancestry, orientation or belief.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Trial:
    """What came of strength +1; means of some faces."""

    judged: float
    second: float  # by the judge that sees no landmarks
    identity: float  # how far the descriptor moved


@dataclass(frozen=True)
class Known:
    """A direction that ships."""

    name: str
    trait: str  # as the readers call it
    meaning: str  # of the positive way
    ask: float  # deviations asked of the guide for one that is judged
    trial: Trial
    low: float = -2.0
    high: float = 2.0  # beyond these faces begin to look wrong, or nothing more is seen
    adults: bool = False  # faces that look younger than 18 are left alone

    def holds(self, strength: float) -> bool:
        """Say whether a strength is within the safe range."""
        return self.low <= strength <= self.high


# Trials of eight portraits held out, the whole way from photo to photo; near +1 the
# identity budget begins to hold edits back. `python -m benchmarks.ranges` prints them
# and the ranges; smiles end sooner, where mouths begin to look wrong.
_ALL = (
    Known(
        "beauty",
        "attractive",
        "more attractive",
        1.6,
        Trial(0.82, 0.69, 0.27),
        adults=True,
    ),
    Known(
        "smile", "happy", "happier", 1.67, Trial(0.88, 0.28, 0.27), low=-1.0, high=1.5
    ),
    Known("age", "age", "older", 1.3, Trial(0.96, 1.00, 0.24)),
    Known(
        "masculine", "gender", "more masculine", 1.4, Trial(0.75, 0.79, 0.27), high=1.0
    ),
    Known("weight", "weight", "heavier", 1.4, Trial(0.88, 1.10, 0.24)),
    Known(
        "well-groomed",
        "well-groomed",
        "better groomed",
        2.2,
        Trial(0.88, 0.84, 0.28),
        low=-1.0,
        high=1.0,
    ),
    Known(
        "eye-make-up",
        "eye_makeup",
        "more make-up around the eyes",
        1.7,
        Trial(0.64, 0.69, 0.28),
    ),
    Known(
        "lip-make-up",
        "lip_makeup",
        "more lipstick",
        2.0,
        Trial(0.59, 0.66, 0.28),
        high=1.0,
    ),
    Known("beard", "beard", "more beard", 1.6, Trial(1.00, 1.08, 0.26)),
    Known("glasses", "glasses", "glasses", 1.3, Trial(0.96, 1.06, 0.24)),
    Known("eyes-open", "eyes-open", "wider open eyes", 1.15, Trial(1.07, 0.49, 0.17)),
)
DIRECTIONS: Mapping[str, Known] = {known.name: known for known in _ALL}


def trait_of(name: str) -> str:
    """Return what readers call the trait that a direction moves."""
    return DIRECTIONS[name].trait if name in DIRECTIONS else name


def asked(name: str) -> float:
    """Return what the guide must be asked for one deviation of the judge's."""
    return DIRECTIONS[name].ask if name in DIRECTIONS else 1.0
