"""The exact motion of the pendulum, to twelve digits: what orbits are compared with, and records are made of."""

import math

import numpy as np

from pendulum_nonlinear import GRAVITY, LENGTH, pendulum_dynamics

# Seven leapfrog steps of these parts make one of sixth order (Yoshida 1990, solution A).
OUTER = [0.784513610477560, 0.235573213359357, -1.17767998417887]
PARTS = [*OUTER, 1 - 2 * sum(OUTER), *reversed(OUTER)]
FINEST = 0.02  # of the period of a small swing over 2π: a step of this length is exact to 1e-14


def exact_motion(q, p, n_steps, dt):
    """(q_vals, p_vals) of the exact pendulum after each of `n_steps` times of dt (s), each (n_steps, *q.shape)."""
    n_substeps = math.ceil(dt / (FINEST * math.sqrt(LENGTH / GRAVITY)))
    q_vals, p_vals = np.empty((n_steps, *np.shape(q))), np.empty((n_steps, *np.shape(p)))
    for i in range(n_steps):
        for _ in range(n_substeps):
            for part in PARTS:
                q, p = leapfrog(q, p, part * dt / n_substeps)
        q_vals[i], p_vals[i] = q, p
    return q_vals, p_vals


def leapfrog(q, p, dt):
    """Half a drift, a kick, half a drift: symplectic and of second order."""
    q = q + dt / 2 * pendulum_dynamics(0, [q, p])[0]
    p = p + dt * pendulum_dynamics(0, [q, p])[1]
    return q + dt / 2 * pendulum_dynamics(0, [q, p])[0], p
