"""What is kept between requests, and for how long."""

import pytest

from retouch.errors import SettingsError
from retouch.service.limits import Limits
from retouch.service.refusals import Refused
from retouch.service.store import Store


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def dropped():
    return []


def store(clock, dropped, **limits):
    return Store(Limits(**limits), dropped.append, clock)


def test_what_is_kept_is_given_back_until_its_time_is_over(clock, dropped):
    kept = store(clock, dropped, keep_seconds=10.0)
    name = kept.name()
    kept.put(name, b"photo", b"state")
    clock.now = 9
    assert kept.get(name).photo == b"photo"
    clock.now = 18  # being asked for, its time began anew
    assert kept.get(name).state == b"state"
    clock.now = 29
    with pytest.raises(Refused, match="send the photo") as refused:
        kept.get(name)
    assert refused.value.status == 404 and dropped == [name] and kept.size == 0


def test_sweeping_lets_go_without_being_asked(clock, dropped):
    kept = store(clock, dropped, keep_seconds=10.0)
    kept.put("a", b"photo", b"state")
    clock.now = 11
    kept.sweep()
    assert len(kept) == 0 and dropped == ["a"]


def test_the_longest_unused_goes_first(clock, dropped):
    kept = store(clock, dropped, keep_count=2)
    kept.put("a", b"1", b"")
    kept.put("b", b"2", b"")
    kept.get("a")
    kept.put("c", b"3", b"")
    assert dropped == ["b"] and kept.get("a").photo == b"1"


def test_the_bytes_kept_are_bounded(clock, dropped):
    kept = store(clock, dropped, keep_bytes=2**20)
    for name in "abcd":
        kept.put(name, bytes(400_000), b"")
    assert kept.size <= 2**20 and dropped == ["a", "b"]


def test_a_name_cannot_be_guessed_nor_dropped_twice(clock, dropped):
    kept = store(clock, dropped)
    names = {kept.name() for _ in range(1000)}
    assert len(names) == 1000 and min(map(len, names)) >= 20
    kept.put("a", b"", b"")
    kept.drop("a")
    with pytest.raises(Refused):
        kept.drop("a")


def test_limits_out_of_range_are_refused():
    with pytest.raises(SettingsError, match="max-bytes must lie in"):
        Limits(max_bytes=1)
