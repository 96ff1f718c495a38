import csv
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from retouch.errors import SettingsError
from retouch.training.data import pack
from retouch.training.options import Recipe
from retouch.training.packing import Source
from retouch.training.shards import Contents, Shards, Share
from tests.retouch.training import portraits

ROOT = Path(__file__).parents[3]
RECIPE = Recipe(resolution=64, enlarged=1.2, sharp=0.3)
SHARD = 4 * 64 * 64 * 4  # bytes: a few files a shard


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return portraits.make(tmp_path_factory.mktemp("pictures") / "portraits")


@pytest.fixture(scope="module")
def packed(pictures, tmp_path_factory):
    out = tmp_path_factory.mktemp("packed")
    sources = {"own": Source(pictures)}
    return out, pack(sources, out, RECIPE, workers=1, shard_bytes=SHARD)


# Ctrl-C comes at the very moment when the second shard is to get its name.
PACKING = """
import os, signal, sys
from pathlib import Path
from retouch.training.data import pack
from retouch.training.packing import Source
from tests.retouch.training.test_data import RECIPE, SHARD

def interrupt(event, details):
    if event == "os.rename" and str(details[1]).endswith("1.npz"):
        os.kill(os.getpid(), signal.SIGINT)

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.addaudithook(interrupt)
    source = {"own": Source(Path(sys.argv[1]))}
    pack(source, Path(sys.argv[2]), RECIPE, workers=1, shard_bytes=SHARD)
"""


@pytest.fixture
def interrupted(pictures, tmp_path):
    """A folder where packing was interrupted once a shard was there."""
    words = [sys.executable, "-c", PACKING, str(pictures), str(tmp_path)]
    subprocess.run(words, cwd=ROOT, stderr=subprocess.DEVNULL)
    return tmp_path


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.npz"))}


def test_every_picture_is_kept_or_has_its_reason(packed):
    out, report = packed
    assert {drop.file: drop.reason for drop in report.dropped} == portraits.LOST
    assert set(Shards.read(out).names) == portraits.KEPT
    assert report.kept == {"own": len(portraits.KEPT)}
    assert next(report.lines()).startswith("own: 4 of 12 kept, unreadable 2")


def test_dropped_csv_lists_what_was_left_out(packed):
    out, _ = packed
    with (out / "dropped.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["file"]: row["reason"] for row in rows} == portraits.LOST
    assert {row["detail"] for row in rows if row["reason"] == "copy"} == {"of a.png"}


def test_crops_show_the_face_where_the_template_wants_it(packed):
    shards = Shards.read(packed[0])
    assert shards.images.shape == (4, 64, 64, 3)
    eyes = shards.landmarks[:, 36:48].reshape(4, 2, 6, 2).mean(2) / 64
    assert np.abs(eyes - [(0.3, 0.355), (0.7, 0.355)]).max() < RECIPE.astray
    # The mirrored and the turned picture show the same face as the first.
    by_name = dict(zip(shards.names, shards.images.astype(float), strict=True))
    assert np.abs(by_name["a.png"] - by_name["turned.webp"]).mean() < 12
    assert np.abs(by_name["a.png"] - by_name["mirrored.png"][:, ::-1]).mean() < 12


def test_several_processes_make_the_same_shards(pictures, packed, tmp_path):
    pack({"own": Source(pictures)}, tmp_path, RECIPE, workers=2, shard_bytes=SHARD)
    assert contents(tmp_path) == contents(packed[0])


def test_interrupted_work_goes_on_to_the_same_shards(pictures, packed, interrupted):
    assert list(contents(interrupted)) == ["own-0000.npz"]
    pack({"own": Source(pictures)}, interrupted, RECIPE, workers=1, shard_bytes=SHARD)
    assert contents(interrupted) == contents(packed[0])


WORKERS = """
import sys
from pathlib import Path
from retouch.training.data import pack
from retouch.training.packing import Source
from tests.retouch.training.test_data import RECIPE

if __name__ == "__main__":
    pack({"own": Source(Path(sys.argv[1]))}, Path(sys.argv[2]), RECIPE, workers=2)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_workers_end_with_the_process_that_began_them(pictures, tmp_path, number):
    words = [sys.executable, "-c", WORKERS, str(pictures), str(tmp_path)]
    with subprocess.Popen(words, cwd=ROOT, stderr=subprocess.DEVNULL) as packing:
        deadline = time.monotonic() + 300
        while not (begun := _spawned(packing.pid)) and time.monotonic() < deadline:
            time.sleep(0.1)
        packing.send_signal(number)
    assert begun
    while any(_runs(child) for child in begun) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(_runs(child) for child in begun)


def _spawned(pid):
    """Return the processes that a process began to hand its work to."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    told = {c: Path(f"/proc/{c}/cmdline").read_bytes() for c in children if _runs(c)}
    return [child for child, words in told.items() if b"spawn_main" in words]


def _runs(pid):
    """Tell whether a process is there and no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def test_only_what_is_missing_or_changed_is_made_again(pictures, packed, tmp_path):
    out, folder = tmp_path / "out", tmp_path / "portraits"
    shutil.copytree(packed[0], out)
    shutil.copytree(pictures, folder)
    first, second, *_, last = sorted(out.glob("*.npz"))
    second.unlink()
    (folder / "turned.webp").write_bytes(b"other")
    times = {path: path.stat().st_mtime_ns for path in (first, last)}
    pack({"own": Source(folder)}, out, RECIPE, workers=1, shard_bytes=SHARD)
    assert first.stat().st_mtime_ns == times[first]
    assert last.stat().st_mtime_ns > times[last]
    assert second.read_bytes() == contents(packed[0])[second.name]


def test_shards_of_files_that_are_gone_are_removed(pictures, packed, tmp_path):
    out, folder = tmp_path / "out", tmp_path / "portraits"
    shutil.copytree(packed[0], out)
    folder.mkdir()
    shutil.copy(pictures / "mirrored.png", folder)
    pack({"own": Source(folder)}, out, RECIPE, workers=1, shard_bytes=SHARD)
    assert list(Shards.read(out).names) == ["mirrored.png"]


def test_a_table_gives_labels_people_and_classes(pictures, tmp_path):
    table = tmp_path / "table.csv"
    table.write_text(
        "file,person,age,mood\na.png,Eileen,41,glad\nmirrored.png,Eileen,,grave\n"
    )
    sources = {"own": Source(pictures, table, Share(weight=3.0))}
    pack(sources, tmp_path / "out", RECIPE, workers=1)
    shards = Shards.read(tmp_path / "out")
    assert shards.traits == ("age", "mood=glad", "mood=grave")
    labels = dict(zip(shards.names, shards.labels, strict=True))
    assert labels["a.png"].tolist() == [41, 1, 0]
    assert np.isnan(labels["mirrored.png"][0]) and labels["mirrored.png"][2] == 1
    assert np.isnan(labels["turned.webp"]).all()
    people = dict(zip(shards.names, shards.people, strict=True))
    assert people["a.png"] == people["mirrored.png"] == "Eileen"
    assert people["turned.webp"] == "turned"
    assert shards.contents.sources == {"own": Share(weight=3.0)}


def test_a_weight_changed_by_hand_outlasts_packing_again(pictures, packed, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(packed[0], out)
    Contents("tight", 64, {"own": Share(2.5), "more": Share()}).write(out)
    pack({"own": Source(pictures)}, out, RECIPE, workers=1, shard_bytes=SHARD)
    assert Contents.read(out).sources == {"own": Share(2.5), "more": Share()}


def test_one_folder_holds_one_framing(pictures, packed):
    with pytest.raises(SettingsError, match="holds crops 'tight' of 64 px; asked for"):
        pack({"own": Source(pictures)}, packed[0], Recipe(resolution=128))


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("name,age\na.png,41\n", "no column called 'file'"),
        ("file,age\nb.png,41\n", "names no file"),
        ("file,age\na.png,41,7\n", "differ in their number of columns"),
        ("file,word\n" + "".join(f"{i}.png,w{i}\n" for i in range(30)), "30 different"),
    ],
)
def test_a_table_that_cannot_be_meant_is_refused(pictures, tmp_path, rows, words):
    (tmp_path / "table.csv").write_text(rows)
    with pytest.raises(SettingsError, match=words):
        pack({"own": Source(pictures, tmp_path / "table.csv")}, tmp_path / "out")


def test_folders_and_names_that_cannot_be_are_refused(pictures, tmp_path):
    with pytest.raises(SettingsError, match="There is no folder"):
        pack({"own": Source(tmp_path / "none")}, tmp_path)
    with pytest.raises(SettingsError, match="letters, digits and underscores"):
        pack({"../own": Source(pictures)}, tmp_path)
    with pytest.raises(SettingsError, match="tight, ffhq, head; got 'wide'"):
        Recipe(crop="wide")
