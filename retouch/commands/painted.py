"""Masks that a user has painted, for any command that changes a photo."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from retouch.settings import option

if TYPE_CHECKING:
    from retouch.engine.session import Result


@dataclass(frozen=True, kw_only=True)
class Painted:
    """Where a photo may change; grey is in between."""

    protect: str | None = option(None, "A picture, white where nothing may change.")
    only: str | None = option(None, "A picture, white where it may change.")

    def held(self, result: "Result") -> "Result":
        """Return the result, changed only where the masks let it."""
        if self.protect is None and self.only is None:
            return result
        from retouch.photos.masks import held

        masks = (Path(p).read_bytes() if p else None for p in (self.protect, self.only))
        pixels = held(result.before.pixels, result.photo.pixels, *masks)
        return replace(result, photo=result.photo.with_pixels(pixels))
