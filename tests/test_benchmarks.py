"""The benchmarks' measures, each on a system whose answer is known: energy drift and recipes."""

import numpy as np
import pytest
import torch
from systems import SHORT_DT

from benchmarks import common, energy_drift, recipes
from pendulum_nonlinear import GRAVITY, LENGTH, MASS, pendulum_dynamics
from pendulum_tensor import pendulum_dynamics_tensor, sample_states
from rigid_simulator_implicit import DT, rollout

STATES = np.array([[1.0, 0.0], [0.3, -0.7]])
IS_FAST = SHORT_DT < DT  # whether the pendulum was edited so that the time step is a long one for it

# What they share


def test_a_table_is_markdown(capsys):
    common.print_table(["a", "b"], [["1", "2"]])
    assert capsys.readouterr().out == "\n| a | b |\n| --- | --- |\n| 1 | 2 |\n\n"


def test_the_determinant_of_a_linear_map_is_its_own():
    A = np.array([[2.0, 0.5], [-1.0, 3.0]])
    np.testing.assert_allclose(common.determinant(lambda x: x @ A.T, STATES), 6.5, rtol=1e-8)


def test_a_spread_has_the_mean_and_the_range():
    assert common.spread([1.0, 2.0, 6.0], "{:.1f}") == "3.0 (1.0 … 6.0)"


def test_a_figure_goes_beside_its_script(tmp_path, capsys):
    fig = energy_drift.plt.figure()
    common.write_beside(tmp_path / "some_benchmark.py", fig)
    energy_drift.plt.close(fig)
    assert (tmp_path / "some_benchmark.png").read_bytes().startswith(b"\x89PNG")
    assert "some_benchmark.png" in capsys.readouterr().out


# Energy drift


def test_mean_energies_leave_out_an_oscillation_and_see_a_drift():
    k = np.arange(3000)[:, None]
    constant, drift = np.array([1.2, 19.6]), np.array([0.0, 1e-6])
    H = constant + drift * k + [0.1, 1.0] * np.sin(0.3 * k + 1)
    middle = np.array([[499.5], [1499.5], [2499.5]])  # of each window
    np.testing.assert_allclose(energy_drift.mean_energies(H), constant + drift * middle, rtol=0, atol=1e-9)


def test_the_energies_of_an_orbit_are_the_true_ones():
    at_rest = np.zeros((1000, 1)), np.full((1000, 1), np.pi)  # p, and q at the top
    np.testing.assert_allclose(energy_drift.orbit_energies(at_rest), 2 * MASS * GRAVITY * LENGTH, rtol=1e-12)


def test_the_trajectories_are_true_and_stay_in_the_box():
    trajectories = energy_drift.sample_trajectories(50, seed=0)
    q, p = np.moveaxis(trajectories, -1, 0)
    assert trajectories.shape == (50, energy_drift.TRAJECTORY_STEPS + 1, 2)
    assert abs(p).max() <= energy_drift.P_SCALE * (1.02 if IS_FAST else 1)
    p_vals, q_vals = rollout(pendulum_dynamics, q[:, 0], p[:, 0], energy_drift.TRAJECTORY_STEPS, DT)
    np.testing.assert_array_equal((q[:, 1:].T, p[:, 1:].T), (q_vals, p_vals))


def test_the_error_of_a_step_is_zero_for_the_true_step_and_known_for_a_wrong_one():
    trajectories = energy_drift.sample_trajectories(50, seed=0)
    step = energy_drift.dynamics_step(pendulum_dynamics)
    assert energy_drift.step_error(step, trajectories) < 1e-30
    off = np.array([0.3, 0.1])
    assert energy_drift.step_error(lambda x: step(x) + off, trajectories) == pytest.approx(0.05)


def test_the_error_of_the_derivatives_is_that_of_the_models_measure():
    def off_by_a_fifth(t, state):
        dq_dt, dp_dt = pendulum_dynamics(t, state)
        return [dq_dt + 0.2, dp_dt]

    assert energy_drift.derivative_error(pendulum_dynamics) == 0
    assert energy_drift.derivative_error(off_by_a_fifth) == pytest.approx(0.02)


def test_the_mlp_fits_the_derivatives_and_sees_one_turn(monkeypatch):
    monkeypatch.setattr(energy_drift, "EPOCHS", 2)
    states = sample_states(300)
    dynamics = energy_drift.mlp_dynamics(energy_drift.train_mlp(states, pendulum_dynamics_tensor(0, states), seed=0))
    assert energy_drift.derivative_error(dynamics) < 1e-6
    q, p = STATES.T
    np.testing.assert_allclose(dynamics(0, [q + 2 * np.pi, p]), dynamics(0, [q, p]), rtol=0, atol=1e-9)


def test_the_rollout_of_the_lstm_repeats_what_torch_computes():
    torch.manual_seed(0)
    model = energy_drift.LSTM()
    p_vals, q_vals = energy_drift.roll_out_lstm(model, STATES, 40)
    orbit = np.concatenate([STATES[:, None], np.stack([q_vals.T, p_vals.T], axis=-1)], axis=1)  # (2, 41, 2)
    np.testing.assert_allclose(energy_drift.lstm_step(model)(orbit[:, :-1]), orbit[:, 1:], rtol=0, atol=1e-5)


@pytest.mark.slow
def test_the_lstm_learns(monkeypatch):
    monkeypatch.setattr(energy_drift, "LSTM_UPDATES", 20)
    trajectories = energy_drift.sample_trajectories(50, seed=0)
    model = energy_drift.train_lstm(trajectories, seed=0)
    stands_still = energy_drift.step_error(lambda x: x, trajectories)
    assert energy_drift.step_error(energy_drift.lstm_step(model), trajectories) < stands_still * (
        0.8 if IS_FAST else 0.5
    )


# Recipes


def test_the_time_to_a_goal_is_that_of_the_first_record_below_it():
    run = np.array([[1.0, 1.5e-3, 0], [2.0, 1e-3, 0], [3.0, 2e-3, 0], [4.0, 1e-4, 0]])
    assert [recipes.seconds_to(goal, run) for goal in (1e-3, 1e-4, 1e-5)] == [2.0, 4.0, None]


def test_seeds_that_never_reach_the_goal_are_counted():
    assert recipes.in_words([1.0, 3.0]) == "2.00 s"
    assert recipes.in_words([1.0, None, None]) == "1.00 s for 1 of 3 seeds, never for others"
    assert recipes.in_words([None]) == "never"
