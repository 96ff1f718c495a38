"""What sheets show beside whole faces: eyes and mouths enlarged, and dark skin.

These are where copies fail first, and where a mean over all pixels hides it.
"""

from collections.abc import Iterable

import numpy as np
from keras import ops
from numpy.typing import NDArray

from pretrained import dlib_files
from pretrained.loading import load_judge
from pretrained.registry import library
from retouch.faces import crop
from retouch.geometry import Face, Similarity
from retouch.stitching import mask
from retouch.training.shards import Shards, as_images

Floats = NDArray[np.float32]
EYES, MOUTH = slice(36, 48), slice(48, 68)
AMONG = 300  # crops from which the darkest are taken
AT_ONCE = 50
ROOM = 1.3  # widths of what is shown in the width that is cut


def close_ups(images: Floats, landmarks: Floats) -> Floats:
    """Return pictures as large as the images (N, R, R, 3): eyes above, mouth below."""
    parts = [
        [_strip(image, marks[part]) for part in (EYES, MOUTH)]
        for image, marks in zip(images, landmarks, strict=True)
    ]
    return np.stack([np.concatenate(pair) for pair in parts])


def _strip(image: Floats, points: Floats) -> Floats:
    """Return what lies around points, twice as wide as high: (R / 2, R, 3)."""
    size = len(image)
    low, high = points.min(0), points.max(0)
    width = ROOM * max(high[0] - low[0], 2 * (high[1] - low[1]))
    left, top = (low + high) / 2 - np.array([width / 2, width / 4])
    transform = Similarity.scaling(size / width) @ Similarity.shifting(-left, -top)
    return crop.cut(image, transform, size)[: size // 2]


def darkest(shards: Shards, count: int) -> NDArray[np.int64]:
    """Return which crops of people held out have the darkest skin, of a few hundred."""
    index = np.unique(shards.aside(AMONG))
    groups = np.array_split(index, -(-len(index) // AT_ONCE))
    batches = (as_images(shards.images[group]) for group in groups)
    dark = tones(batches, shards.landmarks[index], shards.contents.crop)
    order = np.argsort(-dark)
    return index[order[np.arange(count) % len(order)]]


def tones(batches: Iterable[Floats], landmarks: Floats, framing: str) -> Floats:
    """Return how dark each face's skin is to the judge, whatever the light, (N,)."""
    judge = load_judge(library(), "judge")
    identity = dlib_files.identity(crop=framing)
    descriptors = np.concatenate(
        [ops.convert_to_numpy(identity.embed(b)) for b in batches]
    )
    return judge.score(descriptors, landmarks)[:, judge.names.index("skin-color")]


def region(images: Floats, landmarks: Floats, name: str) -> Floats:
    """Return the masks of a region of crops, (N, R, R, 1)."""
    size = images.shape[1]
    faces = [Face(marks, (0.0, 0.0, size, size)) for marks in landmarks]
    same = Similarity.scaling(1)
    drawn = [mask.draw(face, same, size, (size, size), [name]) for face in faces]
    return np.stack(drawn)[..., None]
