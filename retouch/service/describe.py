"""What the OpenAPI document tells of each route: bodies, answers and examples."""

from collections.abc import Container
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from fastapi.responses import Response
from pydantic import BaseModel

from retouch.photos.masks import MASKS
from retouch.service.forms import (
    JSON,
    LINES,
    PICTURES,
    Delivery,
    MaskJson,
    MovesJson,
    RenderJson,
    SettingsJson,
    SkinJson,
    TransferJson,
)
from retouch.service.sliders import Slider

ABOUT = """Retouch the faces of a photograph; everything else stays as it was.

Pictures come as the file `photo` of a form, options as JSON in its field `settings`.
The `Accept` header decides what comes back: `image/*` the picture as it was sent,
`image/png`, `image/jpeg` and so on the picture in that format, `application/json` the
report with the picture in base64, `application/x-ndjson` the progress, a line each,
and the JSON last. Every error is `{"error": "one sentence"}`."""

REASONS = {
    400: "The request is damaged.",
    401: "The token is missing or wrong.",
    403: "The request came from a page of another site.",
    404: "There is nothing of that name, or its time is over.",
    406: "No kind of answer that is accepted can be given.",
    408: "The upload took too long.",
    413: "Too many bytes or pixels.",
    415: "What was sent is no picture, or no form.",
    421: "The service does not answer under that host name.",
    422: "What was asked for cannot be done; the sentence says why.",
    429: "Too many requests; see Retry-After.",
    503: "The worker was lost, or none is ready; try again.",
    504: "It took too long.",
}


class Error(BaseModel):
    """Why there is no answer, in one sentence."""

    error: str


class FaceFound(BaseModel):
    """A face of a photo."""

    index: int
    size: float
    box: tuple[float, float, float, float]
    roll: float
    yaw: float
    confidence: float


class Faces(BaseModel):
    """The faces of a photo, the largest first."""

    width: int
    height: int
    faces: list[FaceFound]


class FaceInverted(FaceFound):
    """A face, and its parameters if it was inverted."""

    note: str
    inverted: bool = False
    parameters: list[float] | None = None
    latent: list[Any] | None = None


class Inverted(BaseModel):
    """Inverted faces: under which id, for how long, and their parameters."""

    id: str
    seconds: float
    names: list[str]
    width: int
    height: int
    faces: list[FaceInverted]


class Retouched(BaseModel):
    """The picture in base64, and the report of its faces."""

    media_type: str
    picture: str
    faces: list[dict[str, Any]]


class Direction(BaseModel):
    """A named direction, and between which strengths faces still look right."""

    name: str
    trait: str
    meaning: str
    low: float
    high: float


class Directions(BaseModel):
    """Where faces can be moved, and their parameters."""

    directions: list[Direction]
    parameters: list[str]


class Sliders(BaseModel):
    """What a page offers: sliders in their groups, and the names of latent axes."""

    sliders: list[Slider]
    axes: list[str]


class Models(BaseModel):
    """The model that runs, and the networks that are installed."""

    model: str
    resolution: int
    latent_shape: list[int]
    installed: list[dict[str, Any]]


class Health(BaseModel):
    """Whether photos can be worked on."""

    status: str
    workers: int


class Text(Response):
    """The text format of Prometheus."""

    media_type = "text/plain; version=0.0.4"


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI responses for statuses that are errors."""
    return {
        status: {"model": Error, "description": REASONS[status]} for status in statuses
    }


EVERYWHERE = (401, 403, 421, 429)
WORK = (*EVERYWHERE, 400, 406, 408, 413, 415, 422, 503, 504)


def pictures(model: type[BaseModel]) -> dict[int | str, dict[str, Any]]:
    """Return the response of a picture, or JSON."""
    binary = {"schema": {"type": "string", "format": "binary"}}
    content = {kind: binary for kind in (*PICTURES, "image/heic")}
    content[LINES] = {"schema": {"type": "string"}}
    return {200: {"model": model, "content": content, "description": "Done."}}


@dataclass(frozen=True)
class Route:
    """A route that has work done: its name, and what OpenAPI tells of it."""

    name: str
    told: dict[str, Any]


def routes(verbs: Container[str]) -> list[Route]:
    """Return the routes that have work done, of those whose verbs a worker knows."""
    failures, delivery = errors(*WORK), {"delivery": _reference(Delivery)}
    answers = {**pictures(Retouched), **failures}
    flag = {"type": "string", "enum": ["true", "false"]}
    moves = MovesJson.model_json_schema()["properties"]["moves"]
    moves |= {"example": {"smile": 1.0}, "minProperties": 1}
    picture = {"type": "string", "format": "binary", "description": "A picture."}
    painted = {
        "protect": {**picture, "description": "White where nothing may change."},
        "only": {**picture, "description": "White where it may change."},
    }
    changing = {**painted, **delivery}
    transfer = {"source": picture, "transfer": _reference(TransferJson), **delivery}
    mask = {"mask": _reference(MaskJson), **delivery}
    every = [
        Route("faces", _told(_form(), Faces, failures)),
        Route("invert", _told(_form(latents=flag), Inverted, failures)),
        Route("beautify", _told(_form(**changing), None, answers)),
        Route("edit", _told(_form("moves", moves=moves, **changing), None, answers)),
        Route(
            "skin", _told(_form(skin=_reference(SkinJson), **changing), None, answers)
        ),
        Route("transfer", _told(_form("source", **transfer), None, answers)),
        Route("mask", _told(_form(**mask), None, answers)),
        Route("render", _told(_render(), None, {**answers, **errors(404)})),
    ]
    return [route for route in every if route.name in verbs]


def finish(app: FastAPI) -> None:
    """Add to the OpenAPI document what FastAPI cannot know by itself."""
    plain = app.openapi

    def whole() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = plain()
            parts = document.setdefault("components", {})
            parts.setdefault("schemas", {}).update(_schemas())
            parts["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
            document["security"] = [{}, {"token": []}]
        return app.openapi_schema or {}

    app.openapi = whole  # type: ignore[method-assign]


def _told(
    extra: dict[str, Any], model: type[BaseModel] | None, responses: dict[Any, Any]
) -> dict[str, Any]:
    return {"openapi_extra": extra, "response_model": model, "responses": responses}


def _form(*required: str, **parts: dict[str, Any]) -> dict[str, Any]:
    """Return the OpenAPI extra of a form with the photo, settings and other parts."""
    picture = {"type": "string", "format": "binary", "description": "A picture."}
    parts = {"photo": picture, "settings": _reference(SettingsJson), **parts}
    files = "photo", "source", *MASKS
    as_json = {name: {"contentType": JSON} for name in parts if name not in files}
    schema = {"type": "object", "properties": parts, "required": ["photo", *required]}
    content = {"multipart/form-data": {"schema": schema, "encoding": as_json}}
    return {"requestBody": {"required": True, "content": content}}


def _render() -> dict[str, Any]:
    example = {"id": "...", "beautify": 1.0, "moves": {"smile": 0.5}, "preview": True}
    content = {JSON: {"schema": _reference(RenderJson), "example": example}}
    return {"requestBody": {"required": True, "content": content}}


def _schemas() -> dict[str, Any]:
    """Return the schemas of bodies that are read by hand."""
    found: dict[str, Any] = {}
    for model in (
        *(SettingsJson, Delivery, RenderJson, TransferJson, MaskJson, SkinJson),
    ):
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        found |= schema.pop("$defs", {})
        found[model.__name__] = schema
    return found


def _reference(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{model.__name__}"}
