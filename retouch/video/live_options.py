"""What a user can choose for the camera and for videos; loads nothing heavy."""

from dataclasses import dataclass

from retouch.errors import SettingsError
from retouch.settings import check_options, option

EFFECTS = ("mask", "beautify", "edit", "transfer")


@dataclass(frozen=True, kw_only=True)
class EffectOptions:
    """What is done to the faces of moving pictures."""

    effect: str = option("mask", "What is done to faces.", choices=EFFECTS)
    person: int = option(
        0, "Which synthetic person the mask shows.", low=0, high=2**31 - 1
    )
    strength: float = option(1.0, "How strong an edit is.", low=0.0, high=3.0)
    expression: str | None = option(
        None, "For --effect transfer: a photo with the expression that faces get."
    )
    alpha: float = option(
        1.0, "How much of that expression; 1 is all of it.", low=0.0, high=2.0
    )
    smallest: float = option(
        80.0, "Side in pixels of the smallest face.", low=40.0, high=1000.0
    )

    def __post_init__(self) -> None:
        check_options(self)
        if self.effect == "transfer" and self.expression is None:
            raise SettingsError(
                "--effect transfer needs --expression, such as --expression smile.jpg."
            )
        if self.effect != "transfer" and self.expression is not None:
            raise SettingsError(
                f"--expression goes with --effect transfer; got {self.effect}."
            )


@dataclass(frozen=True, kw_only=True)
class LiveOptions:
    """Where live pictures come from and how they are shown."""

    camera: str = option("0", "The camera's number, or a picture to take its place.")
    video: str | None = option(None, "A clip in the camera's place.")
    mirror: bool = option(True, "Show the picture as a mirror does.")
    delay: int = option(
        1, "Milliseconds to wait for a key after each frame.", low=1, high=10_000
    )
    size: float = option(
        2.5, "The frame's side, in distances of the eyes.", low=2.0, high=4.0
    )
    folder: str = option(".", "Where the key S puts pictures.")
    headless: bool = option(False, "No window: write to --out.", flags=("--headless",))
    frames: int = option(
        0, "Frames after which to stop; 0: the clip's end.", low=0, high=10**9
    )
    out: str | None = option(None, "The clip that --headless writes.")
    force: bool = option(False, "Replace what is there.", flags=("--force",))

    def __post_init__(self) -> None:
        check_options(self)
        if self.headless and self.out is None:
            raise SettingsError("--headless needs --out, such as --out clip.mp4.")
        if self.out is not None and not self.headless:
            raise SettingsError("--out goes with --headless; a window writes no clip.")


@dataclass(frozen=True, kw_only=True)
class VideoOptions:
    """How a video file is written."""

    force: bool = option(False, "Replace what is there.", flags=("--force",))
    provenance: bool = option(True, "Say in the file what was done.")
    quiet: bool = option(False, "Print nothing.", flags=("--quiet",))
