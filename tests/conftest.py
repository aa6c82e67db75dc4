"""What several tests share: the committed model, an exact one, and a random one."""

import numpy as np
import pytest
import torch
from torch import nn

from HNN import HNN, load_hnn
from pendulum_nonlinear import GRAVITY, LENGTH, MASS


class ExactH(nn.Module):
    """The true Hamiltonian in the network's place."""

    def forward(self, x):
        q, p = x[..., :1], x[..., 1:]
        return p**2 / (2 * MASS * LENGTH**2) + MASS * GRAVITY * LENGTH * (1 - torch.cos(q))  # (B, 1)


@pytest.fixture
def exact_model():
    return ExactH()


@pytest.fixture(scope="session")
def model():
    return load_hnn()


@pytest.fixture
def random_model():
    """An untrained HNN whose H is far from separable: weights three times their usual size."""
    torch.manual_seed(0)
    model = HNN().double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter *= 3
    return model


@pytest.fixture
def states():
    """States all over the box where the committed model is judged, (64, 2)."""
    return np.random.default_rng(0).uniform([-np.pi, -7], [np.pi, 7], size=(64, 2))
