"""A signer for all tests of signatures, and a photo before and after."""

import numpy as np
import pytest

from tests.retouch.pictures import portrait


@pytest.fixture(scope="session")
def studio(tmp_path_factory):
    """A folder with the PEM files of a signer and of its root."""
    pytest.importorskip("c2pa")
    from tests.retouch.provenance import keys

    return keys.write(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def signing(studio, monkeypatch):
    """The environment names the signer's files."""
    monkeypatch.setenv("RETOUCH_SIGN_KEY", str(studio / "key.pem"))
    monkeypatch.setenv("RETOUCH_SIGN_CERT", str(studio / "chain.pem"))
    return studio


@pytest.fixture
def pair():
    """Pixels before and after an edit in two places."""
    before = portrait(200, 260)
    after = before.copy()
    after[20:60, 30:90] ^= 3
    after[150:190, 220:259] = 255 - after[150:190, 220:259]
    return before, np.ascontiguousarray(after)
