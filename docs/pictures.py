"""Draw the pictures of README.md and of docs, of a public portrait.

python -m docs.pictures
"""

from pathlib import Path

import numpy as np
import skimage.data
from PIL import Image

from retouch.engine.drawing import annotated
from retouch.engine.retoucher import Retoucher
from retouch.faces.crop import cut
from retouch.faces.detect import Detector
from retouch.photos.photo import Photo, read
from retouch.settings import Settings, Skin
from retouch.skin.retouch import retouched

HERE = Path(__file__).parent
SIDE = 256  # pixels of a picture on a strip
SKIN, LARGE = 480, 560
QUALITY = 88


def strip(name: str, pictures: list[np.ndarray]) -> None:
    """Write pictures beside each other."""
    small = [
        Image.fromarray(p).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
        for p in pictures
    ]
    sheet = Image.new("RGB", (SIDE * len(small) + 8 * (len(small) - 1), SIDE), "white")
    for i, picture in enumerate(small):
        sheet.paste(picture, (i * (SIDE + 8), 0))
    sheet.save(HERE / name, quality=QUALITY)


def levels(image: np.ndarray) -> np.ndarray:
    """Return a network's image as pixels."""
    return np.rint(np.clip(image * 127.5 + 127.5, 0, 255)).astype(np.uint8)


def head(side: int) -> np.ndarray:
    """Return the portrait's head as a picture of its own."""
    whole = Image.fromarray(skimage.data.astronaut()[20:300, 90:370])
    return np.asarray(whole.resize((side, side), Image.Resampling.BICUBIC))


def edits(retoucher: Retoucher) -> None:
    """Draw the portrait as it was, beautified, without its smile, and other."""
    photo, settings = read(head(LARGE)), Settings()
    shown = [photo, retoucher.beautified(photo, Settings(strength=1.5)).photo]
    made_up = {"eye-make-up": 1.0, "lip-make-up": 0.7}
    for moves in ({"smile": -1.0}, {"age": 1.0}, {"glasses": 1.0}, made_up):
        shown.append(retoucher.edited(photo, moves, settings).photo)
    rows = [np.concatenate([p.pixels for p in shown[i : i + 3]], 1) for i in (0, 3)]
    Image.fromarray(np.concatenate(rows)).save(HERE / "edits.jpg", quality=QUALITY)


def portrait() -> None:
    """Retouch the skin of the portrait: before, after, and the change enlarged."""
    pixels = head(SKIN)
    face = Detector().find(pixels)[0]
    done, _ = retouched(Photo(pixels), [face], Skin(look="studio"))
    after = done.pixels
    change = np.clip(127.5 + 4.0 * (after.astype(float) - pixels), 0, 255)
    shown = np.concatenate([pixels, after, change.astype(np.uint8)], 1)
    Image.fromarray(shown).save(HERE / "skin.jpg", quality=QUALITY)


def main() -> None:
    """Follow one face through all steps."""
    photo = read(skimage.data.astronaut())
    retoucher, settings = Retoucher.load(), Settings(strength=1.5)
    session = retoucher.cut(photo, settings)
    (session,) = retoucher.invert([session], settings)
    task = retoucher.beautifying(settings)
    moved = retoucher.move([session], task, settings)
    result = retoucher.complete(session, moved, task.purpose, settings).photo
    decode = retoucher.model.decode
    before, after = decode(session.start)[0], decode(moved.latents)[0]
    seen = annotated(photo, list(session.found)).pixels
    mask = np.repeat(session.masks[0] * 255, 3, -1).astype(np.uint8)
    strip("concepts-seen.jpg", [seen, levels(session.images[0]), mask])
    gain = np.clip(127.5 + (after - before) * 127.5 * 2, 0, 255).astype(np.uint8)
    strip("concepts-moved.jpg", [levels(before), levels(after), gain])
    place = session.faces[0].transform(retoucher.model.template, SIDE)
    shown = [cut(p, place, SIDE) for p in (photo.pixels, result.pixels)]
    change = np.clip(127.5 + 3 * (shown[1] - shown[0]), 0, 255)
    strip(
        "concepts-stitched.jpg",
        [p.clip(0, 255).astype(np.uint8) for p in (*shown, change)],
    )
    edits(retoucher)
    portrait()


if __name__ == "__main__":
    main()
