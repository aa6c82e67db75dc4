"""What several tests share: models of H, states, a folder to run scripts in, and the figures that they write."""

import os

import pytest

for library in ("OPENBLAS", "MKL", "OMP"):  # before NumPy and torch are imported: on busy cores one thread is faster
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

# NumPy, torch and the project are imported where they are used, for the process that only hands out the tests to its
# workers does without them.


@pytest.fixture(scope="session")
def model():
    """The committed one."""
    from HNN import load_hnn

    return load_hnn()


@pytest.fixture
def exact_model():
    from helpers import ExactH

    return ExactH()


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
def states():
    """States all over the box where a model is tested, (64, 2)."""
    import numpy as np

    from pendulum_tensor import TEST_BOX

    return np.random.default_rng(0).uniform(-1, 1, size=(64, 2)) * TEST_BOX


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The empty folder where the user of a script stands."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def two_threads():
    """Two threads for torch: one is what a training takes for itself, and must give back."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def slower(model, tmp_path_factory):
    """A checkpoint whose H is 0.8 times what was learned, so that its motion is slower: no truth, and known."""
    import torch

    weights = model.state_dict()
    weights["linear_block.4.weight"] = 0.8 * weights["linear_block.4.weight"]
    path = tmp_path_factory.mktemp("weights") / "slower.pth"
    torch.save(weights, path)
    return path


@pytest.fixture
def figures(monkeypatch):
    """The figures that scripts write, in their order."""
    from support import figures, files

    written = []

    def write(path, fig):
        written.append(fig)
        files.write_figure(path, fig)

    monkeypatch.setattr(figures, "write_figure", write)
    return written


@pytest.fixture
def learned_orbits(slower):
    """of(states): their orbits in the slower learned pendulum."""
    from HNN import load_hnn
    from rigid_simulator_HNN import run_simulation_HNN
    from support.orbits import Orbits

    def of(states, n_steps=40, dt=0.02):
        return Orbits("learned", states, *run_simulation_HNN(states, load_hnn(slower), n_steps, dt), dt)

    return of
