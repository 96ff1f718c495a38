"""The directions that ship: what each moves, how far that is safe, what it costs.

One deviation is that of the judged trait in the population, whatever the model. What
is not offered here was not measured yet or cannot be done: hair lies outside the mask,
and nothing moves ancestry, orientation or belief.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Trial:
    """What came of asking the guide for so many deviations; means of some faces."""

    asked: float
    judged: float
    second: float  # by the judge that sees no landmarks
    identity: float  # how far the descriptor moved


@dataclass(frozen=True)
class Known:
    """A direction that ships."""

    name: str
    trait: str  # as the readers call it
    meaning: str  # of the positive way
    low: float = -2.0
    high: float = 2.0  # beyond these faces begin to look wrong
    ask: float = 1.0  # deviations asked of the guide for one that is judged
    adults: bool = False  # faces that look younger than 18 are left alone
    trial: Trial | None = None

    def holds(self, strength: float) -> bool:
        """Say whether a strength is within the safe range."""
        return self.low <= strength <= self.high


# Trials of eight crops of 128 px, of the training's; age of twelve portraits held out.
_ALL = (
    Known(
        "beauty",
        "attractive",
        "more attractive",
        ask=1.5,
        adults=True,
        trial=Trial(0.7, 0.47, 0.42, 0.17),
    ),
    Known("smile", "happy", "happier", ask=1.67, trial=Trial(2.5, 1.27, 1.10, 0.28)),
    Known("age", "age", "older", ask=1.3, trial=Trial(1.0, 0.71, 0.74, 0.20)),
    Known(
        "masculine",
        "gender",
        "more masculine",
        ask=1.25,
        trial=Trial(1.0, 0.79, 0.84, 0.27),
    ),
    Known("weight", "weight", "heavier", ask=1.2, trial=Trial(1.0, 0.83, 0.98, 0.21)),
    Known(
        "well-groomed",
        "well-groomed",
        "better groomed",
        ask=1.6,
        trial=Trial(1.0, 0.60, 0.64, 0.22),
    ),
    Known(
        "eye-make-up",
        "eye_makeup",
        "more make-up around the eyes",
        low=-1.0,
        high=1.0,
        ask=1.6,
        trial=Trial(1.0, 0.57, 0.63, 0.25),
    ),
    Known(
        "lip-make-up",
        "lip_makeup",
        "more lipstick",
        low=-1.0,
        high=1.0,
        ask=1.6,
        trial=Trial(1.0, 0.55, 0.58, 0.26),
    ),
)
DIRECTIONS: Mapping[str, Known] = {known.name: known for known in _ALL}


def trait_of(name: str) -> str:
    """Return what readers call the trait that a direction moves."""
    return DIRECTIONS[name].trait if name in DIRECTIONS else name


def asked(name: str) -> float:
    """Return what the guide must be asked for one deviation of the judge's."""
    return DIRECTIONS[name].ask if name in DIRECTIONS else 1.0
