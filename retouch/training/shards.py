"""Packed crops as trainings read them: shards in memory, batches by seed and step.

A folder of data holds shards (*.npz) and data.json, which says how the crops are
framed, how often each source is drawn and which sources hold series.
"""

import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retouch.errors import SettingsError
from retouch.photos import disk

HELD_OUT = 0.05

# --- what a folder says of itself ---------------------------------------------


@dataclass(frozen=True)
class Share:
    """How one source takes part in a training."""

    weight: float = 1.0  # how often its crops are drawn, against others'
    series: bool = False  # names are PERSON_TRAIT_0, _1, _2: a trait growing


@dataclass(frozen=True)
class Contents:
    """The framing of a folder's crops, and its sources."""

    crop: str
    resolution: int
    sources: Mapping[str, Share] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> "Contents":
        """Read the folder's data.json."""
        path = folder / "data.json"
        if not path.exists():
            raise SettingsError(
                f"{folder} is no folder of training data: it has no data.json."
                f" Make one: retouch train data PICTURES {folder}"
            )
        try:
            record = json.loads(path.read_text("utf-8"))
            shares = {name: Share(**share) for name, share in record["sources"].items()}
            return cls(record["crop"], record["resolution"], shares)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise SettingsError(
                f"{path} does not say what the crops are ({error!r}). Remove it, and"
                f" make the data anew: retouch train data PICTURES {folder}"
            ) from None

    def check(self, crop: str, resolution: int) -> None:
        """Raise if the crops are not framed as a network needs them."""
        if (self.crop, self.resolution) != (crop, resolution):
            raise SettingsError(
                f"The network is for crops '{crop}' of {resolution} px; the data holds"
                f" '{self.crop}' of {self.resolution} px. Make the data anew: retouch"
                f" train data --crop {crop} --resolution {resolution}."
            )

    def write(self, folder: Path) -> None:
        """Write the folder's data.json."""
        text = json.dumps(asdict(self), indent=2)
        disk.put(folder / "data.json", f"{text}\n".encode())


# --- the crops ----------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Shards:
    """All crops of a folder with what is known of each."""

    images: NDArray[np.uint8]  # (N, R, R, 3)
    landmarks: NDArray[np.float32]  # (N, 68, 2) in pixels of the crop
    names: NDArray[np.str_]  # file names
    sources: NDArray[np.str_]  # names of the folders they came from
    people: NDArray[np.str_]  # who it is, within the source
    labels: NDArray[np.float32]  # (N, traits), NaN where nobody said
    traits: tuple[str, ...]
    contents: Contents

    @classmethod
    def read(cls, folder: Path) -> "Shards":
        """Read every shard of the folder."""
        contents = Contents.read(folder)
        paths = sorted(folder.glob("*.npz"))
        parts = [_small(path) for path in paths]
        total = sum(len(part["names"]) for part in parts)
        if not total:
            raise SettingsError(
                f"{folder} holds no crops. See its dropped.csv for why."
            )
        landmarks, names, sources, people = (
            np.concatenate([part[name] for part in parts])
            for name in ("landmarks", "names", "sources", "people")
        )
        size = contents.resolution
        images = np.empty((total, size, size, 3), np.uint8)
        at = 0
        for path, part in zip(paths, parts, strict=True):
            with np.load(path) as shard:
                images[at : at + len(part["names"])] = shard["images"]
            at += len(part["names"])
        labels, traits = _labels(parts)
        known = landmarks, names, sources, people
        return cls(images, *known, labels, traits, contents)

    def testing(self) -> NDArray[np.bool_]:
        """Say which crops are held out: a twentieth of the people, by name."""
        pairs = zip(self.sources, self.people, strict=True)
        marks = [zlib.crc32(f"{s}/{p}".encode()) % 1000 for s, p in pairs]
        # Of a handful of people at least one is held out.
        return np.array(marks) < max(1000 * HELD_OUT, min(marks) + 1)

    def aside(self, count: int) -> NDArray[np.int64]:
        """Return which crops to show of people held out, spread over the sources."""
        index = np.flatnonzero(self.testing())
        return index[np.linspace(0, len(index) - 1, count).astype(int)]

    def held_out(self, count: int) -> NDArray[np.float32]:
        """Return images of people kept aside, spread over the sources."""
        return as_images(self.images[self.aside(count)])


def _small(path: Path) -> dict[str, NDArray[Any]]:
    with np.load(path) as shard:
        part = {name: shard[name] for name in shard.files if name != "images"}
    count = len(part["names"])
    part.setdefault("people", np.array([n.rsplit(".", 1)[0] for n in part["names"]]))
    part.setdefault("labels", np.zeros((count, 0), np.float32))
    part.setdefault("traits", np.array([], np.str_))
    return part


def _labels(
    parts: list[dict[str, NDArray[Any]]],
) -> tuple[NDArray[Any], tuple[str, ...]]:
    """Join the parts' labels; a part without a trait has NaN there."""
    traits = tuple(dict.fromkeys(str(t) for part in parts for t in part["traits"]))
    tables = []
    for part in parts:
        table = np.full((len(part["names"]), len(traits)), np.nan, np.float32)
        table[:, [traits.index(t) for t in part["traits"]]] = part["labels"]
        tables.append(table)
    return np.concatenate(tables), traits


def as_images(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return images in [-1, 1]."""
    return crops.astype(np.float32) / 127.5 - 1


def shrunk(images: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """Return images in [-1, 1] at a smaller size, of 256 greys again."""
    n, side = images.shape[:2]
    if side % size:
        raise SettingsError(
            f"The data holds crops of {side} px, no multiple of the network's {size}."
            " Make the data anew: retouch train data."
        )
    step = side // size
    small = images.reshape(n, size, step, size, step, 3).mean((2, 4))
    return (np.rint((small + 1) * 127.5) / 127.5 - 1).astype(np.float32)


# --- batches ------------------------------------------------------------------


class Batches:
    """Random batches that depend on the seed and the step alone.

    Three crops of each batch show one person with a trait growing, where the
    shards have such series.
    """

    def __init__(
        self,
        shards: Shards,
        size: int,
        seed: int,
        weights: Mapping[str, float] | None = None,
    ) -> None:
        self.shards, self.size, self.seed = shards, size, seed
        shares = shards.contents.sources
        own = {name: share.weight for name, share in shares.items()}
        own.update(weights or {})
        allowed = ~shards.testing()
        share = np.array([own.get(str(s), 1.0) for s in shards.sources]) * allowed
        if not share.sum():
            raise SettingsError(
                f"Of {len(allowed)} crops none is left to train on: some are held out,"
                " others have the weight 0. Add pictures, or change data.json."
            )
        self.probability = share / share.sum()
        serial = {name for name, share in shares.items() if share.series}
        self.series = _series(shards, allowed & np.isin(shards.sources, list(serial)))

    def draw(
        self, step: int, mixed: int, latent_shape: tuple[int, int]
    ) -> dict[str, Any]:
        """Return images and all random numbers that a step needs."""
        rng = np.random.default_rng((self.seed, step))
        chosen = rng.choice(len(self.probability), self.size, p=self.probability)
        flips = rng.random(self.size) < 0.5
        arithmetic = np.eye(self.size, dtype=np.float32)
        if len(self.series):
            chosen[:3] = self.series[rng.integers(len(self.series))]
            flips[:3] = flips[0]
            arithmetic[:3, :3] = _sums(rng)
        crops = self.shards.images[chosen]
        crops[flips] = crops[flips, :, ::-1]
        mix_styles, mix_code = _mixtures(rng, mixed, self.size)
        return {
            "images": as_images(crops),
            "noise": rng.standard_normal((self.size, *latent_shape), np.float32),
            "arithmetic": arithmetic,
            "mix_styles": mix_styles,
            "mix_code": mix_code,
        }

    def pictures(self, step: int) -> NDArray[np.float32]:
        """Return images as the training draws them, but for its series."""
        rng = np.random.default_rng((self.seed, step))
        chosen = rng.choice(len(self.probability), self.size, p=self.probability)
        crops = self.shards.images[chosen]
        crops[::2] = crops[::2, :, ::-1]
        return as_images(crops)


def _series(shards: Shards, allowed: NDArray[np.bool_]) -> NDArray[np.int64]:
    index = np.flatnonzero(allowed)
    places = {
        f"{shards.sources[i]}/{str(shards.names[i]).rsplit('.', 1)[0]}": i
        for i in index
    }
    stems = {stem.rsplit("_", 1)[0] for stem in places}
    triples = [[places.get(f"{stem}_{i}") for i in range(3)] for stem in sorted(stems)]
    whole = [triple for triple in triples if None not in triple]
    return np.array(whole, np.int64).reshape(-1, 3)


def _sums(rng: np.random.Generator) -> NDArray[np.float32]:
    """Return how each of three steps is made: from itself or from the other two."""
    follow = np.array([[0, 2, -1], [0.5, 0, 0.5], [-1, 2, 0]], np.float32)
    own = rng.random((3, 1)) < 0.4
    return np.where(own, np.eye(3, dtype=np.float32), follow)


def _mixtures(
    rng: np.random.Generator, count: int, size: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return weights (count, size) twice: one person's styles, another's code."""
    first = np.eye(size, dtype=np.float32)[rng.permutation(size)[:count]]
    second = np.eye(size, dtype=np.float32)[rng.permutation(size)[:count]]
    share = rng.uniform(0, 1, (2, count, 1)).astype(np.float32)
    share[:, : count // 2] = np.array([0, 1], np.float32)[:, None, None]
    styles, code = first * (1 - share) + second * share
    return styles, code
