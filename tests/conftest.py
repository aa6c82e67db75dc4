"""What several tests share: the committed model, an exact one, a random one, and orbits that fit any pendulum."""

import os
import signal

# Whoever starts the tests in the background may have signals ignored, which the scripts then rightly ignore too.
signal.signal(signal.SIGINT, signal.default_int_handler)
for number in (signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_DFL)
for library in ("OPENBLAS", "MKL", "OMP"):  # before NumPy and torch are imported: on busy cores one thread is faster
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

import matplotlib.pyplot as plt  # noqa: E402
import numpy as np  # noqa: E402
import pytest  # noqa: E402
import torch  # noqa: E402
from torch import nn  # noqa: E402

from HNN import HNN, load_hnn  # noqa: E402
from pendulum_nonlinear import GRAVITY, LENGTH, MASS  # noqa: E402
from pendulum_tensor import MEASURED_BOX, SEPARATRIX  # noqa: E402
from rigid_simulator_implicit import DT, INITIAL_STATES  # noqa: E402

torch.set_num_threads(1)
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
def other_pendulum(model, tmp_path):
    """A checkpoint whose H is 0.8 times what was learned, so that its motion is slower: no truth, and known."""
    weights = model.state_dict() | {key: 0.8 * model.state_dict()[key] for key in ("linear_block.4.weight",)}
    torch.save(weights, tmp_path / "slower.pth")
    return tmp_path / "slower.pth"


@pytest.fixture
def states():
    """States all over the box where the committed model is judged, (64, 2)."""
    box = np.array(MEASURED_BOX)
    return np.random.default_rng(0).uniform(-box, box, size=(64, 2))


@pytest.fixture(autouse=True)
def no_figure_is_left():
    yield
    plt.close("all")
