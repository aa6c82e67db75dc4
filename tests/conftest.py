"""What several tests share: models of H, states, and an environment that does not disturb them."""

import os
import signal

import pytest

# Whoever starts the tests in the background may have signals ignored, which the scripts then rightly ignore too.
signal.signal(signal.SIGINT, signal.default_int_handler)
for number in (signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_DFL)
for library in ("OPENBLAS", "MKL", "OMP"):  # before NumPy and torch are imported: on busy cores one thread is faster
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

# NumPy, torch and the project are imported where they are used, for the process that only hands out the tests to its
# workers does without them.


@pytest.fixture
def exact_model():
    from systems import ExactH

    return ExactH()


@pytest.fixture(scope="session")
def model():
    from HNN import load_hnn

    return load_hnn()


@pytest.fixture
def random_model():
    """An untrained HNN whose H is far from separable: weights three times their usual size."""
    import torch

    from HNN import HNN

    torch.manual_seed(0)
    model = HNN().double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter *= 3
    return model


@pytest.fixture
def other_pendulum(model, tmp_path):
    """A checkpoint whose H is 0.8 times what was learned, so that its motion is slower: no truth, and known."""
    import torch

    weights = model.state_dict() | {key: 0.8 * model.state_dict()[key] for key in ("linear_block.4.weight",)}
    torch.save(weights, tmp_path / "slower.pth")
    return tmp_path / "slower.pth"


@pytest.fixture
def states():
    """States all over the box where the committed model is judged, (64, 2)."""
    import numpy as np

    from pendulum_tensor import MEASURED_BOX

    box = np.array(MEASURED_BOX)
    return np.random.default_rng(0).uniform(-box, box, size=(64, 2))


@pytest.fixture(autouse=True)
def no_figure_is_left():
    from matplotlib import pyplot

    yield
    pyplot.close("all")
