"""Masks that a user has painted, for any command that changes a photo."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from retouch.settings import option

if TYPE_CHECKING:
    from retouch.photos.photo import Photo


@dataclass(frozen=True, kw_only=True)
class Painted:
    """Where a photo may change; grey is in between."""

    protect: str | None = option(None, "A picture, white where nothing may change.")
    only: str | None = option(None, "A picture, white where it may change.")

    def held(self, photo: "Photo") -> "Photo":
        """Return the photo as one that changes only where the masks let it."""
        from retouch.photos.masks import held

        return held(photo, self.protect, self.only)
