"""What a user can choose: each option's name, default, range and meaning, once.

The command line makes its flags of these fields, the service reads its requests as
them, a batch stores them beside each result.
"""

import math
from dataclasses import dataclass, field, fields
from typing import Any

from retouch.errors import SettingsError

KEEPABLE = {
    "age": "age",
    "gender": "gender",
    "expression": "happy",
    "skin": "skin-color",
    "weight": "weight",
    "hair": "long-haired",
}
MAX_PIXELS = 200_000_000  # of a photo: some 800 MB once it is opened
STITCHES = ("difference", "replace")
REGIONS = ("face", "skin", "mouth", "eyes")


def option(default: Any, meaning: str, **limits: Any) -> Any:
    """Return a field with its meaning and its limits: low, high, choices or parts."""
    return field(default=default, metadata={"help": meaning, **limits})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How photos are worked on; whatever is out of range is refused at once."""

    faces: str = option("all", "Which faces: all, largest, or numbers such as 0,2.")
    strength: float = option(
        1.0, "How strong the edit is; 0 changes nothing.", low=0.0, high=3.0
    )
    identity: float = option(
        0.3,
        "How far dlib's descriptor of the face may move; 0.6 is another person.",
        low=0.0,
        high=0.6,
    )
    keep: str = option(
        "age,gender,expression,skin",
        "What the edit must leave as it is.",
        parts=tuple(KEEPABLE),
    )
    steps: int = option(
        40, "Steps of optimisation after the encoder's guess.", low=0, high=5000
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

    def __post_init__(self) -> None:
        for entry in fields(self):
            _check(entry.name, getattr(self, entry.name), entry.metadata)
        self.chosen(1000)

    @property
    def kept_traits(self) -> tuple[str, ...]:
        """The names that the readers of traits have for what is kept."""
        return tuple(KEEPABLE[name] for name in _parts(self.keep))

    @property
    def regions(self) -> tuple[str, ...]:
        return tuple(_parts(self.mask_region))

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


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _check(name: str, value: Any, limits: Any) -> None:
    spoken = name.replace("_", "-")
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
            raise SettingsError(f"{spoken} takes of {known}; got '{part}'.")
