"""The command line as a user meets it: sentences, exit codes, files."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image

from tests.climbs import hasty
from tests.command_line import retouch

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def portrait(tmp_path_factory):
    path = tmp_path_factory.mktemp("photos") / "me.png"
    Image.fromarray(skimage.data.astronaut()).save(path)
    return path


def test_help_needs_no_tensorflow():
    code = "import sys, cli; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
    words = [sys.executable, ROOT / "cli.py", "--help"]
    done = subprocess.run(words, capture_output=True)
    assert done.returncode == 0 and b"beautify" in done.stdout


def test_faces_are_listed_for_machines_and_drawn(portrait, tmp_path):
    out = tmp_path / "drawn.png"
    done = retouch("faces", portrait, "--json", "--out", out)
    (face,) = json.loads(done.stdout)
    assert face["size"] == pytest.approx(108, abs=12) and abs(face["roll"]) < 15
    again = retouch("faces", portrait, "--out", out, "--force").stdout.decode()
    assert re.fullmatch(r"face 0: .*, turned [+-]\d+, .*\n.*drawn.png\n", again)
    assert "-0," not in again
    drawn = np.asarray(Image.open(out))
    assert (drawn != skimage.data.astronaut()).any()


@hasty()
def test_beautify_reads_standard_input_and_writes_standard_output(portrait):
    photo = portrait.read_bytes()
    words = "beautify", "-", "--out", "-", "--steps", "2", "--verbose"
    done = retouch(*words, data=photo)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"\x89PNG")
    assert b"compositeWithTrainedAlgorithmicMedia" in done.stdout
    stages = re.findall(rb"^([a-z ]+): \d+\.\d\d s$", done.stderr, re.M)
    assert stages[:3] == [b"loading", b"finding faces", b"inverting"]
    assert re.search(rb"^face 0:", done.stderr, re.M)


def test_edit_writes_beside_the_photo_and_reports_as_json(portrait):
    words = "edit", portrait, "--set", "smile=-1", "--json"
    done = retouch(*words)
    report = json.loads(done.stdout)
    assert Path(report["out"]).exists()
    assert report["faces"][0]["changed"]["happy"] < 0
    again = retouch(*words)
    assert again.returncode == 1 and b"force" in again.stderr


@hasty()
def test_a_grid_shows_the_face_at_five_strengths(portrait, tmp_path):
    out = tmp_path / "grid.png"
    done = retouch("beautify", portrait, "--grid", "--steps", "0", "--out", out)
    assert done.returncode == 0, done.stderr
    sheet = np.asarray(Image.open(out)).astype(float)[40:]  # beneath the labels
    cells = [sheet[:, i * 392 : i * 392 + 384] for i in range(5)]
    moved = [np.abs(cell - cells[0]).mean() for cell in cells]
    assert moved[0] == 0 < moved[1] < moved[2] < moved[4]


@pytest.mark.parametrize("other", [["--compare"], ["--gif", "a.gif"]])
def test_a_grid_goes_alone(portrait, other, tmp_path):
    out = tmp_path / "out.png"
    _refused(retouch("beautify", portrait, "--grid", *other, "--out", out), out)


@pytest.fixture(scope="module")
def bad(tmp_path_factory, portrait):
    folder = tmp_path_factory.mktemp("bad")
    (folder / "empty.jpg").touch()
    (folder / "text.jpg").write_text("no picture")
    Image.new("RGB", (3, 3)).save(folder / "moving.gif")
    (folder / "cut.png").write_bytes(portrait.read_bytes()[:20000])
    Image.new("RGB", (3, 3)).save(folder / "tiny.png")
    Image.new("RGB", (300, 300)).save(folder / "nobody.png")
    return folder


@pytest.mark.parametrize("name", ["absent.jpg", "", "empty.jpg", "text.jpg", "cut.png"])
def test_what_is_no_photo_is_one_sentence_and_exit_code_1(bad, name, tmp_path):
    out = tmp_path / "out.png"
    _refused(retouch("faces", bad / name, "--out", out), out)


def test_what_is_no_photo_is_told_before_how_its_result_would_be_called(bad):
    done = retouch("skin", bad / "moving.gif")
    assert done.stderr.decode().startswith(f"retouch: '{bad}/moving.gif' is a GIF,")


@pytest.mark.parametrize("name", ["tiny.png", "nobody.png"])
def test_a_photo_without_a_face_is_one_sentence_and_exit_code_1(bad, name, tmp_path):
    out = tmp_path / "out.png"
    _refused(retouch("beautify", bad / name, "--out", out), out)


def test_a_photo_beyond_the_limit_of_pixels_is_refused(portrait, tmp_path):
    out = tmp_path / "out.png"
    done = retouch("faces", portrait, "--max-pixels", "262143", "--out", out)
    _refused(done, out)
    assert b"512 x 512" in done.stderr and b"--max-pixels" in done.stderr


MISSPELT = """
import sys, cli
from retouch.errors import SettingsError

sys.argv[0] = "retouch"
try:
    cli.app()
except SettingsError as error:
    print(error, {"onnxruntime", "dlib", "tensorflow"} & {*sys.modules})
"""


@pytest.mark.parametrize(
    "words",
    [
        ["edit", "{photo}", "--set", "smiel=1"],
        ["edit", "{photo}", "--face", "0:smiel=1"],
        ["edit", "{photo}", "--range", "smiel=0:1:2"],
        ["batch", "{photo}", "{out}", "edit", "--set", "smiel=1"],
    ],
)
def test_a_misspelt_direction_is_refused_before_anything_is_loaded(
    words, portrait, tmp_path
):
    words = [word.format(photo=portrait, out=tmp_path / "out") for word in words]
    program = [sys.executable, "-c", MISSPELT, *words]
    done = subprocess.run(program, cwd=ROOT, capture_output=True)
    assert b"Did you mean 'smile'?" in done.stdout, done.stderr
    assert done.stdout.rstrip().endswith(b"set()")
    assert not (tmp_path / "out").exists()


INTERRUPTED = """
import sys, types, cli

class Typed:
    def read(self):
        raise KeyboardInterrupt

sys.stdin = types.SimpleNamespace(buffer=Typed())
sys.argv = ["retouch", "faces", "-"]
cli.main()
"""


def test_an_interrupt_ends_with_130_and_without_a_traceback():
    done = subprocess.run([sys.executable, "-c", INTERRUPTED], cwd=ROOT, stderr=-1)
    assert done.returncode == 130 and b"Traceback" not in done.stderr


# A program that says when it begins to load: before that it is Python that tells.
BEGUN = """
import runpy, sys

class Telling:
    def find_spec(self, name, *_):
        if name == "typer":
            print("ready", flush=True)

sys.meta_path.insert(0, Telling())
sys.argv = ["retouch", "faces", "none.jpg"]
runpy.run_path(CLI, run_name="__main__")
"""


@pytest.mark.parametrize("wait", [i * 0.015 for i in range(8)])
def test_an_interrupt_while_it_loads_is_no_traceback(wait):
    code = BEGUN.replace("CLI", repr(str(ROOT / "cli.py")))
    words = [sys.executable, "-c", code]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(words, cwd=ROOT, **pipes) as process:
        process.stdout.readline()
        time.sleep(wait)
        process.send_signal(signal.SIGINT)
        told = process.stderr.read()
    # On a fast machine it may have told by then that there is no such photo.
    assert process.returncode == 130 or (process.returncode, wait > 0.05) == (1, True)
    assert b"Traceback" not in told


LOADING = """
import os, signal, sys, time
import cli

class Interrupted:
    def find_spec(self, name, *_):
        if name == "onnxruntime":
            try:
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(10)
            except KeyboardInterrupt:
                raise ImportError("initialization failed")

sys.meta_path.insert(0, Interrupted())
sys.argv = ["retouch", "attributes", "me.png"]
cli.main()
"""


def test_a_library_that_is_interrupted_as_it_loads_is_not_told_to_be_missing(portrait):
    words = [sys.executable, "-c", LOADING.replace("me.png", str(portrait))]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(words, cwd=ROOT, env=env, capture_output=True)
    assert done.returncode == 130 and not done.stderr, done.stderr


def test_a_batch_that_is_interrupted_says_how_it_goes_on(tmp_path):
    (tmp_path / "photos").mkdir()
    for number in range(200):
        Image.new("RGB", (200, 200)).save(tmp_path / f"photos/{number}.png")
    words = ["batch", str(tmp_path / "photos"), str(tmp_path / "out"), "skin"]
    program = [sys.executable, str(ROOT / "cli.py"), *words, "--workers", "1"]
    report = tmp_path / "out/report.jsonl"
    with subprocess.Popen(program, stderr=subprocess.PIPE, text=True) as process:
        while process.poll() is None and not (report.exists() and report.read_text()):
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        told = process.stderr.read()
    assert process.returncode == 130 and told.endswith("goes on from there.\n"), told
    assert 0 < report.read_text().count("\n") < 200


def _refused(done, out):
    text = done.stderr.decode()
    assert done.returncode == 1, text
    assert text.startswith("retouch: ") and text.count("\n") == 1, text
    assert "Traceback" not in text and not out.exists()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--strength", "nan"], 1),
        (["--strength", "9"], 1),
        (["--strength", "much"], 2),
        (["--nonsense"], 2),
        (["--out", "x.xyz"], 1),
        (["--model", "vea"], 1),
    ],
)
def test_wrong_options_are_refused_before_any_work(portrait, words, code, tmp_path):
    if "--out" not in words:
        words = [*words, "--out", tmp_path / "new.png"]
    done = retouch("beautify", portrait, *words)
    assert done.returncode == code, done.stderr
    assert b"Traceback" not in done.stderr


def test_the_input_is_never_overwritten_without_force(portrait):
    before = portrait.read_bytes()
    done = retouch("beautify", portrait, "--out", portrait)
    assert done.returncode == 1 and portrait.read_bytes() == before


def test_doctor_tells_of_the_weights_that_ship():
    done = retouch("doctor")
    assert b"weights 'default'" in done.stdout
    assert b"NO " not in done.stdout, done.stdout


def test_loops_and_films_are_written_beside_the_sheet_of_a_range(portrait, tmp_path):
    names = {kind: tmp_path / f"smile.{kind}" for kind in ("png", "gif", "mp4")}
    words = "--range", "smile=0:1:2", "--steps", "0"
    films = "--gif", names["gif"], "--mp4", names["mp4"]
    done = retouch("edit", portrait, *words, *films, "--out", names["png"])
    assert done.returncode == 0, done.stderr
    assert done.stdout.decode().split() == [str(path) for path in names.values()]
    with Image.open(names["gif"]) as loop:
        assert loop.n_frames == 2 and loop.info["loop"] == 0
    assert names["mp4"].read_bytes()[4:8] == b"ftyp"


@hasty()
def test_beautify_writes_a_loop_from_before_to_after(portrait, tmp_path):
    files = tmp_path / "me.png", tmp_path / "way.gif"
    words = "--steps", "0", "--gif", files[1], "--out", files[0]
    done = retouch("beautify", portrait, *words)
    assert done.returncode == 0, done.stderr
    with Image.open(files[1]) as loop:
        assert loop.n_frames > 2 and loop.size[0] == loop.size[1]


@pytest.mark.parametrize("name", ["way.mp4", "way", "there.gif"])
def test_a_loop_that_cannot_be_written_is_refused_before_any_work(
    portrait, tmp_path, name
):
    (tmp_path / "there.gif").touch()
    out = tmp_path / "new.png"
    _refused(retouch("beautify", portrait, "--gif", tmp_path / name, "--out", out), out)


@pytest.mark.parametrize("command", ["beautify", "faces", "mask"])
def test_a_folder_is_answered_with_the_command_for_many_photos(command, tmp_path):
    done = retouch(command, tmp_path)
    assert b"retouch batch" in done.stderr
    _refused(done, tmp_path / "none")


def test_several_photos_are_answered_with_the_command_for_many(portrait):
    done = retouch("beautify", portrait, portrait)
    assert done.returncode == 2 and b"retouch batch" in done.stderr


def test_the_version_is_told_and_stands_in_one_place():
    done = retouch("--version")
    told = done.stdout.decode().split()
    assert told == ["retouch", re.search(r'__version__ = "(.+)"', INIT).group(1)]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert "version" in project["dynamic"] and "version" not in project


INIT = (ROOT / "retouch/__init__.py").read_text()
