"""A face that is drawn, not photographed: landmarks, photos, and where they lie."""

from dataclasses import replace

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from retouch.geometry import FFHQ, TIGHT, Face, Points, Similarity


def arc(count: int, centre: tuple, radii: tuple, start: float, stop: float) -> Points:
    angle = np.radians(np.linspace(start, stop, count))
    return np.stack([np.cos(angle), np.sin(angle)], -1) * radii + centre


def drawn_face(size: float = 1.0) -> Face:
    """Return 68 landmarks that lie roughly as a face's do in a square of that size."""
    parts = [
        arc(17, (0.5, 0.4), (0.45, 0.55), 180, 0),
        arc(5, (0.28, 0.3), (0.13, 0.06), 180, 359),
        arc(5, (0.72, 0.3), (0.13, 0.06), 181, 360),
        np.linspace((0.5, 0.36), (0.5, 0.55), 4),
        arc(5, (0.5, 0.57), (0.08, 0.04), 180, 0),
        arc(6, (0.3, 0.355), (0.07, 0.025), 180, 480),
        arc(6, (0.7, 0.355), (0.07, 0.025), 180, 480),
        arc(12, (0.5, 0.735), (0.15, 0.06), 180, 510),
        arc(8, (0.5, 0.735), (0.11, 0.02), 180, 495),
    ]
    face = Face(np.concatenate(parts), (0.0, 0.1, 1.0, 1.0))
    return face.moved(Similarity.scaling(size))


def texture(height: int, width: int, seed: int = 0, fine: float = 1.5) -> NDArray:
    """Return a smooth random picture (H, W, 3), 40 to 215."""
    noise = np.random.default_rng(seed).normal(size=(height, width, 3))
    noise = gaussian_filter(noise, (fine, fine, 0))
    noise = noise / np.abs(noise).max()
    return (127.5 + 87 * noise).astype(np.float32)


@st.composite
def placed_faces(draw: st.DrawFn) -> tuple[tuple[int, int], Face]:
    """Draw a photo's shape and a face in it, turned, or half beyond its edge."""
    shape = draw(st.integers(60, 200)), draw(st.integers(60, 200))
    size, angle = draw(st.floats(20, 150)), draw(st.floats(-3.1, 3.1))
    turn = Similarity(size * np.cos(angle), size * np.sin(angle), 0.0, 0.0)
    centre = draw(st.floats(0, shape[1])), draw(st.floats(0, shape[0]))
    x, y = centre - turn((0.5, 0.5))
    jitter = np.random.default_rng(draw(st.integers(0, 99))).normal(size=(68, 2)) * 0.01
    face = drawn_face()
    face = Face(face.landmarks + jitter, face.box)
    return shape, face.moved(Similarity.shifting(x, y) @ turn)


templates = st.sampled_from([FFHQ, TIGHT])


def closed(face):
    """Return the face with its inner lips on one line."""
    marks = face.landmarks.copy()
    marks[61:64, 1] = marks[65:68, 1] = marks[60:68, 1].mean()
    return replace(face, landmarks=marks)
