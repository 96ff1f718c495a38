"""Downloading a published file: resumed where it broke off, checked at the end."""

import http.client
import os
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from pretrained.catalogue import Published
from pretrained.files import digest
from retouch.errors import WeightsError

CHUNK = 2**20  # bytes
PATIENCE = 30  # seconds without an answer
UNREACHABLE = (urllib.error.URLError, http.client.HTTPException, OSError)


class _Encrypted(urllib.request.HTTPRedirectHandler):
    """Follows redirects to https alone."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):
        if not newurl.lower().startswith("https:"):
            raise urllib.error.URLError(f"it redirects to {newurl}, without encryption")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


OPENER = urllib.request.build_opener(_Encrypted)
Progress = Callable[[int, int], None]  # bytes so far, bytes in all


def fetch(entry: Published, folder: Path, progress: Progress | None = None) -> Path:
    """Return the published file, downloaded unless it already lies in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / entry.file
    if not path.exists():
        part = path.with_name(path.name + ".part")
        try:
            _download(entry, part, progress or _silent)
        except UNREACHABLE as error:
            raise WeightsError(
                f"{entry.address} could not be downloaded ({error}). Try again, which"
                f" goes on where it broke off, or put the file at {path} yourself."
            ) from None
        _check(entry, part)
        os.replace(part, path)
    else:
        _check(entry, path)
    return path


def _download(entry: Published, part: Path, progress: Progress) -> None:
    """Append to the part what it lacks."""
    done = part.stat().st_size if part.exists() else 0
    if done >= entry.size:
        return
    request = urllib.request.Request(entry.address)
    if done:
        request.add_header("Range", f"bytes={done}-")
    with OPENER.open(request, timeout=PATIENCE) as response:
        resumed = response.status == 206 and _begin(response.headers) == done
        done = done if resumed else 0
        with part.open("ab" if resumed else "wb") as file:
            _copy(response, file, done, entry.size, progress)
    if (done := part.stat().st_size) < entry.size:
        raise OSError(f"it broke off after {done} of {entry.size} bytes")


def _copy(response, file, done: int, size: int, progress: Progress) -> None:
    while chunk := response.read(CHUNK):
        done += len(chunk)
        if done > size:
            raise OSError(f"it sends more than the {size} bytes it should have")
        file.write(chunk)
        progress(done, size)


def _begin(headers) -> int:
    """Return the first byte that "Content-Range: bytes 5-9/10" announces, else -1."""
    span = headers.get("Content-Range", "").removeprefix("bytes ").partition("-")[0]
    return int(span) if span.isdigit() else -1


def _check(entry: Published, path: Path) -> None:
    """Raise and say what to do if the file is not the published one."""
    size = path.stat().st_size
    wrong = ""
    if size != entry.size:
        wrong = f"it has {size} bytes, {entry.size} were published"
    elif (found := digest(path)) != entry.sha256:
        wrong = f"its sha256 is {found}, {entry.sha256} was published"
    if wrong:
        raise WeightsError(
            f"{path} is not the file at {entry.address}: {wrong}."
            " Delete it and fetch it again."
        )


def _silent(done: int, total: int) -> None:
    pass
