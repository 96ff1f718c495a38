import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut, coffee

from retouch.errors import DependencyError, FaceError, SettingsError
from retouch.faces.detect import Detector
from retouch.geometry import Similarity, anchors

PORTRAIT = Image.fromarray(astronaut())
CENTRE = np.array([224.0, 121.0])  # of the astronaut's face
SIZE = 108.0


@pytest.fixture(scope="module")
def landmarks(detector):
    return detector.find(astronaut())[0].landmarks


def resized(side):
    return np.asarray(PORTRAIT.resize((side, side), Image.Resampling.LANCZOS))


def on_canvas(shape, *places):
    """Lay the head, `size` pixels a face, at each place of a still life."""
    still = Image.fromarray(coffee()).resize(shape, Image.Resampling.BICUBIC)
    for (x, y), size in places:
        side = round(512 * size / SIZE)
        head = PORTRAIT.resize((side, side), Image.Resampling.LANCZOS)
        box = np.array([120, 0, 330, 250]) * side // 512
        still.paste(head.crop(tuple(box.tolist())), (x, y))
    return np.asarray(still)


def off(face, landmarks):
    """Return the mean distance of the landmarks in parts of the face's size."""
    return np.hypot(*(face.landmarks - landmarks).T).mean() / face.size


def test_one_face_is_found_where_it_is(detector):
    (face,) = detector.find(astronaut())
    left, top, right, bottom = face.box
    assert np.hypot(*((left + right) / 2, (top + bottom) / 2) - CENTRE) < 8
    assert abs(face.size - SIZE) < 8 and abs(face.roll) < 8 and abs(face.yaw) < 12
    assert face.confidence > 0.8
    eye, other, mouth = anchors(face.landmarks)
    assert eye[0] < other[0] < 260 and mouth[1] > eye[1] + 25


@pytest.mark.parametrize("side", [200, 256, 400, 768, 1024, 2048])
def test_a_face_of_40_pixels_or_more_is_found_at_any_size(detector, landmarks, side):
    face = detector.find(resized(side))[0]
    assert off(face, landmarks * side / 512) < 0.03


@pytest.mark.parametrize("angle", [0, 30, 45, 90, 120, 180, 225, 255, 300, 330])
def test_a_face_turned_by_any_angle_is_found(detector, landmarks, angle):
    turned = PORTRAIT.rotate(-angle, Image.Resampling.BICUBIC, expand=True)
    face = detector.find(np.asarray(turned))[0]
    about = Similarity.shifting(turned.width / 2, turned.height / 2)
    about = about @ Similarity.turning(angle) @ Similarity.shifting(-256, -256)
    assert off(face, about(landmarks)) < 0.05
    assert abs((face.roll - angle + 180) % 360 - 180) < 8


def test_several_faces_come_largest_first(detector):
    places = [((40, 60), 90), ((500, 40), 150), ((900, 300), 60), ((60, 420), 110)]
    faces = detector.find(on_canvas((1200, 800), *places))
    assert [round(face.size, -1) for face in faces] == [150, 110, 90, 60]


def test_the_order_does_not_depend_on_the_run(detector):
    photo = on_canvas((1200, 600), ((40, 60), 100), ((600, 60), 100))
    boxes = [[face.box for face in detector.find(photo)] for _ in range(2)]
    assert boxes[0] == boxes[1] and boxes[0][0][0] < boxes[0][1][0]


SMALL = [((1400 * i + 100, 900 * j + 200), 45) for i in range(3) for j in (0, 2)]


@pytest.mark.parametrize("smallest", [None, 40])
def test_small_faces_beside_a_large_one_in_a_large_photo_are_found(detector, smallest):
    photo = on_canvas((4000, 3000), *SMALL, ((2000, 1000), 400))
    sizes = [face.size for face in detector.find(photo, smallest=smallest)]
    assert len(sizes) == 7
    assert abs(sizes[0] - 400) < 30 and np.abs(np.subtract(sizes[1:], 45)).max() < 6


@pytest.mark.parametrize("angle", [90, 180, 315])
def test_a_turned_face_beside_an_upright_one_is_found(detector, angle):
    photo = Image.fromarray(on_canvas((1600, 1000), ((100, 200), 160)))
    head = PORTRAIT.crop((120, 0, 330, 250)).resize((315, 375))
    photo.paste(head.rotate(-angle, Image.Resampling.BICUBIC, expand=True), (900, 300))
    upright, turned = sorted(detector.find(np.asarray(photo)), key=lambda f: f.box[0])
    assert abs(upright.roll) < 8
    assert abs((turned.roll - angle + 180) % 360 - 180) < 10


def test_a_small_face_alone_in_a_large_photo_is_found(detector):
    (face,) = detector.find(on_canvas((3600, 2400), ((3000, 1900), 45)))
    assert abs(face.size - 45) < 5


@pytest.mark.parametrize("side", [128, 300, 1500])
def test_a_face_that_fills_the_photo_is_found(detector, side):
    tight = PORTRAIT.crop((172, 66, 274, 184)).resize((side, side * 118 // 102))
    (face,) = detector.find(np.asarray(tight))
    assert 0.8 < face.size / side < 1.25


def test_half_a_face_is_none(detector):
    half = np.asarray(PORTRAIT.crop((224, 40, 400, 200)))
    assert detector.find(half) == []


@pytest.mark.parametrize("size", [(3, 3), (1, 1), (400, 2), (600, 400)])
def test_no_face_gives_an_empty_list(detector, size):
    assert detector.find(on_canvas(size)) == []


def test_eyes_are_no_faces(detector):
    photo = np.asarray(PORTRAIT.crop((130, 20, 320, 210)).resize((1900, 1900)))
    assert len(detector.find(photo, smallest=40)) == 1


def test_a_face_of_16_bits_or_in_grey_is_the_same_face(detector, landmarks):
    deep = astronaut().astype(np.uint16) * 257
    grey = np.asarray(PORTRAIT.convert("L"))
    for photo in (deep, grey, grey[..., None], np.dstack([astronaut(), grey])):
        assert off(detector.find(photo)[0], landmarks) < 0.01


def test_a_mirrored_face_has_mirrored_landmarks(detector, landmarks):
    face = detector.find(np.ascontiguousarray(astronaut()[:, ::-1]))[0]
    eyes = np.array(anchors(face.landmarks))[[1, 0, 2]]
    expected = np.array(anchors(landmarks))
    assert np.abs((512, 0) + eyes * (-1, 1) - expected).max() < 0.02 * SIZE


def test_a_known_face_is_read_again_in_a_changed_photo(detector, landmarks):
    (face,) = detector.find(astronaut())
    moved = np.roll(astronaut(), (3, 5), (0, 1))
    assert off(detector.again(moved, face), landmarks + np.array([5, 3])) < 0.02


def test_threads_share_one_detector(detector):
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(detector.find, [astronaut()] * 8))
    assert len({faces[0].box for faces in found}) == 1


def test_24_megapixels_take_no_more_than_a_few_times_what_one_takes(detector):
    small = on_canvas((1225, 816), ((300, 100), 200))
    large = np.asarray(Image.fromarray(small).resize((6000, 4000)))
    seconds = [_cpu_seconds(detector, photo) for photo in (small, large)]
    assert seconds[1] < 6 * max(seconds[0], 0.15)


def _cpu_seconds(detector, photo):
    start = time.process_time()
    assert len(detector.find(photo)) == 1
    return time.process_time() - start


def covered(name):
    """Return the head with something in the way of its gradients."""
    head = astronaut()[:300, 80:380].copy()
    if name == "dark glasses":
        head[95:118, 100:195] = 20
    elif name == "a scarf":
        head[130:230, 90:200] = 200, 40, 40
    elif name == "half in shadow":
        head[:, 145:] = head[:, 145:] * 0.12
    elif name == "a low hat":
        head[60:95, 80:210], head[95:118, 100:195] = 30, 20
    return head


@pytest.mark.parametrize(
    "name", ["dark glasses", "a scarf", "half in shadow", "a low hat"]
)
def test_the_network_finds_a_face_that_gradients_miss(detector, landmarks, name):
    (face,) = detector.find(covered(name))
    assert off(face, landmarks - (80, 0)) < 0.1


def test_landmarks_that_lie_elsewhere_than_the_network_says_are_no_face(
    detector, monkeypatch
):
    head = covered("a scarf")
    (seen,) = detector._blazeface.find(head)
    points = seen.points.copy()
    points[2, 0] += 0.3 * seen.frame.scale  # a nose as in a profile
    beside = replace(seen, points=points)
    monkeypatch.setattr(detector._blazeface, "find", lambda photo: [beside])
    assert detector.find(head) == []


@pytest.mark.parametrize("smallest", [0, 39, float("nan")])
def test_a_smallest_face_too_small_is_refused(detector, smallest):
    with pytest.raises(SettingsError, match="at least 40"):
        detector.find(astronaut(), smallest=smallest)


def test_pixels_that_are_no_photo_are_refused(detector):
    with pytest.raises(ValueError, match="uint8 or uint16; got float64"):
        detector.find(np.zeros((9, 9, 3)))


def test_a_missing_dlib_names_the_command_that_mends_it(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "dlib", None)
    with pytest.raises(DependencyError, match="pip install dlib-bin"):
        Detector()


def test_who_must_be_present_is_missed_in_a_sentence(detector):
    assert len(detector.present(astronaut())) == 1
    with pytest.raises(FaceError, match=r"No face was found .* turned to the camera\."):
        detector.present(np.full((300, 400, 3), 90, np.uint8))
