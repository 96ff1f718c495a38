"""What a finished file is given besides: its original faces, and a signed manifest."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pretrained.registry import library
from retouch import __version__
from retouch.errors import PhotoError, SettingsError
from retouch.photos.formats import FORMATS
from retouch.photos.levels import differing
from retouch.photos.photo import Photo, Provenance, encode
from retouch.provenance import carried, manifest, originals
from retouch.settings import Settings

SIGNED = Settings(sign=True)


def check(settings: Settings) -> None:
    """Raise before any work if a picture could not be sealed as it is asked."""
    if settings.reversible and (passphrase := originals.passphrase()):
        originals.check(passphrase)
    if not settings.sign:
        return
    trial = Photo(np.zeros((1, 1, 3), np.uint8), format="PNG")
    sealing = Seal(trial, trial, Provenance("", "trial", 0.0), SIGNED)
    signer = manifest.Signer.load()
    try:
        sealing.signed(encode(trial), "PNG", signer)
    except PhotoError as error:
        raise SettingsError(
            f"The files of {manifest.KEY} and {manifest.CERTIFICATES} cannot sign:"
            f" {error} Give a key and its chain, the signer's certificate first."
        ) from error


@dataclass(frozen=True, eq=False)
class Seal:
    """Adds to a file what the settings ask for."""

    before: Photo
    after: Photo
    done: Provenance
    settings: Settings

    def __call__(self, data: bytes, format: str, strip_location: bool = False) -> bytes:
        """Return the file with the originals in it, then signed."""
        if self.settings.reversible:
            pieces = self.before, self.after, originals.passphrase()
            data = carried.put(data, format, originals.packed(*pieces))
        if not self.settings.sign:
            return data
        return self.signed(data, format, manifest.Signer.load(), strip_location)

    def signed(
        self,
        data: bytes,
        format: str,
        signer: manifest.Signer,
        strip_location: bool = False,
    ) -> bytes:
        """Return the file with a manifest."""
        photo = self._photo(strip_location)
        said = self._actions(), self._edit()
        return manifest.signed(data, FORMATS[format].media, *said, photo, signer)

    @property
    def note(self) -> str:
        """What whoever gives the file away should know, or nothing."""
        if not self.settings.reversible:
            return ""
        if originals.passphrase():
            return f"the original faces travel inside, locked by {originals.PASSPHRASE}"
        return "the original faces travel inside, for everybody to see"

    def _actions(self) -> list[dict[str, Any]]:
        opened = {"action": "c2pa.opened", "parameters": {"ingredientIds": ["photo"]}}
        edited = {
            "action": "c2pa.edited",
            "digitalSourceType": manifest.COMPOSITE,
            "softwareAgent": _software(),
            "description": self.done.note,
        }
        marked = {"action": "c2pa.watermarked.unbound", "softwareAgent": _software()}
        return [opened, edited, *([marked] if self.settings.marked else [])]

    def _edit(self) -> dict[str, Any]:
        differs = differing(self.before.pixels, self.after.pixels)
        return {
            "software": _software(),
            "model": self.done.model,
            "model_sha256": _hash(self.done.model),
            "edit": self.done.edit,
            "strength": float(self.done.strength),
            "changed": round(float(differs.mean()), 6),  # the share of all pixels
            "reversible": self.settings.reversible,
            "watermark": self.settings.marked,
        }

    def _photo(self, strip_location: bool) -> tuple[bytes, str]:
        """Return the file that the picture was made of, or another with its pixels.

        A manifest may tell the place: where places are left out, it stays behind.
        """
        data = _again(self.before.source)
        if data is not None and self.before.format:
            media = FORMATS[self.before.format].media
            silent = not strip_location or manifest.stated(data, media).state == "none"
            if silent and manifest.readable(data, media):
                return data, media
        bare = Photo(self.before.pixels, self.before.alpha)
        return encode(bare, "PNG"), FORMATS["PNG"].media


def _again(source: Any) -> bytes | None:
    if isinstance(source, str | os.PathLike):
        try:
            return Path(source).read_bytes()
        except OSError as error:
            raise PhotoError(
                f"'{os.fspath(source)}' went away while it was worked on; it is needed"
                " for the manifest."
            ) from error
    return source


def _software() -> dict[str, str]:
    return {"name": manifest.SOFTWARE, "version": __version__}


def _hash(model: str) -> str:
    """Return the hash of the generator's weights, if it is one of the library."""
    return next((row.sha256 for row in library().rows() if row.name == model), "")
