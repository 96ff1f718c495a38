"""What front and workers tell each other."""

import io

from hypothesis import given
from hypothesis import strategies as st

from retouch.service.frames import Frame, read, write

words = st.dictionaries(st.text(), st.text() | st.integers() | st.booleans())


@given(words, st.dictionaries(st.text(), st.binary()))
def test_a_frame_arrives_as_it_was_sent(said, blobs):
    pipe = io.BytesIO()
    write(Frame(said, blobs), pipe)
    write(Frame({"kind": "next"}), pipe)
    pipe.seek(0)
    first, second = read(pipe), read(pipe)
    assert (first.words, first.blobs) == (said, blobs)
    assert second.kind == "next" and read(pipe) is None


@given(st.integers(0, 60))
def test_a_frame_that_was_cut_short_is_none(length):
    pipe = io.BytesIO()
    write(Frame({"kind": "done"}, {"picture": bytes(100)}), pipe)
    assert read(io.BytesIO(pipe.getvalue()[:length])) is None
