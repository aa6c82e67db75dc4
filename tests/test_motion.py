"""Learned from its motion: the identity on systems whose answer is known, and records as people have them."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from helpers import Spring, run_script, step_error, turned, write_record

import hnn_training
import rigid_simulator_HNN
import rigid_simulator_implicit
from HNN import load_hnn
from motion import train_on_motion
from pendulum_nonlinear import pendulum_hamiltonian, wrap_angle
from pendulum_tensor import TEST_BOX, TRAINING_BOX, sample_states
from rigid_simulator_HNN import run_simulation_HNN
from rigid_simulator_implicit import run_simulation
from support.exact import exact_motion
from support.notes import Note
from support.trust import judge_motion

STARTS = np.random.default_rng(0).uniform(-1, 1, size=(40, 2))


def springs_own_hamiltonian(q, p, dt):
    """K of the exact motion of the spring over dt.

    From q₁ = q₀ + dt ∂K/∂p, p₁ = p₀ − dt ∂K/∂q at (q₀, p₁), with c = cos dt and s = sin dt:
    q₁ = (q₀ + s p₁) / c and p₀ = (p₁ + s q₀) / c, so that K = [s (q₀² + p₁²) / 2 + (1 − c) q₀ p₁] / (c dt).
    """
    c, s = math.cos(dt), math.sin(dt)
    return (s * (q**2 + p**2) / 2 + (1 - c) * q * p) / (c * dt)


@pytest.mark.parametrize("dt", [0.1, 0.5])
def test_the_k_of_the_spring_is_learned_and_its_step_is_the_exact_motion(dt):
    q, p = turned(STARTS, dt, 10)
    model = train_on_motion(q, p, dt, epochs=4)
    x = torch.tensor(0.7 * STARTS)
    with torch.no_grad():
        K = model(x)[:, 0]
    np.testing.assert_allclose(K, springs_own_hamiltonian(*x.T.numpy(), dt), rtol=0, atol=2e-5)
    assert model.knows["dt"] == dt and model.knows["period"] is None
    p_vals, q_vals = run_simulation_HNN([0.6, 0.0], model, 200)
    q_exact, p_exact = turned(np.array([[0.6, 0.0]]), dt, 200)
    np.testing.assert_allclose(q_vals, q_exact[1:, 0], rtol=0, atol=1e-3)
    np.testing.assert_allclose(p_vals, p_exact[1:, 0], rtol=0, atol=1e-3)


def test_a_record_of_the_simulator_gives_back_h():
    starts = sample_states(60, (2.5, 4.0)).numpy()
    p_vals, q_vals = run_simulation(starts, 20)
    model = train_on_motion(q_vals, p_vals, 0.05, period=2 * math.pi, epochs=3)
    x = sample_states(200, (2.0, 3.0))
    with torch.no_grad():
        H = model(x)[:, 0].numpy()
    np.testing.assert_allclose(H, pendulum_hamiltonian(x.numpy().T), rtol=0, atol=1e-4)


@pytest.fixture(scope="module")
def of_motion():
    """A model of the exact pendulum, from pairs of states 0.1 s apart."""
    q, p = sample_states(1250, TRAINING_BOX).numpy().T
    q_next, p_next = exact_motion(q, p, 1, 0.1)
    return train_on_motion(np.stack([q, q_next[0]]), np.stack([p, p_next[0]]), 0.1, period=2 * math.pi, epochs=6)


def test_k_differs_from_h_by_half_a_step_of_its_two_derivatives(of_motion):
    q, p = sample_states(500, (3.0, 6.0)).numpy().T
    with torch.no_grad():
        K = of_motion(torch.tensor(np.stack([q, p], axis=-1)))[:, 0].numpy()
    H, first = pendulum_hamiltonian([q, p]), 0.1 / 2 * 9.8 * np.sin(q) * p  # (dt / 2) ∂H/∂q ∂H/∂p
    assert np.std(K - H) > 0.8  # J
    assert np.std(K - H - first) < 0.2 * np.std(K - H)  # the rest is O(dt²)


def test_a_model_of_exact_motion_has_no_error_of_the_integrator(of_motion):
    starts = np.array([[0.5, 0.0], [0.0, 5.0], [0.0, 7.0]])
    p_vals, q_vals = run_simulation_HNN(starts, of_motion, 500)
    q_exact, p_exact = exact_motion(*starts.T, 500, 0.1)
    assert np.hypot(q_vals - q_exact, p_vals - p_exact).max() < 1e-2  # with this step the true equations are off by 1
    assert abs(pendulum_hamiltonian([q_vals, p_vals]) - pendulum_hamiltonian(starts.T)).max() < 2e-4


def test_the_error_of_a_step_is_that_against_the_exact_pendulum(of_motion):
    error, size = step_error(of_motion)
    q, p = sample_states(5000, (math.pi, 7.0), seed=1).numpy().T
    q_next, p_next = exact_motion(q, p, 1, 0.1)
    assert size == pytest.approx(np.sqrt(np.mean((q_next - q) ** 2 + (p_next - p) ** 2)))
    p_vals, q_vals = run_simulation_HNN(np.stack([q, p], axis=-1), of_motion, 1)
    assert error == pytest.approx(np.sqrt(np.mean((q_vals - q_next) ** 2 + (p_vals - p_next) ** 2)), rel=1e-3)
    assert error < 1e-4
    spring = Spring()
    spring.knows = {"dt": 0.1, "p_range": (-1.0, 1.0), "period": None}
    assert step_error(spring)[0] > 0.1  # it is no pendulum


def test_a_model_of_motion_steps_by_its_own_dt_and_refuses_another(of_motion):
    np.testing.assert_array_equal(
        run_simulation_HNN([0.5, 0.0], of_motion, 3), run_simulation_HNN([0.5, 0.0], of_motion, 3, dt=0.1)
    )
    with pytest.raises(ValueError, match=r"learned from states 0\.1 s apart and steps by no other dt"):
        run_simulation_HNN([0.5, 0.0], of_motion, 3, dt=0.05)


def test_an_orbit_that_leaves_the_range_of_p_is_warned_of(of_motion, recwarn):
    run_simulation_HNN([0.0, 5.0], of_motion, 20)
    assert not recwarn
    with pytest.warns(Note, match=r"an orbit leaves -8\.\d+ ≤ p ≤ 8\.\d+, where the model was trained"):
        run_simulation_HNN([0.0, 12.0], of_motion, 2)
    with pytest.warns(Note, match="an orbit leaves"):
        run_simulation_HNN([0.0, -12.0], of_motion, 2)
    with pytest.warns(Note, match="an orbit leaves"):  # though it comes back
        p_vals, _ = run_simulation_HNN([3.1, 7.0], of_motion, 9)
    assert abs(p_vals).max() > 9 and abs(p_vals[-1]) < 8


def test_a_wrapped_record_is_the_same_motion():
    start = np.array([[0.0, 7.0], [0.0, -7.5], [3.0, 1.0]])
    q, p = exact_motion(*start.T, 40, 0.05)
    whole, wrapped = (
        train_on_motion(turns, p, 0.05, period=2 * math.pi, epochs=0)
        for turns in (q, (q + math.pi) % (2 * math.pi) - math.pi)
    )
    degrees = train_on_motion(np.degrees(q + math.pi) % 360, p, 0.05, period=360, epochs=0)
    expected = run_simulation_HNN([0.0, 7.0], whole, 20)
    np.testing.assert_allclose(run_simulation_HNN([0.0, 7.0], wrapped, 20), expected, rtol=0, atol=1e-6)
    p_vals, q_vals = run_simulation_HNN([180.0, 7.0], degrees, 20)
    np.testing.assert_allclose((p_vals, np.radians(q_vals - 180)), expected, rtol=0, atol=1e-2)


def test_a_row_that_is_not_finite_ends_a_record_and_no_pair_bridges_it(recwarn):
    q, p = turned(STARTS[:20], 0.1, 10)
    kept = [np.concatenate([part[:4], part[5:]]) for part in (q, p)]  # a row is missing, and nothing says so
    broken = [part.copy() for part in (q, p)]
    broken[0][4, :10], broken[1][4, 10:] = np.nan, np.inf
    masked = [np.ma.masked_array(part, mask=np.arange(11)[:, None] + np.zeros(20) == 4) for part in (q, p)]
    assert train_on_motion(*broken, 0.1, epochs=1).validation_loss < 1e-8
    assert not recwarn  # the end of a record is nothing to be told of
    assert train_on_motion(*masked, 0.1, epochs=1).validation_loss < 1e-8
    assert train_on_motion(*kept, 0.1, epochs=1).validation_loss > 1e-3


@pytest.mark.parametrize(
    "q, p, dt, message",
    [
        (np.zeros(5), np.zeros(4), 0.1, r"must both have the shape \(T,\) or \(T, B\), not \(5,\) and \(4,\)"),
        (np.zeros((5, 2, 2)), np.zeros((5, 2, 2)), 0.1, r"\(T,\) or \(T, B\)"),
        (np.zeros(1), np.zeros(1), 0.1, "two rows or more, not 1"),
        (np.arange(5.0), np.arange(5.0), 0.1, "at least 10 finite states, not 4"),
        (np.arange(50.0), np.arange(50.0) ** 2, 0, "dt must be a number above 0"),
        (np.arange(50.0), np.arange(50.0) ** 2, -0.1, "dt must be a number above 0"),
        (np.arange(50.0), ["x"] * 50, 0.1, "p must be real numbers"),
    ],
)
def test_what_is_no_record_is_refused(q, p, dt, message):
    with pytest.raises(ValueError, match=message):
        train_on_motion(q, p, dt)


def test_a_step_that_does_not_exist_is_seen_in_the_fit():
    q, p = turned(STARTS, math.pi / 2, 10)  # cos dt = 0: q₁ is p₀, and (q₀, p₁) are one number, not two
    with pytest.warns(Note, match="explains"):
        assert train_on_motion(q, p, math.pi / 2, epochs=1).explained < 0.9


# From a file to an orbit


def test_the_round_trip_simulate_save_learn_roll_out(folder, figures):
    states = "--state 1 0 --state 0 4 --state 2.5 1 --state 0 7"
    outcome = run_script(rigid_simulator_implicit.main, f"{states} --steps 300 --dt 0.04 --save record.csv")
    assert outcome.status == 0, outcome.err
    outcome = run_script(hnn_training.main, "--data record.csv --period 2pi --epochs 4 --output motion.pth")
    assert outcome.status == 0, outcome.err
    first, *epochs, wrote, trust = outcome.out.splitlines()
    assert first.startswith("record.csv: 4 records with 1,200 pairs of states dt = 0.04 s apart (0 gaps")
    assert len(epochs) == 5 and wrote == "Wrote motion.pth"
    assert trust.startswith("error of √(Δq² + Δp²) in a step of 0.04 s, on the part kept for validation: ")
    model = load_hnn("motion.pth")
    assert model.knows["dt"] == pytest.approx(0.04) and model.knows["period"] == pytest.approx(2 * math.pi)
    learned = run_simulation_HNN([1.0, 0.0], model, 300)
    np.testing.assert_allclose(learned, run_simulation([1.0, 0.0], 300, 0.04), rtol=0, atol=1e-4)
    outcome = run_script(rigid_simulator_HNN.main, "--weights motion.pth --state 1 0 --steps 50 --save learned.csv")
    assert outcome.status == 0, outcome.err
    assert "steps of 0.04 s are off the exact pendulum's" in outcome.out.splitlines()[0]
    assert "not the exact motion of this pendulum" in outcome.out.splitlines()[0]  # but that of symplectic Euler
    assert "H of the exact pendulum" in outcome.out
    t, q, p = np.loadtxt("learned.csv", delimiter=",", skiprows=1).T
    np.testing.assert_allclose(t, 0.04 * np.arange(51))
    np.testing.assert_allclose((p[1:], q[1:]), [vals[:50] for vals in learned], rtol=0, atol=1e-12)
    outcome = run_script(rigid_simulator_HNN.main, "--weights motion.pth --dt 0.05")
    assert outcome.status == 1 and "steps by no other dt" in outcome.err


def test_a_record_of_exact_motion_teaches_the_exact_motion(folder):
    states = "--state 1 0 --state 2 0 --state 3 0 --state 0 7 --state 0 -7"
    outcome = run_script(rigid_simulator_implicit.main, f"--exact {states} --steps 300 --dt 0.1 --save record.csv")
    assert "H of the exact pendulum" in outcome.out and "13.8782 … 13.8782" in outcome.out, outcome.err
    q, p = np.loadtxt("record.csv", delimiter=",", skiprows=1).T[1:3]
    np.testing.assert_allclose((q[1:], p[1:]), exact_motion(1.0, 0.0, 300, 0.1), rtol=0, atol=1e-12)
    run_script(hnn_training.main, "--data record.csv --period 2pi --epochs 4 --output motion.pth")
    learned = run_simulation_HNN([0.0, 5.0], load_hnn("motion.pth"), 300)
    np.testing.assert_allclose(learned[::-1], exact_motion(0.0, 5.0, 300, 0.1), rtol=0, atol=0.05)


def test_the_printed_error_of_a_step_is_that_of_the_step_and_relative_to_it(folder):
    q, p = turned(STARTS, 0.1, 10)
    write_record("record.csv", 0.1 * np.arange(11), np.stack([q, p], axis=-1).reshape(11, -1))
    outcome = run_script(hnn_training.main, "--data record.csv --epochs 1 --output w.pth")
    losses = outcome.out.splitlines()[2].split()
    error = 0.1 * math.sqrt(2 * float(losses[-1]))
    size = np.sqrt(np.mean(np.diff(q, axis=0) ** 2 + np.diff(p, axis=0) ** 2))
    printed, relative = outcome.out.splitlines()[-1].split(": ")[1].split(", ")
    assert float(printed) == pytest.approx(error, rel=0.06)
    assert float(relative.split()[0]) == pytest.approx(error / size, rel=0.06)


def test_the_printed_size_of_a_step_is_that_of_the_angle(folder):
    q, p = exact_motion(np.array([0.0]), np.array([7.0]), 60, 0.05)
    write_record("wrapped.csv", 0.05 * np.arange(60), wrap_angle(q), p)
    outcome = run_script(hnn_training.main, "--data wrapped.csv --period 2pi --epochs 1 --output w.pth")
    printed, relative = (float(part.split()[0]) for part in outcome.out.splitlines()[-1].split(": ")[1].split(", "))
    size = np.sqrt(np.mean(np.diff(q, axis=0) ** 2 + np.diff(p, axis=0) ** 2))
    assert printed / relative == pytest.approx(size, rel=0.06)


def test_a_model_of_motion_is_judged_by_the_error_of_its_step_beside_the_step(monkeypatch):
    monkeypatch.setattr("support.trust.step_errors", lambda *_: (1e-9, 0.3))
    line = judge_motion(SimpleNamespace(knows={"dt": 0.1}), None)
    assert line == "learned from motion: steps of 0.1 s are off the exact pendulum's, 0.3 long, by 1.0e-09"
    for error, warns in ((2e-5, False), (4e-5, True)):  # the size of the step counts
        monkeypatch.setattr("support.trust.step_errors", lambda *_, error=error: (error, 0.1))
        assert ("Warning" in judge_motion(SimpleNamespace(knows={"dt": 0.1}), None)) == warns


def test_the_options_of_a_training_hold_for_a_record_too(folder, monkeypatch):
    given, model = [], load_hnn()
    model.validation_loss = 1.0
    write_record("r.csv", 0.1 * np.arange(41), *(part[:, 0] for part in turned(STARTS[:1], 0.1, 40)))
    monkeypatch.setattr(hnn_training, "train_on_motion", lambda *_, **options: given.append(options) or model)
    run_script(hnn_training.main, "--data r.csv --seed 4 --device x --epochs 2")
    assert (given[0]["seed"], given[0]["device"], given[0]["epochs"]) == (4, "x", 2)


def test_fig5_of_a_model_of_motion_is_drawn_over_the_exact_motion(folder, figures, of_motion):
    from support.weights import save_weights

    save_weights("motion.pth", of_motion)
    outcome = run_script(rigid_simulator_HNN.main, "--weights motion.pth --state 1 2 --steps 30")
    assert outcome.status == 0 and "Warning" not in outcome.out, outcome.out
    phase, energy, distance = figures[0].axes
    q, p = exact_motion(np.array([1.0]), np.array([2.0]), 30, 0.1)
    (line,) = [line for line in phase.lines if line.get_gid() == "truth 0"]
    np.testing.assert_allclose(line.get_xydata()[1:].T, [q[:, 0], p[:, 0]], atol=1e-12)
    assert "exact" in energy.get_title() and "exact pendulum" in distance.get_title()
    assert "exact pendulum" in [text.get_text() for text in figures[0].legends[0].get_texts()]


def test_another_dt_by_a_few_parts_in_a_hundred_is_another_dt():
    model = load_hnn()
    model.knows["dt"] = 0.05
    with pytest.raises(ValueError, match="no other dt"):
        run_simulation_HNN([0.5, 0.0], model, 3, dt=0.052)


def test_a_model_of_motion_is_judged_where_it_has_data():
    spring = Spring()
    spring.knows = {"dt": 0.1, "p_range": (-1.0, 1.0), "period": None}
    q, p = sample_states(5000, TEST_BOX, seed=1).numpy().T
    q, p = q[abs(p) <= 1], p[abs(p) <= 1]
    (q_1,), (p_1,) = exact_motion(q, p, 1, 0.1)
    assert step_error(spring)[1] == pytest.approx(np.sqrt(np.mean((q_1 - q) ** 2 + (p_1 - p) ** 2)))
