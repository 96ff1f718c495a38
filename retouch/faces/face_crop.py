"""A face as it is seen: the square cut out of a photo, and its landmarks in there."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from retouch.faces.crop import Pixels, cut
from retouch.geometry import CropTemplate, Face, Points, Similarity


@dataclass(frozen=True, eq=False)
class FaceCrop:
    """A square of S pixels a side around a face."""

    samples: Pixels  # (S, S, 3), about as the photo's own: interpolation overshoots
    white: int  # the photo's level of white, 255 or 65535
    transform: Similarity  # from the photo
    landmarks: Points  # (68, 2), in the square

    @classmethod
    def of(
        cls,
        photo: NDArray[Any],
        face: Face,
        template: CropTemplate,
        size: int,
        *,
        linear: bool = False,
    ) -> Self:
        """Cut a face out of a photo (H, W, 3), 8 or 16 bit, as a template lies.

        Args:
            linear: interpolate linearly, a little softer and several times faster.
        """
        transform = face.transform(template, size)
        return cls.at(photo, face, transform, size, linear=linear)

    @classmethod
    def at(
        cls,
        photo: NDArray[Any],
        face: Face,
        transform: Similarity,
        size: int,
        *,
        linear: bool = False,
    ) -> Self:
        """Cut out the square that a transform takes the photo to."""
        samples = cut(photo, transform, size, linear=linear)
        white = int(np.iinfo(photo.dtype).max)
        return cls(samples, white, transform, transform(face.landmarks))

    @property
    def image(self) -> Pixels:
        """What networks take: -1 to 1, and a little beyond."""
        return self.samples / np.float32(self.white / 2) - 1

    @property
    def levels(self) -> Pixels:
        """The same from 0 to 255, and a little beyond."""
        return self.samples * np.float32(255 / self.white)

    @property
    def picture(self) -> NDArray[np.uint8]:
        """The same rounded, to be looked at."""
        return np.rint(self.levels).clip(0, 255).astype(np.uint8)
