"""What clients send: uploads, settings as JSON, and which answer they accept."""

import asyncio
import dataclasses
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, NamedTuple, TypeVar, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from retouch.errors import PhotoError
from retouch.expressions.transfer_options import Transferring
from retouch.photos.formats import HEAD, recognised
from retouch.photos.masks import MASKS
from retouch.service.limits import Limits
from retouch.service.refusals import Refused
from retouch.settings import Settings, Skin

WORDS = 256 * 2**10  # bytes of JSON in a request, at most
FRAME = 16 * 2**10  # bytes that a form's boundaries and headers may take
PARTS = 8
UPLOADING = 30.0  # seconds a request's body may take to arrive
WORDED = (
    "settings",
    "moves",
    "delivery",
    "latents",
    "transfer",
    "mask",
    "skin",
)  # JSON

JSON, LINES = "application/json", "application/x-ndjson"
PICTURES = {
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/tiff": "TIFF",
    "image/webp": "WEBP",
    "image/avif": "AVIF",
}
Strength = Annotated[float, Field(ge=-3, le=3)]
Deviations = Annotated[float, Field(ge=-10, le=10)]
Pixel = Annotated[int, Field(ge=0, le=2**20)]
Number = Annotated[str, Field(pattern="^[0-9]{1,4}$")]
Moves = Annotated[dict[str, Strength], Field(max_length=64)]
Kind = TypeVar("Kind", bound="Strict")


class Strict(BaseModel):
    """JSON that says nothing but what is known, of the types it has."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, allow_inf_nan=False
    )


def model_of(kind: type, leaving: str = "") -> type[Strict]:
    """Return a JSON model of a dataclass of options, with their limits and help.

    Args:
        leaving: the name of an option that it does not have.
    """
    every: dict[str, Any] = {}
    for entry in (e for e in dataclasses.fields(kind) if e.name != leaving):
        limits, type_ = entry.metadata, cast(Any, entry.type)
        if "choices" in limits:
            type_ = Literal[tuple(limits["choices"])]
        told = limits["help"]
        if "parts" in limits:
            told += f" Any of {', '.join(limits['parts'])}, with commas."
        bounds = limits.get("low"), limits.get("high")
        described = Field(
            cast(Any, entry.default), description=told, ge=bounds[0], le=bounds[1]
        )
        every[entry.name] = type_, described
    name = f"{kind.__name__}Parts" if leaving else kind.__name__
    return create_model(name, __base__=Strict, __doc__=kind.__doc__, **every)


SettingsJson = model_of(Settings)
TransferJson = model_of(Transferring)
SkinJson = model_of(Skin)
SkinPartsJson = model_of(Skin, leaving="look")


class MaskJson(Strict):
    """Which synthetic person is laid over the faces."""

    person: int = Field(0, ge=0, le=2**31 - 1)


class MovesJson(Strict):
    """Directions and how far to go along them."""

    moves: Moves


class Delivery(Strict):
    """How the picture is written."""

    quality: Annotated[
        int | None,
        Field(ge=1, le=100, description="Of JPEG, WebP; as sent if not given."),
    ] = None
    strip_location: Annotated[bool, Field(description="Leave out GPS data.")] = False


class BorrowedJson(Strict):
    """Whose expression is taken over: that of the largest face of the source."""

    source: str = Field(max_length=64, description="What /v1/invert answered for it.")
    alpha: float = Field(1.0, ge=0, le=2, description="How much; 1 is all of it.")


class WishJson(Strict):
    """What is wished of a face; all of it is added up."""

    beautify: float = Field(0.0, ge=0, le=3, description="Strength of beautifying.")
    moves: Moves = Field(
        {}, description="Strengths along directions and axes: smile, axis:3."
    )
    parameters: dict[str, Deviations] = Field(
        {},
        max_length=2000,
        description="Values that parameters shall have, as /v1/invert lists them.",
    )
    skin: SkinPartsJson = Field(  # type: ignore[valid-type]
        SkinPartsJson(), description="What is retouched; what is not named is left."
    )
    transfer: BorrowedJson | None = Field(
        None, description="The expression of another inverted face."
    )
    mask: MaskJson | None = Field(
        None, description="The face of a synthetic person, over all the rest."
    )

    @property
    def wish(self) -> dict[str, Any]:
        """The wish alone, in plain words."""
        told = self.model_dump(include=set(WishJson.model_fields) - {"skin"})
        skin: Any = self.skin
        return {**told, "skin": skin.model_dump(exclude_unset=True)}


class RenderJson(WishJson):
    """What is wished of inverted faces: of everyone, and of some apart."""

    id: str = Field(max_length=64, description="What /v1/invert answered.")
    each: dict[Number, WishJson] = Field(
        {},
        max_length=64,
        description="What is wished, instead, of single faces by their numbers.",
    )
    settings: SettingsJson = Field(SettingsJson())  # type: ignore[valid-type]
    delivery: Delivery = Delivery()
    preview: bool = Field(
        False,
        description="At most 1024 pixels a side: a JPEG, or a WebP if the photo is"
        " transparent.",
    )
    draft: bool = Field(
        False,
        description="A preview for while a slider moves: of 512 pixels, in less time,"
        " with the budget of identity kept but roughly.",
    )
    area: tuple[Pixel, Pixel, Pixel, Pixel] | None = Field(
        None, description="What it shows: left, top, right and bottom, in pixels."
    )
    judged: bool = Field(
        True, description="Have JSON report what is judged of the full size."
    )

    @property
    def ids(self) -> set[str]:
        """The ids of all inverted faces that are needed."""
        every = self, *self.each.values()
        return {self.id, *(w.transfer.source for w in every if w.transfer)}


@dataclass(frozen=True, eq=False)
class Form:
    """The parts of an upload."""

    files: Mapping[str, bytes]
    words: Mapping[str, str]
    names: Mapping[str, str] = field(default_factory=dict)  # that users gave files

    def photo(self, name: str = "photo") -> bytes:
        """Return a picture that was sent, after a look at its first bytes."""
        if name not in self.files:
            raise Refused(422, f"Send a photo as the file '{name}' of a form.")
        data = self.files[name]
        shown = "".join(filter(str.isprintable, self.names.get(name, name)))[:80]
        if not data:
            raise Refused(415, f"The file '{shown}' is empty; copy or export it again.")
        try:
            recognised(data[:HEAD], f"The file '{shown}'")
        except PhotoError as error:
            raise Refused(415, str(error)) from None
        return data

    def painted(self) -> dict[str, bytes]:
        """Return the masks that were sent of where the photo may change."""
        return {name: self.photo(name) for name in MASKS if name in self.files}

    def settings(self, model: str) -> dict[str, Any]:
        """Return the settings that were sent, each checked."""
        given = parsed(SettingsJson, self.words.get("settings") or "{}")
        return checked(given, model)

    def delivery(self) -> Delivery:
        return parsed(Delivery, self.words.get("delivery") or "{}")

    def moves(self) -> dict[str, float]:
        """Return the directions that were sent and how far to go along them."""
        text = self.words.get("moves") or "{}"
        moves = parsed(MovesJson, f'{{"moves": {text}}}').moves
        if not moves:
            raise Refused(422, 'Send moves as JSON: {"smile": 1.5}.')
        return moves


def checked(settings: Strict, model: str) -> dict[str, Any]:
    """Return settings after all they check of themselves, for the model that runs."""
    given = {"model": model, **settings.model_dump(exclude_unset=True)}
    if given["model"] != model:
        raise Refused(422, f"This service runs the model '{model}' and no other.")
    return dataclasses.asdict(Settings(**given))


def parsed(kind: type[Kind], text: str | bytes) -> Kind:
    """Return what JSON says as the model, or refuse it with a sentence."""
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        where = ".".join(str(part)[:40] for part in first["loc"]) or "The JSON"
        raise Refused(422, f"{where}: {first['msg']}.") from None


async def form_of(request: Request, limits: Limits, photos: int = 1) -> Form:
    """Read a form within the limits; files stay in memory."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise Refused(415, "Send a form: multipart/form-data with the file 'photo'.")
    body = await body_of(request, photos * limits.max_bytes + WORDS + FRAME)

    async def stream() -> AsyncGenerator[bytes, None]:
        yield body

    parser = _InMemory(
        request.headers,
        stream(),
        max_files=PARTS,
        max_fields=PARTS,
        max_part_size=WORDS,
    )
    try:
        parts = await parser.parse()
    except (MultiPartException, KeyError, ValueError) as error:
        raise Refused(400, "The form is damaged; send it again.") from error
    files: dict[str, bytes] = {}
    words: dict[str, str] = {}
    names: dict[str, str] = {}
    for name, part in parts.multi_items():
        if isinstance(part, UploadFile):
            files[name], names[name] = await part.read(), part.filename or name
            await part.close()
        else:
            words[name] = part
    if any(len(data) > limits.max_bytes for data in files.values()):
        raise too_large(limits.max_bytes)
    for name in WORDED:
        if name in files:  # sent as a file, which is as good
            words[name] = files.pop(name).decode("utf-8", "replace")
    return Form(files, words, names)


async def body_of(request: Request, most: int = WORDS) -> bytes:
    """Read a request's body, refusing one that is too long or too slow."""
    told = request.headers.get("content-length", "")
    if told.isdigit() and int(told) > most:
        raise too_large(most)
    body = bytearray()
    try:
        async with asyncio.timeout(UPLOADING):
            async for chunk in request.stream():
                body += chunk
                if len(body) > most:
                    raise too_large(most)
    except TimeoutError:
        raise Refused(408, "The upload took too long; send a smaller photo.") from None
    return bytes(body)


def too_large(most: int) -> Refused:
    """Return the refusal of what has too many bytes."""
    return Refused(413, f"At most {most:,} bytes are taken; send a smaller photo.")


class Wanted(NamedTuple):
    """Which answer a client accepts."""

    kind: str  # "picture", "json" or "lines"
    format: str | None = None  # of a picture, if it says so


def wanted(accept: str | None, pictures: bool = True) -> Wanted:
    """Return what an Accept header asks for most."""
    ranked = [_ranked(part) for part in (accept or "*/*").split(",")]
    ranked = sorted((r for r in ranked if r[0] > 0), key=lambda r: -r[0])
    within = next((PICTURES[kind] for _, kind in ranked if kind in PICTURES), None)
    for _, kind in ranked:
        if kind == LINES:
            return Wanted("lines", within)
        if kind in (JSON, "application/*"):
            return Wanted("json", within)
        if kind in ("*/*", "image/*") and pictures:
            return Wanted("picture")
        if kind in PICTURES and pictures:
            return Wanted("picture", PICTURES[kind])
        if kind == "*/*":
            return Wanted("json")
    known = [JSON, LINES, *(["image/*", *PICTURES] if pictures else [])]
    raise Refused(406, f"This is answered as one of {', '.join(known)}.")


def _ranked(part: str) -> tuple[float, str]:
    kind, *options = (word.strip().lower() for word in part.split(";"))
    weight = 1.0
    for option in options:
        if option.startswith("q="):
            try:
                weight = float(option[2:])
            except ValueError:
                weight = 0.0
    return weight, kind


class _InMemory(MultiPartParser):
    """A parser that puts no upload on a disk."""

    spool_max_size = 2**40
