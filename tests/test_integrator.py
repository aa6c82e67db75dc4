"""The one integrator: symplectic for any H, first order, undone by its adjoint, the post's update for the truth."""

import numpy as np
import pytest
import torch

import rigid_simulator_HNN
from dist_dynamic import determinant
from HNN import HNN
from pendulum_nonlinear import pendulum_dynamics
from rigid_simulator_HNN import learned_dynamics, run_simulation_HNN
from rigid_simulator_implicit import DT, INITIAL_STATES, rollout, run_simulation, symplectic_euler_step


@pytest.mark.parametrize("kind", ["truth", "committed", "untrained", "random"])
def test_the_step_solves_its_two_equations(model, random_model, states, kind):
    dynamics = {
        "truth": pendulum_dynamics,
        "committed": learned_dynamics(model),
        "untrained": learned_dynamics(HNN()),
        "random": learned_dynamics(random_model),
    }[kind]
    q, p = (0.9 * states).T
    q_next, p_next = symplectic_euler_step(dynamics, 0.0, q, p, DT)
    dq_dt, dp_dt = dynamics(0.0, [q, p_next])
    np.testing.assert_allclose(p_next, p + DT * dp_dt, rtol=0, atol=2e-12)
    np.testing.assert_allclose(q_next, q + DT * dq_dt, rtol=0, atol=2e-12)


def two_line_update(dynamics, t, q, p, dt):
    """The post's update: the kick at the old p, then the drift."""
    p = p + dt * dynamics(t, [q, p])[1]
    return q + dt * dynamics(t, [q, p])[0], p


def test_the_step_is_symplectic_for_the_truth(states):
    def step(q, p):
        return symplectic_euler_step(pendulum_dynamics, 0.0, q, p, DT)

    assert abs(determinant(step, states) - 1).max() < 1e-9


def test_the_step_is_symplectic_for_an_untrained_network_and_the_two_line_update_is_not(random_model, states):
    dynamics = learned_dynamics(random_model)
    inside = states * 0.9  # away from the seam at ±π, where a difference would straddle two turns

    def error(step):
        return abs(determinant(lambda q, p: step(dynamics, 0.0, q, p, DT), inside) - 1).max()

    assert error(symplectic_euler_step) < 1e-8
    assert error(two_line_update) > 1e-4


def test_the_truth_is_rolled_out_as_in_the_post_bit_for_bit():
    q, p = np.array(INITIAL_STATES).T
    p_vals, q_vals = run_simulation(INITIAL_STATES)
    for k in range(1000):
        q, p = two_line_update(pendulum_dynamics, 0.0, q, p, DT)
        np.testing.assert_array_equal((p_vals[k], q_vals[k]), (p, q))


def test_the_error_is_first_order_in_dt():
    def end(n_steps):
        p_vals, q_vals = run_simulation([1.0, 0.5], n_steps, 1.0 / n_steps)
        return np.array([q_vals[-1], p_vals[-1]])

    truth = 2 * end(20_000) - end(10_000)  # Richardson: the first-order error cancels
    errors = [np.linalg.norm(end(n) - truth) for n in (50, 100, 200)]
    orders = np.log2(np.divide(errors[:-1], errors[1:]))
    np.testing.assert_allclose(orders, 1, rtol=0, atol=0.05)


@pytest.mark.parametrize("learned", [False, True])
def test_the_step_is_undone_by_its_adjoint_and_not_by_flipping_p(random_model, states, learned):
    dynamics = learned_dynamics(random_model) if learned else pendulum_dynamics
    q, p = (states * 0.9).T

    def swapped(t, state):  # q and p change roles: p first becomes q first
        return dynamics(t, state[::-1])[::-1]

    q_next, p_next = symplectic_euler_step(dynamics, 0.0, q, p, DT)
    p_back, q_back = symplectic_euler_step(swapped, 0.0, p_next, q_next, -DT)
    np.testing.assert_allclose((q_back, p_back), (q, p), rtol=0, atol=1e-11)
    q_flipped, _ = symplectic_euler_step(dynamics, 0.0, q_next, -p_next, DT)
    assert abs(q_flipped - q).max() > 1e-3


def test_numpy_and_torch_take_the_same_steps(random_model, exact_model, monkeypatch):
    for model in (random_model, exact_model):
        in_numpy = run_simulation_HNN(INITIAL_STATES, model, n_steps=50)
        with monkeypatch.context() as patch:
            patch.setattr(rigid_simulator_HNN, "array_library", lambda model: torch)  # as for a model on a GPU
            in_torch = run_simulation_HNN(INITIAL_STATES, model, n_steps=50)
        np.testing.assert_allclose(in_torch, in_numpy, rtol=0, atol=1e-10)


@pytest.mark.parametrize("simulate", [run_simulation, run_simulation_HNN])
def test_a_batch_equals_its_orbits_one_by_one(simulate):
    batch = simulate(INITIAL_STATES, n_steps=100)
    for k, state in enumerate(INITIAL_STATES):
        single = simulate(state, n_steps=100)
        assert single[0].shape == single[1].shape == (100,)
        np.testing.assert_allclose(single, [vals[:, k] for vals in batch], rtol=0, atol=1e-10)


@pytest.mark.parametrize("kind", [list, np.array, torch.tensor, lambda s: torch.tensor(s, requires_grad=True)])
def test_states_may_be_lists_arrays_or_tensors(kind):
    np.testing.assert_array_equal(
        run_simulation_HNN(kind([0.5, 0.0]), n_steps=3), run_simulation_HNN([0.5, 0], n_steps=3)
    )


def test_any_model_of_H_can_be_rolled_out(exact_model):
    np.testing.assert_allclose(
        run_simulation_HNN(INITIAL_STATES, exact_model), run_simulation(INITIAL_STATES), atol=1e-9
    )


def test_the_network_sees_one_turn_and_the_record_keeps_them_all(model):
    p_vals, q_vals = run_simulation_HNN([0.0, 7.0], model, n_steps=200)
    assert q_vals[-1] > 2 * np.pi and (np.diff(q_vals) > 0).all()
    turned = run_simulation_HNN([2 * np.pi, 7.0], model, n_steps=200)
    np.testing.assert_allclose(turned, (p_vals, q_vals + 2 * np.pi), rtol=0, atol=1e-9)


def test_a_step_that_cannot_be_solved_says_when():
    with pytest.raises(ArithmeticError, match=r"step 1 .*did not settle.*smaller dt"):
        rollout(lambda t, state: [state[1], np.where(state[1] > 0, -100.0, 100.0)], np.zeros(1), np.ones(1))


def test_a_rollout_that_overflows_says_when():
    with pytest.raises(ArithmeticError, match=r"step \d+ .*overflowed"):
        rollout(lambda t, state: [state[1], 1e200 * np.exp(abs(state[0]))], np.zeros(1), np.ones(1))
