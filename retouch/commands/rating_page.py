"""The page on which pairs of photos are rated, for this machine's browser alone."""

import io
import json
import sys
from collections.abc import Callable
from functools import cache
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from retouch.errors import SettingsError
from retouch.jobs.rating import Table

LONGEST = 4096  # bytes of an answer
SIDE = 900  # pixels of a photo as it is shown
PAGE = """<!doctype html><html lang=en><meta charset=utf-8><title>retouch rate</title>
<meta name=viewport content="width=device-width">
<style>:root{color-scheme:light dark}
body{font:16px system-ui;margin:1rem;text-align:center}
#pair{display:flex;gap:1rem;justify-content:center}#pair[hidden]{display:none}
button{border:3px solid transparent;background:none;padding:0;cursor:pointer;flex:1}
button.plain{border:1px solid #888;padding:.2rem .8rem}
button:focus,button:hover{border-color:#27c}img{width:100%;max-height:78vh;
object-fit:contain}</style>
<p>Which is better? Click, or use the arrow keys. <kbd>space</kbd> leaves a pair out,
<kbd>backspace</kbd> takes the last answer back.</p>
<p><span id=count role=status>Looking for photos of adults ...</span>
<button id=undo class=plain>Undo</button></p>
<div id=pair hidden><button id=left><img alt="the left photo"></button>
<button id=right><img alt="the right photo"></button></div>
<script>
let pair;  // is none while an answer is under way, so that no key counts twice
async function next(words, path = "/pair"){
  const answer = await fetch(path, words === undefined ? {} :
    {method: "POST", headers: {"content-type": "application/json"},
     body: JSON.stringify(words)});
  const told = await answer.json(); pair = told.pair;
  count.textContent = told.note || told.compared + " of " + told.enough +
    (told.compared < told.enough ? "" : ": that is enough; Ctrl-C ends");
  document.getElementById("pair").hidden = !pair;
  if (!pair) return;
  left.firstElementChild.src = "/photo/" + pair[0];
  right.firstElementChild.src = "/photo/" + pair[1];
}
const pick = i => {
  if (!pair) return;
  const [better, worse] = [pair[i], pair[1 - i]];
  pair = null;
  next({better, worse});
};
left.onclick = () => pick(0); right.onclick = () => pick(1);
undo.onclick = () => { pair = null; next({}, "/undo"); };
onkeydown = e => {
  if (e.key === "Backspace") { e.preventDefault(); undo.onclick(); }
  if (!pair) return;
  if (e.key === "ArrowLeft") pick(0);
  if (e.key === "ArrowRight") pick(1);
  if (e.key === " ") { e.preventDefault(); next(); }
};
next();
</script></html>"""


class Page(ThreadingHTTPServer):
    """Serves one table of photos on the loopback address."""

    daemon_threads = True

    def __init__(
        self, table: Table, port: int, adult: Callable[[Path], bool], seed: int = 0
    ):
        super().__init__(("127.0.0.1", port), _Answers)
        self.table, self.rng, self.lock = table, np.random.default_rng(seed), Lock()
        self.adult = cache(adult)  # photos are looked at when they are to be shown

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Tell what went wrong, but for a browser that went on to the next pair."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def next(self) -> dict[str, Any]:
        with self.lock:
            try:
                return self._told(self._pair())
            except SettingsError as error:
                return {"pair": None, "note": str(error)}

    def undo(self) -> dict[str, Any]:
        """Take the last answer back and return its pair, or the next one."""
        with self.lock:
            pair = self.table.elo.undo()
            self.table.save()
        return self._told(pair) if pair else self.next()

    def _pair(self) -> tuple[int, int]:
        """Return a pair of photos of adults; others are left out from now on."""
        elo, folder = self.table.elo, self.table.folder
        while True:
            pair = elo.pair(self.rng)
            young = {i for i in pair if not self.adult(folder / elo.names[i])}
            if not young:
                return pair
            elo.out |= young

    def _told(self, pair: tuple[int, int]) -> dict[str, Any]:
        compared, enough = self.table.elo.progress
        return {"pair": pair, "compared": compared, "enough": enough}

    def take(self, better: int, worse: int) -> None:
        """Count and keep an answer."""
        with self.lock:
            self.table.elo.better(better, worse)
            self.table.save()


class _Answers(BaseHTTPRequestHandler):
    server: Page

    def do_GET(self) -> None:
        if not self._at_home():
            return
        if self.path == "/":
            self._send(PAGE.encode(), "text/html; charset=utf-8")
        elif self.path == "/pair":
            self._json(self.server.next())
        elif (photo := self._photo()) is not None:
            self._send(photo, "image/jpeg")
        else:
            self.send_error(HTTPStatus.NOT_FOUND)

    def do_POST(self) -> None:
        if not self._at_home():
            return
        known = range(len(self.server.table.elo.names))
        try:
            length = int(self.headers.get("content-length", 0))
            words = json.loads(self.rfile.read(min(length, LONGEST)))
            back = self.path == "/undo" and words == {}
            better, worse = (0, 1) if back else (words["better"], words["worse"])
            fine = better in known and worse in known and better != worse
        except (ValueError, TypeError, KeyError):
            fine = False
        plain = self.headers.get("content-type") != "application/json"
        if self.path not in ("/pair", "/undo") or plain or not fine:
            self.send_error(HTTPStatus.BAD_REQUEST)
            return
        if self.path == "/undo":
            self._json(self.server.undo())
            return
        self.server.take(better, worse)
        self._json(self.server.next())

    def _at_home(self) -> bool:
        """Refuse names by which other sites could reach this address."""
        port = self.server.server_address[1]
        fine = self.headers.get("host") in (f"127.0.0.1:{port}", f"localhost:{port}")
        if not fine:
            self.send_error(HTTPStatus.FORBIDDEN)
        return fine

    def _photo(self) -> bytes | None:
        number = self.path.removeprefix("/photo/")
        names = self.server.table.elo.names
        if not (number.isascii() and number.isdigit() and int(number) < len(names)):
            return None
        try:
            with Image.open(self.server.table.folder / names[int(number)]) as image:
                small = ImageOps.exif_transpose(image).convert("RGB")
        except OSError:
            return None
        small.thumbnail((SIDE, SIDE))
        buffer = io.BytesIO()
        small.save(buffer, "JPEG", quality=90)
        return buffer.getvalue()

    def _json(self, words: dict[str, Any]) -> None:
        self._send(json.dumps(words).encode(), "application/json")

    def _send(self, data: bytes, kind: str) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(data)))
        self.send_header("cache-control", "no-store")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        pass
