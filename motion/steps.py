"""The steps of a record: from states dt apart to the examples from which train() learns their motion.

Linear friction, dp/dt = −∂H/∂q − γ p, multiplies every area in phase space by e^(−γ dt) in a time dt. If p is scaled by
that factor first, what is left of the motion keeps areas (McLachlan & Perlmutter 2001). To keep areas is to say of the
differences below, as functions of q₀ and p₁, that they are the partial derivatives of one function K (a generating
function: Hairer, Lubich, Wanner VI.5). So the motion is a step of symplectic Euler with K in the place of H:

    (q₁ − q₀) / dt            =  ∂K/∂p(q₀, p₁)
    (p₁ − e^(−γ dt) p₀) / dt  = −∂K/∂q(q₀, p₁)
"""

import math

import numpy as np

from pendulum_nonlinear import wrap_angle
from support.inputs import as_float64


def as_arrays(q, p):
    """A record as two float64 arrays (T, B), masked values as NaN; raises ValueError where it is none."""
    q, p = as_float64("q", q), as_float64("p", p)
    if q.shape != p.shape or q.ndim not in (1, 2):
        raise ValueError(f"q and p must both have the shape (T,) or (T, B), not {q.shape} and {p.shape}")
    if len(q) < 2:
        raise ValueError(f"a record must have two rows or more, not {len(q)}")
    return q.reshape(len(q), -1), p.reshape(len(p), -1)


def pairs(q, p, dt, period, gamma):
    """From rows q, p, (T, B): states [q₀, p₁] and the differences above, (N, 2) each, and p₀, (N,)."""
    dq, dp = wrap_angle(q[1:] - q[:-1], period), p[1:] - math.exp(-gamma * dt) * p[:-1]
    states = np.stack([q[:-1], p[1:]], axis=-1).reshape(-1, 2)
    derivatives = np.stack([dq, dp], axis=-1).reshape(-1, 2) / dt
    is_pair = np.isfinite(derivatives).all(axis=1)
    return states[is_pair], derivatives[is_pair], p[:-1].reshape(-1)[is_pair]
