"""What is installed is pinned to the byte, with all that it needs in turn."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
LOCK = (ROOT / "requirements.lock").read_text("utf-8")
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
