"""The exact model of H, and orbits, units and a time step that fit the pendulum whatever its constants are."""

import torch
from torch import nn

from pendulum_nonlinear import GRAVITY, LENGTH, MASS
from pendulum_tensor import SEPARATRIX
from rigid_simulator_implicit import DT, INITIAL_STATES

UNIT_P = SEPARATRIX / 6.260990336999411  # 1 kg m²/s for the post's pendulum, as much for another one
ORBITS = [[q, p * UNIT_P] for q, p in INITIAL_STATES]
ROTATIONS = [[0.0, 7.0 * UNIT_P], [0.0, -7.0 * UNIT_P], [0.0, 6.5 * UNIT_P], [3.1, 0.5 * UNIT_P]]
SHORT_DT = DT * (LENGTH / GRAVITY * 9.8) ** 0.5  # the post's time step, as long for a pendulum of another period
UNIT_H = MASS * GRAVITY * LENGTH / 9.8  # 1 J, likewise


class ExactH(nn.Module):
    """The true Hamiltonian in the network's place."""

    def forward(self, x):
        q, p = x[..., :1], x[..., 1:]
        return p**2 / (2 * MASS * LENGTH**2) + MASS * GRAVITY * LENGTH * (1 - torch.cos(q))  # (B, 1)
