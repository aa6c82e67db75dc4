"""The data of a fit: made ready before it, and looked at after it."""

import numpy as np
import torch

from pendulum_nonlinear import wrap_angle
from support.checks import as_float64, check_count, check_period, check_seed
from support.device import usable_device
from support.notes import note

FEWEST_STATES = 10
MISFIT = 0.1  # of the derivatives' mean square: a model that leaves more unexplained is warned of


def prepare(states, true_derivatives, epochs, seed, device, dtype, period=None):
    """The data as tensors (N, 2), q in one period, once everything that a training is given has been checked."""
    check_count("the number of epochs", epochs, least=0)
    check_seed(seed)
    device = usable_device(device)
    x, y = check_data(states, true_derivatives)
    x[:, 0] = wrap_angle(x[:, 0], check_period(period))
    return (torch.tensor(data, dtype=dtype, device=device) for data in (x, y))


def check_data(states, true_derivatives):
    """Both as float64 arrays (N, 2), without the rows that are masked or not finite.

    Raises ValueError where what is left are no data that a fit can use.
    """
    x, y = as_float64("states", states), as_float64("true_derivatives", true_derivatives)
    if x.ndim != 2 or x.shape[-1] != 2 or y.shape != x.shape:
        raise ValueError(f"states and true_derivatives must both have the shape (N, 2), not {x.shape} and {y.shape}")
    is_whole = np.isfinite(x).all(axis=1) & np.isfinite(y).all(axis=1)
    if is_whole.sum() < FEWEST_STATES:
        raise ValueError(f"the fit needs at least {FEWEST_STATES} finite states, not {is_whole.sum()}")
    if not is_whole.all():
        note(f"{(~is_whole).sum():,} of {len(x):,} rows are masked or not finite, and are left out")
    return x[is_whole], y[is_whole]


def motion(q, p):
    """A record as two float64 arrays (T, B), masked values as NaN; raises ValueError where it is none."""
    q, p = as_float64("q", q), as_float64("p", p)
    if q.shape != p.shape or q.ndim not in (1, 2):
        raise ValueError(f"q and p must both have the shape (T,) or (T, B), not {q.shape} and {p.shape}")
    if len(q) < 2:
        raise ValueError(f"a record must have two rows or more, not {len(q)}")
    return q.reshape(len(q), -1), p.reshape(len(p), -1)


def explained(predicted, states, derivatives, units):
    """The part of the derivatives' mean square that the `predicted` ones explain; a note where it is small.

    All three are (N, 2). dq/dt and dp/dt count alike, in their `units`.
    """
    errors = predicted - derivatives
    squares, of_errors = (units.of_derivatives(y).square().sum(1) for y in (derivatives, errors))  # (N,)
    unexplained = (of_errors.mean() / squares.mean().clamp(min=1e-300)).item()
    if unexplained > MISFIT:
        worst = of_errors.argmax()
        state, given = ([float(f"{value:.6g}") for value in rows[worst].tolist()] for rows in (states, derivatives))
        note(
            f"the model explains {max(0, 1 - unexplained):.0%} of the derivatives only: is there friction, noise, or a "
            f"wrong row in the data? The worst is the state {state} with the derivatives {given}"
        )
    return 1 - unexplained
