"""The directions that ship: what each moves, how far that is safe, what it costs.

One deviation is that of the judged trait in the population, whatever the model. What
is not offered cannot be done: a head asked to turn by one deviation turns by a fifth of
it, hair lies outside the mask, and nothing moves ancestry, orientation or belief.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from retouch.edits.manner import (
    BEARD,
    BROAD,
    FOLDS,
    GAZE,
    GLASSES,
    LINES,
    MAKE_UP,
    MOUTH,
    TYPICAL,
    Manner,
)


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
    trial: Trial | None = None  # where a guide is climbed by
    tried: Trial | None = None  # where people's moves are gone
    # What is asked for one judged deviation: of a guide that is climbed by,
    climbed: float = 1.0
    # and of the moves learnt from people, of paint half of all that they can do.
    moved: float = 1.0
    manner: Manner = BROAD  # how a photo shows it where moves of people are gone
    low: float = -2.0
    high: float = 2.0  # beyond these faces begin to look wrong, or nothing more is seen
    adults: bool = False  # faces that look younger than 18 are left alone

    def holds(self, strength: float) -> bool:
        """Say whether a strength is within the safe range."""
        return self.low <= strength <= self.high


def _shape(trait: str) -> Manner:
    """Return the manner of an edit that reshapes a part and does nothing else."""
    return replace(BROAD, still=True, things=frozenset({trait}))


# Trials of eight portraits held out, the whole way from photo to photo: with `default`,
# which moves as people do, and `default128`, which is climbed (within .3 of identity).
# `python -m benchmarks.ranges` prints them and the ranges; smiles end sooner, where
# mouths begin to look wrong. Shapes have no trial, for no judge reads them: their
# deviations are those of landmarks in people; of gaze, an eighth of an eye's width.
_ALL = (
    Known(
        "beauty",
        "attractive",
        "more attractive",
        climbed=1.6,
        trial=Trial(0.82, 0.69, 0.27),
        adults=True,
    ),
    Known(
        "smile",
        "happy",
        "happier",
        climbed=1.67,
        moved=1.7,
        trial=Trial(0.88, 0.28, 0.27),
        tried=Trial(0.70, -0.02, 0.32),
        manner=FOLDS,
        low=-1.0,
        high=1.5,
    ),
    Known(
        "age",
        "age",
        "older",
        climbed=1.3,
        moved=1.7,
        trial=Trial(0.96, 1.00, 0.24),
        tried=Trial(0.59, 0.60, 0.30),
        manner=replace(FOLDS, things=frozenset({LINES})),
    ),
    Known(
        "masculine",
        "gender",
        "more masculine",
        climbed=1.4,
        trial=Trial(0.75, 0.79, 0.27),
        tried=Trial(0.10, 0.08, 0.26),
        high=1.0,
    ),
    Known(
        "weight",
        "weight",
        "heavier",
        climbed=1.4,
        moved=1.4,
        trial=Trial(0.88, 1.10, 0.24),
        tried=Trial(0.44, 0.39, 0.17),
        manner=replace(BROAD, calm=True, things=frozenset({"jaw-width"})),
    ),
    Known(
        "well-groomed",
        "well-groomed",
        "better groomed",
        climbed=2.2,
        trial=Trial(0.88, 0.84, 0.28),
        low=-1.0,
        high=1.0,
        manner=TYPICAL,
    ),
    Known(
        "eye-make-up",
        "eye_makeup",
        "more make-up around the eyes",
        climbed=1.7,
        trial=Trial(0.64, 0.69, 0.28),
        tried=Trial(0.11, 0.11, 0.09),
        manner=Manner(
            where=frozenset({"eyes"}), still=True, things=frozenset({MAKE_UP})
        ),
        low=-1.0,
    ),
    Known(
        "lip-make-up",
        "lip_makeup",
        "more lipstick",
        climbed=2.0,
        moved=0.7,
        trial=Trial(0.59, 0.66, 0.28),
        tried=Trial(0.05, 0.04, 0.07),
        manner=Manner(fine=False, where=frozenset({MOUTH}), still=True),
        high=1.0,
    ),
    Known(
        "beard",
        "beard",
        "more beard",
        climbed=1.6,
        moved=1.2,
        trial=Trial(1.00, 1.08, 0.26),
        tried=Trial(0.93, 0.92, 0.24),
        manner=Manner(
            fine=False,
            where=frozenset({BEARD}),
            still=True,
            things=frozenset({BEARD}),
        ),
        high=2.0,
    ),
    Known(
        "glasses",
        "glasses",
        "glasses",
        climbed=1.3,
        trial=Trial(0.96, 1.06, 0.24),
        tried=Trial(1.75, 1.60, 0.03),
        manner=Manner(
            fine=False,
            where=frozenset({"eyes"}),
            still=True,
            things=frozenset({GLASSES}),
        ),
        low=0.0,
    ),
    Known(
        "eyes-open",
        "eyes-open",
        "wider open eyes",
        climbed=1.15,
        trial=Trial(1.07, 0.49, 0.17),
        tried=Trial(0.50, 0.11, 0.13),
        manner=_shape("eyes-open"),
    ),
    Known(
        "gaze",
        GAZE,
        "looking further to the picture's right",
        manner=Manner(
            fine=False, where=frozenset({"eyes"}), still=True, things=frozenset({GAZE})
        ),
        low=-1.5,
        high=1.5,
    ),
    Known(
        "mouth-open",
        "mouth-open",
        "wider open mouth",
        moved=1.7,
        manner=replace(BROAD, where=frozenset({"lower-face"})),
    ),
    Known("brows", "brow-height", "higher brows", manner=_shape("brow-height")),
    Known("brow-gap", "brow-gap", "brows further apart", manner=_shape("brow-gap")),
    Known("eye-width", "eye-width", "wider eyes", manner=_shape("eye-width")),
    Known("jaw", "jaw-width", "wider jaw", manner=_shape("jaw-width")),
    Known("chin", "chin-length", "longer chin", manner=_shape("chin-length")),
    Known("nose-width", "nose-width", "wider nose", manner=_shape("nose-width")),
    Known("nose-length", "nose-length", "longer nose", manner=_shape("nose-length")),
    Known("lips", "lip-thickness", "fuller lips", manner=_shape("lip-thickness")),
)
DIRECTIONS: Mapping[str, Known] = {known.name: known for known in _ALL}
# Traits that edits keep and none moves; attractive is called beauty, which guards
# children, and what light does always stays.
UNOFFERED = (
    "skin-color", "attractive", "saturation", "light", "light-side", "light-above",
    "warmth", "contrast",
)  # fmt: skip


def offered(traits: Iterable[str]) -> list[str]:
    """Return the names of edits where these traits are read, those tried first.

    A trait that has a tried direction is called by that one's name.
    """
    traits = list(traits)
    tried = [known for known in DIRECTIONS.values() if known.trait in traits]
    told = {*UNOFFERED, *(known.trait for known in tried)}
    return [*(known.name for known in tried), *(t for t in traits if t not in told)]


def trait_of(name: str) -> str:
    """Return what readers call the trait that a direction moves."""
    return DIRECTIONS[name].trait if name in DIRECTIONS else name
