"""benchmarks/: what the tables say, each measure on a system whose answer is known."""

import itertools
import math

import numpy as np
import pytest
import torch
from helpers import turned
from matplotlib.figure import Figure

pytest.importorskip("scipy")
pytest.importorskip("torchdiffeq")
pytest.importorskip("strupnet")

from benchmarks import common, energy_drift, from_motion, integrators, learned_energy, noisy_data, recipes, speed
from benchmarks.exact import exact_motion
from hnn_model_derivs import learned_dynamics
from pendulum_nonlinear import pendulum_dynamics, pendulum_hamiltonian
from pendulum_tensor import POST_BOX, TRAINING_BOX, pendulum_dynamics_tensor, sample_states
from rigid_simulator_implicit import INITIAL_STATES, explicit_euler_step, run_simulation

STATES = np.array([[1.0, 0.0], [0.3, -0.7]])


def spring(t, state):
    """H = (q² + p²) / 2: every state turns about rest by the angle t, clockwise."""
    q, p = state
    return [p, -q]


def after(t):
    """The STATES after the exact motion of the spring, (2, 2)."""
    return np.stack([part[1] for part in turned(STATES, t, 1)], axis=-1)


def test_a_report_is_written_beside_its_script(tmp_path):
    report = common.Report(tmp_path / "some_benchmark.py")
    report.say("A step.")
    report.table(["a", "b"], [["1", "2"]])
    report.write(Figure())
    written = (tmp_path / "some_benchmark.md").read_text(encoding="utf-8")
    assert written.startswith("Printed by `uv run --group bench python -m benchmarks.some_benchmark` on ")
    assert written.endswith("\n\nA step.\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n") and "torch" in written
    assert (tmp_path / "some_benchmark.png").read_bytes().startswith(b"\x89PNG")


def test_the_cells_of_a_table_are_means_ranges_counts_and_differences():
    assert common.spread([1.0, 2.0, 6.0], "{:.1f}") == "3.0 (1.0 … 6.0)"
    assert common.spread([2.0]) == "2.0e+00"
    assert noisy_data.difference([1.0, 2.0, 3.0], [2.0, 2.0, 2.0]) == "0.0e+00 ± 5.8e-01, less on 1 of 3 data sets"
    assert recipes.in_words([1.0, 3.0]) == "2.00 s"
    assert recipes.in_words([1.0, None, None]) == "1.00 s for 1 of 3 seeds, never for others"
    run = np.array([[1.0, 1.5e-3, 0], [2.0, 1e-3, 0], [3.0, 2e-3, 0], [4.0, 1e-4, 0]])
    assert [recipes.seconds_to(goal, run) for goal in (1e-3, 1e-4, 1e-5)] == [2.0, 4.0, None]


def test_a_determinant_and_an_error_of_the_dynamics_are_those_of_a_linear_map():
    A = np.array([[2.0, 0.5], [-1.0, 3.0]])
    np.testing.assert_allclose(common.determinant(lambda x: x @ A.T, STATES), 6.5, rtol=1e-8)
    derivatives = np.stack([STATES[:, 1] + 0.2, -STATES[:, 0]], axis=-1)
    assert common.dynamics_error(spring, STATES, derivatives) == pytest.approx(0.02)


def test_every_integrator_and_every_peer_solves_the_spring_to_its_order():
    def derivatives(t, x):  # of torch states (B, 2)
        return torch.stack(spring(t, x.unbind(-1)), dim=-1)

    roll_outs = integrators.INTEGRATORS
    errors = {name: abs(roll(spring, STATES, 200, 0.05)[-1] - after(10)).max() for name, roll in roll_outs.items()}
    assert errors.pop("DOP853, 1e-12") < 1e-10
    assert errors.pop("implicit midpoint") < 1e-2  # t dt² / 12 = 2e-3
    assert errors.pop("explicit Euler") > 0.1  # the orbit grows by exp(t dt / 2) = 1.28
    assert len(errors) == 2 and max(errors.values()) < 0.06  # the two semi-implicit ones
    np.testing.assert_allclose(speed.scipy_rollout(derivatives, STATES, 20), after(1), rtol=0, atol=1e-5)
    np.testing.assert_allclose(speed.torchdiffeq_rollout(derivatives, STATES, 20, "rk4"), after(1), rtol=0, atol=1e-6)
    by_fsolve = speed.fsolve_midpoint_step(spring, 0.0, *STATES.T, 0.1)
    for q, p in (by_fsolve, common.midpoint_step(spring, 0.0, *STATES.T, 0.1)):  # it turns by 2 atan(dt / 2), exactly
        np.testing.assert_allclose(np.stack([q, p], axis=-1), after(2 * math.atan(0.05)), rtol=0, atol=1e-9)


def test_a_rollout_has_the_states_after_each_step_and_its_gradients_are_counted(exact_model):
    counting, count = common.counted(pendulum_dynamics)
    orbit = common.stepped(explicit_euler_step)(counting, STATES, 7, 0.05)
    assert orbit.shape == (7, 2, 2) and count == [14]
    q, p = STATES.T
    np.testing.assert_allclose(orbit[0], np.stack([q + 0.05 * p, p - 0.49 * np.sin(q)], axis=-1))
    plain = torch.cat(speed.plain_rollout(exact_model, STATES[0], 7)).detach()
    np.testing.assert_allclose(plain, orbit[:, 0], rtol=0, atol=1e-12)


def test_the_area_error_is_that_of_the_determinant():
    errors = {name: integrators.area_error(roll, spring, STATES) for name, roll in integrators.INTEGRATORS.items()}
    grown = (1 + 0.05**2) ** 80 - 1  # a step of explicit Euler is [[1, dt], [−dt, 1]]
    np.testing.assert_allclose(errors.pop("explicit Euler"), grown, rtol=1e-6)
    np.testing.assert_allclose(np.concatenate([*errors.values()], axis=None), 0, rtol=0, atol=1e-8)


def test_the_energy_errors_are_those_of_a_rollout_off_by_a_known_factor():
    H_true = 10 + np.sin(0.1 * np.arange(3000)[:, None]) * [1.0, 2.0]
    np.testing.assert_allclose(integrators.integrator_error(H_true, np.array([10.0, 10.0])), [1, 2], rtol=1e-3)
    np.testing.assert_allclose(integrators.model_error(1.01 * H_true, H_true), [0.11, 0.12], rtol=1e-3)
    assert (integrators.model_error(H_true[::-1], H_true) < 1e-3).all()  # where a phase differs, a range does not


def test_the_faults_of_a_training_are_the_energy_errors_under_each_step(exact_model):
    start = integrators.energies(np.array(INITIAL_STATES))
    np.testing.assert_allclose(start, pendulum_hamiltonian(np.transpose(INITIAL_STATES)))
    rows = integrators.faults({"exact": learned_dynamics(exact_model), "true": pendulum_dynamics}, start)
    assert [row[:2] for row in rows[:2]] == [["exact", "explicit Euler"], ["exact", "solved step (ours)"]]
    assert rows[0][2:] == rows[2][2:] == ["117", "117", "120"]
    assert rows[1][2:] == rows[3][2:] == ["0.1", "1.2", "0.898"]


def test_the_curvatures_and_the_energy_of_an_exact_model_are_the_pendulums(exact_model):
    for _, exact, learned in learned_energy.constants(exact_model):
        assert learned == pytest.approx(exact, rel=1e-9)
    period = learned_energy.swing_period(pendulum_dynamics, 3.0)
    assert period == pytest.approx(learned_energy.exact_period(3.0), rel=1e-9)
    assert learned_energy.exact_period(1e-4) == pytest.approx(2 * math.pi / math.sqrt(9.8), rel=1e-8)
    q, p = np.meshgrid(np.linspace(-6, 6, 11), np.linspace(-14, 14, 11))
    truth, learned = learned_energy.energies(lambda x: exact_model(x) + 5, q, p)
    np.testing.assert_allclose(learned, truth, rtol=0, atol=1e-12)


def test_mean_energies_leave_out_an_oscillation_and_see_a_drift():
    k, constant, drift = np.arange(3000)[:, None], np.array([1.2, 19.6]), np.array([0.0, 1e-6])
    H = constant + drift * k + [0.1, 1.0] * np.sin(0.3 * k + 1)
    middle = np.array([[499.5], [1499.5], [2499.5]])  # of each window
    np.testing.assert_allclose(energy_drift.mean_energies(H), constant + drift * middle, rtol=0, atol=1e-9)


def test_the_trajectories_are_true_and_the_error_of_a_step_is_a_mean_square():
    trajectories = energy_drift.sample_trajectories(50, seed=0)
    q, p = np.moveaxis(trajectories, -1, 0)
    assert trajectories.shape == (50, 61, 2) and abs(p).max() <= 7
    np.testing.assert_array_equal((p[:, 1:].T, q[:, 1:].T), run_simulation(trajectories[:, 0], 60))
    step = energy_drift.dynamics_step(pendulum_dynamics)
    assert energy_drift.step_error(step, trajectories) < 1e-30
    assert energy_drift.step_error(lambda x: step(x) + 0.3, trajectories) == pytest.approx(0.09)


def test_the_mlp_fits_the_derivatives_and_sees_one_turn(monkeypatch):
    monkeypatch.setattr(energy_drift, "EPOCHS", 2)
    states = sample_states(300)
    dynamics = energy_drift.train_mlp(states, pendulum_dynamics_tensor(0, states), seed=0)
    fresh = sample_states(500, (np.pi, 7.0), seed=1).numpy() + np.array([2 * np.pi, 0])
    assert common.dynamics_error(dynamics, fresh, np.transpose(pendulum_dynamics(0, fresh.T))) < 1e-6


def test_the_lstm_learns_and_its_rollout_repeats_what_torch_computes(monkeypatch):
    monkeypatch.setattr(energy_drift, "LSTM_UPDATES", 20)
    trajectories = energy_drift.sample_trajectories(50, seed=0)
    model = energy_drift.train_lstm(trajectories, seed=0)
    stands_still = energy_drift.step_error(lambda x: x, trajectories)
    assert energy_drift.step_error(energy_drift.lstm_step(model), trajectories) < stands_still / 2
    p_vals, q_vals = energy_drift.roll_out_lstm(model, STATES, 40)
    orbit = np.concatenate([STATES[:, None], np.stack([q_vals.T, p_vals.T], axis=-1)], axis=1)  # (2, 41, 2)
    np.testing.assert_allclose(energy_drift.lstm_step(model)(orbit[:, :-1]), orbit[:, 1:], rtol=0, atol=1e-5)


def test_the_record_and_scipys_orbits_are_the_exact_motion_and_its_noise_is_what_it_says():
    q, p = from_motion.record(0.1, seed=1)
    np.testing.assert_allclose(exact_motion(q[0], p[0], 2, 0.1), (q[1:], p[1:]), rtol=0, atol=1e-12)
    assert np.std(from_motion.record(0.1, 1, 1e-3) - [q, p]) == pytest.approx(1e-3, rel=0.05)
    exact = from_motion.exact_orbits(0.05)
    np.testing.assert_allclose(exact, exact_motion(*from_motion.ORBITS.T, 1000, 0.05), rtol=0, atol=1e-7)
    assert from_motion.energy_error(exact).max() < 1e-9
    np.testing.assert_allclose(from_motion.distance(exact + np.array([3.0, 4.0])[:, None, None], exact), 5)
    assert np.isinf(from_motion.distance(np.nan * exact, exact)).all()  # where no step goes on


def test_each_system_steps_towards_the_exact_motion(monkeypatch):
    monkeypatch.setattr(from_motion.time, "process_time", itertools.count().__next__)  # an update takes a second
    monkeypatch.setattr(from_motion, "SYMPNET_SECONDS", 200)
    monkeypatch.setattr(from_motion, "STATES", 300)
    exact, apart = np.array(exact_motion(*from_motion.ORBITS.T, 20, 0.05)), {}
    for name, make in from_motion.SYSTEMS.items():
        step, count = make(0.05, 0)
        apart[name] = from_motion.distance(from_motion.rolled_out(step, 20, 0.05), exact).max()
        assert (count[0] > 0) == (name != from_motion.OTHER)
    assert apart[from_motion.OURS] < 1e-3 < apart[from_motion.MIDPOINT] < apart[from_motion.TRUE] < 0.5
    assert apart[from_motion.DIFFERENCES] < 0.6
    stands_still = from_motion.distance(np.repeat(from_motion.ORBITS.T[:, None], 20, axis=1), exact).max()
    assert apart[from_motion.OTHER] < stands_still  # its minute has many more updates


def test_the_noise_floor_and_the_gain_of_energy_are_those_of_systems_whose_answer_is_known():
    clean = np.random.default_rng(0).normal(size=(100_000, 2))
    noisy = clean + 0.1 * np.random.default_rng(1).normal(size=clean.shape)
    floor = common.dynamics_error(lambda t, x: [2 * x[1], -3 * x[0]], noisy, clean[:, ::-1] * [2, -3])
    assert floor == pytest.approx(0.1**2 * (2**2 + 3**2) / 2, rel=0.02)
    pushed = noisy_data.energy_error(lambda t, x: [0 * x[0], 1 + 0 * x[1]], lambda x: x[1] ** 2 / 2, np.zeros((2, 2)))
    assert pushed == pytest.approx(noisy_data.ROLLOUT_TIME**4 / 20, rel=0.02)  # the mean of (t² / 2)²
    assert noisy_data.energy_error(noisy_data.their_dynamics, noisy_data.their_hamiltonian, STATES) < 1e-10


def test_the_noisy_data_are_as_they_are_described():
    clean, noisy, derivatives = noisy_data.their_data(seed=0)
    assert clean.shape == noisy.shape == derivatives.shape == (50, 45, 2)
    radius = np.linalg.norm(clean[:, 0], axis=-1)
    assert 1.3 <= radius.min() < 1.4 and 2.2 < radius.max() <= 2.3
    assert (noisy - clean).std() == pytest.approx(0.1, rel=0.05)
    noisy, derivatives = noisy_data.our_data(2000, 1e-3, seed=0)
    clean = sample_states(2000, seed=0)
    assert (noisy - clean.numpy()).std() == pytest.approx(1e-3, rel=0.05)
    np.testing.assert_allclose(derivatives, pendulum_dynamics_tensor(0, clean), rtol=0, atol=1e-12)


def test_their_exact_h_is_at_the_noise_floor_of_the_half_that_was_not_fitted(monkeypatch):
    class TheirH(torch.nn.Module):
        def forward(self, x):
            return 3 * (1 - torch.cos(x[..., :1])) + x[..., 1:] ** 2

    monkeypatch.setattr(noisy_data, "RECIPES", {"exact": lambda *_: TheirH()})
    _, _, scores = noisy_data.compare(seed=0)
    assert scores["exact"][0] == pytest.approx(1, abs=1e-9) and scores["exact"][1] < 1e-9


def test_each_recipe_has_its_box_and_is_measured_to_the_end_of_its_time(monkeypatch):
    monkeypatch.setattr(recipes, "SECONDS", 0.2)
    monkeypatch.setattr(recipes, "STATES", 60)
    for make, *_ in recipes.RECIPES.values():
        run = recipes.timed_run(make, 0)
        assert run.shape[1] == 3 and (np.diff(run[:, 0]) > 0).all() and run[-1, 0] >= 0.2 and (run[:, 1:] > 0).all()
    given = []
    monkeypatch.setattr(recipes, "train_as_post", lambda states, *_, **__: given.append(abs(states).max(0).values))
    recipes.adam_on_our_box(0, None)
    recipes.post(0, None)
    np.testing.assert_allclose(given, [TRAINING_BOX, POST_BOX], rtol=0.1)


def test_a_missing_gpu_is_said(model, monkeypatch):
    said = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    speed.on_a_gpu(type("Report", (), {"say": said.append}), model)
    assert "no GPU" in said[0]
