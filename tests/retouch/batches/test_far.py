"""Photos on real servers of this machine: HTTP, and S3 where its packages are."""

import functools
import http.server
import io
import threading
import urllib.request

import pytest
from PIL import Image

from retouch.batches.sources import find, read
from retouch.errors import PhotoError


def picture(shade):
    data = io.BytesIO()
    Image.new("RGB", (8, 8), (shade, 0, 0)).save(data, "PNG")
    return data.getvalue()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        """Keep the terminal for the tests."""


@pytest.fixture
def site(tmp_path):
    """Return the address of a server with pictures in two folders."""
    pytest.importorskip("aiohttp")
    for name, shade in (("a.png", 10), ("deep/b.png", 20)):
        path = tmp_path / "site" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture(shade))
    (tmp_path / "site" / "notes.md").write_text("none")
    handler = functools.partial(_Quiet, directory=tmp_path / "site")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_photo_is_read_over_http(site, tmp_path):
    (found,) = find(f"{site}/deep/b.png", tmp_path / "out").pictures
    assert found.name == "b.png" and read(found.source) == picture(20)
    assert found.stamp.startswith(str(len(picture(20))))


def test_what_follows_a_question_mark_is_no_part_of_a_photos_name(site, tmp_path):
    (found,) = find(f"{site}/a.png?size=large", tmp_path / "out").pictures
    assert found.name == "a.png" and read(found.source) == picture(10)


def test_a_served_folder_is_gone_through(site, tmp_path):
    found = find(f"{site}/", tmp_path / "out")
    assert [p.name for p in found.pictures] == ["a.png", "deep/b.png"]
    assert found.ignored == 1
    assert [read(p.source) for p in found.pictures] == [picture(10), picture(20)]


def test_a_list_of_addresses_is_read_over_http(site, tmp_path):
    listed = tmp_path / "list.txt"
    listed.write_text(f"{site}/a.png\n{site}/absent.png\n")
    first, second = find(str(listed), tmp_path / "out").pictures
    assert read(first.source) == picture(10)
    with pytest.raises(PhotoError, match=r"nothing at .*absent"):
        read(second.source)


@pytest.mark.parametrize("path", ["absent.png", "nowhere/*.png"])
def test_what_a_server_does_not_have_is_a_sentence(site, path, tmp_path):
    with pytest.raises(PhotoError, match=r"check the name|no pictures"):
        find(f"{site}/{path}", tmp_path / "out")


@pytest.fixture
def bucket(monkeypatch):
    """Return the file system of a bucket's server."""
    pytest.importorskip("s3fs")
    server = pytest.importorskip("moto.server").ThreadedMotoServer(
        "127.0.0.1", port=0, verbose=False
    )
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    with urllib.request.urlopen(f"{address}/moto-api/reset", b""):
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "any")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any")
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()
    system = s3fs.S3FileSystem()
    system.mkdir("photos")
    system.pipe("photos/in/a.png", picture(10))
    system.pipe("photos/in/deep/b.png", picture(20))
    yield system
    s3fs.S3FileSystem.clear_instance_cache()
    server.stop()


def test_a_bucket_is_listed_and_read(bucket, tmp_path):
    found = find("s3://photos/in", tmp_path / "out").pictures
    assert [p.name for p in found] == ["a.png", "deep/b.png"]
    assert [read(p.source) for p in found] == [picture(10), picture(20)]
    assert [p.name for p in find("s3://photos/in/**/b.png", tmp_path).pictures] == [
        "deep/b.png"
    ]


def test_a_photo_changed_in_its_bucket_has_another_stamp(bucket, tmp_path):
    (before,) = find("s3://photos/in/a.png", tmp_path).pictures
    bucket.pipe("photos/in/a.png", picture(30))
    bucket.invalidate_cache()
    (after,) = find("s3://photos/in/a.png", tmp_path).pictures
    assert before.name == after.name and before.stamp != after.stamp


@pytest.mark.parametrize("address", ["s3://photos/absent.png", "s3://no-such-bucket/x"])
def test_what_a_bucket_does_not_have_is_a_sentence(bucket, address, tmp_path):
    with pytest.raises(PhotoError, match=r"check the name|cannot be read"):
        find(address, tmp_path / "out")
