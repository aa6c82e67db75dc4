"""States of a motion, dt apart, become examples from which train() learns it: no derivatives, no error of the steps.

A Hamiltonian motion keeps areas. That is to say of the differences below, as functions of q₀ and p₁, that they are the
partial derivatives of one function K (a generating function: Hairer, Lubich, Wanner, Geometric Numerical Integration,
VI.5). So the motion over dt is a step of symplectic Euler with K in the place of H:

    (q₁ − q₀) / dt =  ∂K/∂p(q₀, p₁)
    (p₁ − p₀) / dt = −∂K/∂q(q₀, p₁)
"""

import numpy as np

from hnn_training import train
from pendulum_nonlinear import wrap_angle
from support.inputs import as_float64, check_period, check_positive


def train_on_motion(q, p, dt, period=None, **training):
    """The HNN, in float64, with which a step of symplectic Euler repeats the motion of any Hamiltonian system.

    `q` and `p` are its states dt (s) apart: one orbit, (T,), or several side by side, (T, B). Each row and the next are
    an example for train(), whose other arguments are `training`: epochs, seed, device, on_epoch and ridge. Where q is
    an angle, `period` is its period, and a jump by it between two rows is no motion. A row that is not finite is in no
    example. A motion with friction does not keep areas, and cannot be learned in this way.

    The model knows its dt, besides its period and the range of its data. run_simulation_HNN steps by that dt and no
    other, for what was learned is not the energy H, but K = H + (dt / 2) ∂H/∂q ∂H/∂p + O(dt²). Raises ValueError for
    arguments that are no such states, dt or period.
    """
    q, p = as_float64("q", q), as_float64("p", p)
    if q.shape != p.shape or q.ndim not in (1, 2):
        raise ValueError(f"q and p must both have the shape (T,) or (T, B), not {q.shape} and {p.shape}")
    if len(q) < 2:
        raise ValueError(f"a motion must have two rows or more, not {len(q)}")
    check_positive("dt", dt)
    check_period(period)
    states, derivatives = examples(q, p, dt, period)
    model = train(states, derivatives, period=period, **training)
    model.knows["dt"] = float(dt)
    return model


def examples(q, p, dt, period):
    """From q and p, (T,) or (T, B): the states [q₀, p₁] and the differences above, (N, 2) each, without gaps."""
    dq, dp = wrap_angle(q[1:] - q[:-1], period), p[1:] - p[:-1]
    states = np.stack([q[:-1], p[1:]], axis=-1).reshape(-1, 2)
    derivatives = np.stack([dq, dp], axis=-1).reshape(-1, 2) / dt
    is_example = np.isfinite(derivatives).all(axis=1)
    return states[is_example], derivatives[is_example]
