"""What enters a function from outside: numbers, counts, states. Each is made right, or refused in a sentence."""

import math
import numbers

import numpy as np

from pendulum_nonlinear import GRAVITY, LENGTH
from support.notes import note_of_angles, note_of_dt

LARGEST_COUNT = 1_000_000  # of steps, points or epochs
LARGEST_STATE = 1e6  # of |q| and |p|
LARGEST_SEED = 2**32 - 1
LARGEST_DT = 2 * math.sqrt(LENGTH / GRAVITY)  # s: above it a step of the pendulum is unstable even at the bottom


def check_count(name, value, least=1, most=LARGEST_COUNT):
    """`value` as an int; raises ValueError unless it is a whole number from `least` to `most`."""
    if isinstance(value, bool) or not hasattr(value, "__index__") or not least <= value <= most:
        raise ValueError(f"{name} must be a whole number from {least:,} to {most:,}, not {value!r}")
    return int(value)


def check_seed(value, name="the seed"):
    """`value` as an int that every random generator takes."""
    return check_count(name, value, 0, LARGEST_SEED)


def check_positive(name, value, most=math.inf):
    """`value` as a float; raises ValueError unless it is a finite number above 0 and at most `most`."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or not 0 < value <= most or value == math.inf:
        limit = "finite" if most == math.inf else f"at most {most:.3g}"
        raise ValueError(f"{name} must be a number above 0 and {limit}, not {value!r}")
    return float(value)


def check_period(period):
    """`period` as it is; raises ValueError unless it is None (q is not an angle) or a number above 0."""
    return period if period is None else check_positive("the period", period)


def as_float64(name, values):
    """Whatever numpy.asarray takes, or a torch tensor, as a float64 array; masked values are NaN."""
    try:
        if hasattr(values, "detach"):  # a torch tensor, on whatever device; NumPy has no bfloat16
            values = values.detach().cpu()
            values = values.numpy() if values.is_complex() else values.double().numpy()
        array = np.ma.asarray(values)
        casting = "unsafe" if array.dtype == object else "same_kind"  # a table of mixed columns may be all numbers
        if array.dtype != bool:
            return np.ma.filled(array.astype(np.float64, casting=casting), np.nan)
        what = "of dtype bool"
    except (TypeError, ValueError):
        what = " ".join(str(values).split())[:80]
    raise ValueError(f"{name} must be real numbers, not {what}; does .astype(float) make them numbers?")


def check_states(states, name="the state"):
    """`states` as a float64 array, (2,) or (B, 2); raises ValueError unless it holds finite states [q, p]."""
    array = as_float64(name, states)
    if array.ndim not in (1, 2) or array.shape[-1] != 2 or array.size == 0:
        raise ValueError(f"{name} must be [q, p] or a batch of shape (B, 2), not of shape {array.shape}")
    is_right = (abs(array) <= LARGEST_STATE).reshape(-1, 2).all(axis=1)
    if not is_right.all():
        first = array.reshape(-1, 2)[~is_right][0].tolist()
        masked = " (masked values are nan)" if np.ma.is_masked(states) else ""
        raise ValueError(f"{name} must hold finite numbers of at most {LARGEST_STATE:g} in size, not {first}{masked}")
    return array


def check_rollout(init_state, n_steps, dt, period=2 * math.pi):
    """What a rollout starts from, as check_states gives it; raises ValueError for a bad state, count or time step.

    Where q is an angle in rad, a note says so of one that seems to be in degrees.
    """
    check_count("the number of steps", n_steps)
    check_positive("dt", dt)
    states = check_states(init_state)
    if period == 2 * math.pi:
        note_of_angles(states)
    return states


def check_pendulum_dt(dt):
    """Raise ValueError for a dt (s) at which Euler's steps of the pendulum fail; note one at which p may wander."""
    note_of_dt(check_positive("dt", dt, LARGEST_DT))


def check_finite(name, values):
    """`values`, numbered from 1 along their first axis, as they are; raises ArithmeticError where one is not finite."""
    is_finite = np.isfinite(values).reshape(len(values), -1).all(axis=1)
    if not is_finite.all():
        first = is_finite.tolist().index(False) + 1
        raise ArithmeticError(f"{name} {first} is not finite; the dynamics or model give no number there")
    return values
