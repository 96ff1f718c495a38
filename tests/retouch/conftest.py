"""What is loaded once for all tests: the engine with the model that ships."""

import pytest

from retouch.engine.retoucher import Retoucher
from retouch.faces.detect import Detector
from retouch.models import Model


@pytest.fixture(scope="session")
def detector():
    return Detector()


@pytest.fixture(scope="session")
def retoucher(detector):
    return Retoucher(Model.load(), detector)
