"""Fixed points x = g(x), of many x at once, by the secant method."""

import numpy as np

FOUND = 1e-12  # x is found once |x − g(x)| is this part of |x₀| + |x|, which has the unit of x
ROUNDED = 1e-5  # the same, once rounding lets the residual shrink no further, as for a model in float32
MOST_TRIES = 50  # evaluations of g, after the first


def fixed_point(g, x_0, when):
    """The x that g gives back as it is, found from x_0 on, and what else g gave with it.

    `g(x)` is a pair: an array like x, and anything else. Of each x the residual r(x) = x − g(x)[0] is brought
    to 0 from x₀ and g(x₀), at the same time as all the others but independently of them. An x is accepted only once its
    own residual was seen to be nothing. Raises ArithmeticError, which says `when`, where no x is found.
    """
    x_last, x = x_0, g(x_0)[0]
    r_last = x_last - x
    for tries in range(MOST_TRIES):
        g_x, rest = g(x)
        r = x - g_x
        size = abs(x_0) + abs(x)
        found = abs(r) <= FOUND * size
        if tries > 0:
            found = found | ((abs(r) <= ROUNDED * size) & (abs(r) > abs(r_last) / 2))
        if np.all(found):
            return x, rest
        has_slope = (x != x_last) & (r != r_last)  # else the slope is taken as 1, that of a constant g
        slope = np.where(has_slope, r - r_last, 1) / np.where(has_slope, x - x_last, 1)
        x_last, r_last, x = x, r, np.where(found, x, x - r / slope)  # an x that is found waits for the others
    raise ArithmeticError(f"{when}: {_why_unsettled(x)}")


def _why_unsettled(p):
    """Why a step could not solve for p, and what to try next."""
    if not (abs(p) < float("inf")).all():
        return "p is not finite; the dynamics or model give no number there, or dt is too large"
    return (
        "no p solves the kick p₁ = p₀ − dt ∂H/∂q(q₀, p₁): dt is too large (take a smaller one), or ∂H/∂q jumps "
        "(H must be smooth: tanh, not ReLU)"
    )
