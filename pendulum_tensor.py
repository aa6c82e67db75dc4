"""The true pendulum for a batch of torch states: what the network's derivatives are trained to match, and where.

The equations are those of pendulum_nonlinear.py, here on any device and dtype, and differentiable. A box (a, b) of
phase space is |q| ≤ a rad, |p| ≤ b kg m²/s.
"""

import math

import torch

from pendulum_nonlinear import GRAVITY, LENGTH, MASS

SEPARATRIX = 2 * MASS * LENGTH * math.sqrt(GRAVITY * LENGTH)  # |p| at the bottom of an orbit that just reaches the top
TRAINING_BOX = (1.05 * math.pi, 1.2 * SEPARATRIX)  # all three orbits, and rotation, with a margin
MEASURED_BOX = (math.pi, math.sqrt(1.25) * SEPARATRIX)  # of judgement: |p| ≤ 7, 1.25 times the separatrix's energy
POST_BOX = (3.0, 3.0)


def pendulum_dynamics_tensor(t, state, m=MASS, l=LENGTH, g=GRAVITY):
    """Hamilton's equations [dq/dt, dp/dt] = [p / (m l²), −m g l sin q] for a batch.

    `state` has shape (B, 2), or (..., 2), with [q, p] on the last axis; so has the result.
    The system does not depend on the time t (s).
    """
    q, p = state[..., 0], state[..., 1]  # (B,), (B,)
    return torch.stack(tensor_pair_dynamics(t, [q, p], m, l, g), dim=-1)  # (B, 2)


def tensor_pair_dynamics(t, state, m=MASS, l=LENGTH, g=GRAVITY):
    """The same for `state` = [q, p], two tensors, as [dq_dt, dp_dt]: what an integrator takes."""
    q, p = state
    dq_dt = p / (m * l**2)
    dp_dt = -m * g * l * torch.sin(q)
    return [dq_dt, dp_dt]


def sample_states(n, box=TRAINING_BOX, seed=0):
    """`n` states (n, 2) in float64, uniform in the box: a scrambled Sobol sequence, which fills it evenly."""
    unit = torch.quasirandom.SobolEngine(2, scramble=True, seed=seed).draw(n, dtype=torch.float64)  # in [0, 1)²
    return (2 * unit - 1) * torch.tensor(box)
