"""A worker: a process with one Retoucher that answers frames on its standard input.

    python -m retouch.service.worker '{"model": "default", "max_pixels": 50000000}'

Its standard output is a pipe of frames to the front; whatever a library prints goes
to standard error. What nobody waits for any more is stopped at its next step. It ends
when the front is gone.
"""

import json
import os
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from queue import SimpleQueue
from threading import Event
from typing import TYPE_CHECKING, Any, BinaryIO

from retouch.errors import RetouchError
from retouch.service.frames import Frame, read, write
from retouch.service.refusals import Refused, status_of

if TYPE_CHECKING:
    from retouch.service.handlers import Handlers

LATE = "The time for a request is over; send a smaller photo, or ask for fewer steps."
UNWANTED = "Nobody waits for this any more."
FAILED = "Something went wrong on our side; nothing of the request was kept."


def main() -> None:
    """Load the model, say so, warm it, and answer until the front is gone."""
    _leave_no_core()
    inbox, outbox = sys.stdin.buffer, _private_output()
    options = json.loads(sys.argv[1])
    try:
        handlers = _handlers(options)
    except RetouchError as error:
        write(_refused(status_of(error), str(error)), outbox)
        return
    write(Frame({"kind": "hello", **handlers.description()}), outbox)
    _warm(handlers)
    write(Frame({"kind": "warm"}), outbox)
    for frame, stopped in _frames(inbox):
        if frame.kind == "forget":
            handlers.forget(frame.words["id"])
        else:
            write(_answer(handlers, frame, stopped, outbox), outbox)


def _frames(inbox: BinaryIO) -> Iterator[tuple[Frame, Event]]:
    """Yield what the front sends, and with it what tells that it is to be stopped."""
    sent: SimpleQueue[tuple[Frame, Event] | None] = SimpleQueue()

    def listen() -> None:
        stopped = Event()  # of the last job, which is the one that runs
        while (frame := read(inbox)) is not None:
            if frame.kind == "stop":
                stopped.set()
                continue
            stopped = stopped if frame.kind == "forget" else Event()
            sent.put((frame, stopped))
        stopped.set()
        sent.put(None)

    threading.Thread(target=listen, daemon=True).start()
    while (pair := sent.get()) is not None:
        yield pair


def _answer(
    handlers: "Handlers", frame: Frame, stopped: Event, outbox: BinaryIO
) -> Frame:
    from retouch.service.handlers import Missing

    until = time.monotonic() + frame.words["seconds"]

    def say(what: str, part: float) -> None:
        if time.monotonic() > until:
            raise Refused(504, LATE)
        if stopped.is_set():
            raise Refused(499, UNWANTED)
        if frame.words["steps"]:
            write(Frame({"kind": "step", "what": what, "part": part}), outbox)

    try:
        return handlers.verbs[frame.kind](frame, say)
    except Missing:
        return Frame({"kind": "missing"})
    except Refused as error:
        return _refused(error.status, error.sentence)
    except RetouchError as error:
        return _refused(status_of(error), str(error))
    except Exception as error:  # whatever it is, the next request is answered
        _log(error)
        return _refused(500, FAILED)


def _refused(status: int, sentence: str) -> Frame:
    return Frame({"kind": "refused", "status": status, "error": sentence})


def _log(error: Exception) -> None:
    """Say where an error came from; its text could hold what a client sent."""
    print(f"retouch.service: {type(error).__name__} in a worker", file=sys.stderr)
    traceback.print_tb(error.__traceback__)
    sys.stderr.flush()


def _handlers(options: dict[str, Any]) -> "Handlers":
    from retouch.engine.retoucher import Retoucher
    from retouch.service.handlers import Handlers

    return Handlers(Retoucher.load(options["model"]), options["max_pixels"])


def _warm(handlers: "Handlers") -> None:
    """Warm the model; what fails here fails, and is told of, when it is asked for."""
    from retouch.service.warm import warm

    try:
        warm(handlers)
    except Exception as error:
        _log(error)


def _private_output() -> BinaryIO:
    """Take standard output for frames alone; what is printed goes to stderr."""
    own = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return own


def _leave_no_core() -> None:
    """Let no memory image with photos in it be written should the process crash."""
    try:
        import resource
    except ImportError:  # Windows writes none
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main()
