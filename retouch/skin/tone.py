"""Even tone, less shine, lighter circles, softer texture: low frequencies of skin.

All of it is said in CIELAB and keeps inside the skin: means are taken of skin alone,
so that no hair, lip or brow bleeds into it.
"""

import numpy as np

from retouch.faces.crop import Pixels
from retouch.geometry import LEFT_EYE, RIGHT_EYE
from retouch.skin.canvas import Canvas
from retouch.smoothing import ramp

BLOTCH = (0.012, 0.085)  # widths between which a tone is uneven, of the face's size
EVENED = np.array([0.35, 0.8, 0.6], np.float32)  # how much of it goes, of L, a, b
MOST_EVENED = np.array([2.5, 8, 6], np.float32)
# L above the skin around where shine begins, and is: so far apart that what is lighter
# stays lighter, and a nose keeps its form.
SHINE = (2.0, 24.0)
PALER = (0.0, 10.0)  # less of colour than around: light itself begins to show, and is
BLOWN = (82.0, 94.0)  # L from which skin has lost its own colour, and has none
CALM = (0.4, 0.75)  # of the skin around that must not be so, to know what it looks like
FORM = 0.2  # of what is light but coloured: a cheek's own form
DULLED = 0.5  # of what shines
MOST_LIT = 7.0  # L by which a dark circle is lifted at most
CIRCLE_LIT, CIRCLE_TONED = 0.75, 0.5  # how much of the difference to the cheek goes
PORES = (0.004, 0.014)  # widths between which texture is softened
LONGEST_SHIFT = 0.4  # of the skin's mean Lab, by one of these


def evened(canvas: Canvas, lab: Pixels, stays: Pixels) -> Pixels:
    """Return the Lab picture with blotches gone; overexposed skin stays as it is.

    Args:
        stays: (S, S), marks that neither change nor count.
    """
    weight = canvas.skin * (1 - stays) * (1 - ramp(lab[..., 0], *BLOWN))
    narrow, wide = (canvas.around(lab, width, weight) for width in BLOTCH)
    uneven = np.clip(EVENED * (wide - narrow), -MOST_EVENED, MOST_EVENED)
    return lab + _centred(uneven * weight[..., None], weight)


def dulled(canvas: Canvas, lab: Pixels) -> Pixels:
    """Return the Lab picture with shine brought back to the skin around it.

    Where most of that is overexposed itself, nobody knows what colour it has: it stays.
    """
    skin = canvas.skin
    light = canvas.around(lab, 0.006, skin)
    sound = skin * (1 - ramp(lab[..., 0], *BLOWN))
    calm = canvas.around(lab, 0.12, sound)
    known = canvas.around(sound[..., None], 0.12, skin)[..., 0]
    above = light[..., 0] - calm[..., 0]
    paler = np.hypot(*np.moveaxis(calm, -1, 0)[1:])
    paler = paler - np.hypot(*np.moveaxis(light, -1, 0)[1:])
    shine = ramp(above, *SHINE) * (FORM + (1 - FORM) * ramp(paler, *PALER))
    shine = shine * ramp(known, *CALM) * skin
    return lab + _bounded(DULLED * shine[..., None] * (calm - light), skin)


def lightened(canvas: Canvas, lab: Pixels) -> Pixels:
    """Return the Lab picture with dark circles under the eyes lifted."""
    change = np.zeros_like(lab)
    for eye in (LEFT_EYE, RIGHT_EYE):
        under, cheek = _under(canvas, eye)
        if under.sum() < 4 or cheek.sum() < 4:
            continue
        wanted = (lab * cheek[..., None]).sum((0, 1)) / cheek.sum()
        off = wanted - canvas.around(lab, 0.02, canvas.skin)
        lift = CIRCLE_LIT * off[..., 0].clip(0, MOST_LIT / CIRCLE_LIT)
        tone = CIRCLE_TONED * off[..., 1:] * ramp(lift, 0, 3)[..., None]
        step = np.concatenate([lift[..., None], tone.clip(-6, 6)], -1)
        change += step * under[..., None]
    return lab + _bounded(change, canvas.skin)


def _under(canvas: Canvas, eye: slice) -> tuple[Pixels, Pixels]:
    """Return the hollow below an eye, and the cheek below that, both of skin."""
    points = canvas.landmarks[eye]
    lid = points[[0, 5, 4, 3]]
    down = points[[4, 5]].mean(0) - points[[1, 2]].mean(0)
    down = down / max(np.hypot(*down), 1e-6) * canvas.size
    hollow = np.concatenate([lid + 0.025 * down, lid + 0.105 * down])
    cheek = np.concatenate([lid + 0.14 * down, lid + 0.22 * down])
    soft = canvas.blurred(canvas.polygon(hollow), 0.018)
    return soft * canvas.skin, canvas.polygon(cheek) * canvas.skin


def softened(canvas: Canvas, lab: Pixels) -> Pixels:
    """Return the Lab picture without the texture of pores."""
    skin = canvas.skin
    fine, broad = (canvas.around(lab, width, skin) for width in PORES)
    return lab + skin[..., None] * (broad - fine)


def _centred(change: Pixels, weight: Pixels) -> Pixels:
    """Return a change that leaves the skin's mean colour where it was."""
    share = weight**2 / max(float((weight**2).sum()), 1e-6)
    return change - share[..., None] * change.sum((0, 1))


def _bounded(change: Pixels, weight: Pixels) -> Pixels:
    """Return a change that moves the skin's mean colour but a little."""
    total = max(float(weight.sum()), 1e-6)
    shift = float(np.abs(change.sum((0, 1)) / total).max())
    return change * np.float32(min(1.0, LONGEST_SHIFT / max(shift, 1e-6)))
