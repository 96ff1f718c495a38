"""Pictures in every mode, made from seeds, and files of them."""

import io

import numpy as np
from PIL import Image

CHANNELS = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4, "CMYK": 4}


def noise(shape, seed=0, dtype=np.uint8):
    top = np.iinfo(dtype).max
    return np.random.default_rng(seed).integers(0, top, shape, dtype, endpoint=True)


def portrait(height=96, width=80):
    """Return smooth RGB pixels, as JPEG likes them."""
    y, x = np.mgrid[:height, :width]
    channels = [x * 255 // width, y * 255 // height, (x + y) * 255 // (width + height)]
    return np.stack(channels, -1).astype(np.uint8)


def picture(mode, width=23, height=17, seed=0):
    if mode == "1":
        return Image.fromarray(noise((height, width), seed) > 127)
    if mode == "P":
        image = Image.fromarray(noise((height, width), seed) // 2)
        image.putpalette(noise(128 * 3, seed).tobytes())
        return image
    if mode == "I;16":
        return Image.fromarray(noise((height, width), seed, np.uint16))
    samples = noise((height, width, CHANNELS[mode]), seed)
    return Image.frombytes(mode, (width, height), samples.tobytes())


def saved(image, format, **options):
    file = io.BytesIO()
    if format == "WEBP":
        options |= {"lossless": True, "exact": True}
    image.save(file, format, **options)
    return file.getvalue()


def same(one, two):
    both = (one.pixels == two.pixels).all()
    if one.alpha is None or two.alpha is None:
        return both and one.alpha is two.alpha
    return both and (one.alpha == two.alpha).all()
