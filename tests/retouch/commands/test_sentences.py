"""What is said of a face, in words for people."""

from dataclasses import replace

from retouch.commands.sentences import told
from retouch.engine.report import FaceReport
from tests.retouch.drawing import drawn_face

FACE = replace(
    FaceReport.of(0, drawn_face(100.0)),
    share=1.0,
    identity=0.16,
    changed={"attractive": 0.34, "alert": 0.21, "weight": -0.1, "yaw": 0.9},
)


def test_one_face_is_told_in_a_sentence_with_its_budget():
    assert told([FACE], 0.3) == [
        "1 face: a little more attractive and more rested; the same person (0.16 of"
        " 0.30)"
    ]


def test_what_is_told_are_the_largest_changes_whichever_they_are():
    slimmer = replace(FACE, changed={"attractive": 0.3, "weight": -0.7})
    (sentence,) = told([slimmer], 0.3)
    assert sentence.startswith("1 face: clearly slimmer and more attractive;")
    hardly = replace(FACE, changed={"attractive": 0.1})
    assert "hardly changed" in told([hardly], 0.3, ["attractive"])[0]


def test_what_no_judge_reads_is_told_all_the_same():
    narrower = replace(FACE, changed={"attractive": 0.1, "age": 0.02})
    assert told([narrower], 0.3, ["nose-width"])[0].startswith("1 face: reshaped;")
    beside = replace(FACE, changed={"weight": -0.7})
    for wished, words in (("mouth-open", "reshaped"), ("gaze", "looking elsewhere")):
        (sentence,) = told([beside], 0.3, [wished])
        assert sentence.startswith(f"1 face: {words}, clearly slimmer;")


def test_several_faces_are_numbered_and_one_left_alone_says_why():
    alone = replace(FACE, index=1, share=0.0, note="too small: 12 px, 24 are needed")
    first, second = told([FACE, alone], 0.3)
    assert first.startswith("face 0: ")
    assert second == "face 1: left alone: too small: 12 px, 24 are needed"


def test_somebody_else_is_called_so():
    masked = replace(FACE, identity=0.71, changed={})
    assert told([masked]) == ["1 face: another person (0.71)"]
    near = replace(FACE, identity=0.45)
    assert "perhaps somebody else (0.45 of 0.60)" in told([near], 0.6)[0]


def test_nothing_done_is_nothing_claimed():
    assert told([replace(FACE, share=0.0)], 0.3) == ["1 face: unchanged"]


def test_skin_that_is_retouched_is_told_with_its_share():
    skin = replace(FACE, share=0.0, touched=0.042)
    assert told([skin]) == ["1 face: skin retouched, 4.2% of the photo"]


def test_nobody_is_told_that_they_look_worse():
    worse = replace(FACE, changed={"attractive": -0.8, "age": 0.9})
    assert told([worse], 0.3)[0].startswith("1 face: clearly older;")


def test_what_was_not_meant_and_is_but_read_is_not_told():
    smiling = replace(FACE, changed={"happy": 0.9, "glasses": 0.5, "weight": 0.3})
    assert told([smiling], 0.3)[0].startswith("1 face: clearly happier;")


def test_what_was_wished_is_told_before_what_came_along():
    smiling = replace(FACE, changed={"lip_makeup": -0.43, "happy": 0.4, "weight": -0.4})
    (sentence,) = told([smiling], 0.3, ["happy"])
    assert sentence.startswith("1 face: a little happier and paler-lipped;")
    unseen = replace(FACE, changed={"lip_makeup": -0.43, "happy": 0.1})
    assert "happier" not in told([unseen], 0.3, ["happy"])[0]


def test_a_budget_that_ends_an_edit_says_where():
    held = replace(FACE, share=0.434, identity=0.29)
    assert told([held], 0.3)[0].endswith(
        "the same person (0.29 of 0.30, which ends it at 43% of the way)"
    )


def test_a_beard_that_is_but_read_is_not_told():
    read, grown = (
        replace(FACE, changed={"attractive": 0.16, "beard": by}) for by in (0.2, 0.6)
    )
    assert "a little more attractive;" in told([read])[0]
    assert "clearly more bearded;" in told([grown])[0]


def test_glasses_that_are_put_on_are_told():
    worn = replace(FACE, changed={"glasses": 1.6, "eyes-open": -0.3, "happy": 0.6})
    assert told([worn], 0.3, ["glasses"])[0].startswith("1 face: glasses put on;")
    both = told([worn], 0.3, ["happy", "glasses"])[0]
    assert both.startswith("1 face: clearly happier") and "; glasses put on;" in both


def test_make_up_that_the_judge_hardly_sees_is_told():
    drawn = replace(FACE, changed={"eye_makeup": 0.11, "happy": 0.02})
    assert told([drawn], 0.3, ["eye_makeup"])[0].startswith("1 face: make-up changed;")
    assert "hardly changed" in told([drawn], 0.3, ["eye_makeup", "happy"])[0]
