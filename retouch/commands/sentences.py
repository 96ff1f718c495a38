"""What was done to a face, in words; figures are for --json and --verbose."""

from collections.abc import Sequence

from retouch.engine.report import FaceReport

# What the judge's traits are called where there is less of them, and more. Of glasses
# and of the skin's colour its reading strays by more than edits move them.
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
SEEN = 0.15  # deviations: less of a change is not spoken of
AMOUNTS = (0.5, "a little"), (1.0, "clearly"), (float("inf"), "much")  # below each
BESIDE = 0.4  # of the largest change: a second one is told from here on
# Distances of descriptors below which it is still that person; from 0.6 on it is not.
PEOPLE = (
    (0.4, "the same person"),
    (0.6, "perhaps somebody else"),
    (float("inf"), "another person"),
)


def told(faces: Sequence[FaceReport], budget: float | None = None) -> list[str]:
    """Return a sentence for each face; a single one needs no number.

    Args:
        budget: how far the descriptor was allowed to move.
    """
    numbered = len(faces) > 1
    return [
        f"{f'face {face.index}' if numbered else '1 face'}: {_of(face, budget)}"
        for face in faces
    ]


def _of(face: FaceReport, budget: float | None) -> str:
    skin = [f"skin retouched, {face.touched:.1%} of the photo"] if face.touched else []
    if not face.share:
        return f"left alone: {face.note}" if face.note else "".join(skin) or "unchanged"
    who = next(word for limit, word in PEOPLE if face.identity < limit)
    limit = "" if budget is None else f" of {budget:.2f}"
    words = [_change(face)] if face.changed else []
    return "; ".join([*words, *skin, f"{who} ({face.identity:.2f}{limit})"])


def _change(face: FaceReport) -> str:
    """Return the judge's largest changes in words."""
    changes = face.changed.items()
    known = [(by, n) for n, by in changes if n in WORDS and WORDS[n][by > 0]]
    most = sorted(known, key=lambda pair: -abs(pair[0]))[:2]
    largest = abs(most[0][0]) if most else 0.0
    if largest < SEEN:
        return "hardly changed"
    least = max(SEEN, BESIDE * largest)
    seen = [(by, name) for by, name in most if abs(by) >= least]
    amount = next(word for limit, word in AMOUNTS if largest < limit)
    return f"{amount} {' and '.join(WORDS[name][by > 0] for by, name in seen)}"
