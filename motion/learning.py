"""Learning from motion: every two states of a record, a time dt apart, are an example for train()."""

import numpy as np

from hnn_training import train
from pendulum_nonlinear import wrap_angle
from support.inputs import as_float64, check_period, check_positive


def train_on_motion(q, p, dt, period=None, **training):
    """The HNN, in float64, with which a step of symplectic Euler repeats a recorded motion.

    `q` and `p` are one record of states dt (s) apart, (T,), or several side by side, (T, B). Symplectic Euler says of
    a step from (q₀, p₀) to (q₁, p₁) that

        (q₁ − q₀) / dt =  ∂K/∂p(q₀, p₁)
        (p₁ − p₀) / dt = −∂K/∂q(q₀, p₁)

    for some function K in the place of H, so that every two rows in succession are an example for train(): a state
    [q₀, p₁], and the differences in the place of its derivatives. The K that fits them is not the energy H: it is
    H + (dt / 2) ∂H/∂q ∂H/∂p + O(dt²), and what it adds undoes the error of the step. Such a K exists, because every
    symplectic map near the identity is a symplectic Euler step of some K (Hairer, Lubich, Wanner VI.5), and the exact
    motion is such a map where dt is small enough. The model is rolled out with the dt of its record, and with no other.

    Where q is an angle, a jump by its `period` between two rows is no motion. A row that is not finite ends a record.
    `training` are the other arguments of train(): epochs, seed, device and on_epoch.
    """
    q, p = motion(q, p)  # (T, B) each
    check_positive("dt", dt)
    check_period(period)
    dq, dp = wrap_angle(q[1:] - q[:-1], period), p[1:] - p[:-1]
    states = np.stack([q[:-1], p[1:]], axis=-1).reshape(-1, 2)
    derivatives = np.stack([dq, dp], axis=-1).reshape(-1, 2) / dt
    is_pair = np.isfinite(derivatives).all(axis=1)
    model = train(states[is_pair], derivatives[is_pair], period=period, **training)
    model.knows["dt"] = float(dt)
    return model


def motion(q, p):
    """A record as two float64 arrays (T, B), masked values as NaN; raises ValueError where it is none."""
    q, p = as_float64("q", q), as_float64("p", p)
    if q.shape != p.shape or q.ndim not in (1, 2):
        raise ValueError(f"q and p must both have the shape (T,) or (T, B), not {q.shape} and {p.shape}")
    if len(q) < 2:
        raise ValueError(f"a record must have two rows or more, not {len(q)}")
    return q.reshape(len(q), -1), p.reshape(len(p), -1)
