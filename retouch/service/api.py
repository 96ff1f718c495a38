"""The HTTP API, version 1, and the page: routes, and what is answered on each."""

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.exceptions import HTTPException

from retouch import __version__
from retouch.errors import RetouchError
from retouch.service import describe
from retouch.service.forms import LINES
from retouch.service.guard import LOOPBACK, PAGE, Guard, Rates
from retouch.service.limits import Limits
from retouch.service.metrics import Metrics
from retouch.service.refusals import Refused, status_of
from retouch.service.requests import Requests, Work
from retouch.service.sliders import AXIS, sliders
from retouch.service.store import Store
from retouch.service.worker import FAILED
from retouch.service.worker_pool import Job, WorkerPool

FOLDER = Path(__file__).parent / "page"
SWEEPING = 5.0  # seconds between looks at what is kept too long
log = logging.getLogger("retouch.service")
Read = Callable[[Request], Awaitable[Work]]


class Service:
    """The application, with what it holds between requests.

    Args:
        pool: has been started, so that it knows what its workers can do.
        token: what every request must show, if it is given.
        hosts: the names under which the service answers; none means all.
    """

    def __init__(
        self,
        pool: WorkerPool,
        limits: Limits,
        token: str | None = None,
        hosts: Iterable[str] = LOOPBACK,
    ):
        self.pool, self.limits = pool, limits
        self.store = Store(limits, pool.forget)
        self.requests = Requests(pool, self.store, limits)
        self.metrics = Metrics()
        self._guarded = Guard(self._routed(), Rates(limits.rate), token, tuple(hosts))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer as ASGI, counting and logging the route and the status alone."""
        start, status = time.monotonic(), 500

        async def counted(message: Any) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self._guarded(scope, receive, counted)
        finally:
            if scope["type"] == "http":
                seconds = time.monotonic() - start
                path = getattr(scope.get("route"), "path", "other")
                method = scope["method"] if path != "other" else "any"
                self.metrics.count(method, path, status, seconds)
                log.info("%s %s %d %.0f ms", method, path, status, 1000 * seconds)

    async def sweep(self) -> None:
        """Let go of what is kept too long, for as long as the service runs."""
        while True:
            await asyncio.sleep(min(SWEEPING, self.limits.keep_seconds))
            self.store.sweep()

    # --- routes ----------------------------------------------------------------

    def _routed(self) -> FastAPI:
        app = FastAPI(
            title="retouch",
            version=__version__,
            description=describe.ABOUT,
            docs_url=None,  # its pages would load their scripts from elsewhere
            redoc_url=None,
            redirect_slashes=False,
        )
        requests, errors = self.requests, describe.errors
        for route in describe.routes(self.pool.description["verbs"]):
            read = getattr(requests, route.name)
            app.post(f"/v1/{route.name}", **route.told)(self._answering(read))
        common = errors(*describe.EVERYWHERE)
        gone = errors(*describe.EVERYWHERE, 404)
        app.delete("/v1/latents/{name}", status_code=204, responses=gone)(self.forget)
        app.get("/v1/directions", responses=common)(self.directions)
        app.get("/v1/sliders", responses=common)(self.sliders)
        app.get("/v1/models", responses=common)(self.models)
        app.get("/healthz", responses=errors(421, 503))(self.health)
        app.get("/metrics", responses=common, response_class=describe.Text)(self.counts)
        for path, name in PAGE.items():
            app.get(path, include_in_schema=False)(_giving(FOLDER / name))
        app.add_exception_handler(Refused, _refused)
        app.add_exception_handler(RetouchError, _failed)
        app.add_exception_handler(HTTPException, _unrouted)
        app.add_exception_handler(Exception, _broken)
        describe.finish(app)
        return app

    async def forget(self, name: str) -> Response:
        """Let go of inverted faces before their time is over."""
        self.store.drop(name)
        return Response(status_code=204)

    async def directions(self) -> describe.Directions:
        """List the directions, and the names of parameters in their order."""
        told = self.pool.description
        named, parameters = told["directions"], told["parameters"]
        return describe.Directions(directions=named, parameters=parameters)

    async def sliders(self) -> describe.Sliders:
        """List what the page offers, in the order in which it does."""
        told = self.pool.description
        axes = [name for name in told["parameters"] if name.startswith(AXIS)]
        return describe.Sliders(sliders=sliders(told), axes=axes)

    async def models(self) -> describe.Models:
        """Tell which model runs, and which networks are installed."""
        told = self.pool.description
        known = {name: told[name] for name in ("model", "resolution", "latent_shape")}
        return describe.Models(**known, installed=told["models"])

    async def health(self) -> describe.Health:
        """Tell whether photos can be worked on."""
        if not self.pool.ready:
            raise Refused(
                503, "The model is being warmed up; try again.", retry_after=2
            )
        return describe.Health(status="ok", workers=self.pool.ready)

    async def counts(self) -> describe.Text:
        """Return counts for Prometheus."""
        gauges = {
            "workers": self.pool.ready,
            "workers_lost_total": self.pool.lost,
            "requests_admitted": self.pool.admitted,
            "kept": len(self.store),
            "kept_bytes": self.store.size,
        }
        return describe.Text(self.metrics.text(gauges))

    # --- answers ---------------------------------------------------------------

    def _answering(self, read: Read) -> Callable[..., Any]:
        """Return the handler that reads a request and has a worker do it."""

        async def handler(request: Request) -> Response:
            with contextlib.ExitStack() as held:
                held.enter_context(self.pool.place())
                work = await read(request)
                if work.kind == "lines":
                    lines = self._lines(work, _waiting(request))
                    return _Lines(lines, held.pop_all())
                done = await self.pool.do(_job(work, wanted=_waiting(request)))
                if work.kind == "json":
                    return JSONResponse(work.reply(done))
                return Response(done.blobs["picture"], media_type=done.words["media"])

        handler.__doc__ = read.__doc__
        return handler

    async def _lines(
        self, work: Work, waiting: Callable[..., Any]
    ) -> AsyncIterator[str]:
        """Yield a line of JSON for each step, and the answer as the last."""
        steps: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()

        def on_step(what: str, part: float) -> None:
            steps.put_nowait({"doing": what, "part": round(part, 3)})

        job = _job(work, wanted=waiting, on_step=on_step)
        doing = asyncio.create_task(self.pool.do(job))
        doing.add_done_callback(lambda _: steps.put_nowait(None))
        try:
            while (step := await steps.get()) is not None:
                yield json.dumps(step) + "\n"
            yield json.dumps({"result": work.reply(doing.result())}) + "\n"
        except Refused as error:
            last = {"error": error.sentence, "status": error.status}
            yield json.dumps(last) + "\n"
        finally:
            doing.cancel()


class _Lines(StreamingResponse):
    """Lines of JSON; the place in the queue is held until the last is sent."""

    def __init__(self, lines: AsyncIterator[str], held: contextlib.ExitStack):
        super().__init__(lines, media_type=LINES)
        self.held = held

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        with self.held:
            await super().__call__(scope, receive, send)


def _job(work: Work, **how: Any) -> Job:
    return Job(work.frame, urgent=work.urgent, more=work.more, **how)


def _waiting(request: Request) -> Callable[[], Awaitable[bool]]:
    async def still() -> bool:
        return not await request.is_disconnected()

    return still


def _giving(file: Path) -> Callable[..., Any]:
    async def give() -> FileResponse:
        return FileResponse(file, headers={"Cache-Control": "no-cache"})

    return give


def _error(error: Refused) -> JSONResponse:
    body = {"error": error.sentence}
    return JSONResponse(body, status_code=error.status, headers=error.headers)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return _error(error)


async def _failed(request: Request, error: Exception) -> Response:
    assert isinstance(error, RetouchError)
    return _error(Refused(status_of(error), str(error)))


async def _unrouted(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    sentences = {
        404: "There is nothing here; GET /openapi.json tells what there is.",
        405: "This is asked for with another method; GET /openapi.json tells which.",
    }
    sentence = sentences.get(error.status_code, "The request cannot be understood.")
    response = _error(Refused(error.status_code, sentence))
    response.headers.update(error.headers or {})
    return response


async def _broken(request: Request, error: Exception) -> Response:
    return _error(Refused(500, FAILED))
