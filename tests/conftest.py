"""The tiers: what is slow or needs a GPU runs only when asked for."""

import gc
import os
import random
import sys
from functools import cache
from pathlib import Path

# Before NumPy is loaded, as the commands do: two processes share the cores.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# This process and those that tests begin find modules compiled, as installed ones are.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

import hypothesis
import pytest

sys.dont_write_bytecode = False
# What may go is looked for more rarely, for 10 seconds less of a run.
gc.set_threshold(50_000, 20, 20)

# What the clock says of a loaded machine is no failure, and every run is alike.
hypothesis.settings.register_profile(
    "steady",
    deadline=None,
    derandomize=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("steady")

# What takes longest begins first, so that no process is left with it at the end.
LONGEST = (
    *("retouch/service", "test_documents.py", "test_notebook.py"),
    *("retouch/training", "retouch/expressions", "retouch/faces", "retouch/engine"),
    *("retouch/edits", "test_cli.py", "retouch/inversion", "retouch/batches"),
    *("pretrained", "test_contracts.py", "retouch/commands", "generators"),
    *("test_without_keras.py", "retouch/skin", "test_live_commands.py"),
)
TIERS = {"slow": "run the slow tests too", "gpu": "run the tests that need a GPU"}


def pytest_addoption(parser):
    for name, meaning in TIERS.items():
        parser.addoption(f"--{name}", action="store_true", help=meaning)


def pytest_configure(config):
    if not hasattr(config, "workerinput"):  # pytest-xdist's workers have no terminal
        config.pluginmanager.register(Crier(config))


class Crier:
    """Says at once what fails: a run may be cut off before its summary."""

    def __init__(self, config):
        self.config = config

    def pytest_runtest_logreport(self, report):
        if report.failed:
            crash = getattr(report.longrepr, "reprcrash", report.longrepr)
            self.config.get_terminal_writer().line(f"\n{report.nodeid}: {crash}")


def pytest_collection_modifyitems(config, items):
    items.sort(key=lambda item: _rank(item.path))
    for name in TIERS:
        if config.getoption(f"--{name}"):
            continue
        skip = pytest.mark.skip(reason=f"needs --{name}")
        for item in items:
            if name in item.keywords:
                item.add_marker(skip)


def pytest_runtest_setup():
    """Let networks begin alike in every run: Keras draws its seeds here."""
    random.seed(0)


@cache
def _rank(file):
    """Return how early a file of tests begins, which places what it lies in."""
    place = file.relative_to(Path(__file__).parent)
    within = [name for name in LONGEST if place.is_relative_to(name)]
    return LONGEST.index(within[0]) if within else len(LONGEST)


def pytest_collection_finish():
    """Look no more through what is loaded by now, which stays, for what may go.

    What TensorFlow makes of a graph before it runs pays off in long trainings; here
    each graph runs a few times, and preparing it would take half of a test.
    """
    gc.freeze()
    if tensorflow := sys.modules.get("tensorflow"):
        plain = {"disable_meta_optimizer": True}
        tensorflow.config.optimizer.set_experimental_options(plain)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Keep tests that share what they have loaded in one process.

    The marks of pytest-xdist's loadgroup are lost on pytest 9.2, without a word.
    """
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            file = nodeid.partition("::")[0]
            service = "tests/retouch/service/"
            return service if file.startswith(service) else file

    config.option.loadscopereorder = False  # by how many tests they have
    return ByFile(config, log)
