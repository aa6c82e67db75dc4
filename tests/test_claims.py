"""What the README claims of the committed weights, for whatever pendulum they were trained."""

import copy
import re
from pathlib import Path

import numpy as np
import torch
from systems import ORBITS, ROTATIONS, SHORT_DT, UNIT_H
from torch import nn

from benchmarks.common import determinant
from dist_dynamic import carry
from HNN import CHECKPOINT
from hnn_model_derivs import learned_dynamics, measure
from pendulum_nonlinear import GRAVITY, LENGTH, MASS, pendulum_hamiltonian
from pendulum_tensor import MEASURED_BOX, pendulum_dynamics_tensor, sample_states
from rigid_simulator_HNN import run_simulation_HNN
from rigid_simulator_implicit import run_simulation

MEAN_SQUARE = (
    pendulum_dynamics_tensor(0, sample_states(5000, MEASURED_BOX)).square().mean().item()
)  # 33.4 for the post's
ROOT = Path(__file__).resolve().parents[1]


def late_energies(rollout, n=1000):
    """The true energy over the last n steps, (n, B)."""
    p_vals, q_vals = rollout
    return pendulum_hamiltonian([q_vals[-n:], p_vals[-n:]])


def test_derivatives_and_energy_are_learned(model):
    mse, H_error = measure(model)
    assert mse <= 1e-12 * MEAN_SQUARE / 33
    assert H_error <= 1.5e-8


def test_learned_orbits_lie_on_the_true_ones(model):
    learned, truth = run_simulation_HNN(ORBITS, model, dt=SHORT_DT), run_simulation(ORBITS, dt=SHORT_DT)
    units = np.array([ORBITS[2][1] / 5.0, 1.0])[:, None, None]  # of p and of q
    distance = np.hypot(*((np.array(learned) - truth) / units)).max(axis=0)
    assert (distance <= [2e-5, 1e-3, 2e-5]).all(), distance


def test_no_orbit_gains_or_loses_energy_in_20000_steps_and_rotation_does_not_either(model):
    orbits = [*ORBITS, *ROTATIONS]
    learned = late_energies(run_simulation_HNN(orbits, model, 20_000, SHORT_DT))
    truth = late_energies(run_simulation(orbits, 20_000, SHORT_DT))
    np.testing.assert_allclose(learned.min(axis=0), truth.min(axis=0), rtol=0, atol=2e-3 * UNIT_H)
    np.testing.assert_allclose(learned.max(axis=0), truth.max(axis=0), rtol=0, atol=2e-3 * UNIT_H)
    error = abs(learned.mean(axis=0) - truth.mean(axis=0))
    assert (error[3:6] <= 2e-6 * UNIT_H).all(), error  # the fast rotations, whose mean no single swing decides
    assert (error <= 2e-5 * UNIT_H).all(), error


def test_H_is_the_same_one_turn_later(model):
    p = torch.linspace(-MEASURED_BOX[1], MEASURED_BOX[1], 100, dtype=torch.float64)
    q = torch.full_like(p, np.pi)
    with torch.no_grad():
        gap = model(torch.stack([q, p], -1)) - model(torch.stack([-q, p], -1))
    assert gap.abs().max() < 5e-9 * UNIT_H


def test_the_80_step_map_is_symplectic(model):
    dynamics = learned_dynamics(model)
    at = [*ORBITS, [0.0, 0.4 * ORBITS[2][1]], [1.0, 0.2 * ORBITS[2][1]], [-2.0, 0.1 * ORBITS[2][1]]]
    flow = determinant(lambda states: carry(states, dynamics, dt=SHORT_DT), at)
    assert abs(flow - 1).max() <= 1e-6


def test_at_rest_the_learned_H_knows_inertia_and_stiffness(model):
    rest = torch.zeros(2, dtype=torch.float64)
    curvature = torch.autograd.functional.hessian(lambda x: model(x[None]).sum(), rest)  # (2, 2)
    np.testing.assert_allclose(curvature[0, 0].item(), MASS * GRAVITY * LENGTH, rtol=1e-5)
    np.testing.assert_allclose(1 / curvature[1, 1].item(), MASS * LENGTH**2, rtol=1e-5)


def test_the_checkpoint_has_the_published_layout_and_loads_elsewhere(model):
    class SomebodysHNN(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear_block = nn.Sequential(
                nn.Linear(2, 200), nn.Tanh(), nn.Linear(200, 200), nn.Tanh(), nn.Linear(200, 1)
            )

        def forward(self, x):
            return self.linear_block(x)

    weights = torch.load(CHECKPOINT, weights_only=True)
    theirs = SomebodysHNN()
    theirs.load_state_dict(weights)
    assert type(weights).__name__ in ("OrderedDict", "dict")
    assert measure(theirs)[0] <= 1e-9 * MEAN_SQUARE  # rounded to float32 too
    assert measure(copy.deepcopy(model).float())[0] <= 1e-9 * MEAN_SQUARE


def readme_blocks():
    """The Python blocks of the README."""
    return re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)


def test_the_blocks_of_the_readme_run_as_they_stand(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    blocks = readme_blocks()
    for block in blocks:
        exec(compile(block, "README.md", "exec"), {"__name__": "__main__"})
    assert any("Duffing" in block for block in blocks)
    assert [file.suffix for file in tmp_path.iterdir()] == [".png"]


def test_the_readme_names_only_files_that_exist():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    named = re.findall(r"\]\(([^)#]+?)\)", text) + re.findall(r"`([\w/]+\.(?:py|png|gif|pth|md))`", text)
    missing = [name for name in named if not name.startswith("http") and not (ROOT / name).exists()]
    assert len(named) > 15 and not set(missing) - {"mine.png", "post.pth", "post.png"}
