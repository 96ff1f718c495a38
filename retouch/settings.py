"""What a user can choose: each option's name, default, range and meaning, once.

The command line makes its flags of these fields, the service reads its requests as
them, a batch stores them beside each result.
"""

import math
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from numbers import Integral, Real
from typing import Any, get_args

from retouch.errors import SettingsError
from retouch.presets import PRESETS, SPACES

# What can be kept, and what the readers of traits call it.
KEEPABLE: Mapping[str, tuple[str, ...]] = {
    "age": ("age",),
    "gender": ("gender",),
    "expression": ("happy",),
    "skin": ("skin-color",),
    "weight": ("weight",),
    "make-up": ("eye_makeup", "lip_makeup"),
    "eyes": ("eyes-open",),
    "hair": ("long-haired",),
    "glasses": ("glasses",),
}
MAX_PIXELS = 200_000_000  # of a photo: some 800 MB once it is opened
STITCHES = ("difference", "replace")
TRUST = ("sign", "watermark", "reversible")  # what a finished picture says of itself
OUTLINED = ("face", "skin", "mouth", "eyes")  # regions that landmarks tell
PARSED = ("brows", "lips", "teeth", "nose", "hair", "glasses")  # that parsing tells
REGIONS = (*OUTLINED, *PARSED)
# What a field's type takes besides its own values, and what it is called.
NUMBERS: Mapping[Any, type] = {float: Real, int: Integral}
CALLED = {str: "text", int: "a whole number", float: "a number", bool: "True or False"}


# What a look wishes: parts from 0 to 1, texture being what is kept of it.
_NOTHING = {
    **{"blemishes": 0.0, "even": 0.0, "texture": 1.0, "shine": 0.0, "circles": 0.0},
    **{"whiten_teeth": 0.0, "brighten_eyes": 0.0, "red_eye": 0.0},
}
_NATURAL = {"blemishes": 1.0, "even": 0.5, "shine": 0.5, "circles": 0.5}
_STUDIO = {"even": 0.8, "shine": 0.8, "circles": 0.8, "texture": 0.85}
ALONGSIDE = {"natural": 0.5, "studio": 1.0, "none": 0.0}  # of a look, beside an edit
LOOKS: dict[str, dict[str, float]] = {
    "natural": {**_NOTHING, **_NATURAL},
    "studio": {
        **_NOTHING,
        **_NATURAL,
        **_STUDIO,
        **{"whiten_teeth": 0.5, "brighten_eyes": 0.4},
    },
    "none": _NOTHING,
}


def option(default: Any, meaning: str, **limits: Any) -> Any:
    """Return a field with its meaning and its limits: low, high, choices or parts."""
    return field(default=default, metadata={"help": meaning, **limits})


def _part(meaning: str) -> Any:
    return option(None, meaning, low=0.0, high=1.0)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How photos are worked on; whatever is out of range is refused at once."""

    faces: str = option("all", "Which faces: all, largest, or numbers such as 0,2.")
    strength: float = option(
        1.0, "How strong the edit is; 0 changes nothing.", low=0.0, high=3.0
    )
    identity: float = option(
        0.4,
        "How far dlib's descriptor of the face may move; 0.6 is another person.",
        low=0.0,
        high=0.6,
    )
    keep: str = option(
        "age,gender,expression,skin,weight,make-up,eyes,glasses",
        "What beautify, and an edit that climbs, must leave as it is.",
        parts=tuple(KEEPABLE),
    )
    preset: str | None = option(
        None,
        "How long a copy of the face is searched for after the encoder's guess; what"
        " the model's edits need if not given.",
        choices=PRESETS,
    )
    steps: int | None = option(
        None, "Steps of that search; the preset's if not given.", low=0, high=5000
    )
    space: str = option(
        "w+", "Where it searches: a style for each layer, or one.", choices=SPACES
    )
    stitch: str = option(
        "difference", "How the face is laid into the photo.", choices=STITCHES
    )
    mask_region: str = option("face", "Where it may change.", parts=REGIONS)
    model: str = option("default", "The generator to use; see `retouch models list`.")
    seed: int = option(0, "The seed of whatever is random.", low=0, high=2**31 - 1)
    max_pixels: int = option(
        MAX_PIXELS, "The largest photo that is opened.", low=1, high=2**40
    )

    sign: bool = option(
        False,
        "Sign a manifest (C2PA) of what was done: RETOUCH_SIGN_KEY, RETOUCH_SIGN_CERT.",
        flags=("--sign",),
    )
    watermark: bool | None = option(
        None, "Hide a mark in the faces that were changed; with --sign unless denied."
    )
    reversible: bool = option(
        False,
        "Carry the faces as they were, for `retouch undo`: RETOUCH_PASSPHRASE.",
        flags=("--reversible",),
    )

    def __post_init__(self) -> None:
        check_options(self)
        self.chosen(1000)

    @property
    def marked(self) -> bool:
        """Whether changed faces get a hidden mark."""
        return self.sign if self.watermark is None else self.watermark

    @property
    def kept_traits(self) -> tuple[str, ...]:
        """The names that the readers of traits have for what is kept."""
        return tuple(trait for name in _parts(self.keep) for trait in KEEPABLE[name])

    @property
    def regions(self) -> tuple[str, ...]:
        return tuple(_parts(self.mask_region))

    @property
    def outlined(self) -> tuple[str, ...]:
        """The regions drawn from landmarks, within which parsing may say more."""
        return ("face",) if self.parsed else self.regions

    @property
    def parsed(self) -> tuple[str, ...]:
        """The regions that parsing tells: all of them, if it must tell any."""
        return self.regions if {*self.regions} & {*PARSED} else ()

    def chosen(self, count: int) -> list[int]:
        """Return the numbers of the faces to work on, of `count` found."""
        if self.faces in ("all", "largest"):
            return list(range(count if self.faces == "all" else min(count, 1)))
        try:
            numbers = sorted({int(part) for part in _parts(self.faces)})
        except ValueError:
            numbers = [-1]
        if not numbers or numbers[0] < 0:
            raise SettingsError(
                "faces must be all, largest, or numbers such as 0,2;"
                f" got '{self.faces}'."
            )
        if numbers[-1] >= count:
            raise SettingsError(
                f"There is no face {numbers[-1]}: {count} found, counted from 0."
            )
        return numbers


@dataclass(frozen=True, kw_only=True)
class Skin:
    """What of skin, eyes and teeth is retouched; what is not given, the look says."""

    look: str = option(
        "natural", "How much of it, where nothing else is said.", choices=tuple(LOOKS)
    )
    blemishes: float | None = _part("Take away pimples, red spots and flakes.")
    even: float | None = _part("Even the skin's tone; its texture stays.")
    texture: float | None = _part("How much of the pores' texture is kept.")
    shine: float | None = _part("Dull what shines.")
    circles: float | None = _part("Lift dark circles under the eyes.")
    whiten_teeth: float | None = _part("Whiten the teeth.")
    brighten_eyes: float | None = _part("Clear the whites of eyes, light the irises.")
    red_eye: float | None = _part("Darken pupils that a flash has reddened.")
    keep_marks: bool = option(
        True, "Leave moles, freckles and scars: they are the person's own."
    )

    def __post_init__(self) -> None:
        check_options(self)

    @classmethod
    def beside(cls, look: str, strength: float = 1.0) -> "Skin":
        """Return what of a look goes with an edit of that strength.

        Blemishes go wholly, whatever is done by half: half a pimple is one, too.
        """
        parts = dict.fromkeys(_NOTHING, ALONGSIDE[look]) | {"blemishes": 1.0}
        shares = {name: min(part * strength, 1.0) for name, part in parts.items()}
        wanted: dict[str, Any] = {
            name: nothing + shares[name] * (LOOKS[look][name] - nothing)
            for name, nothing in _NOTHING.items()
        }
        return cls(look=look, **wanted)

    def filled(self) -> dict[str, float]:
        """Return how much of each part is wished: given, or else by the look."""
        given = {name: getattr(self, name) for name in _NOTHING}
        known = {name: value for name, value in given.items() if value is not None}
        return {**LOOKS[self.look], **known}

    @property
    def words(self) -> str:
        """What is wished, for the provenance."""
        wanted = {n: v for n, v in self.filled().items() if v != _NOTHING[n]}
        said = [f"{name.replace('_', ' ')} {v:g}" for name, v in wanted.items()]
        return ", ".join(said) or "nothing"

    @property
    def is_nothing(self) -> bool:
        """Whether every pixel is left as it is."""
        return self.keep_marks and self.filled() == _NOTHING


@dataclass(frozen=True, kw_only=True)
class Climb:
    """How far beautify climbs, besides the strength."""

    until_score: float | None = option(
        None, "Climb until the guide gives each face this score, instead of a strength."
    )
    max_steps: int = option(
        25,
        "Steps at most of a climb by slopes, as default128 climbs; more go on where it"
        " is steep.",
        low=1,
        high=400,
    )
    skin: bool = option(True, "Retouch the skin, too.")
    look: str = option(
        "natural",
        "Of skin, eyes and teeth: half of natural, but every blemish; studio; none.",
        choices=tuple(LOOKS),
    )

    def __post_init__(self) -> None:
        check_options(self)
        if self.until_score is not None and not math.isfinite(self.until_score):
            raise SettingsError(f"until-score is a number; got {self.until_score}.")


def check_options(options: Any) -> None:
    """Refuse the values of a dataclass that its fields' limits do not allow."""
    for entry in fields(options):
        value = getattr(options, entry.name)
        _check_kind(entry, value)
        _check(entry.name, value, entry.metadata)


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _check_kind(entry: Field[Any], value: Any) -> None:
    kinds = get_args(entry.type) or (entry.type,)
    if not isinstance(value, tuple(NUMBERS.get(kind, kind) for kind in kinds)):
        spoken, such = entry.name.replace("_", "-"), ""
        if entry.default is not None:
            such = f", such as {entry.default!r}"
        raise SettingsError(f"{spoken} takes {CALLED[kinds[0]]}{such}; got {value!r}.")


def _check(name: str, value: Any, limits: Any) -> None:
    spoken = name.replace("_", "-")
    if value is None:
        return
    if "low" in limits:
        low, high = limits["low"], limits["high"]
        if not math.isfinite(value) or not low <= value <= high:
            raise SettingsError(f"{spoken} must lie in [{low}, {high}]; got {value}.")
    if "choices" in limits and value not in limits["choices"]:
        known = ", ".join(limits["choices"])
        raise SettingsError(f"{spoken} is one of {known}; got '{value}'.")
    for part in _parts(value) if "parts" in limits else []:
        if part not in limits["parts"]:
            known = ", ".join(limits["parts"])
            raise SettingsError(f"{spoken} is made of {known}; got '{part}'.")
