"""The true pendulum in NumPy: a mass m on a rigid, massless rod of length l, swinging in a plane.

    H(q, p) = T + V = p² / (2 m l²) + m g l (1 − cos q)

    dq/dt =  ∂H/∂p = p / (m l²)
    dp/dt = −∂H/∂q = −m g l sin q

q is the angle from straight down (rad), p the angular momentum (kg m²/s).
"""

import numpy as np

MASS = 1.0  # m, kg
LENGTH = 1.0  # l, m
GRAVITY = 9.8  # g, m/s²


def pendulum_dynamics(t, state, m=MASS, l=LENGTH, g=GRAVITY):
    """Hamilton's equations of the pendulum, [dq_dt, dp_dt] in rad/s and N m.

    `state` is [q, p], each a number or an array of any one shape. The system does not depend on the time t (s), which
    is an argument because ODE solvers pass it.
    """
    q, p = state
    dq_dt = p / (m * l**2)
    dp_dt = -m * g * l * np.sin(q)
    return [dq_dt, dp_dt]


def kinetic_energy(p, m=MASS, l=LENGTH):
    """T = p² / (2 m l²), in J."""
    return p**2 / (2 * m * l**2)


def potential_energy(q, m=MASS, l=LENGTH, g=GRAVITY):
    """V = m g l (1 − cos q), in J: zero at the bottom, 2 m g l at the top."""
    return m * g * l * (1 - np.cos(q))


def pendulum_hamiltonian(state, m=MASS, l=LENGTH, g=GRAVITY):
    """The energy H(q, p) = T + V in J, for a `state` [q, p] as in pendulum_dynamics."""
    q, p = state
    return kinetic_energy(p, m, l) + potential_energy(q, m, l, g)


def wrap_angle(q, period=2 * np.pi):
    """The same angle in [−period / 2, period / 2), for a number, an array or a tensor.

    The q of another system, such as the length of a spring, need not be an angle: its period is None, and q stays.
    """
    return q if period is None else (q + period / 2) % period - period / 2
