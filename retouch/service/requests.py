"""Requests turned into work: what goes to a worker, and what its answer becomes."""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from retouch.service.forms import (
    Delivery,
    Form,
    MaskJson,
    RenderJson,
    SkinJson,
    TransferJson,
    body_of,
    checked,
    form_of,
    parsed,
    wanted,
)
from retouch.service.frames import Frame
from retouch.service.limits import Limits
from retouch.service.store import Store
from retouch.service.worker_pool import WorkerPool

Reply = Callable[[Frame], dict[str, Any]]


@dataclass(frozen=True, eq=False)
class Work:
    """A frame for a worker, and how its answer is given to the client."""

    frame: Frame
    kind: str  # of answer: "picture", "json" or "lines"
    reply: Reply
    urgent: bool = False
    more: Callable[[], dict[str, bytes]] = dict


@dataclass(frozen=True, eq=False)
class Requests:
    """Reads each kind of request; Refused says what is wrong with one."""

    pool: WorkerPool
    store: Store
    limits: Limits

    async def faces(self, request: Request) -> Work:
        """Find the faces of a photo, the largest first."""
        form = await form_of(request, self.limits)
        kind = wanted(request.headers.get("accept"), pictures=False).kind
        frame = self._frame("faces", form)
        return Work(frame, kind, lambda done: done.words["report"])

    async def invert(self, request: Request) -> Work:
        """Turn faces into latents, which are kept for a time under an id."""
        form = await form_of(request, self.limits)
        kind = wanted(request.headers.get("accept"), pictures=False).kind
        name, latents = self.store.name(), form.words.get("latents") == "true"
        frame = self._frame("invert", form, id=name, latents=latents)

        def reply(done: Frame) -> dict[str, Any]:
            self.store.put(name, frame.blobs["photo"], done.blobs["state"])
            return {
                "id": name,
                "seconds": self.limits.keep_seconds,
                "names": self.pool.description["parameters"],
                **done.words["report"],
            }

        return Work(frame, kind, reply)

    async def beautify(self, request: Request) -> Work:
        """Make each face a little more beautiful."""
        form = await form_of(request, self.limits, photos=3)
        return self._picture(request, self._frame("beautify", form), form.delivery())

    async def edit(self, request: Request) -> Work:
        """Move faces along named directions."""
        form = await form_of(request, self.limits, photos=3)
        frame = self._frame("edit", form, moves=form.moves())
        return self._picture(request, frame, form.delivery())

    async def skin(self, request: Request) -> Work:
        """Retouch skin, eyes and teeth; whose face it is stays as it was."""
        form = await form_of(request, self.limits, photos=3)
        wish = parsed(SkinJson, form.words.get("skin") or "{}").model_dump()
        frame = self._frame("skin", form, skin=wish)
        return self._picture(request, frame, form.delivery())

    async def transfer(self, request: Request) -> Work:
        """Give the largest face the expression that the source's face has."""
        form = await form_of(request, self.limits, photos=2)
        wish = parsed(TransferJson, form.words.get("transfer") or "{}").model_dump()
        frame = self._frame("transfer", form, transfer=wish)
        frame.blobs["source"] = form.photo("source")
        return self._picture(request, frame, form.delivery())

    async def mask(self, request: Request) -> Work:
        """Lay a synthetic person's face over each face; the expression stays."""
        form = await form_of(request, self.limits)
        wish = parsed(MaskJson, form.words.get("mask") or "{}").model_dump()
        frame = self._frame("mask", form, mask=wish)
        return self._picture(request, frame, form.delivery())

    async def render(self, request: Request) -> Work:
        """Show inverted faces moved: a quick preview, or the photo in full size."""
        asked = parsed(RenderJson, await body_of(request))
        held = {name: self.store.get(name) for name in asked.ids}
        words = {
            "kind": "render",
            "id": asked.id,
            "wish": asked.wish,
            "each": {number: own.wish for number, own in asked.each.items()},
            "settings": checked(asked.settings, self.pool.model),
            "preview": asked.preview,
            "draft": asked.draft,
            "area": asked.area,
        }

        def more() -> dict[str, bytes]:
            photos = {f"{name}.photo": one.photo for name, one in held.items()}
            return photos | {f"{name}.state": one.state for name, one in held.items()}

        how = {"urgent": asked.preview or asked.draft, "more": more}
        work = self._picture(request, Frame(words), asked.delivery, **how)
        work.frame.words["report"] &= asked.judged
        return work

    def _frame(self, verb: str, form: Form, **words: Any) -> Frame:
        settings = form.settings(self.pool.model)
        words = {"kind": verb, "settings": settings, **words}
        return Frame(words, {"photo": form.photo(), **form.painted()})

    def _picture(
        self, request: Request, frame: Frame, delivery: Delivery, **how: Any
    ) -> Work:
        want = wanted(request.headers.get("accept"))
        frame.words["delivery"] = {**delivery.model_dump(), "format": want.format}
        frame.words["report"] = want.kind != "picture"
        return Work(frame, want.kind, _with_picture, **how)


def _with_picture(done: Frame) -> dict[str, Any]:
    picture = base64.b64encode(done.blobs["picture"]).decode()
    words = done.words
    return {"media_type": words["media"], "picture": picture, **words["report"]}
