"""Schedules rise, stay and fall as they say."""

import numpy as np
import pytest

from retouch.presets import PRESETS, PUBLISHED, Schedule


def test_the_published_schedule_rises_for_a_twentieth_and_falls_for_a_quarter():
    rates = np.array([PUBLISHED.at(i, 1000) for i in range(1000)])
    assert rates[0] == pytest.approx(0.1 / 50) and rates[49] == pytest.approx(0.1)
    np.testing.assert_allclose(rates[50:750], 0.1)
    assert (np.diff(rates[750:]) < 0).all() and rates[-1] < 1e-6
    assert rates[874] == pytest.approx(0.05)


@pytest.mark.parametrize("steps", [0, 1, 2, 40])
def test_a_rate_is_finite_and_positive_however_few_the_steps(steps):
    rates = [Schedule(0.2).at(i, steps) for i in range(steps + 1)]
    assert all(0 < rate <= 0.2 for rate in rates)


def test_longer_presets_take_more_steps():
    steps = [PRESETS[name].steps for name in ("fast", "balanced", "faithful")]
    assert steps == sorted(steps) and steps[0] > 0
