"""The tiers: what is slow or needs a GPU runs only when asked for."""

import hypothesis
import pytest

# What the clock says of a loaded machine is no failure, and every run is alike.
hypothesis.settings.register_profile(
    "steady",
    deadline=None,
    derandomize=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("steady")

TIERS = {"slow": "run the slow tests too", "gpu": "run the tests that need a GPU"}


def pytest_addoption(parser):
    for name, meaning in TIERS.items():
        parser.addoption(f"--{name}", action="store_true", help=meaning)


def pytest_collection_modifyitems(config, items):
    for name in TIERS:
        if config.getoption(f"--{name}"):
            continue
        skip = pytest.mark.skip(reason=f"needs --{name}")
        for item in items:
            if name in item.keywords:
                item.add_marker(skip)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    """Say at once what fails: a run may be cut off before its summary."""
    report = yield
    if report.failed:
        crash = getattr(report.longrepr, "reprcrash", report.longrepr)
        item.config.get_terminal_writer().line(f"\n{report.nodeid}: {crash}")
    return report
