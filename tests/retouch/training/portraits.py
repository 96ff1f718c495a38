"""A folder of pictures of which some give a crop and others must not."""

from pathlib import Path

from PIL import Image, ImageFilter
from skimage import data

KEPT = {"a.png", "deep/er/half.jpg", "mirrored.png", "turned.webp"}
LOST = {
    "again.png": "copy",
    "blank.png": "no face",
    "blurred.png": "blurred",
    "broken.jpg": "unreadable",
    "far.png": "too small",
    "grey.png": "grey",
    "notes.txt": "unreadable",
    "rim.png": "outside",
}


def make(folder: Path) -> Path:
    """Write the pictures; return their folder."""
    (folder / "deep/er").mkdir(parents=True)
    whole = Image.fromarray(data.astronaut())
    bust = whole.crop((100, 0, 350, 250))
    bust.save(folder / "a.png")
    bust.resize((190, 190)).save(folder / "deep/er/half.jpg", quality=95)
    bust.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(folder / "mirrored.png")
    bust.rotate(12, Image.Resampling.BICUBIC).save(
        folder / "turned.webp", lossless=True
    )
    (folder / "again.png").write_bytes((folder / "a.png").read_bytes())
    Image.new("RGB", (120, 120), (120, 140, 160)).save(folder / "blank.png")
    bust.filter(ImageFilter.GaussianBlur(2)).save(folder / "blurred.png")
    (folder / "broken.jpg").write_bytes(
        (folder / "deep/er/half.jpg").read_bytes()[:900]
    )
    bust.resize((107, 107)).save(folder / "far.png")
    bust.convert("L").save(folder / "grey.png")
    (folder / "notes.txt").write_text("No picture.")
    (folder / ".hidden").write_text("Not looked at.")
    bust.crop((50, 90, 250, 250)).save(folder / "rim.png")
    return folder
