"""Learned from its motion: the identity on systems whose answer is known, and records as people have them."""

import math

import numpy as np
import pytest
import torch
from helpers import turned

from benchmarks.exact import exact_motion
from motion.steps import train_on_motion
from pendulum_nonlinear import pendulum_hamiltonian, wrap_angle
from pendulum_tensor import TRAINING_BOX, sample_states
from rigid_simulator_HNN import run_simulation_HNN
from support.notes import Note

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
    np.testing.assert_allclose((q_vals, p_vals), (q_exact[1:, 0], p_exact[1:, 0]), rtol=0, atol=1e-3)


@pytest.fixture(scope="module")
def of_motion():
    """A model of the exact pendulum, from pairs of states 0.1 s apart."""
    q, p = sample_states(1250, TRAINING_BOX).numpy().T
    q_next, p_next = exact_motion(q, p, 1, 0.1)
    return train_on_motion(np.stack([q, q_next[0]]), np.stack([p, p_next[0]]), 0.1, period=2 * math.pi, epochs=3)


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


def test_a_model_of_motion_steps_by_its_own_dt_and_refuses_another(of_motion):
    own = run_simulation_HNN([0.5, 0.0], of_motion, 3)
    np.testing.assert_array_equal(run_simulation_HNN([0.5, 0.0], of_motion, 3, dt=0.1), own)
    with pytest.raises(ValueError, match=r"trained with the dt 0\.1, not 0\.103; leave the dt out"):
        run_simulation_HNN([0.5, 0.0], of_motion, 3, dt=0.103)


def test_a_wrapped_record_is_the_same_motion():
    start = np.array([[0.0, 7.0], [0.0, -7.5], [3.0, 1.0]])
    q, p = exact_motion(*start.T, 40, 0.05)
    wrapped, whole = (train_on_motion(turns, p, 0.05, 2 * math.pi, epochs=0) for turns in (wrap_angle(q), q))
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
        assert train_on_motion(q, p, math.pi / 2, epochs=1).explained_part < 0.9
