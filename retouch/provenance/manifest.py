"""Manifests after C2PA (2.1, 2024): a signed statement of what was done to a picture.

The key and its chain of certificates are PEM files, named by RETOUCH_SIGN_KEY and
RETOUCH_SIGN_CERT. Nothing here asks the network: no time stamp, no revocation list.
"""

import io
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from retouch.errors import DependencyError, PhotoError, SettingsError

KEY, CERTIFICATES = "RETOUCH_SIGN_KEY", "RETOUCH_SIGN_CERT"
EDIT = "org.retouch.edit"  # the label of what only we can tell
COMPOSITE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
SOFTWARE = "retouch"
UNTRUSTED = "signingCredential.untrusted"  # nobody vouches for the signer: no damage
# No thumbnails: they would show the face as it was.
QUIET = {
    "version": 1,
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
    "builder": {"thumbnail": {"enabled": False}},
}


@dataclass(frozen=True)
class Statement:
    """What a picture's manifest says, and whether it holds."""

    state: str  # "none", "trusted", "valid" (by somebody nobody vouches for), "broken"
    failures: tuple[str, ...] = ()
    signer: str = ""
    actions: tuple[str, ...] = ()
    edit: Mapping[str, Any] = field(default_factory=dict)
    photo: str = ""  # the state of the manifest that the photo came with, "" if none


@dataclass(frozen=True, eq=False)
class Signer:
    """A key with its certificates, as PEM, and the algorithm that it is for."""

    algorithm: str
    certificates: bytes
    key: bytes

    @classmethod
    def load(cls) -> "Signer":
        """Return the signer that the environment names."""
        library()
        key, certificates = (_file(name) for name in (KEY, CERTIFICATES))
        return cls(_algorithm(key), certificates, key)

    def open(self) -> Any:
        c2pa = library()
        parts = self.algorithm.encode(), self.certificates, self.key, None
        return c2pa.Signer.from_info(c2pa.C2paSignerInfo(*parts))


def signed(
    data: bytes,
    media: str,
    actions: Sequence[Mapping[str, Any]],
    edit: Mapping[str, Any],
    photo: tuple[bytes, str],
    signer: Signer,
) -> bytes:
    """Return a picture with a manifest; the photo is what it was made of.

    Args:
        photo: a file and its media type; the manifest in it is kept, and what is
            wrong with that is put on record.
    """
    c2pa, out = library(), io.BytesIO()
    assertions = [
        {"label": "c2pa.actions.v2", "data": {"actions": list(actions)}},
        {"label": EDIT, "data": dict(edit)},
    ]
    said = {"title": "picture", "format": media, "assertions": assertions}
    said["claim_generator_info"] = [dict(edit["software"])]
    parent = {"title": "photo", "relationship": "parentOf", "label": "photo"}
    try:
        builder = c2pa.Builder.from_json(said, c2pa.Context.from_dict(QUIET))
        builder.add_ingredient(parent, photo[1], io.BytesIO(photo[0]))
        with signer.open() as opened:
            builder.sign(opened, media, io.BytesIO(data), out)
    except c2pa.C2paError as error:
        raise PhotoError(f"The picture cannot be signed ({error}).") from error
    return out.getvalue()


def readable(data: bytes, media: str) -> bool:
    """Tell whether a photo can be what a picture was made of: some are too damaged."""
    c2pa = library()
    try:
        builder = c2pa.Builder.from_json({}, c2pa.Context.from_dict(QUIET))
        parent = {"title": "photo", "relationship": "parentOf"}
        builder.add_ingredient(parent, media, io.BytesIO(data))
    except c2pa.C2paError:
        return False
    return True


def stated(data: bytes, media: str, anchors: str | None = None) -> Statement:
    """Return what the manifest of a picture says.

    Args:
        anchors: the certificates of those who vouch for signers, as PEM.
    """
    c2pa, context = library(), _trusting(anchors)
    try:
        reader = c2pa.Reader.try_create(media, io.BytesIO(data), context=context)
        if reader is None:
            return Statement("none")
        told = json.loads(reader.json())
    except c2pa.C2paError as error:
        return Statement("broken", (str(error)[:200],))
    return _statement(told)


def _trusting(anchors: str | None) -> Any:
    """Return the context in which those certificates vouch for signers."""
    c2pa = library()
    trust = {"trust": {"trust_anchors": anchors}} if anchors is not None else {}
    try:
        return c2pa.Context.from_dict({**QUIET, **trust})
    except c2pa.C2paError as error:
        raise SettingsError(
            "Who vouches for signers is told by certificates (PEM), and there are none"
            f" that can be read ({error})."
        ) from error


def library() -> Any:
    """Return the package that knows the format."""
    try:
        import c2pa
    except ImportError as error:
        raise DependencyError(
            "Signed manifests need packages that are not installed; install them with"
            " pip install c2pa-python cryptography."
        ) from error
    return c2pa


def _statement(told: Mapping[str, Any]) -> Statement:
    manifest = told["manifests"][told["active_manifest"]]
    found = {one["label"]: one["data"] for one in manifest.get("assertions", ())}
    actions: Mapping[str, Any]
    actions = next((v for k, v in found.items() if k.startswith("c2pa.actions")), {})
    signature = manifest.get("signature_info") or {}
    failures = _failures(told.get("validation_results"))
    state = {"Trusted": "trusted", "Valid": "valid"}
    return Statement(
        state.get(told.get("validation_state", ""), "broken"),
        tuple(code for code in failures if code != UNTRUSTED),
        signature.get("common_name") or signature.get("issuer") or "",
        tuple(one["action"] for one in actions.get("actions", ())),
        found.get(EDIT, {}),
        _before(manifest.get("ingredients", ())),
    )


def _before(ingredients: Sequence[Mapping[str, Any]]) -> str:
    """Return what was found of the manifest that the photo came with, as it came."""
    for one in ingredients:
        if one.get("relationship") == "parentOf" and one.get("active_manifest"):
            failures = _failures(one.get("validation_results"))
            broken = [code for code in failures if code != UNTRUSTED]
            return f"broken ({', '.join(broken)})" if broken else "valid"
    return ""


def _failures(results: Mapping[str, Any] | None) -> list[str]:
    active = (results or {}).get("activeManifest") or {}
    return [one["code"] for one in active.get("failure", ())]


def _file(name: str) -> bytes:
    path = os.environ.get(name)
    if not path:
        raise SettingsError(
            f"Signing needs a key and its certificates: name the PEM files in {KEY} and"
            f" {CERTIFICATES}."
        )
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise SettingsError(f"{name} names '{path}', which cannot be read.") from error


def _algorithm(key: bytes) -> str:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        found = load_pem_private_key(key, None)
    except (ValueError, TypeError) as error:
        raise SettingsError(
            f"The file that {KEY} names is no private key in PEM without a pass phrase."
        ) from error
    if isinstance(found, ec.EllipticCurvePrivateKey) and found.key_size in CURVES:
        return CURVES[found.key_size]
    if isinstance(found, ed25519.Ed25519PrivateKey):
        return "ed25519"
    if isinstance(found, rsa.RSAPrivateKey):
        return "ps256"
    raise SettingsError("A key for signing is P-256, P-384, P-521, Ed25519 or RSA.")


CURVES = {256: "es256", 384: "es384", 521: "es512"}
