"""What a model's encoder says of the faces of a photo: attributes, in deviations."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from retouch.contracts import conditions as conditions_of
from retouch.errors import SettingsError
from retouch.photos.photo import Photo
from retouch.settings import Settings

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
    conditions = conditions_of(model.generator)
    places = [
        i
        for i, (name, skill) in enumerate(
            zip(model.traits.names, model.traits.skill, strict=True)
        )
        if (name in conditions if conditions else skill >= LEAST) and name not in UNTOLD
    ]
    scores = {}
    if session.chosen:
        latents = model.inverter.encode(session.images)
        rows = np.asarray(model.traits.score(latents))
        scores = dict(zip(session.chosen, rows, strict=True))
    return [
        Estimate(
            i,
            session.found[i].size,
            {model.traits.names[p]: float(scores[i][p]) for p in places}
            if i in scores
            else {},
            session.notes.get(i, ""),
        )
        for i in sorted({*session.chosen, *session.notes})
    ]
