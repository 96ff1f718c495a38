"""Attributes of faces, as the encoder of a model sees them."""

import dataclasses

import numpy as np
import pytest
import skimage.data

from generators.cvae import CVAE
from retouch.engine.retoucher import Retoucher
from retouch.engine.session import YOUNG
from retouch.errors import SettingsError
from retouch.jobs.attributes import LEAST, UNTOLD, attributes
from retouch.photos.photo import read
from retouch.settings import Settings

QUICK = Settings(steps=0)
YEARS = 60  # by which everybody looks younger to the judge below


@pytest.fixture(scope="module")
def portrait():
    return read(skimage.data.astronaut())


@pytest.fixture(scope="module")
def retoucher():
    return Retoucher.load("cvae")


def test_attributes_are_estimated_and_ancestry_is_told_to_nobody(retoucher, portrait):
    (face,) = attributes(retoucher, portrait, QUICK)
    assert face.attributes["happy"] > 0.3  # she smiles broadly,
    assert face.attributes["beard"] < 0.5  # and has no beard
    assert face.size > 90 and not face.note
    assert isinstance(retoucher.model.generator, CVAE)
    told = {*retoucher.model.generator.config.conditions}  # what its latents hold
    assert {*face.attributes} == told - {*UNTOLD} and UNTOLD[0] in told


def test_of_other_models_what_is_read_well_is_told(portrait):
    retoucher = Retoucher.load("vae")
    (face,) = attributes(retoucher, portrait, QUICK)
    traits = retoucher.model.traits
    well = {n for n, s in zip(traits.names, traits.skill, strict=True) if s >= LEAST}
    assert {*face.attributes} == well - {*UNTOLD} and well < {*traits.names}


def test_who_looks_like_a_child_is_noted_and_not_judged(retoucher, portrait):
    judge = retoucher.model.judge
    older = np.where(np.array(judge.names) == "age", YEARS, 0)
    younger = dataclasses.replace(judge, means=(judge.means - older).astype("f4"))
    model = dataclasses.replace(retoucher.model, judge=younger)
    (face,) = attributes(Retoucher(model), portrait, QUICK)
    assert face.note == YOUNG and not face.attributes


def test_a_model_that_reads_nothing_says_which_one_does(portrait):
    with pytest.raises(SettingsError, match=r"reads no attributes\. Use --model cvae"):
        attributes(Retoucher.load("glow"), portrait, QUICK)
