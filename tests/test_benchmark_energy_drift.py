"""benchmarks/energy_drift.py: its measures on systems whose answer is known, and its MLP and LSTM."""

import numpy as np
import pytest
import torch

from benchmarks import energy_drift
from benchmarks.common import dynamics_error
from pendulum_nonlinear import pendulum_dynamics
from pendulum_tensor import pendulum_dynamics_tensor, sample_states
from rigid_simulator_implicit import run_simulation

STATES = np.array([[1.0, 0.0], [0.3, -0.7]])


def test_mean_energies_leave_out_an_oscillation_and_see_a_drift():
    k = np.arange(3000)[:, None]
    constant, drift = np.array([1.2, 19.6]), np.array([0.0, 1e-6])
    H = constant + drift * k + [0.1, 1.0] * np.sin(0.3 * k + 1)
    middle = np.array([[499.5], [1499.5], [2499.5]])  # of each window
    np.testing.assert_allclose(energy_drift.mean_energies(H), constant + drift * middle, rtol=0, atol=1e-9)


def test_the_energies_of_an_orbit_are_the_true_ones():
    at_rest = np.zeros((1000, 1)), np.full((1000, 1), np.pi)  # p, and q at the top
    np.testing.assert_allclose(energy_drift.orbit_energies(at_rest), 2 * 9.8, rtol=1e-12)


def test_the_trajectories_are_true_and_stay_in_the_box():
    trajectories = energy_drift.sample_trajectories(50, seed=0)
    q, p = np.moveaxis(trajectories, -1, 0)
    assert trajectories.shape == (50, 61, 2) and abs(p).max() <= 7
    p_vals, q_vals = run_simulation(trajectories[:, 0], 60)
    np.testing.assert_array_equal((q[:, 1:].T, p[:, 1:].T), (q_vals, p_vals))


def test_the_error_of_a_step_is_a_mean_square():
    trajectories = energy_drift.sample_trajectories(50, seed=0)
    step = energy_drift.dynamics_step(pendulum_dynamics)
    assert energy_drift.step_error(step, trajectories) < 1e-30
    off = np.array([0.3, 0.1])
    assert energy_drift.step_error(lambda x: step(x) + off, trajectories) == pytest.approx(0.05)


def test_the_mlp_fits_the_derivatives_and_sees_one_turn(monkeypatch):
    monkeypatch.setattr(energy_drift, "EPOCHS", 2)
    states = sample_states(300)
    dynamics = energy_drift.train_mlp(states, pendulum_dynamics_tensor(0, states), seed=0)
    fresh = sample_states(500, (np.pi, 7.0), seed=1).numpy()
    assert dynamics_error(dynamics, fresh, np.transpose(pendulum_dynamics(0, fresh.T))) < 1e-6
    q, p = STATES.T
    np.testing.assert_allclose(dynamics(0, [q + 2 * np.pi, p]), dynamics(0, [q, p]), rtol=0, atol=1e-9)


def test_the_rollout_of_the_lstm_repeats_what_torch_computes():
    torch.manual_seed(0)
    model = energy_drift.LSTM()
    p_vals, q_vals = energy_drift.roll_out_lstm(model, STATES, 40)
    orbit = np.concatenate([STATES[:, None], np.stack([q_vals.T, p_vals.T], axis=-1)], axis=1)  # (2, 41, 2)
    np.testing.assert_allclose(energy_drift.lstm_step(model)(orbit[:, :-1]), orbit[:, 1:], rtol=0, atol=1e-5)


def test_the_lstm_learns_and_its_rate_falls(monkeypatch):
    monkeypatch.setattr(energy_drift, "LSTM_UPDATES", 20)
    trajectories = energy_drift.sample_trajectories(50, seed=0)
    rates, step = [], torch.optim.Adam.step

    def watched_step(self, *rest):
        rates.append(self.param_groups[0]["lr"])
        return step(self, *rest)

    monkeypatch.setattr(torch.optim.Adam, "step", watched_step)
    model = energy_drift.train_lstm(trajectories, seed=0)
    assert rates[0] == energy_drift.LSTM_RATE and rates[-1] < 0.1 * rates[0]
    stands_still = energy_drift.step_error(lambda x: x, trajectories)
    assert energy_drift.step_error(energy_drift.lstm_step(model), trajectories) < stands_still / 2
