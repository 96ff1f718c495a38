"""Transfers with the weights that ship, on a public-domain portrait."""

import dataclasses
import json

import numpy as np
import pytest
import skimage.data
from PIL import Image

from retouch.edits.way import Way
from retouch.engine.retoucher import Retoucher
from retouch.errors import FaceError, SettingsError
from retouch.expressions.aim import Aim
from retouch.expressions.spans import Faces, alphas, write
from retouch.expressions.transfer import Transfers, balanced
from retouch.expressions.transfer_options import Transferring
from retouch.photos.photo import Photo, read
from retouch.settings import Settings

USUAL, QUICK = Settings(), Settings(steps=4)
WISH = Transferring()


@pytest.fixture(scope="module")
def engine(retoucher):
    return Transfers(retoucher)


@pytest.fixture(scope="module")
def flow():
    return Transfers(Retoucher.load("glow"))


@pytest.fixture(scope="module")
def portrait():
    return read(skimage.data.astronaut())


def opened(transfers, portrait, settings=USUAL):
    session = transfers.cut(portrait, "The source", settings)
    return transfers.retoucher.invert([session], settings)[0]


@pytest.fixture(scope="module")
def session(engine, portrait):
    return opened(engine, portrait)


@pytest.fixture(scope="module")
def follower():
    """Return transfers of a model that has no moves learnt from people."""
    return Transfers(Retoucher.load("default128"))


@pytest.fixture(scope="module")
def followed(follower, portrait):
    return opened(follower, portrait, QUICK)


def graver(engine):
    """Return the aim of losing a deviation of happiness."""
    count = len(engine.expressions.spread)
    return Aim(np.zeros((1, count), np.float32), np.float32([-1]))


def view_of(session):
    from retouch.edits.edit import View

    return View(session.images, session.masks, session.start)


def graved(transfers, session):
    """Return the photo after a graver face was followed, and what is judged of it."""
    after = transfers._following.apply(
        view_of(session), graver(transfers), np.float32([1])
    )
    way = Way.straight(session.start, after)
    photo = transfers.retoucher.render(session, way, QUICK)
    examiner = transfers.retoucher.examiner
    old = examiner.seen(session.photo, session.faces)
    (seen,) = examiner.compare(old, photo, session.faces, "happy")
    return photo, seen


def test_following_shows_what_is_wanted_and_keeps_the_person(follower, followed):
    photo, seen = graved(follower, followed)
    assert seen["judged"][1] < seen["judged"][0] - 0.2
    assert seen["identity"] < 0.35
    (face,) = followed.faces
    again = follower.retoucher.detector.again(photo.pixels, face)
    assert abs(again.yaw - face.yaw) < 5 and abs(again.roll - face.roll) < 3


def test_alpha_zero_moves_nothing(engine, session, follower, followed):
    view = view_of(followed)
    after = follower._following.apply(view, graver(follower), np.float32([0]))
    assert (after == followed.start).all()
    still = dataclasses.replace(WISH, alpha=0.0)
    task = engine.task(session, session, [], still, QUICK)
    assert (task.move(view_of(session)).end == session.start).all()


def test_a_face_takes_on_what_it_lacks_as_people_do(engine, session):
    retoucher, moves = engine.retoucher, engine.retoucher.model.moves
    grave = retoucher.editing({"smile": -1.0}, QUICK)
    photo = retoucher.render(session, grave.move(view_of(session)), QUICK)
    target = opened(engine, photo)
    change = engine.lacking(moves, session, target, [])
    told = dict(zip(moves.names, change, strict=True))
    assert told["happy"] > 0.3 and told["age"] == told["weight"] == 0
    result = engine.run(target, engine.task(session, target, [], WISH, QUICK), QUICK)
    before, after = result.faces[0].judged
    assert after > before + 0.2
    own = engine.lacking(moves, session, session, [])
    assert np.abs(own).max() < 1e-5


def test_two_peoples_brows_are_mostly_their_own(engine, session):
    moves, pixels = engine.retoucher.model.moves, session.photo.pixels
    longer = np.asarray(Image.fromarray(pixels).resize((512, 640)))
    other = engine.cut(Photo(longer), "The target", QUICK)
    told = engine.lacking(moves, session, other, [])
    all_of_it = engine.lacking(moves, session, session, [other])
    parts = dict(
        zip(moves.names, told / np.where(all_of_it, all_of_it, 1), strict=True)
    )
    assert parts["happy"] == parts["mouth-open"] == 1
    assert 0.3 < parts["brow-height"] < 0.4 and 0.3 < parts["lip-thickness"] < 0.4
    assert parts["age"] == 0


def test_with_neutral_pictures_it_is_what_the_source_has_more(engine, session):
    moves = engine.retoucher.model.moves
    assert np.abs(engine.lacking(moves, session, session, [session])).max() < 1e-5


def test_a_face_lacks_nothing_of_its_own_expression(follower, followed):
    aim = follower.aim(followed, followed, [])
    assert np.allclose(aim.expression, 0)
    assert np.allclose(aim.happier, 0, atol=1e-5)


def test_a_picture_that_is_its_own_neutral_adds_nothing(flow, portrait):
    session = flow.cut(portrait, "The source", QUICK)
    offset = flow.difference(session, session, [session], QUICK)
    assert np.abs(offset).max() < 1e-3


def test_arithmetic_adds_alpha_of_the_difference(flow, portrait):
    session = flow.cut(portrait, "The source", QUICK)
    (session,) = flow.retoucher.invert([session], QUICK)
    offset = flow.difference(session, session, [], QUICK)
    assert np.abs(offset).max() > 0.1
    wish = dataclasses.replace(WISH, alpha=0.4, method="arithmetic")
    task = flow.task(session, session, [], wish, QUICK)
    expected = session.start + 0.4 * offset
    assert np.allclose(task.move(view_of(session)).end, expected, atol=1e-4)


def test_only_the_layers_of_expressions_move_in_a_plain_stylegan(engine):
    class Plain:
        config = type("Config", (), {"code": 0})

    held = engine.retoucher.model
    engine.retoucher.model = dataclasses.replace(held, generator=Plain())
    try:
        rows = engine._expressive((1, 18, 8))[0, :, 0]
    finally:
        engine.retoucher.model = held
    assert rows.tolist() == [0, *[1] * 7, *[0] * 10]
    assert (engine._expressive((1, 16, 8)) == 1).all()


def test_the_shipped_flow_undoes_itself(flow, portrait):
    model = flow.retoucher.model
    session = flow.cut(portrait, "The source", QUICK)
    latents = model.inverter.guess(session.images)
    assert np.abs(model.decode(latents) - session.images).max() < 1e-3


def test_means_weigh_expressions_out():
    rng = np.random.default_rng(0)
    told = rng.standard_normal((12, 4)) + np.array([1.0, 0, 0, 0])
    weights = balanced(told)
    assert weights.sum() == pytest.approx(1)
    assert (weights >= 0).all()
    even = np.linalg.norm(told.mean(0))
    assert np.linalg.norm(weights @ told) < 0.8 * even
    assert np.allclose(balanced(np.zeros((5, 4))), 0.2)


def test_the_mean_of_one_picture_is_that_picture(flow, portrait):
    session = flow.cut(portrait, "The source", QUICK)
    face = flow.mean([session], QUICK)
    assert face.weights.tolist() == [1]
    assert np.abs(face.image - session.images[0]).mean() < 0.02
    assert face.latent.shape == flow.retoucher.model.generator.latent_shape


def test_a_range_is_a_picture_an_alpha_a_sheet_and_a_list(flow, portrait, tmp_path):
    names = [tmp_path / "one.png", tmp_path / "two.png"]
    for name in names:
        Image.fromarray(portrait.pixels).save(name)
    session = flow.cut(portrait, "The source", QUICK)
    faces = Faces(session, session, [], tuple(names))
    settings = dataclasses.replace(QUICK, model="glow")
    wish = dataclasses.replace(WISH, method="arithmetic")
    write(flow, faces, [0.0, 0.5], wish, settings, tmp_path / "out")
    record = json.loads((tmp_path / "out/transfer.json").read_text())
    assert [row["alpha"] for row in record["outputs"]] == [0.0, 0.5]
    assert (tmp_path / "out" / record["source"]).resolve() == names[0].resolve()
    same = read(tmp_path / "out" / record["outputs"][0]["file"]).pixels
    assert (same == portrait.pixels).all()
    moved = read(tmp_path / "out" / record["outputs"][1]["file"]).pixels
    assert (moved != portrait.pixels).any()
    assert (tmp_path / "out/sheet.png").exists()


def test_what_cannot_be_is_refused_with_the_photos_name(engine, portrait):
    empty = Photo(np.full((200, 200, 3), 128, np.uint8))
    with pytest.raises(FaceError, match="The source: No face"):
        engine.cut(empty, "The source", QUICK)
    with pytest.raises(SettingsError, match="The target: There is no face 7"):
        engine.cut(portrait, "The target", QUICK, 7)


def test_options_out_of_range_are_refused():
    with pytest.raises(SettingsError, match=r"alpha must lie in \[0, 2\]; got 2.5"):
        Transferring(alpha=2.5)
    with pytest.raises(SettingsError, match="method is one of"):
        Transferring(method="magic")
    with pytest.raises(SettingsError, match="alpha must lie"):
        alphas("alpha=0:3:4", WISH)
    with pytest.raises(SettingsError, match=r"alpha=0\.3:0\.5:11"):
        alphas("smile=0:1:3", WISH)
    assert alphas("alpha=0.3:0.5:11", WISH)[1] == 0.32


def test_following_needs_a_reader_of_traits(flow, portrait):
    session = flow.cut(portrait, "The source", QUICK)
    blind = dataclasses.replace(flow.retoucher.model, traits=None)
    with pytest.raises(SettingsError, match="--method arithmetic"):
        wish = Transferring(method="follow")
        Transfers(Retoucher(blind)).task(session, session, [], wish, QUICK)


def test_a_flow_follows_by_the_reader_of_its_latents(flow, portrait):
    session = flow.cut(portrait, "The source", QUICK)
    (session,) = flow.retoucher.invert([session], QUICK)
    _, seen = graved(flow, session)
    assert seen["judged"][1] < seen["judged"][0] - 0.2
    assert seen["identity"] < 0.35
