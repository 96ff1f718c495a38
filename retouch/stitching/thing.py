"""Things: what is drawn apart at the photo's own size, such as hair and glasses."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from retouch.faces.crop import Pixels
from retouch.geometry import Similarity


@dataclass(frozen=True, eq=False)
class Thing(ABC):
    """Something to be drawn, on a crop that is wider on each side."""

    wider: int  # pixels
    where: Pixels  # (S, S) or (S, S, C): how much of it, or of its parts, shows there

    def draw(self, photo: NDArray[Any], transform: Similarity) -> None:
        """Draw it into a photo (H, W, 3), 8 or 16 bit; transform leads to the crop."""
        self._drawn(photo, Similarity.shifting(self.wider, self.wider) @ transform)

    @abstractmethod
    def _drawn(self, photo: NDArray[Any], transform: Similarity) -> None:
        """Draw it; transform leads to the wider crop."""
