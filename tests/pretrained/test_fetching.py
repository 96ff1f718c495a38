"""Published files are downloaded once, resumed, checked, and found when offline."""

import contextlib
import dataclasses
import hashlib
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from pretrained import catalogue
from pretrained.catalogue import Published, published
from pretrained.fetching import fetch
from retouch.errors import WeightsError

CONTENT = bytes(range(256)) * 9000  # 2.3 MB, so more than two chunks


class Handler(BaseHTTPRequestHandler):
    """Serves CONTENT, from where a range asks; breaks off where it is told to."""

    def do_GET(self):
        span = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(span[1]) if span and self.server.ranges else 0
        self.server.starts.append(start)
        if self.path == "/moved.pkl":
            self.send_response(302)
            self.send_header("Location", self.server.moved)
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        if start:
            whole = f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}"
            self.send_header("Content-Range", whole)
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(CONTENT[start : self.server.stop])

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.starts, server.stop, server.ranges = [], None, True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def entry(server):
    address = f"http://127.0.0.1:{server.server_port}/network.pkl"
    sha256 = hashlib.sha256(CONTENT).hexdigest()
    return Published("mine", address, "f", size=len(CONTENT), sha256=sha256)


def test_a_file_is_downloaded_with_its_progress(entry, server, tmp_path):
    told = []
    path = fetch(entry, tmp_path, lambda done, total: told.append((done, total)))
    assert path.read_bytes() == CONTENT
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert len(told) == 3


def test_a_file_that_is_there_is_not_downloaded_again(entry, server, tmp_path):
    fetch(entry, tmp_path)
    fetch(entry, tmp_path)
    assert server.starts == [0]


def test_a_broken_download_goes_on_where_it_stopped(entry, server, tmp_path):
    server.stop = 1_500_000
    with pytest.raises(WeightsError, match="goes on where it broke off"):
        fetch(entry, tmp_path)
    server.stop = None
    assert fetch(entry, tmp_path).read_bytes() == CONTENT
    assert server.starts[0] == 0
    assert 0 < server.starts[1] <= 1_500_000


def test_a_server_without_ranges_starts_anew(entry, server, tmp_path):
    (tmp_path / "network.pkl.part").write_bytes(CONTENT[:1000])
    server.ranges = False
    assert fetch(entry, tmp_path).read_bytes() == CONTENT


def test_a_finished_part_is_taken_and_checked(entry, server, tmp_path):
    (tmp_path / "network.pkl.part").write_bytes(CONTENT)
    assert fetch(entry, tmp_path).read_bytes() == CONTENT
    assert server.starts == []


@pytest.mark.parametrize("scheme", ["http", "HTTP", "ftp"])
def test_a_redirect_without_encryption_is_refused(scheme, entry, server, tmp_path):
    server.moved = entry.address.replace("http", scheme, 1)
    moved = dataclasses.replace(
        entry, address=entry.address.replace("network", "moved")
    )
    with pytest.raises(WeightsError, match="without encryption"):
        fetch(moved, tmp_path)
    assert server.starts == [0]
    assert not list(tmp_path.iterdir())


def test_a_redirect_to_https_is_followed(entry, server, tmp_path):
    server.moved = entry.address.replace("http", "https", 1)
    moved = dataclasses.replace(
        entry, address=entry.address.replace("network", "moved")
    )
    with pytest.raises(WeightsError, match="SSL"):  # the server here speaks plain http
        fetch(moved, tmp_path)


def test_a_wrong_hash_is_refused(entry, server, tmp_path):
    wrong = dataclasses.replace(entry, sha256="0" * 64)
    with pytest.raises(WeightsError, match="sha256"):
        fetch(wrong, tmp_path)
    assert not (tmp_path / "network.pkl").exists()


def test_a_file_longer_than_published_is_cut_off(entry, server, tmp_path):
    short = dataclasses.replace(entry, size=1_500_000)
    with pytest.raises(WeightsError, match="1500000"):
        fetch(short, tmp_path)
    assert (tmp_path / "network.pkl.part").stat().st_size <= 1_500_000


def test_offline_the_address_and_the_place_are_told(entry, server, tmp_path):
    server.server_close()
    with pytest.raises(WeightsError) as caught:
        fetch(entry, tmp_path)
    assert entry.address in str(caught.value)
    assert str(tmp_path / "network.pkl") in str(caught.value)


def test_a_file_laid_there_by_hand_is_picked_up_offline(entry, server, tmp_path):
    server.server_close()
    (tmp_path / "network.pkl").write_bytes(CONTENT)
    assert fetch(entry, tmp_path).read_bytes() == CONTENT


def test_a_wrong_file_laid_there_by_hand_is_refused(entry, tmp_path):
    (tmp_path / "network.pkl").write_bytes(b"something else")
    with pytest.raises(WeightsError, match="14 bytes"):
        fetch(entry, tmp_path)


def test_an_unknown_network_tells_the_known_ones():
    with pytest.raises(WeightsError, match="stylegan2-ffhq-1024, ada-ffhq-1024"):
        published("stylegan4")


@pytest.mark.parametrize("entry", catalogue.PUBLISHED, ids=lambda entry: entry.name)
def test_every_published_row_is_whole(entry):
    assert entry.address.startswith("https://")
    assert entry.size > 2**20
    assert re.fullmatch("[0-9a-f]{64}", entry.sha256)
