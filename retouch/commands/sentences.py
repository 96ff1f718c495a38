"""What was done to a face, in words; figures are for --json and --verbose."""

from collections.abc import Collection, Sequence

from retouch.edits.manner import GAZE, GLASSES
from retouch.engine.report import FaceReport

# What the judge's traits are called where there is less of them, and more. Of glasses
# and of the skin's colour its reading strays by more than edits move them; of beards,
# on faces without any, by more than is spoken of otherwise.
WORDS = {
    "attractive": ("", "more attractive"),  # nobody is told that they look worse
    "alert": ("sleepier", "more rested"),
    "well-groomed": ("less groomed", "better groomed"),
    "happy": ("more serious", "happier"),
    "age": ("younger", "older"),
    "gender": ("more feminine", "more masculine"),
    "weight": ("slimmer", "fuller"),
    "beard": ("less bearded", "more bearded"),
    "eye_makeup": ("less made-up", "more made-up"),
    "lip_makeup": ("paler-lipped", "redder-lipped"),
    "eyes-open": ("narrower-eyed", "wider-eyed"),
}
SEEN = 0.15  # deviations: less of a change is not spoken of,
STRAYS = {"beard": 0.4}  # and less of these
AMOUNTS = (0.5, "a little"), (1.0, "clearly"), (float("inf"), "much")  # below each
PAINT = {"eye_makeup", "lip_makeup"}  # of which the judge sees next to nothing
PUT_ON = 1.0  # who is seen with so much more glasses wears some
BESIDE = 0.4  # of the largest change: a second one is told from here on
WHOLE = 0.95  # of the way: where the budget let less of it be, that is told
# Distances of descriptors below which it is still that person; from 0.6 on it is not.
PEOPLE = (
    (0.4, "the same person"),
    (0.6, "perhaps somebody else"),
    (float("inf"), "another person"),
)


def told(
    faces: Sequence[FaceReport],
    budget: float | None = None,
    wished: Collection[str] = (),
) -> list[str]:
    """Return a sentence for each face; a single one needs no number.

    Args:
        budget: how far the descriptor was allowed to move.
        wished: traits that were to change; they are told first.
    """
    numbered = len(faces) > 1
    return [
        f"{f'face {face.index}' if numbered else '1 face'}: {_of(face, budget, wished)}"
        for face in faces
    ]


def _of(face: FaceReport, budget: float | None, wished: Collection[str]) -> str:
    skin = [f"skin retouched, {face.touched:.1%} of the photo"] if face.touched else []
    if not face.share:
        return f"left alone: {face.note}" if face.note else "".join(skin) or "unchanged"
    who = next(word for limit, word in PEOPLE if face.identity < limit)
    limit = "" if budget is None else f" of {budget:.2f}"
    if limit and face.share < WHOLE:
        limit += f", which ends it at {face.share:.0%} of the way"
    worn = face.changed.get(GLASSES, 0) >= PUT_ON
    words = ["glasses put on"] if worn else []
    if face.changed and not (worn and {*wished} == {GLASSES}):
        words.insert(0, _change(face, wished))
    return "; ".join([*words, *skin, f"{who} ({face.identity:.2f}{limit})"])


def _change(face: FaceReport, wished: Collection[str]) -> str:
    """Return the judge's largest changes in words, what was wished before the rest."""
    changes = face.changed.items()
    known = [(by, n) for n, by in changes if n in WORDS and WORDS[n][by > 0]]
    known = [(by, n) for by, n in known if abs(by) >= STRAYS.get(n, SEEN)]
    most = sorted(known, key=lambda pair: (pair[1] not in wished, -abs(pair[0])))[:2]
    unread = _unread(face, wished)
    if not most:
        painted = wished and PAINT.issuperset(wished)
        return "make-up changed" if painted else ", ".join(unread) or "hardly changed"
    largest = max(abs(by) for by, _ in most)
    least = max(SEEN, BESIDE * largest)
    seen = [(by, name) for by, name in most if abs(by) >= least]
    amount = next(word for limit, word in AMOUNTS if largest < limit)
    read = f"{amount} {' and '.join(WORDS[name][by > 0] for by, name in seen)}"
    return ", ".join([*unread, read])


def _unread(face: FaceReport, wished: Collection[str]) -> list[str]:
    """Return words for what was wished and no judge reads: shapes, and the gaze."""
    unread = {*wished} - face.changed.keys()
    shapes = ["reshaped"] if unread - {GAZE} else []
    return [*shapes, "looking elsewhere"] if GAZE in unread else shapes
