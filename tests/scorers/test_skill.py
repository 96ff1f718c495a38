"""The readers that ship are as skilled as they were when they were measured."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from pretrained import dlib_files
from pretrained.loading import load, load_judge, load_shape, load_traits
from pretrained.registry import library

FACES = Path(__file__).parents[3] / "shared" / "faces"
# Correlation with ratings kept aside; below these a reader must not ship.
JUDGE = {"attractive": 0.8, "age": 0.89, "gender": 0.95, "happy": 0.92, "weight": 0.73}
LATENTS = {"attractive": 0.7, "age": 0.78, "gender": 0.9, "happy": 0.9, "weight": 0.6}
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


def test_the_guide_and_the_judge_agree_with_ratings_kept_aside():
    for name in ("guide", "judge"):
        judge = load_judge(library(), name)
        assert not _short(judge.names, judge.skill, JUDGE), name


def test_latents_tell_linearly_of_ratings_kept_aside():
    traits = load_traits(library(), "default-traits")
    assert not _short(traits.names, traits.skill, LATENTS)


def test_the_shape_of_faces_is_read():
    assert load_shape(library(), "shape").skill[0] > 0.88


@pytest.mark.slow
def test_pictures_of_latents_tell_of_ratings_kept_aside():
    if not FACES.is_dir():
        pytest.skip("needs the rated faces, which do not ship")
    from retouch.training.traits import RATED, rated, skill_of_pictures
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
    from retouch.training.traits import Faces

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
