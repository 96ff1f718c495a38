"""What is said of a face: where it is, what was done to it, how it is judged."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from retouch.geometry import Face

PLACE = "index", "size", "box", "roll", "yaw", "confidence"


@dataclass(frozen=True)
class FaceReport:
    """What was found of one face, and what was done to it."""

    index: int
    size: float  # pixels
    box: tuple[float, float, float, float]
    roll: float  # degrees
    yaw: float
    confidence: float
    note: str = ""  # why it was left alone
    touched: float = 0.0  # the share of the photo's pixels whose skin was retouched
    share: float = 0.0  # how much of the edit the identity budget allowed
    identity: float = 0.0  # distance of dlib's descriptor from before
    score: tuple[float, float] | None = None  # the guide's, before and after
    judged: tuple[float, float] | None = None  # the independent judge's
    second: tuple[float, float] | None = None  # the same without landmarks
    changed: Mapping[str, float] = field(default_factory=dict)  # by the judge

    @classmethod
    def of(cls, index: int, face: Face) -> "FaceReport":
        """Return the report of a face to which nothing was done."""
        place = face.size, face.box, face.roll, face.yaw
        return cls(index, *place, face.confidence)

    @property
    def place(self) -> dict[str, Any]:
        """What was told of the face before anything was done to it."""
        return {name: getattr(self, name) for name in PLACE}
