"""Recognising whose network a file holds, and turning it into ours."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pretrained.dialects import read_ada, read_rosinality, read_tensorflow
from pretrained.files import DAMAGE, REMEDY
from pretrained.irse import encoder_kind, read_encoder
from pretrained.stylegan2 import Imported, Source, assemble
from retouch.errors import WeightsError

KNOWN = (
    "NVIDIA's StyleGAN2 pickles (TensorFlow or PyTorch), rosinality's .pt,"
    " and the .pt of pSp and e4e"
)


def convert(data: Any, path: str | Path, crop: str = "ffhq") -> Imported:
    """Return the generator within what `files.read` gave."""
    try:
        with np.errstate(all="ignore"):  # `assemble` looks for what is not finite
            origin, source = recognise(data)
            return assemble(source, origin, crop)
    except WeightsError as error:
        raise WeightsError(f"{path} was refused: {error} {REMEDY}") from None
    except DAMAGE:
        raise WeightsError(f"{path} holds a damaged network. {REMEDY}") from None


def encoder_in(data: Any, path: str | Path) -> tuple[Imported | None, str]:
    """Return the encoder beside a generator, and a word on one that is not read."""
    if not isinstance(data, dict) or "state_dict" not in data:
        return None, ""
    try:
        with np.errstate(all="ignore"):
            kind = encoder_kind(data)
            if kind is None:
                return None, "; its encoder is of a kind that is not read"
            return read_encoder(data, kind), ""
    except WeightsError as error:
        raise WeightsError(f"{path} was refused: {error} {REMEDY}") from None
    except DAMAGE:
        raise WeightsError(f"{path} holds a damaged encoder. {REMEDY}") from None


def recognise(data: Any) -> tuple[str, Source]:
    """Return whose network it is, and the network."""
    if isinstance(data, tuple | list) and len(data) == 3:
        data = data[2]  # G, D, and Gs: the average of G, which makes the pictures
    if isinstance(data, dict):
        if "static_kwargs" in data:
            return "NVIDIA TensorFlow", read_tensorflow(data)
        if "G_ema" in data:
            return "NVIDIA PyTorch", read_ada(data["G_ema"])
        if "g_ema" in data:
            source = read_rosinality(data["g_ema"], data.get("latent_avg"))
            return "rosinality", source
        if "input.input" in data:
            return "rosinality", read_rosinality(data)
        decoder = _decoder(data.get("state_dict"))
        if decoder:
            return "pSp or e4e", read_rosinality(decoder, data.get("latent_avg"))
    raise WeightsError(f"it holds no network that is known. Known are {KNOWN}.")


def _decoder(state: Any) -> dict[str, Any]:
    if not isinstance(state, Mapping):
        return {}
    prefix = "decoder."
    return {
        name.removeprefix(prefix): value
        for name, value in state.items()
        if str(name).startswith(prefix)
    }
