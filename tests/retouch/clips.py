"""Clips made of a portrait that wanders, with a tone for sound; and a plain effect."""

import av
import numpy as np
import skimage.data

PORTRAIT = skimage.data.astronaut()[:300, 60:420]  # (300, 360, 3), one face
RATE = 25


def frames(count, step=2):
    """Return frames in which the portrait moves to the right."""
    return [np.roll(PORTRAIT, step * i, 1) for i in range(count)]


def write(path, shown, *, sound="aac", rate=RATE):
    """Write frames with a tone of the same length; return the path."""
    with av.open(str(path), "w") as out:
        pictures = out.add_stream("libx264", rate=rate, options={"crf": "12"})
        pictures.height, pictures.width = shown[0].shape[:2]
        pictures.pix_fmt = "yuv420p"
        tone = out.add_stream(sound, rate=44100, layout="mono") if sound else None
        for pixels in shown:
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            out.mux(pictures.encode(frame))
        out.mux(pictures.encode(None))
        if tone is not None:
            _sound(out, tone, len(shown) / rate)
    return path


def _sound(out, tone, seconds):
    wave = 0.3 * np.sin(2 * np.pi * 440 / 44100 * np.arange(int(44100 * seconds)))
    for start in range(0, len(wave), 1024):
        part = wave[None, start : start + 1024].astype(np.float32)
        frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="mono")
        frame.sample_rate, frame.pts = 44100, start
        out.mux(tone.encode(frame))
    out.mux(tone.encode(None))


class Negative:
    """An effect that is easily seen: the negative of each face's box."""

    name = "negative"

    def __init__(self):
        self.seen, self.sums = 0, []

    def apply(self, pixels, tracks, time):
        pixels = pixels.copy()
        for track in tracks:
            left, top, right, bottom = (max(0, round(v)) for v in track.face.box)
            pixels[top:bottom, left:right] = 255 - pixels[top:bottom, left:right]
            self.seen += 1
        self.sums.append(int(pixels.sum()))
        return pixels

    def state(self):
        return {"seen": np.array(self.seen)}

    def resume(self, kept):
        self.seen = int(kept["seen"])
