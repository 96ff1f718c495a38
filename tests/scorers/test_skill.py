"""The readers that ship are as skilled as they were when they were measured."""

import csv
import dataclasses
import io
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pretrained import dlib_files
from pretrained.loading import load, load_judge, load_shape
from pretrained.registry import library
from retouch.faces.identity import descriptors

FACES = Path(__file__).parents[3] / "shared" / "faces"
HELD_OUT = 50  # of a thousand people, as `retouch.training.shards` has it
# Correlation with the raters of 27 people whom nothing has learnt from; below these a
# reader must not ship.
JUDGE = {"attractive": 0.7, "age": 0.9, "gender": 0.9, "happy": 0.9, "weight": 0.7}
# And with those of 73 real ones: a guide of synthetic faces alone reaches .31.
REAL = {"attractive": 0.4}
PICTURES = {
    "attractive": 0.8,
    "age": 0.82,
    "gender": 0.93,
    "happy": 0.92,
    "weight": 0.77,
}


def _short(names, skill, floors):
    known = dict(zip(names, skill, strict=True))
    return {name: known[name] for name, low in floors.items() if known[name] < low}


def _held_out(source, folder):
    """Return rated faces that no reader learnt from: crops, landmarks, their rows."""
    with np.load(FACES / "crops" / f"{source}.npz") as file:
        held = [
            i
            for i, person in enumerate(file["people"])
            if zlib.crc32(f"{folder}/{person}".encode()) % 1000 < HELD_OUT
        ]
        data, ends = file["data"].tobytes(), file["offsets"]
        landmarks = file["landmarks"][held].astype(np.float32)
        names = [str(name) for name in file["names"][held]]
    pictures = [Image.open(io.BytesIO(data[ends[i] : ends[i + 1]])) for i in held]
    pixels = np.stack([np.asarray(picture.convert("RGB")) for picture in pictures])
    with open(FACES / f"{source}.csv", newline="") as file:
        rows = {row["file"]: row for row in csv.DictReader(file)}
    rated = [i for i, name in enumerate(names) if name in rows]
    images = pixels[rated].astype(np.float32) / 127.5 - 1
    return images, landmarks[rated], [rows[names[i]] for i in rated]


@pytest.fixture(scope="module")
def held_out():
    if not FACES.is_dir():
        pytest.skip("needs the rated faces, which do not ship")
    seen = {}
    for source, folder in (("omi", "omi"), ("mebeauty", "me")):
        images, landmarks, rows = _held_out(source, folder)
        seen[source] = descriptors(images, landmarks), landmarks, rows
    return seen


def _skill(judge, seen, traits):
    descriptors, landmarks, rows = seen
    assert len(rows) > 20
    scores = judge.score(descriptors, landmarks)
    return [
        np.corrcoef(scores[:, judge.names.index(t)], [float(r[t]) for r in rows])[0, 1]
        for t in traits
    ]


@pytest.mark.parametrize("name", ["guide", "judge"])
def test_readers_of_pictures_agree_with_raters_of_people_kept_aside(name, held_out):
    judge = load_judge(library(), name)
    assert not _short(JUDGE, _skill(judge, held_out["omi"], JUDGE), JUDGE)


@pytest.mark.parametrize("name", ["guide", "judge"])
def test_readers_of_pictures_agree_with_raters_of_real_people(name, held_out):
    judge = load_judge(library(), name)
    assert not _short(REAL, _skill(judge, held_out["mebeauty"], REAL), REAL)


@pytest.mark.slow
def test_pictures_of_latents_tell_of_ratings_kept_aside():
    if not FACES.is_dir():
        pytest.skip("needs the rated faces, which do not ship")
    from retouch.training.rated import RATED, rated
    from retouch.training.traits import skill_of_pictures
    from scorers.guide import Guide

    faces = _rated_faces()
    index, ratings = rated(faces, "omi", FACES / "omi.csv")
    weights = library()
    parts = load_judge(weights, "guide"), load_shape(weights, "shape")
    sight = Guide(dlib_files.identity(), *parts)
    generator = load(weights, "default", "generator")
    skill = skill_of_pictures(generator, sight, faces.latents[index], ratings)
    assert not _short(RATED, skill, PICTURES)


def _rated_faces():
    from retouch.faces.crop import cut
    from retouch.faces.detect import Detector
    from retouch.geometry import TIGHT
    from retouch.photos.photo import read
    from retouch.training.rated import Faces

    detector, rows = Detector(), []
    for path in sorted((FACES / "omi").iterdir()):
        pixels = read(path).pixels
        if found := detector.find(pixels):
            place = found[0].transform(TIGHT, 128)
            rows.append((path.name, cut(pixels, place, 128), place(found[0].landmarks)))
    names, crops, landmarks = zip(*rows, strict=True)
    images = np.rint(np.clip(np.stack(crops), 0, 255)).astype(np.uint8)
    count = len(names)
    empty = np.zeros((count, 128), np.float32)
    faces = Faces(
        images,
        np.stack(landmarks).astype(np.float32),
        np.array(names),
        np.full(count, "omi"),
        empty,
        empty,
    )
    encoder = load(library(), "default-encoder", "encoder")
    parts = [
        np.asarray(encoder.encode(part.astype(np.float32) / 127.5 - 1))
        for part in np.array_split(images, count // 16)
    ]
    return dataclasses.replace(faces, latents=np.concatenate(parts))
