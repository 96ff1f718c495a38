"""How unlike two pictures are, pixel by pixel: values, and edges at three scales."""

from keras import ops

SCALES = 3


def charbonnier(difference):
    """Return the absolute difference, rounded off at zero (Charbonnier, 1994)."""
    return ops.sqrt(ops.square(difference) + 1e-4) - 1e-2


def unlikeness(difference, weight, edges: float, values: float = 1.0):
    """Return the weighted distance (N,), and the coarsest difference with its weight.

    Args:
        difference: of two pictures, (N, R, R, C).
        weight: how much each pixel matters, (N or 1, R, R, 1).
    """
    total = values * _mean(weight * charbonnier(difference))
    for _ in range(SCALES):
        across = difference[:, :, 1:] - difference[:, :, :-1]
        down = difference[:, 1:] - difference[:, :-1]
        slopes = _mean(weight[:, :, 1:] * charbonnier(across))
        slopes += _mean(weight[:, 1:] * charbonnier(down))
        total += edges * slopes
        difference = ops.average_pool(difference, 2, 2)
        weight = ops.average_pool(weight, 2, 2)
    return total, difference, weight


def _mean(field):
    return ops.mean(field, (1, 2, 3))
