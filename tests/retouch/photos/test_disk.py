"""Bad input and bad targets: one plain sentence, and nothing half-written."""

import io
import os
import struct
import subprocess
import sys
import threading
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from retouch.errors import DependencyError, PhotoError
from retouch.photos.photo import check_target, encode, read, write
from tests.retouch.pictures import noise, picture, portrait, saved


def bad_inputs(folder):
    jpeg = saved(Image.fromarray(portrait()), "JPEG")
    frames = [picture("RGB", seed=seed) for seed in (1, 2, 3)]
    animated = {"save_all": True, "append_images": frames[1:]}
    files = {
        "empty.jpg": (b"", "is empty"),
        "cut.jpg": (jpeg[: len(jpeg) // 2], "damaged, cut short"),
        "header.jpg": (jpeg[:40], "damaged, cut short"),
        "text.jpg": (b"Dear diary, this is no picture at all.", "holds no picture"),
        "cut.png": (saved(picture("RGB"), "PNG")[:700], "damaged, cut short"),
        "cut.tif": (saved(picture("RGB"), "TIFF")[:700], "damaged, cut short"),
        "cut.webp": (saved(picture("RGB"), "WEBP")[:300], "damaged, cut short"),
        "moving.png": (saved(frames[0], "PNG", **animated), "holds 3 pictures"),
        "moving.webp": (saved(frames[0], "WEBP", **animated), "holds 3 pictures"),
        "pages.tif": (saved(frames[0], "TIFF", **animated), "holds 3 pictures"),
        "raw.tif": (saved(frames[0], "TIFF", tiffinfo={254: 1}), "raw file"),
        "floats.tif": (saved(Image.new("F", (4, 4)), "TIFF"), "unusual layout"),
        "wide.png": (saved(Image.new("1", (4000, 3000)), "PNG"), "4,000 x 3,000"),
    }
    for name, (data, message) in files.items():
        (folder / name).write_bytes(data)
        yield folder / name, message
    yield folder / "missing.jpg", "There is no file"
    yield folder, "is a folder"
    yield b"", "is empty"
    yield io.StringIO("text"), "got StringIO"
    yield "nul\0byte.jpg", "cannot be read"
    yield noise((4, 5, 2)), "An array is read"
    yield np.zeros((4, 5, 3)), "got float64"
    yield Image.new("F", (4, 4)), "mode F"


def test_bad_input_gets_one_plain_sentence(tmp_path):
    for source, message in bad_inputs(tmp_path):
        with pytest.raises(PhotoError, match=message) as caught:
            read(source, max_pixels=10_000_000)
        assert str(caught.value).count(". ") == 0
        assert str(caught.value).endswith(".")


def test_heic_without_its_package_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(DependencyError, match="pip install pillow-heif"):
        read(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")


@pytest.mark.parametrize("format", ["PNG", "TIFF", "WEBP"])
def test_only_our_own_limit_of_pixels_binds(monkeypatch, format):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    file = saved(picture("RGB"), format)
    assert read(file).pixels.shape == (17, 23, 3)
    assert Image.MAX_IMAGE_PIXELS == 100
    with pytest.raises(PhotoError, match=r"23 x 17 pixels, more than the limit of 390"):
        read(file, max_pixels=390)


def test_warnings_of_pillow_are_not_the_users_concern():
    file = saved(picture("RGB"), "PNG")
    chunk = b"acTL" + bytes(8)  # an animation of no frames
    chunk = struct.pack(">I", 8) + chunk + struct.pack(">I", zlib.crc32(chunk))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read(file[:33] + chunk + file[33:]).pixels.shape == (17, 23, 3)


def test_threads_leave_pillow_and_the_warnings_as_they_were():
    filters, limit = warnings.filters[:], Image.MAX_IMAGE_PIXELS
    file = saved(Image.fromarray(portrait()), "JPEG")
    threads = [threading.Thread(target=read, args=(file,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert warnings.filters == filters
    assert limit == Image.MAX_IMAGE_PIXELS


def bad_targets(folder):
    (folder / "there.png").write_bytes(b"something dear")
    (folder / "locked.png").write_bytes(b"something dear")
    (folder / "locked.png").chmod(0o444)
    yield folder / "there.png", False, "exists already"
    yield folder / "locked.png", True, "is read-only"
    yield folder / "a.psd", False, r"No picture format is called '\.psd'. Known"
    yield folder / "none" / "a.png", False, "There is no folder"
    yield folder, True, "is a folder"
    if Path("/dev/full").exists():
        yield Path("/dev/full"), False, "no space left on device.*free some space"
    if os.access("/proc/self", os.F_OK):
        yield Path("/proc/self/a.png"), False, "Writing .* failed"


def test_a_target_that_cannot_be_written_is_refused_and_left_alone(tmp_path):
    photo = read(picture("RGB"))
    for target, force, message in bad_targets(tmp_path):
        with pytest.raises(PhotoError, match=message):
            write(photo, target, force=force)
    dear = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert dear == dict.fromkeys(["there.png", "locked.png"], b"something dear")
    with pytest.raises(PhotoError, match="exists already"):
        check_target(tmp_path / "there.png")
    with pytest.raises(PhotoError, match=r"'GIF' cannot be written\. Known: JPEG"):
        encode(photo, "GIF")


def test_force_replaces_the_input_and_keeps_its_permissions_and_links(tmp_path):
    path, link = tmp_path / "a.png", tmp_path / "link.png"
    path.write_bytes(saved(picture("RGB"), "PNG"))
    path.chmod(0o640)
    link.symlink_to(path)
    photo = read(path)
    write(photo.with_pixels(255 - photo.pixels), link, force=True)
    assert (read(path).pixels == 255 - photo.pixels).all()
    assert path.stat().st_mode & 0o777 == 0o640
    assert link.is_symlink()
    assert len(list(tmp_path.iterdir())) == 2


FULL_DISK = """
import resource, sys
from retouch.errors import PhotoError
from retouch.photos.photo import read, write
photo = read(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
for target, force in ((sys.argv[2], False), (sys.argv[1], True)):
    try:
        write(photo, target, force=force)
    except PhotoError as error:
        print(error)
"""


def test_a_full_disk_leaves_the_input_whole_and_nothing_half_written(tmp_path):
    pytest.importorskip("resource")
    path = tmp_path / "a.png"
    path.write_bytes(saved(picture("RGB", 90, 90), "PNG"))
    before = path.read_bytes()
    command = [sys.executable, "-W", "error", "-c", FULL_DISK, path, tmp_path / "b.png"]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    sentences = ran.stdout.splitlines()
    assert len(sentences) == 2
    assert all("file too large); free some space" in line for line in sentences)
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == before


class Failing(io.BytesIO):
    def write(self, data):
        raise OSError(28, "No space left on device")


def test_a_stream_that_fails_is_one_plain_sentence():
    with pytest.raises(PhotoError, match="to the stream failed"):
        write(read(picture("L")), Failing())
