"""Imports run one way, and what must answer at once loads no TensorFlow."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAY_IMPORT = {
    "generators": set(),
    "encoders": {"generators"},
    "scorers": {"generators"},
    "pretrained": {"generators", "encoders", "scorers", "retouch.errors"},
    "retouch": {"generators", "encoders", "scorers", "pretrained"},
    "training": {"generators", "encoders", "scorers", "pretrained", "retouch"},
    "commands": {"pretrained", "retouch", "training"},
}
ALONE = {"errors", "contracts", "geometry"}
OURS = {*MAY_IMPORT, "cli", "benchmarks", "tests"}


def _imports(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module}
    return {name for name in names if name.partition(".")[0] in OURS}


def _files() -> list[Path]:
    return [path for folder in MAY_IMPORT for path in (ROOT / folder).rglob("*.py")]


@pytest.mark.parametrize("path", _files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_imports_only_from_layers_below(path):
    folder = path.relative_to(ROOT).parts[0]
    allowed = MAY_IMPORT[folder] | {folder}
    for name in _imports(path):
        assert any(name == a or name.startswith(f"{a}.") for a in allowed), name


@pytest.mark.parametrize("name", sorted(ALONE))
def test_the_ground_stands_on_nothing_of_ours(name):
    path = ROOT / "retouch" / f"{name}.py"
    assert _imports(path) <= {f"retouch.{other}" for other in ALONE}


@pytest.mark.parametrize(
    "command", ["import retouch", "import cli", "import pretrained"]
)
def test_no_tensorflow_is_loaded_before_it_is_needed(command):
    check = f"import sys; {command}; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], cwd=ROOT).returncode == 0
