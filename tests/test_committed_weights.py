"""What the README claims of the committed weights."""

import numpy as np
import torch
from torch import nn

from dist_dynamic import boundary, carry, determinant, explicit_euler_step, polygon_area
from HNN import CHECKPOINT
from hnn_training import measure
from pendulum_nonlinear import GRAVITY, LENGTH, pendulum_dynamics, pendulum_hamiltonian
from rigid_simulator_HNN import learned_dynamics, run_simulation_HNN
from rigid_simulator_implicit import DT, INITIAL_STATES, run_simulation


def energies(rollout):
    p_vals, q_vals = rollout
    return pendulum_hamiltonian([q_vals, p_vals])


def test_derivatives_and_energy_are_learned(model):
    mse, H_error = measure(model)
    assert mse <= 1e-10
    assert H_error <= 1e-6


def test_learned_orbits_lie_on_the_true_ones(model):
    learned, truth = run_simulation_HNN(INITIAL_STATES, model), run_simulation(INITIAL_STATES)
    distance = np.hypot(learned[0] - truth[0], learned[1] - truth[1]).max(axis=0)
    assert (distance <= [2e-3, 0.05, 2e-3]).all(), distance


def test_energy_does_not_drift_in_20000_steps(model):
    learned, truth = (energies(f(INITIAL_STATES, n_steps=20_000)) for f in (run_simulation_HNN, run_simulation))
    np.testing.assert_allclose(learned[-1000:].min(0), truth[-1000:].min(0), rtol=0, atol=1e-3)
    np.testing.assert_allclose(learned[-1000:].max(0), truth[-1000:].max(0), rtol=0, atol=1e-3)


def test_rotation_keeps_its_energy(model):
    learned, truth = (energies(f([0.0, 7.0])) for f in (run_simulation_HNN, run_simulation))
    assert abs(learned.min() - truth.min()) < 0.5 and abs(learned.max() - truth.max()) < 0.5


def test_the_80_step_map_is_symplectic(model):
    dynamics = learned_dynamics(model)

    def flow(q, p):
        return carry(np.stack([q, p], axis=-1), dynamics).T

    states = np.concatenate([INITIAL_STATES, [[0.0, 2.0], [1.0, 1.0], [-2.0, 0.5]]])
    assert abs(determinant(flow, states) - 1).max() <= 1e-6


def test_liouville_areas(model):
    edge = boundary()
    for dynamics in (pendulum_dynamics, learned_dynamics(model)):
        assert abs(polygon_area(carry(edge, dynamics)) / polygon_area(edge) - 1) <= 1e-4


def test_explicit_euler_grows_by_its_determinant_in_each_step():
    edge, mean_growth = boundary() * [1, 0.01] + [0, 1.98], 1.0  # a flat cloud: cos q is the same all over it
    edge = edge * [0.01, 1]
    q, p = edge.mean(axis=0)
    for _ in range(80):
        mean_growth *= 1 + DT**2 * (GRAVITY / LENGTH) * np.cos(q)
        q, p = explicit_euler_step(pendulum_dynamics, 0.0, q, p, DT)
    grown = polygon_area(carry(edge, pendulum_dynamics, explicit_euler_step)) / polygon_area(edge)
    np.testing.assert_allclose(grown, mean_growth, rtol=1e-3)
    assert grown > 2


def test_polygon_area_is_the_area():
    assert polygon_area(np.array([[0.0, 0.0], [2.0, 0.0], [2.0, 3.0], [0.0, 3.0]]) + 1e3) == 6
    np.testing.assert_allclose(polygon_area(boundary()), np.pi * 0.3**2, rtol=1e-5)


def test_the_checkpoint_has_the_published_layout_and_loads_elsewhere():
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
    assert measure(theirs)[0] <= 1e-9  # rounded to float32 too
