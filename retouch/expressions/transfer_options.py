"""What a user can choose of a transfer of expressions."""

from dataclasses import dataclass, fields

from retouch.errors import SettingsError
from retouch.settings import option

METHODS = ("auto", "follow", "arithmetic")


@dataclass(frozen=True, kw_only=True)
class Transferring:
    """How an expression goes from one face to another."""

    alpha: float = option(
        1.0, "How much of the source's expression; 1 is all of it.", low=0.0, high=2.0
    )
    method: str = option(
        "auto",
        "follow the source's expression, or add differences of latents.",
        choices=METHODS,
    )
    source_face: int | None = option(
        None, "Which face of the source, as `retouch faces` counts; the largest."
    )
    target_face: int | None = option(None, "Which face of the target; the largest.")

    def __post_init__(self) -> None:
        for entry in fields(self):
            value, limits = getattr(self, entry.name), entry.metadata
            if "low" in limits and not limits["low"] <= value <= limits["high"]:
                raise SettingsError(
                    f"{entry.name} must lie in [{limits['low']:g}, {limits['high']:g}];"
                    f" got {value:g}."
                )
            if "choices" in limits and value not in limits["choices"]:
                known = ", ".join(limits["choices"])
                raise SettingsError(f"{entry.name} is one of {known}; got '{value}'.")
