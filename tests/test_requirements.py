"""What is installed is pinned to the byte, and a release says where it comes from."""

import email
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LOCK = (ROOT / "requirements.lock").read_text("utf-8")
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
TESTS = ROOT / "tests"
# Packages whose modules have another name.
NAMES = {"cv2": "opencv-python", "c2pa": "c2pa-python", "xdist": "pytest-xdist"}
PIN = re.compile(r"^([\w.-]+)==([\w.+!-]+)", re.MULTILINE)


def name(word: str) -> str:
    return re.sub(r"[-_.]+", "-", word).lower()


def pins(text: str) -> set[tuple[str, str]]:
    return {(name(word), version) for word, version in PIN.findall(text)}


def test_every_pin_stands_in_the_lock():
    wanted = pins((ROOT / "requirements.txt").read_text("utf-8"))
    assert wanted
    assert wanted <= pins(LOCK)


def test_what_the_package_needs_is_locked():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    needed = {re.match(r"[\w.-]+", line)[0] for line in project["dependencies"]}
    assert set(map(name, needed)) <= {word for word, _ in pins(LOCK)}


def test_every_locked_file_has_a_hash():
    blocks = re.split(r"\n(?=\S)", LOCK.strip())
    locked = [block for block in blocks if not block.startswith("#")]
    assert len(locked) == len(PIN.findall(LOCK))
    for block in locked:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", block), block


def test_the_lock_names_no_server():
    assert "://" not in LOCK
    assert "index-url" not in LOCK


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    """Return what an installer reads of a release: its metadata as a message."""
    make = "from setuptools import build_meta as b; import sys; "
    make += "print(b.prepare_metadata_for_build_wheel(sys.argv[1]))"
    folder = tmp_path_factory.mktemp("released")
    copy = folder / "source"
    leave = shutil.ignore_patterns(
        ".*", "build", "*.egg-info", "*.safetensors", "node_modules"
    )
    shutil.copytree(ROOT, copy, ignore=leave)
    subprocess.run(
        [sys.executable, "-c", make, folder], cwd=copy, check=True, capture_output=True
    )
    (made,) = folder.glob("*.dist-info/METADATA")
    return email.message_from_string(made.read_text("utf-8"))


def test_a_release_says_where_the_project_lies(released):
    urls = dict(line.split(", ") for line in released.get_all("Project-URL"))
    assert urls.keys() == {"Source", "Documentation", "Changelog"}
    notebook = (ROOT / "notebooks" / "retouch_colab.ipynb").read_text("utf-8")
    assert f'REPOSITORY = \\"{urls["Source"]}\\"' in notebook


def test_the_readme_of_a_release_shows_its_pictures_anywhere(released):
    text = released.get_payload()
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert links and all(link.startswith("https://") for link in links)
    assert released["Description-Content-Type"] == "text/markdown"
    here = (ROOT / "README.md").read_text("utf-8")
    assert text.count("![") == here.count("![") > 0


def test_ci_installs_what_tests_are_skipped_without():
    targets = re.findall(r"\bmake (.+)", (ROOT / ".ci" / "run").read_text("utf-8"))
    rules = dict(re.findall(r"^(\w+):.*\n((?:\t.+\n)+)", MAKEFILE, re.MULTILINE))
    installed = "\n".join(rules[one] for line in targets for one in line.split())
    asked = "\n".join(file.read_text("utf-8") for file in TESTS.rglob("*.py"))
    found = set(re.findall(r'importorskip\(\s*"(\w+)', asked))
    assert found >= {"ray", "cv2", "c2pa"}
    missing = found - {*sys.stdlib_module_names, "tests"}
    locked = {word for word, _ in pins(LOCK)}
    for module in missing:
        package = NAMES.get(module, name(module))
        assert package in locked or f"{package}=" in re.sub(r"\[\w+\]", "", installed)
    assert "@trustnxt/c2pa-ts@" in installed


def test_what_make_installs_is_told_before_it():
    done = ["make", "-n", "--always-make", "demo"]
    said = subprocess.run(done, cwd=ROOT, check=True, capture_output=True, text=True)
    told, installing = (
        said.stdout.find(word) for word in ("Installing", "pip install")
    )
    assert 0 <= told < installing
