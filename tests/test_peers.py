"""The measures of the benchmarks that need SciPy or torchdiffeq, each on a system whose answer is known.

They are skipped where the group `bench` is not installed.

uv run --group bench pytest tests/test_peers.py
"""

import math

import numpy as np
import pytest
import torch

pytest.importorskip("scipy")
pytest.importorskip("torchdiffeq")

from benchmarks import integrators, learned_energy, noisy_data, speed
from pendulum_nonlinear import GRAVITY, LENGTH, MASS, pendulum_dynamics, pendulum_hamiltonian
from pendulum_tensor import pendulum_dynamics_tensor, sample_states
from rigid_simulator_implicit import DT, INITIAL_STATES

STATES = np.array([[1.0, 0.0], [0.3, -0.7]])


def spring(t, state):
    """A spring with H = (q² + p²) / 2: every state turns about rest by the angle t, clockwise."""
    q, p = state
    return [p, -q]


def turned(states, t):
    """The exact solution of the spring."""
    return states @ [[math.cos(t), -math.sin(t)], [math.sin(t), math.cos(t)]]


# Integrators


def test_every_integrator_solves_the_spring_to_its_order():
    n_steps = 200
    exact = turned(STATES, n_steps * DT)
    errors = {
        name: abs(roll_out(spring, STATES, n_steps)[-1] - exact).max()
        for name, roll_out in integrators.INTEGRATORS.items()
    }
    assert errors.pop("DOP853, 1e-12") < 1e-10
    assert errors.pop("implicit midpoint") < 1e-2  # t dt² / 12 = 2e-3
    assert errors.pop("explicit Euler") > 0.1  # the orbit grows by exp(t dt / 2) = 1.28
    assert len(errors) == 2 and max(errors.values()) < 0.06  # the two semi-implicit ones


def test_the_area_error_of_a_linear_map_is_that_of_its_determinant():
    grown = (1 + DT**2) ** integrators.STEPS - 1  # a step of explicit Euler is [[1, dt], [−dt, 1]]
    measured = {
        name: integrators.area_error(roll_out, spring, STATES) for name, roll_out in integrators.INTEGRATORS.items()
    }
    np.testing.assert_allclose(measured.pop("explicit Euler"), grown, rtol=1e-6)
    for error in measured.values():
        np.testing.assert_allclose(error, 0, rtol=0, atol=1e-8)


def test_the_energy_errors_are_those_of_a_rollout_off_by_a_known_factor():
    k = np.arange(3000)[:, None]
    H_true = 10 + np.sin(0.1 * k) * [1.0, 2.0]
    H_learned = 1.01 * H_true
    np.testing.assert_allclose(integrators.integrator_error(H_true, np.array([10.0, 10.0])), [1, 2], rtol=1e-3)
    np.testing.assert_allclose(integrators.model_error(H_learned, H_true), [0.11, 0.12], rtol=1e-3)
    assert (integrators.model_error(H_true[::-1], H_true) < 1e-3).all()  # where a phase differs, a range does not


def test_gradients_are_counted_for_each_state():
    counting, count = integrators.counted(spring)
    integrators.INTEGRATORS["explicit Euler"](counting, STATES, 7)
    assert count == [7 * len(STATES)]


# Learned energy


def test_the_curvatures_at_rest_are_the_pendulums_constants(exact_model):
    d2H_dq2, d2H_dp2 = learned_energy.curvatures(exact_model)
    assert (d2H_dq2, 1 / d2H_dp2) == pytest.approx((MASS * GRAVITY * LENGTH, MASS * LENGTH**2), rel=1e-12)


@pytest.mark.parametrize("amplitude", [1e-3, 1.0, 3.0])
def test_the_period_of_the_true_swing_is_the_elliptic_integral(amplitude):
    period = learned_energy.swing_period(pendulum_dynamics, amplitude)
    assert period == pytest.approx(learned_energy.exact_period(amplitude), rel=1e-9)


def test_a_small_swing_has_the_period_of_a_spring():
    assert learned_energy.exact_period(1e-4) == pytest.approx(2 * math.pi * math.sqrt(LENGTH / GRAVITY), rel=1e-8)
    assert learned_energy.swing_period(spring, 1.0) == pytest.approx(2 * math.pi, rel=1e-9)


def test_the_constants_of_the_exact_model_are_exact(exact_model):
    for _, exact, learned in learned_energy.constants(exact_model):
        assert learned == pytest.approx(exact, rel=1e-9)


def test_the_map_of_an_exact_model_up_to_its_constant_has_no_error(exact_model):
    q, p = np.meshgrid(np.linspace(-6, 6, 11), np.linspace(-14, 14, 11))
    truth, learned = learned_energy.energies(lambda x: exact_model(x) + 5, q, p)
    np.testing.assert_allclose(learned, truth, rtol=0, atol=1e-12)


# Noisy data


def test_the_noise_floor_of_a_linear_system_follows_from_its_matrix():
    def dynamics(t, state):
        return [2 * state[1], -3 * state[0]]

    rng = np.random.default_rng(0)
    clean = rng.normal(size=(100_000, 2))
    noisy = clean + 0.1 * rng.normal(size=clean.shape)
    derivatives = np.transpose(dynamics(0, clean.T))
    floor = noisy_data.derivative_loss(dynamics, noisy, derivatives)
    assert floor == pytest.approx(0.1**2 * (2**2 + 3**2) / 2, rel=0.02)
    assert noisy_data.derivative_loss(dynamics, clean, derivatives) == 0


def test_the_energy_error_of_a_known_gain_is_known():
    def pushed(t, state):  # p = t, and H = p² / 2 gains t² / 2
        return [0 * state[0], 1 + 0 * state[1]]

    error = noisy_data.energy_error(pushed, lambda state: state[1] ** 2 / 2, np.zeros((2, 2)))
    assert error == pytest.approx(noisy_data.ROLLOUT_TIME**4 / 20, rel=0.02)  # the mean of t⁴ / 4, over 200 times
    true = noisy_data.energy_error(noisy_data.their_dynamics, noisy_data.their_hamiltonian, STATES)
    assert true < 1e-10


def test_a_rollout_keeps_orbits_and_times_apart():
    times = np.linspace(0, 2, 5)
    orbits = noisy_data.trajectories(spring, STATES, times)
    for k, t in enumerate(times):
        np.testing.assert_allclose(orbits[:, k], turned(STATES, t), rtol=0, atol=1e-6)


def test_their_data_are_as_they_describe_them():
    clean, noisy, derivatives = noisy_data.their_data(seed=0)
    assert clean.shape == noisy.shape == derivatives.shape == (50, 45, 2)
    radius = np.linalg.norm(clean[:, 0], axis=-1)
    assert 1.3 <= radius.min() < 1.4 and 2.2 < radius.max() <= 2.3
    assert (noisy - clean).std() == pytest.approx(0.1, rel=0.05)
    H = noisy_data.their_hamiltonian(np.moveaxis(clean, -1, 0))
    np.testing.assert_allclose(H, H[:, :1].repeat(45, axis=1), rtol=1e-6)
    by_differences = np.gradient(clean, 3 / 44, axis=1, edge_order=2)
    np.testing.assert_allclose(derivatives[:, 1:-1], by_differences[:, 1:-1], rtol=0, atol=0.05)


def test_our_noisy_data_have_the_derivatives_of_the_states_without_noise():
    noisy, derivatives = noisy_data.our_data(2000, 1e-3, seed=0)
    clean = sample_states(2000, seed=0).numpy()
    assert (noisy - clean).std() == pytest.approx(1e-3, rel=0.05)
    np.testing.assert_allclose(derivatives, pendulum_dynamics_tensor(0, torch.tensor(clean)), rtol=0, atol=1e-12)


def test_their_training_lowers_the_loss_in_single_precision(monkeypatch):
    monkeypatch.setattr(noisy_data, "THEIR_STEPS", 60)
    _, noisy, derivatives = noisy_data.their_data(seed=0)
    x, y = noisy[:5].reshape(-1, 2), derivatives[:5].reshape(-1, 2)
    model = noisy_data.train_as_theirs(x, y, seed=0)
    assert next(model.parameters()).dtype == torch.float32
    learned = noisy_data.learned_dynamics(model, period=None)
    assert noisy_data.derivative_loss(learned, x, y) < 0.3 * np.square(y).mean()


def test_a_difference_is_counted_and_has_its_standard_error():
    assert noisy_data.difference([1.0, 2.0, 3.0], [2.0, 2.0, 2.0]) == "0.0e+00 ± 5.8e-01, less on 1 of 3 data sets"


# Speed


def test_a_cost_turns_linear_where_its_two_parts_are_equal():
    costs = [(n, 30 + 0.02 * n) for n in 10 ** np.arange(7)]
    assert speed.turns_linear(costs) == pytest.approx(1500, rel=0.01)


def test_the_peers_solve_the_same_problem():
    def derivatives(t, x):  # of torch states (B, 2)
        return torch.stack(spring(t, x.unbind(-1)), dim=-1)

    exact = turned(STATES, 20 * DT)
    np.testing.assert_allclose(speed.scipy_rollout(derivatives, STATES, 20), exact, rtol=0, atol=1e-5)
    np.testing.assert_allclose(speed.torchdiffeq_rollout(derivatives, STATES, 20, "rk4"), exact, rtol=0, atol=1e-6)
    euler = integrators.INTEGRATORS["explicit Euler"](spring, STATES, 20)[-1]
    np.testing.assert_allclose(speed.torchdiffeq_rollout(derivatives, STATES, 20, "euler"), euler, rtol=0, atol=1e-12)


def test_the_plain_rollout_is_explicit_euler_of_the_model(exact_model):
    orbit = speed.plain_rollout(exact_model, np.array(INITIAL_STATES[0]), 20)
    expected = integrators.INTEGRATORS["explicit Euler"](pendulum_dynamics, INITIAL_STATES[:1], 20)
    np.testing.assert_allclose(torch.cat(orbit).detach(), expected[:, 0], rtol=0, atol=1e-12)


def test_the_energies_along_a_rollout_are_the_true_ones():
    orbit = integrators.INTEGRATORS["DOP853, 1e-12"](pendulum_dynamics, INITIAL_STATES, 20)
    start = pendulum_hamiltonian(np.transpose(INITIAL_STATES))
    np.testing.assert_allclose(integrators.energies(orbit), np.tile(start, (20, 1)), rtol=1e-9)
