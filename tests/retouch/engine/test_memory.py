"""What is known of a face of a photo is found once, and never for another photo."""

import numpy as np

from retouch.engine.memory import KEPT, Memory
from retouch.geometry import Face


def face(x=0.0):
    return Face(np.full((68, 2), x), (0.0, 0.0, 1.0, 1.0))


def photo(level, writeable=False):
    pixels = np.full((4, 4, 3), level, np.uint8)
    pixels.flags.writeable = writeable
    return pixels


class Looks:
    def __init__(self):
        self.count = 0

    def __call__(self, pixels, face):
        self.count += 1
        return int(pixels[0, 0, 0]), face.landmarks[0, 0]


def test_the_same_face_of_the_same_photo_is_looked_at_once():
    looks, pixels = Looks(), photo(7)
    memory = Memory(looks)
    assert [memory(pixels, face()) for _ in range(3)] == 3 * [(7, 0)]
    assert memory(pixels, face(1.0)) == (7, 1)
    assert looks.count == 2


def test_what_is_known_of_a_face_serves_one_that_is_nearly_the_same():
    looks, pixels = Looks(), photo(7)
    memory = Memory(looks)
    memory(pixels, face())
    memory.share(pixels, face(), face(0.1))
    assert memory(pixels, face(0.1)) == (7, 0) and looks.count == 1
    memory.share(photo(8), face(), face(2.0))  # of another photo nothing is known
    assert memory(pixels, face(2.0)) == (7, 2)


def test_pixels_that_may_change_are_looked_at_each_time():
    looks, pixels = Looks(), photo(7, writeable=True)
    memory = Memory(looks)
    memory(pixels, face())
    pixels[:] = 9
    assert memory(pixels, face()) == (9, 0)


def test_a_photo_in_the_place_of_one_that_went_is_another():
    memory = Memory(Looks())
    for level in range(200):  # whose arrays take each other's places
        assert memory(photo(level), face()) == (level, 0)


def test_no_more_is_kept_than_so_many_faces():
    looks, pixels = Looks(), photo(7)
    memory = Memory(looks)
    for x in range(KEPT + 1):
        memory(pixels, face(float(x)))
    memory(pixels, face(float(KEPT)))
    assert looks.count == KEPT + 1
    memory(pixels, face(0.0))
    assert looks.count == KEPT + 2
