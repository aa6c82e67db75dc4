"""The true pendulum for a batch of torch states: what the network's derivatives are trained to match.

The equations are those of pendulum_nonlinear.py, here on any device and dtype, and differentiable.
"""

import torch

from pendulum_nonlinear import GRAVITY, LENGTH, MASS


def pendulum_dynamics_tensor(t, state, m=MASS, l=LENGTH, g=GRAVITY):
    """Hamilton's equations [dq/dt, dp/dt] = [p / (m l²), −m g l sin q] for a batch.

    `state` has shape (B, 2), or (..., 2), with [q, p] on the last axis; so has the result.
    The system does not depend on the time t (s).
    """
    q, p = state[..., 0], state[..., 1]  # (B,), (B,)
    dq_dt = p / (m * l**2)
    dp_dt = -m * g * l * torch.sin(q)
    return torch.stack([dq_dt, dp_dt], dim=-1)  # (B, 2)
