"""What a batch does to each picture, and what comes back of it: plain, small values.

They travel between processes and machines, so nothing here loads a network.
"""

import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from retouch.errors import SettingsError
from retouch.settings import Climb, Settings, Skin

if TYPE_CHECKING:
    from pretrained.registry import Library

KINDS = ("beautify", "edit", "skin", "invert")
COMPANIONS = (
    "guide",
    "healing",
    "judge",
    "parsing",
    "scout",
    "shape",
)  # that every model works with


@dataclass(frozen=True)
class Picture:
    """A photo to be worked on."""

    name: str  # its path below the folder of results
    source: str  # a path, or an address that fsspec opens
    stamp: str = ""  # changes when the photo does, where the listing tells


@dataclass(frozen=True)
class Done:
    """What came of a picture: files to be put below the folder, and its row."""

    name: str
    files: Mapping[str, bytes]
    row: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Job:
    """The work, the same for every picture."""

    kind: str = "beautify"
    settings: Settings = field(default_factory=Settings)
    moves: Mapping[str, float] = field(default_factory=dict)
    climb: Climb = field(default_factory=Climb)
    skin: Skin = field(default_factory=Skin)
    compare: bool = False
    quality: int | None = None
    strip_location: bool = False
    provenance: bool = True

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            known = ", ".join(KINDS)
            raise SettingsError(f"A batch does one of {known}; got '{self.kind}'.")
        if (self.kind == "edit") != bool(self.moves):
            got = ", ".join(self.moves) or "none"
            raise SettingsError(
                "A batch of edit needs moves, and only that one takes them:"
                f" --set smile=1.5; got {got} with {self.kind}."
            )
        if self.compare and self.settings.reversible:
            raise SettingsError(
                "--compare shows two pictures, and --reversible is for one: leave one"
                " of them out."
            )

    def told(self) -> dict[str, Any]:
        """Return all that makes the result what it is, as the report has it."""
        return {**dataclasses.asdict(self), "moves": dict(self.moves)}

    def weights(self, library: "Library") -> str:
        """Return the hash of all weights that take part."""
        model = library.row(self.settings.model, "generator").name
        own = {*COMPANIONS, model, *(name.partition("/")[0] for name in self.moves)}
        rows = [
            f"{row.name} {row.sha256}"
            for row in library.rows()
            if row.name in own or row.name.startswith(f"{model}-")
        ]
        return hashlib.sha256("\n".join(sorted(rows)).encode()).hexdigest()[:16]


def latent_name(name: str, index: int) -> str:
    """Return the file for a face's latents: beside where the photo would lie."""
    path = PurePosixPath(name)
    return str(path.with_name(f"{path.name}-{index}.npz"))
