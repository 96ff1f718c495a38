"""Faces kept as latents, with the weights that ship, on a public-domain portrait."""

import dataclasses

import numpy as np
import pytest
import skimage.data

from retouch.engine.session import KnownFaces
from retouch.errors import FaceError, SettingsError
from retouch.geometry import Face
from retouch.inversion import latent_files
from retouch.jobs import saved_faces
from retouch.photos.photo import read
from retouch.settings import Settings

QUICK = Settings(steps=2)
OTHER_LENGTH = Settings(steps=0)


@pytest.fixture(scope="module")
def portrait():
    return read(skimage.data.astronaut())


@pytest.fixture(scope="module")
def face(retoucher, portrait):
    (found,) = saved_faces.invert(retoucher, portrait, QUICK, copies=2)
    return found


def test_a_kept_face_is_edited_as_if_it_were_inverted_now(retoucher, portrait, face):
    wanted = retoucher.edited(portrait, {"age": 1.0}, QUICK)
    known = saved_faces.known(retoucher, portrait, [face.saved])
    found = retoucher.edited(known, {"age": 1.0}, OTHER_LENGTH)
    np.testing.assert_array_equal(found.photo.pixels, wanted.photo.pixels)


def test_the_way_is_drawn_from_guess_to_result(face, retoucher):
    assert face.copies.shape == (2, *face.image.shape)
    result = retoucher.model.decode(face.saved.latents[None])[0]
    np.testing.assert_allclose(face.copies[-1], result, atol=1e-4)
    assert np.abs(face.copies[0] - result).mean() > 1e-3
    assert 20 < face.saved.fidelity < 40


def test_a_face_is_drawn_as_its_generator_sees_it(retoucher, face):
    plain = saved_faces.drawn(retoucher, face.saved, {}, QUICK).pixels
    older = saved_faces.drawn(retoucher, face.saved, {"age": 1.0}, QUICK).pixels
    assert plain.shape == (256, 256, 3) and plain.dtype == np.uint8
    own = face.image * 127.5 + 127.5
    assert np.abs(plain - own).mean() < 12
    assert 0.5 < np.abs(older.astype(float) - plain).mean() < 30


def test_the_latents_of_another_face_are_refused(retoucher, portrait, face):
    turned = read(np.ascontiguousarray(portrait.pixels[::-1, ::-1]))
    with pytest.raises(SettingsError, match="do not show the face"):
        saved_faces.known(retoucher, turned, [face.saved])


def test_known_faces_are_chosen_among_like_found_ones(retoucher, portrait, face):
    own, copies = (
        face.saved.face,
        np.stack([face.saved.latents, face.saved.latents + 1]),
    )
    known = KnownFaces(portrait, (own, own), copies)
    session = retoucher.cut(known, dataclasses.replace(QUICK, faces="1"))
    assert session.chosen == (1,)
    np.testing.assert_array_equal(session.start, copies[1:])
    (same,) = retoucher.invert([session], QUICK)
    np.testing.assert_array_equal(same.start, copies[1:])


def test_the_latents_of_another_model_are_refused(retoucher, face):
    other = dataclasses.replace(face.saved, sha256="another")
    with pytest.raises(SettingsError, match="another version"):
        saved_faces.suited(retoucher, [other])


def test_two_tuned_faces_are_refused(retoucher, face):
    tuned = dataclasses.replace(face.saved, tuned={"x": np.zeros(1, "f4")})
    with pytest.raises(SettingsError, match="worked on alone; got 2 files"):
        saved_faces.suited(retoucher, [tuned, face.saved])


def test_a_face_mostly_outside_the_photo_is_left_alone(retoucher, portrait, face):
    moved = Face(
        face.saved.face.landmarks - (face.saved.face.landmarks.mean(0)),
        face.saved.face.box,
    )
    session = retoucher.cut(KnownFaces(portrait, (moved,)), QUICK)
    assert not session.chosen and "lies in the photo, half" in session.notes[0]


def test_a_photo_with_only_tiny_faces_has_none_to_invert(retoucher, portrait, face):
    tiny = Face(face.saved.face.landmarks * 0.1, face.saved.face.box)
    with pytest.raises(FaceError, match="No face can be inverted: too small"):
        saved_faces.invert(retoucher, KnownFaces(portrait, (tiny,)), QUICK)


@pytest.mark.slow
def test_a_tuned_face_is_nearer_and_small_and_can_be_edited(
    retoucher, portrait, face, tmp_path
):
    (found,) = saved_faces.invert(retoucher, portrait, Settings(steps=10), tune=True)
    assert found.saved.fidelity > face.saved.fidelity + 1
    latent_files.save(found.saved, tmp_path / "face.npz")
    assert (tmp_path / "face.npz").stat().st_size < 2 * 2**20
    again = latent_files.load(tmp_path / "face.npz")
    own = saved_faces.suited(retoucher, [again])
    known = saved_faces.known(own, portrait, [again])
    done = own.edited(known, {"age": 1.0}, QUICK)
    assert done.faces[0].changed["age"] > 0.15
