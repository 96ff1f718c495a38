"""Crops of nobody whose traits follow from what is seen of them, and their raters."""

import numpy as np

from retouch.training.rated import RATED, Faces

RATED_HERE, RATED_THERE, LABELLED = 300, 300, 60


def drawn_faces() -> Faces:
    """Return faces of three sources: rated, rated by others, labelled."""
    count = RATED_HERE + RATED_THERE + LABELLED
    rng = np.random.default_rng(0)
    latents = rng.normal(size=(count, 4, 16)).astype("f4")
    descriptors = latents.reshape(count, -1)[:, :64] @ rng.normal(size=(64, 128)) / 8
    marks = rng.normal(64, 3, (count, 68, 2)) + np.arange(68)[:, None]
    images = rng.integers(0, 256, (count, 128, 128, 3), np.uint8)
    names = np.array([f"{i}.webp" for i in range(count)])
    parts = {"rated": RATED_HERE, "others": RATED_THERE, "labelled": LABELLED}
    sources = np.repeat(list(parts), list(parts.values()))
    return Faces(images, marks, names, sources, descriptors.astype("f4"), latents)


def write_tables(faces: Faces, folder) -> None:
    """Write what raters and labellers say; others rate beauty by their own scale."""
    traits = 50 + 10 * faces.latents[:, 0, : len(RATED)]
    _write(folder / "rated.csv", RATED, zip(faces.names, traits, strict=True))
    beauty = 5 + 0.1 * (traits[:, :1] - 50)
    _write(folder / "others.csv", RATED[:1], zip(faces.names, beauty, strict=True))
    worn = [["NoGlasses"] if z < 0 else ["Reading"] for z in faces.latents[:, 1, 0]]
    _write(folder / "labels.csv", ("glasses",), zip(faces.names, worn, strict=True))


def _write(path, columns, rows) -> None:
    lines = [f"{name},{','.join(map(str, values))}" for name, values in rows]
    path.write_text("\n".join([",".join(("file", *columns)), *lines]))
