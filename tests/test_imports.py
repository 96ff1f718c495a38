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
}
ALONE = {"errors", "contracts", "geometry"}
# The units of `retouch`, in the order in which a photograph meets them: each may
# import those above it, and itself.
UNITS = (
    *("errors", "contracts", "geometry", "cores", "sampling", "smoothing"),
    *("presets", "settings"),
    *("photos", "faces", "skin", "inversion", "models", "edits", "stitching"),
    *("provenance", "engine"),
    *("jobs", "expressions", "video", "service", "batches", "training", "commands"),
)
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


def _units() -> list[Path]:
    inside = (ROOT / "retouch").rglob("*.py")
    return [path for path in inside if path != ROOT / "retouch" / "__init__.py"]


@pytest.mark.parametrize("path", _units(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_unit_imports_only_from_units_above(path):
    unit = path.relative_to(ROOT / "retouch").with_suffix("").parts[0]
    above = UNITS[: UNITS.index(unit) + 1]
    for name in _imports(path):
        parts = name.split(".")
        if parts[0] == "retouch" and len(parts) > 1:
            assert parts[1] in above, name


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


def test_a_command_begins_without_what_is_slow_to_load():
    lines = "import sys, cli; sys.argv = ['retouch', 'faces', '--help']"
    asked = "set(sys.modules) & {'tensorflow', 'onnxruntime', 'scipy', 'pydantic'}"
    check = f"{lines}\ntry: cli.main()\nfinally: assert not {asked}, {asked}"
    done = subprocess.run([sys.executable, "-c", check], cwd=ROOT, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()


def _names(tree: ast.Module) -> set[str]:
    """Return what a module offers: what is bound at its top."""
    bound = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            bound |= {node.name}
        elif isinstance(node, ast.Import | ast.ImportFrom):
            bound |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            bound |= {node.id}
    return bound


@pytest.mark.parametrize("folder", ["benchmarks", "docs"])
def test_what_no_other_test_imports_finds_what_it_imports(folder):
    for path in (ROOT / folder).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.ImportFrom) or not node.module:
                continue
            place = ROOT / node.module.replace(".", "/")
            file = place.with_suffix(".py")
            if node.module.partition(".")[0] not in OURS or not file.is_file():
                continue
            offered = _names(ast.parse(file.read_text("utf-8")))
            lost = {alias.name for alias in node.names} - offered
            assert not lost, f"{path.name}: {node.module} has no {lost}"
