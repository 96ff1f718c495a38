from fractions import Fraction

import av
import numpy as np
import pytest

from retouch.errors import DependencyError, PhotoError
from retouch.photos.film import Film, Recorder, check, codec_for, join
from tests.retouch import clips


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return clips.write(tmp_path_factory.mktemp("clips") / "in.mp4", clips.frames(6))


def shown(path):
    with Film(path) as film:
        return list(film.frames())


def test_frames_come_upright_with_their_times(clip):
    with Film(clip) as film:
        assert (film.rate, film.count) == (Fraction(25), 6)
        frames = list(film.frames())
    assert [round(f.moment, 4) for f in frames] == [0, 0.04, 0.08, 0.12, 0.16, 0.2]
    error = np.abs(frames[3].pixels.astype(int) - clips.frames(6)[3])
    assert error.mean() < 4


@pytest.mark.parametrize("size", [(96, 64), (63, 47)])
def test_what_is_recorded_reads_back_alike(tmp_path, size):
    height, width = size
    pixels = np.empty((height, width, 3), np.uint8)
    pixels[:] = np.linspace(30, 220, width)[None, :, None]
    path, part = tmp_path / "out.mkv", tmp_path / "part"
    base = Fraction(1, 90000)
    with Recorder(part, codec_for(path), base, Fraction(30), "nut") as recorder:
        for i in range(4):
            recorder.add(pixels, 3000 * i)
    join([part], None, path)
    frames = shown(path)
    assert [f.pixels.shape for f in frames] == [(height, width, 3)] * 4
    assert np.abs(frames[2].pixels.astype(int) - pixels).mean() < 3
    assert frames[3].moment == pytest.approx(0.1, abs=1e-3)


def test_colours_of_high_definition_survive(tmp_path):
    pixels = np.zeros((720, 64, 3), np.uint8)
    pixels[:] = (200, 60, 40)
    part, path = tmp_path / "part", tmp_path / "out.mp4"
    with Recorder(part, "libx264", Fraction(1, 25), Fraction(25), "nut") as recorder:
        recorder.add(pixels, 0)
    join([part], None, path)
    assert np.abs(shown(path)[0].pixels.astype(int) - pixels).max() < 8


def test_parts_join_with_the_source_s_sound(clip, tmp_path):
    parts, out = [tmp_path / "0", tmp_path / "1"], tmp_path / "out.mp4"
    frames = shown(clip)
    for part, some in zip(parts, (frames[:3], frames[3:]), strict=True):
        with Film(clip) as film:
            recorder = Recorder(part, "libx264", film.base, film.rate, "nut")
        with recorder:
            for frame in some:
                recorder.add(frame.pixels, frame.tick)
    join(parts, clip, out, notes={"comment": "made"})
    assert [f.moment for f in shown(out)] == [f.moment for f in frames]
    assert sound(out) == sound(clip)
    with av.open(str(out)) as container:
        assert container.metadata["comment"] == "made"
        assert container.streams.video[0].average_rate == 25
    assert list(tmp_path.glob(".*")) == []


def sound(path):
    with av.open(str(path)) as container:
        packets = container.demux(audio=0)
        return [(p.pts, bytes(p)) for p in packets if p.dts is not None]


def test_sound_that_does_not_fit_is_a_sentence_and_leaves_nothing(clip, tmp_path):
    out = tmp_path / "out.webm"
    part = tmp_path / "part"
    with Recorder(part, "libvpx-vp9", Fraction(1, 25), Fraction(25), "nut") as recorder:
        recorder.add(clips.PORTRAIT, 0)
    with pytest.raises(PhotoError, match=r"aac.*\.mkv"):
        join([part], clip, out)
    assert [p.name for p in tmp_path.iterdir()] == ["part"]


def test_a_turned_phone_video_is_read_upright(tmp_path):
    path = clips.write(tmp_path / "flat.mp4", clips.frames(1), sound=None)
    data = path.read_bytes()
    # The track's matrix in its header says by how much players are to turn it.
    at = data.index(b"tkhd") + 4 + 40
    unit = int.to_bytes(1 << 16, 4, "big")
    back = int.to_bytes((1 << 32) - (1 << 16), 4, "big")
    zero, one = bytes(4), int.to_bytes(1 << 30, 4, "big")
    quarter = b"".join([zero, unit, zero, back, zero, zero, zero, zero, one])
    path.write_bytes(data[:at] + quarter + data[at + 36 :])
    pixels = shown(path)[0].pixels
    assert pixels.shape == (360, 300, 3)
    expected = np.rot90(clips.PORTRAIT, -1)
    assert np.abs(pixels.astype(int) - expected).mean() < 4


def test_what_is_no_video_is_a_sentence(tmp_path):
    with pytest.raises(PhotoError, match="no file"):
        Film(tmp_path / "none.mp4")
    path = tmp_path / "text.mp4"
    path.write_text("no video")
    with pytest.raises(PhotoError, match="cannot be read as a video"):
        Film(path)


def test_a_codec_that_is_not_there_and_unknown_kinds_are_sentences(tmp_path):
    assert codec_for(tmp_path / "a.mp4", {"mpeg4", "libx264"}) == "libx264"
    assert codec_for(tmp_path / "a.mp4", {"mpeg4"}) == "mpeg4"
    with pytest.raises(DependencyError, match=r"codecs that a \.webm file needs"):
        codec_for(tmp_path / "a.webm", {"mpeg4"})
    with pytest.raises(PhotoError, match=r"Known: \.mp4"):
        check(tmp_path / "a.png", force=False)
    (tmp_path / "a.mp4").touch()
    with pytest.raises(PhotoError, match="exists already"):
        check(tmp_path / "a.mp4", force=False)
