"""A batch from photos to report: complete whatever happens, and always the same."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image

from pretrained.registry import Library, Shelf, library
from retouch.batches.job import Done, Job, Picture
from retouch.batches.plan import Plan
from retouch.batches.run import over, run
from retouch.batches.store import Store
from retouch.errors import RetouchError, SettingsError
from retouch.settings import Settings

ROOT = Path(__file__).parents[3]
# A small edit: what is tested here does not depend on how good a face becomes.
JOB = Job(kind="edit", moves={"smile": 0.3})
FLAGS = ("edit", "--set", "smile=0.3", "--workers", "1", "--quiet")


def portraits(folder, count):
    """Write photos of one face, each a little different, some of them mirrored."""
    photo = Image.fromarray(skimage.data.astronaut()).crop((60, 0, 380, 320))
    folder.mkdir()
    for i in range(count):
        shown = np.asarray(photo.rotate(i % 7 - 3, Image.Resampling.BICUBIC))
        shown = shown[:, ::-1] if i % 2 else shown
        light = np.clip(shown * (0.8 + 0.02 * (i % 20)), 0, 255).astype(np.uint8)
        place = folder / ("left" if i % 2 else "right")
        place.mkdir(exist_ok=True)
        Image.fromarray(light).save(place / f"{i:02}.png")
    return folder


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = portraits(tmp_path_factory.mktemp("batch") / "photos", 5)
    (folder / "torn.jpg").write_bytes(b"\xff\xd8\xff no picture")
    Image.new("RGB", (200, 200)).save(folder / "nobody.png")
    return folder


@pytest.fixture(scope="module")
def whole(photos, tmp_path_factory):
    """The results of a batch that nothing disturbed."""
    out = tmp_path_factory.mktemp("whole") / "out"
    summary = run(str(photos), out, JOB, Plan(workers=1))
    assert (summary.done, summary.failed, summary.found) == (5, 2, 7)
    return out


def rows(out):
    """Return the report by picture; a second row of one is a failure."""
    found = {}
    for line in (out / "report.jsonl").read_text().splitlines():
        row = json.loads(line)
        assert row["picture"] not in found
        found[row["picture"]] = row
    return found


def files(out):
    found = {str(p.relative_to(out)): p for p in out.rglob("*") if p.is_file()}
    found.pop("report.jsonl")
    return {name: path.read_bytes() for name, path in found.items()}


def timeless(found):
    return {name: {**row, "seconds": 0} for name, row in found.items()}


def batch(photos, out, *flags):
    command = [sys.executable, str(ROOT / "cli.py"), "batch", str(photos), str(out)]
    return subprocess.Popen([*command, *FLAGS, *flags], stderr=subprocess.PIPE)


def test_every_picture_has_a_row_and_every_face_its_figures(whole, photos):
    found = rows(whole)
    assert len(found) == 7
    good = found["left/01.png"]
    assert good["ok"] and good["settings"] == json.loads(json.dumps(JOB.told()))
    (face,) = good["faces"]
    assert face["identity"] >= 0 and len(face["judged"]) == 2
    assert good["seconds"] > 0 and len(good["weights"]) == 16
    assert found["torn.jpg"]["kind"] == "PhotoError" and found["torn.jpg"]["error"]
    assert found["nobody.png"]["kind"] == "FaceError"


def test_results_lie_as_the_photos_do_and_only_faces_changed(whole, photos):
    names = {name for name, row in rows(whole).items() if row["ok"]}
    assert set(files(whole)) == names
    before, after = (
        np.asarray(Image.open(f / "right/00.png")) for f in (photos, whole)
    )
    assert before.shape == after.shape and (before != after).any()
    assert (before[:20] == after[:20]).all()


def test_what_is_done_is_skipped_and_errors_are_tried_when_asked(whole, photos):
    before = timeless(rows(whole))
    summary = run(str(photos), whole, JOB, Plan(workers=1))
    assert (summary.skipped, summary.done, summary.failed) == (5, 0, 0)
    assert summary.given_up == 2
    summary = run(str(photos), whole, JOB, Plan(workers=1, retry_errors=True))
    assert (summary.skipped, summary.done, summary.failed) == (5, 0, 2)
    assert summary.given_up == 0
    assert timeless(rows(whole)) == before


def test_a_killed_batch_goes_on_and_ends_as_if_nothing_had_been(
    whole, photos, tmp_path
):
    out = tmp_path / "out"
    process = batch(photos, out, "--shuffle")
    _wait_for_rows(process, out, 1)
    refused = batch(photos, out)
    assert b"Another batch" in refused.communicate()[1] and refused.returncode == 1
    process.kill()
    process.communicate()
    process = batch(photos, out)
    assert process.communicate()[1] == b"" and process.returncode == 0
    assert files(out) == files(whole)
    assert timeless(rows(out)) == timeless(rows(whole))
    assert not (out / ".retouch-unfinished").exists()


def _wait_for_rows(process, out, count):
    report = out / "report.jsonl"
    while not report.exists() or report.read_bytes().count(b"\n") < count:
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.02)


@pytest.mark.slow
def test_sixty_pictures_survive_ten_kills_at_random(tmp_path):
    photos = portraits(tmp_path / "photos", 60)
    whole, out = tmp_path / "whole", tmp_path / "out"
    process = batch(photos, whole)
    process.communicate()
    seeded = random.Random(5)
    # The moments are spread over the work: rows that must be there, then a while.
    for kill in range(10):
        process = batch(photos, out)
        _wait_for_rows(process, out, min(55, 5 * kill))
        time.sleep(seeded.uniform(0, 3))
        process.send_signal(signal.SIGKILL)
        process.communicate()
    process = batch(photos, out)
    assert process.communicate()[1] == b"" and process.returncode == 0
    assert len(rows(out)) == 60
    assert files(out) == files(whole)
    assert timeless(rows(out)) == timeless(rows(whole))
    assert sorted(p.name for p in out.iterdir()) == ["left", "report.jsonl", "right"]


@pytest.mark.slow
def test_a_worker_that_dies_is_replaced_and_nothing_is_lost(whole, photos, tmp_path):
    out, killed = tmp_path / "out", []

    def kill_one(done, number, count):
        import multiprocessing

        if not killed:
            killed.extend(multiprocessing.active_children()[:1])
            os.kill(killed[0].pid, signal.SIGKILL)

    run(str(photos), out, JOB, Plan(workers=1), kill_one)
    assert killed and files(out) == files(whole)
    assert timeless(rows(out)) == timeless(rows(whole))


def test_ray_gives_the_same_bytes_and_the_same_report(whole, photos, tmp_path):
    pytest.importorskip("ray")
    # In a process of its own: Ray leaves threads and warnings behind.
    process = batch(photos, tmp_path / "out", "--engine", "ray")
    assert process.communicate()[1] == b"" and process.returncode == 0
    assert files(tmp_path / "out") == files(whole)
    assert timeless(rows(tmp_path / "out")) == timeless(rows(whole))


@pytest.mark.slow
def test_latents_are_kept_of_many_photos(photos, tmp_path):
    from retouch.inversion.latent_files import load

    job = Job(kind="invert", settings=Settings(steps=1))
    summary = run(str(photos), tmp_path / "out", job, Plan(workers=1, limit=3))
    (first, *_) = [row for row in rows(tmp_path / "out").values() if row["ok"]]
    assert summary.done + summary.failed == 3
    assert load(tmp_path / "out" / first["out"][0]).model == "default"


def test_other_settings_other_weights_or_a_lost_result_are_done_again(tmp_path):
    row = {"picture": "a.png", "ok": True, "out": ["a.png"], "stamp": "1"}
    row |= {"weights": "w", "settings": JOB.told()}
    other = replace(JOB, moves={"smile": 0.4})
    with Store(tmp_path) as store:
        store.keep(Done("a.png", {"a.png": b"any"}, row))
        assert over(store, JOB, "w", Plan()) == {("a.png", "1"): True}
        assert over(store, other, "w", Plan()) == {}
        assert over(store, JOB, "other", Plan()) == {}
        assert over(store, JOB, "w", Plan(resume=False)) == {}
        (tmp_path / "a.png").unlink()
        assert over(store, JOB, "w", Plan()) == {}


def test_weights_are_told_by_one_hash_of_all_that_take_part(tmp_path):
    assert JOB.weights(library()) == Job(kind="beautify").weights(library())
    rows = library().shipped.rows()
    assert {row.name for row in rows} > {"default", "guide"}
    for name in ("default", "default-encoder", "guide", "judge"):
        changed = [replace(r, sha256="0") if r.name == name else r for r in rows]
        shelf = Shelf(tmp_path)
        content = {"networks": [asdict(row) for row in changed]}
        shelf.manifest.write_text(json.dumps(content))
        other = Library(shelf, Shelf(tmp_path / "own"))
        assert JOB.weights(other) != JOB.weights(library()), name


@pytest.mark.parametrize(
    "make",
    [
        lambda: Job(kind="shrink"),
        lambda: Job(kind="edit"),
        lambda: Job(kind="beautify", moves={"smile": 1.0}),
        lambda: Plan(address="auto"),
        lambda: Plan(engine="slurm"),
        lambda: Plan(limit=0),
    ],
)
def test_what_makes_no_sense_is_refused_before_any_work(make):
    with pytest.raises(SettingsError):
        make()


def test_an_unknown_model_ends_the_batch_with_its_sentence(photos, tmp_path):
    job = Job(settings=Settings(model="vea"))
    with pytest.raises(RetouchError, match="vea"):
        run(str(photos), tmp_path / "out", job, Plan(workers=1))


def test_the_source_is_never_the_folder_of_results(photos):
    with pytest.raises(SettingsError, match="of their own"):
        run(str(photos), photos, JOB, Plan())
    with pytest.raises(SettingsError, match="of their own"):
        run(str(photos / "left"), photos, JOB, Plan())


def test_a_picture_travels_between_processes():
    import pickle

    picture = Picture("a.png", "/photos/a.png", "1")
    assert pickle.loads(pickle.dumps((JOB, picture))) == (JOB, picture)
