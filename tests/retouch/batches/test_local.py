from hypothesis import given
from hypothesis import strategies as st

from retouch.batches.job import Picture
from retouch.batches.local import parts
from retouch.batches.worker import GROUP


@given(st.integers(0, 300), st.integers(1, 16))
def test_every_picture_is_handed_out_once_and_the_last_ones_alone(count, workers):
    pictures = [Picture(f"{i}.jpg", f"{i}.jpg") for i in range(count)]
    groups = list(parts(pictures, workers))
    assert [picture for group in groups for picture in group] == pictures
    sizes = [len(group) for group in groups]
    assert sizes == sorted(sizes, reverse=True)
    assert all(size <= GROUP for size in sizes)
    assert sizes[-workers:] == [1] * min(count, workers)


def test_two_workers_have_about_as_much_to_do():
    sizes = [len(group) for group in parts([Picture("a", "a")] * 21, 2)]
    done = [0, 0]
    for size in sizes:
        done[done.index(min(done))] += size
    assert abs(done[0] - done[1]) <= 1
