"""The steps: the post's for the truth, the solved one symplectic for any H, and what ends a rollout."""

import math
import warnings
from functools import partial

import numpy as np
import pytest
import torch

from benchmarks.common import determinant
from hnn_model_derivs import get_model_time_derivatives, learned_dynamics
from pendulum_nonlinear import pendulum_dynamics
from rigid_simulator_HNN import run_simulation_HNN
from rigid_simulator_implicit import (
    INITIAL_STATES,
    explicit_euler_step,
    rollout,
    run_simulation,
    symplectic_euler_step,
    two_line_step,
)
from support.inputs import LARGEST_DT


def wild(t, state):
    """A kick that depends strongly on p."""
    q, p = state
    return [-8 * q * np.sin(4 * p), -2 * np.cos(4 * p)]


def steep(t, state):
    """dt ∂(dp/dt)/∂p = −1.5, so that a repeated kick jumps ever farther."""
    return [state[1], -30.0 * state[1] + np.sin(state[1])]


@pytest.mark.parametrize("kind", ["truth", "committed", "random", "wild", "steep"])
def test_the_step_solves_its_two_equations(model, random_model, states, kind):
    networks = {"committed": model, "random": random_model}
    true = {"truth": pendulum_dynamics, "wild": wild, "steep": steep}
    dynamics = learned_dynamics(networks[kind]) if kind in networks else true[kind]
    q, p = (0.9 * states).T if kind != "wild" else (np.ones(500), np.linspace(-3.98, -3.0, 500))
    q_next, p_next = symplectic_euler_step(dynamics, 0.0, q, p, 0.05)
    dq_dt, dp_dt = dynamics(0.0, [q, p_next])
    np.testing.assert_allclose(p_next, p + 0.05 * dp_dt, rtol=3e-12, atol=1e-11)
    np.testing.assert_allclose(q_next, q + 0.05 * dq_dt, rtol=2e-11, atol=2e-11)


@pytest.mark.parametrize(
    "step, learned, error_from, error_to",
    [
        (two_line_step, False, 0, 1e-8),
        (explicit_euler_step, False, 1e-4, 1),
        (symplectic_euler_step, True, 0, 1e-8),
        (two_line_step, True, 1e-4, 1),
    ],
)
def test_the_posts_step_is_symplectic_for_the_truth_only_and_the_solved_one_for_an_untrained_network(
    random_model, states, step, learned, error_from, error_to
):
    dynamics = learned_dynamics(random_model) if learned else pendulum_dynamics
    inside = states * 0.9  # away from the ends of the turn, where a difference would straddle two
    errors = determinant(lambda x: np.stack(step(dynamics, 0.0, *x.T, 0.05), axis=-1), inside) - 1
    assert error_from <= abs(errors).max() < error_to


def test_the_truth_is_rolled_out_as_in_the_post_and_the_solved_step_is_the_same_bit_for_bit():
    states = np.array([*INITIAL_STATES, [1e-13, 0.0], [0.0, -7.0]])  # the fourth is nearly at rest
    p_vals, q_vals = run_simulation(states)
    (q, p), (q_solved, p_solved) = states.T, states.T
    for k in range(1000):
        p = p + 0.05 * (-9.8 * np.sin(q))
        q = q + 0.05 * p
        np.testing.assert_array_equal((p_vals[k], q_vals[k]), (p, q))
        q_solved, p_solved = symplectic_euler_step(pendulum_dynamics, 0.0, q_solved, p_solved, 0.05)
        np.testing.assert_array_equal((p_solved, q_solved), (p, q))


def test_learned_orbits_are_the_same_whichever_way_they_come(model):
    start = np.random.default_rng(0).uniform([-2, -3], [2, 3], size=(40, 2))
    dynamics = learned_dynamics(model)

    def by_autograd(t, state):
        return list(get_model_time_derivatives(model, torch.tensor(np.stack(state, axis=-1))).detach().numpy().T)

    step = partial(symplectic_euler_step, dynamics)
    together = rollout(step, *start.T, n_steps=20)
    np.testing.assert_array_equal(run_simulation_HNN(start, model, 20), together[::-1])
    alone = [rollout(step, q, p, n_steps=20) for q, p in start[:, :, None]]
    np.testing.assert_allclose(np.concatenate(alone, axis=2), together, rtol=0, atol=1e-12)
    slowly = rollout(partial(symplectic_euler_step, by_autograd), *start.T, 20)
    np.testing.assert_allclose(slowly, together, rtol=0, atol=1e-12)


def test_a_state_at_rest_stays_there_in_the_learned_pendulum_too(model):
    p_vals, q_vals = run_simulation_HNN([[0.0, 0.0], [0.5, 0.0]], model, 200)  # dp/dt is rounding, and so is p
    assert abs(q_vals[:, 0]).max() < 1e-6 and abs(p_vals[:, 0]).max() < 1e-6
    np.testing.assert_allclose(q_vals[:, 1], run_simulation_HNN([0.5, 0.0], model, 200)[1], rtol=0, atol=1e-12)


@pytest.mark.parametrize("simulate", [run_simulation, run_simulation_HNN])
def test_a_batch_equals_its_orbits_one_by_one_and_p_comes_first(simulate):
    batch = simulate(INITIAL_STATES, n_steps=100)
    assert batch[0].shape == batch[1].shape == (100, 3)
    for k, state in enumerate(INITIAL_STATES):
        single = simulate(state, n_steps=100)
        assert single[0].shape == single[1].shape == (100,)
        np.testing.assert_allclose(single, [vals[:, k] for vals in batch], rtol=0, atol=1e-9)
    assert batch[0][0, 2] == pytest.approx(5.0) and batch[1][0, 2] == pytest.approx(0.25)


def test_the_network_sees_one_turn_and_the_record_keeps_them_all(model):
    p_vals, q_vals = run_simulation_HNN([0.0, 7.0], model, n_steps=200)
    assert q_vals[-1] > 2 * np.pi and (np.diff(q_vals) > 0).all()
    turned = run_simulation_HNN([2 * np.pi, 7.0], model, n_steps=200)
    np.testing.assert_allclose(turned, (p_vals, q_vals + 2 * np.pi), rtol=0, atol=1e-8)


def test_the_time_step_may_be_as_long_as_the_method_is_stable():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert abs(run_simulation([0.001, 0.0], 500, 0.98 * LARGEST_DT)[1]).max() < 0.1
    q_vals, _ = rollout(partial(two_line_step, pendulum_dynamics), 0.001, 0.0, 500, 1.02 * LARGEST_DT)
    assert abs(q_vals).max() > 0.1
    with pytest.raises(ValueError, match=r"dt must be a number above 0 and at most 0\.639"):
        run_simulation([0.1, 0.0], 10, 1.02 * LARGEST_DT)


# What ends a rollout.


def test_a_step_that_cannot_be_solved_says_which():
    def dynamics(t, state):
        kick = np.where(state[1] > 0, -100.0, 100.0) if t > 0.11 else 0 * state[1]
        return [0 * state[1], kick]

    with pytest.raises(ArithmeticError, match=r"t = 0.15 s: no p solves the kick.*dt is too large.*tanh, not ReLU"):
        rollout(partial(symplectic_euler_step, dynamics), np.zeros(1), np.ones(1), 10, 0.05)


def no_kick(x):
    q, p = x[:, :1], x[:, 1:]
    return p**2 / 2 + torch.where(q > 1, (1 - q).sqrt(), 0)  # dp/dt is NaN for q > 1


def no_drift(x):
    q, p = x[:, :1], x[:, 1:]
    return q + p**2 / 2 + torch.where(p < -1, (1 + p).sqrt(), 0)  # dq/dt is NaN for p < −1


@pytest.mark.parametrize(
    "model, start, message",
    [(no_kick, [0.9, 1.0], r"t = .* s: p is not finite"), (no_drift, [0.0, 0.0], r"q after step 2. is not finite")],
)
def test_a_model_that_gives_no_number_is_named_and_no_orbit_holds_nan(model, start, message):
    with pytest.raises(ArithmeticError, match=message):
        run_simulation_HNN(start, model, n_steps=100)


def test_a_step_takes_dynamics_of_plain_numbers():
    q, p = symplectic_euler_step(lambda t, state: [state[1], -math.sin(state[0])], 0.0, 0.5, 0.2, 0.05)
    assert (q, p) == pytest.approx((0.5 + 0.05 * p, 0.2 - 0.05 * math.sin(0.5)))
