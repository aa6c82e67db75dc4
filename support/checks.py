"""What enters a function from outside: numbers, counts, states. Each is made right, or refused in a sentence."""

import math
import numbers

import numpy as np

LARGEST_COUNT = 10_000_000  # of steps, points or epochs
LARGEST_STATE = 1e6  # of |q| and |p|
LARGEST_SEED = 2**32 - 1
FEWEST_STATES = 10  # of a fit


def check_count(name, value, least=1, most=LARGEST_COUNT):
    """`value` as an int; raises ValueError unless it is a whole number from `least` to `most`."""
    if isinstance(value, bool) or not hasattr(value, "__index__") or not least <= value <= most:
        raise ValueError(f"{name} must be a whole number from {least:,} to {most:,}, not {value!r}")
    return int(value)


def check_seed(value, name="the seed"):
    """`value` as an int that every random generator takes."""
    return check_count(name, value, 0, LARGEST_SEED)


def check_positive(name, value, below=math.inf, because=""):
    """`value` as a float; raises ValueError unless it is a number above 0 and below the limit."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or not 0 < value < below:
        limit = "finite" if below == math.inf else f"below {below:.3g}{because}"
        raise ValueError(f"{name} must be a number above 0 and {limit}, not {value!r}")
    return float(value)


def check_period(period):
    """`period` as it is; raises ValueError unless it is None (q is no angle) or a number above 0."""
    return period if period is None else check_positive("the period", period)


def check_rollout_period(period, model):
    """Raise ValueError unless `period` is one, and the one that the model was trained with, where it knows that."""
    check_period(period)
    trained = getattr(model, "trained_period", period)
    if trained != period:
        raise ValueError(f"the model was trained with the period {trained}, not {period}; give its rollout the same")


def as_float64(name, values):
    """Real numbers of any kind (lists, arrays, torch tensors, lists of them) as a float64 array."""
    array = None
    try:
        if hasattr(values, "detach"):  # a torch tensor, on whatever device, of whatever layout
            array = None if values.is_complex() else values.cpu().to_dense().double().numpy(force=True)
        elif isinstance(values, list | tuple) and not all(isinstance(value, numbers.Real) for value in values):
            array = np.stack([as_float64(name, value) for value in values])
        else:
            array = np.asarray(values)
            array = array.astype(np.float64) if array.dtype.kind in "iuf" else None
    except (NotImplementedError, RuntimeError, TypeError, ValueError):
        array = None
    if array is None:
        raise ValueError(f"{name} must be real numbers, not {' '.join(str(values).split()):.80}")
    return array


def check_states(states, name="the state"):
    """`states` as a float64 array, (2,) or (B, 2); raises ValueError unless it holds finite states [q, p]."""
    array = as_float64(name, states)
    if array.ndim not in (1, 2) or array.shape[-1] != 2 or array.size == 0:
        raise ValueError(f"{name} must be [q, p] or a batch of shape (B, 2), not of shape {array.shape}")
    wrong = ~(abs(array) <= LARGEST_STATE).reshape(-1, 2).all(axis=1)
    if wrong.any():
        first = array.reshape(-1, 2)[wrong][0].tolist()
        raise ValueError(f"{name} must hold finite numbers of at most {LARGEST_STATE:g} in size, not {first}")
    return array


def check_rollout(init_state, n_steps, dt, largest_dt=math.inf):
    """What a rollout starts from, as check_states gives it; raises ValueError for a bad state, count or time step."""
    check_count("the number of steps", n_steps)
    check_positive("dt", dt, largest_dt, " s, where the method becomes unstable")
    return check_states(init_state)


def check_finite(name, values):
    """`values`, numbered from 1 along their first axis, as they are; raises ArithmeticError where one is not finite."""
    bad = ~np.isfinite(values).reshape(len(values), -1).all(axis=1)
    if bad.any():
        raise ArithmeticError(f"{name} {bad.argmax() + 1} is not finite; the dynamics or model give no number there")
    return values


def why_unsettled(p):
    """Why a step could not solve for p, and what to try next."""
    if (abs(p) < math.inf).all():
        return "p does not settle; try a smaller dt"
    return "p is not finite; the dynamics or model give no number there, or dt is too large"


def check_finite_loss(epoch, loss):
    """Raise ArithmeticError for a loss that is not finite."""
    if not math.isfinite(loss):
        raise ArithmeticError(f"epoch {epoch}: the loss is not finite; try fewer epochs or rescale the data")


def check_data(states, true_derivatives):
    """Both as float64 arrays (N, 2); raises ValueError where they are not data that a fit can use."""
    x, y = as_float64("states", states), as_float64("true_derivatives", true_derivatives)
    if x.ndim != 2 or x.shape[-1] != 2 or y.shape != x.shape:
        raise ValueError(f"states and true_derivatives must both have the shape (N, 2), not {x.shape} and {y.shape}")
    if len(x) < FEWEST_STATES:
        raise ValueError(f"the fit needs at least {FEWEST_STATES} states, not {len(x)}; give it more points")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError("states and true_derivatives must be finite numbers; leave out the rows that are not")
    return x, y
