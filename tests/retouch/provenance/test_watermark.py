"""The hidden mark: not seen, inside the face, found again, and seldom by chance."""

import io

import numpy as np
import pytest
import skimage.data
from PIL import Image
from scipy.stats import gumbel_r

from retouch.provenance import watermark
from retouch.stitching import mask


@pytest.fixture(scope="module")
def photo():
    """A portrait with a face of some 250 pixels, so that half of it is large enough."""
    image = Image.fromarray(skimage.data.astronaut()).crop((100, 0, 356, 256))
    return np.asarray(image.resize((600, 600), Image.Resampling.BICUBIC))


@pytest.fixture(scope="module")
def face(detector, photo):
    return detector.find(photo)[0]


@pytest.fixture(scope="module")
def marked(photo, face):
    return watermark.add(photo, face)


def jpeg(pixels, side=None):
    image, file = Image.fromarray(pixels), io.BytesIO()
    if side:
        image = image.resize((side, side), Image.Resampling.LANCZOS)
    image.save(file, "JPEG", quality=75)
    return np.asarray(Image.open(file).convert("RGB"))


@pytest.mark.parametrize("change", [lambda p: p, jpeg, lambda p: jpeg(p, 300)])
def test_the_mark_is_found_as_it_is_as_jpeg_and_halved(change, marked, photo, detector):
    for pixels, there in ((marked, True), (photo, False)):
        seen = change(pixels)
        found = watermark.likeness(seen, detector.find(seen)[0])
        assert (found >= watermark.PRESENT) == there, found


def test_it_turns_and_scales_with_the_picture(marked, detector):
    image = Image.fromarray(marked).rotate(8, Image.Resampling.BICUBIC)
    seen = np.asarray(image.resize((400, 400), Image.Resampling.LANCZOS))
    found = watermark.likeness(seen, detector.find(seen)[0])
    assert found >= watermark.PRESENT


def test_nobody_sees_it_and_nothing_outside_the_mask_changes(photo, face, marked):
    to_crop = face.transform(watermark.TIGHT, 512)
    room = mask.draw(face, to_crop, 512, photo.shape)
    from retouch.faces.crop import uncut, window_of

    window = window_of(to_crop, 512, photo.shape)
    inside = np.zeros(photo.shape[:2], bool)
    inside[window.slices] = uncut(room[..., None], to_crop, window)[..., 0] > 0
    differs = (marked != photo).any(-1)
    assert not (differs & ~inside).any()
    gap = (marked.astype(float) - photo)[inside]
    assert 10 * np.log10(255**2 / (gap**2).mean()) >= 45
    assert np.abs(gap).max() <= 8


def test_sixteen_bits_are_marked_as_much(photo, face):
    deep = photo.astype(np.uint16) * np.uint16(257)
    found = watermark.add(deep, face)
    assert found.dtype == np.uint16
    gap = (found.astype(float) - deep) / 257
    assert np.abs(gap).max() <= 8 and gap.any()
    assert watermark.likeness(found, face) >= watermark.PRESENT


def test_by_chance_it_is_found_less_than_once_in_ten_thousand_faces(photo, face):
    spectra = list(watermark.spectra(photo, face))
    others = np.stack([watermark.template(seed) for seed in range(1, 151)])
    chance = watermark.likeness_to(others, spectra)
    assert max(chance) < watermark.PRESENT
    # Highest correlations follow Gumbel's law, whose tail tells of what is rarer.
    assert gumbel_r.sf(watermark.PRESENT, *gumbel_r.fit(chance)) < 1e-4


def test_a_face_that_may_not_change_gets_no_mark(photo, face):
    outside = face.moved(watermark.Similarity.shifting(4000, 0))
    assert np.array_equal(watermark.add(photo, outside), photo)


def test_what_hides_a_face_gets_no_mark(photo, face):
    free = np.ones((watermark.SIDE, watermark.SIDE), np.float32)
    free[:, : watermark.SIDE // 2] = 0
    differs = (watermark.add(photo, face, visible=free) != photo).any(-1)
    across = watermark.place(face)(np.argwhere(differs)[:, ::-1] + 0.5)[:, 0]
    assert across.size and across.min() > watermark.SIDE / 2 - 3
