"""Each file of tests runs in one process: what it has loaded is loaded once."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import LONGEST

pytest.importorskip("xdist")

FOUR = """
import pytest

@pytest.mark.parametrize("number", range(4))
def test_nothing(number):
    pass
"""


def test_the_tests_of_a_file_and_those_of_the_service_stay_together(tmp_path):
    (tmp_path / "tests/retouch/service").mkdir(parents=True)
    shutil.copy(Path(__file__).with_name("conftest.py"), tmp_path / "tests")
    for name in ("one", "two", "retouch/service/three", "retouch/service/four"):
        file = (tmp_path / "tests" / name).with_suffix(".py")
        file.with_stem(f"test_{file.stem}").write_text(FOUR)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-v", "-p", "xdist", "-n", "2"],
        cwd=tmp_path,
        env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
    )
    ran = re.findall(r"\[(gw\d)\].* PASSED .*?(service|one|two)", done.stdout)
    assert len(ran) == 16, done.stdout
    assert len({*ran}) == len({place for _, place in ran}) == 3, done.stdout


def test_what_begins_first_is_there():
    for name in LONGEST:
        assert Path(__file__).parent.joinpath(name).exists(), name
