"""What a model's encoder says of the faces of a photo: attributes, in deviations."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from retouch.contracts import conditions as conditions_of
from retouch.errors import SettingsError
from retouch.photos.photo import Photo
from retouch.settings import Settings
from scorers.latent import LatentTraits

if TYPE_CHECKING:
    from retouch.engine.retoucher import Retoucher

LEAST = 0.5  # correlation with labels of people held out, for a trait to be told
UNTOLD = ("skin-color",)  # known to edits so that they keep it, and told to nobody


@dataclass(frozen=True)
class Estimate:
    """The attributes of one face, or why there are none."""

    index: int
    size: float  # pixels
    attributes: dict[str, float]  # in deviations of the population
    note: str = ""


def attributes(
    retoucher: "Retoucher", photo: Photo, settings: Settings
) -> list[Estimate]:
    """Return the attributes of the wanted faces; those under 18 are not judged."""
    model = retoucher.model
    if model.traits is None or model.encoder is None:
        raise SettingsError(
            f"The model '{model.name}' reads no attributes. Use --model cvae."
        )
    session = retoucher.cut(photo, settings, adults=True)
    told = {}
    if session.chosen:
        scores = np.asarray(model.traits.score(model.inverter.encode(session.images)))
        names = _sure(model.traits, conditions_of(model.generator))
        for index, row in zip(session.chosen, scores.tolist(), strict=True):
            every = zip(model.traits.names, row, strict=True)
            told[index] = {name: score for name, score in every if name in names}
    return [
        Estimate(i, session.found[i].size, told.get(i, {}), session.notes.get(i, ""))
        for i in sorted({*session.chosen, *session.notes})
    ]


def _sure(traits: LatentTraits, conditions: Collection[str]) -> set[str]:
    """Return the traits that are told: those that latents hold, or else show well."""
    skills = zip(traits.names, traits.skill, strict=True)
    known = {*conditions} or {name for name, skill in skills if skill >= LEAST}
    return known.difference(UNTOLD)
