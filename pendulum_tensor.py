"""The true pendulum for a batch of torch states, and the boxes of phase space in which states are drawn.

The network is trained to match these derivatives. A box (a, b) is |q| ≤ a rad, |p| ≤ b kg m²/s.
"""

import math

import torch

from pendulum_nonlinear import GRAVITY, LENGTH, MASS

# The separatrix, between swinging and rotating, is the orbit that just reaches the top. Its |p| at the bottom:
SEPARATRIX_P = 2 * MASS * LENGTH * math.sqrt(GRAVITY * LENGTH)  # 6.26 kg m²/s
# Where we train. The box is wider than a turn by 5 % at either end, and train() wraps its angles. So there are twice as
# many states within 0.16 rad of the top, where the pendulum is unstable and an orbit magnifies every error.
TRAINING_BOX = (1.05 * math.pi, 1.2 * SEPARATRIX_P)
# Where we test: a whole turn, and at the bottom up to 5/4 of the separatrix's energy.
TEST_BOX = (math.pi, math.sqrt(5 / 4) * SEPARATRIX_P)
POST_BOX = (3.0, 3.0)  # where the post trains


def pendulum_dynamics_tensor(t, state, m=MASS, l=LENGTH, g=GRAVITY):
    """Hamilton's equations [dq/dt, dp/dt] of pendulum_nonlinear.py for a batch, on any device, differentiable.

    `state` has the shape (B, 2), or (..., 2), with [q, p] on the last axis; so has the result.
    """
    q, p = state[..., 0], state[..., 1]  # (B,), (B,)
    dq_dt = p / (m * l**2)
    dp_dt = -m * g * l * torch.sin(q)
    return torch.stack([dq_dt, dp_dt], dim=-1)  # (B, 2)


def sample_states(n, box=TRAINING_BOX, seed=0):
    """`n` states (n, 2) in float64, spread over the box: a scrambled Sobol sequence, uniform but without clumps."""
    with torch.device("cpu"):  # whatever default device a caller has set
        engine = torch.quasirandom.SobolEngine(2, scramble=True, seed=seed)
        engine.fast_forward(1)  # past the first point, which torch gives in another precision
        unit = engine.draw(n, dtype=torch.float64)  # in [0, 1)²
        return (2 * unit - 1) * torch.tensor(box, dtype=torch.float64)
