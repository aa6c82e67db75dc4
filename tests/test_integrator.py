"""The one integrator: symplectic for any H, first order, undone by its adjoint, the post's update for the truth."""

import numpy as np
import pytest
import torch
from systems import ORBITS, SHORT_DT, UNIT_P
from torch import nn

from benchmarks.common import determinant
from hnn_model_derivs import learned_dynamics
from pendulum_nonlinear import pendulum_dynamics
from rigid_simulator_HNN import run_simulation_HNN
from rigid_simulator_implicit import LARGEST_DT, explicit_euler_step, rollout, run_simulation, symplectic_euler_step


def wild(t, state):
    """A kick that depends on p so that two iterates may agree by chance long before p₁ is found."""
    q, p = state
    return [-8 * q * np.sin(4 * p), -2 * np.cos(4 * p)]


@pytest.mark.parametrize("kind", ["truth", "committed", "random", "wild"])
def test_the_step_solves_its_two_equations(model, random_model, states, kind):
    dynamics = {
        "truth": pendulum_dynamics,
        "committed": learned_dynamics(model),
        "random": learned_dynamics(random_model),
        "wild": wild,
    }[kind]
    q, p = (0.9 * states).T if kind != "wild" else (np.ones(500), np.linspace(-3.98, -3.97, 500))
    q_next, p_next = symplectic_euler_step(dynamics, 0.0, q, p, SHORT_DT)
    dq_dt, dp_dt = dynamics(0.0, [q, p_next])
    np.testing.assert_allclose(p_next, p + SHORT_DT * dp_dt, rtol=2e-12, atol=2e-12)
    np.testing.assert_allclose(q_next, q + SHORT_DT * dq_dt, rtol=2e-11, atol=2e-11)


def two_line_update(dynamics, t, q, p, dt):
    """The post's update: the kick at the old p, then the drift."""
    p = p + dt * dynamics(t, [q, p])[1]
    return q + dt * dynamics(t, [q, p])[0], p


def of_states(step, dynamics):
    """A step as a map of states (n, 2)."""
    return lambda states: np.stack(step(dynamics, 0.0, *states.T, SHORT_DT), axis=-1)


def test_the_step_is_symplectic_for_the_truth_and_explicit_euler_is_not(states):
    assert abs(determinant(of_states(symplectic_euler_step, pendulum_dynamics), states) - 1).max() < 1e-8
    assert abs(determinant(of_states(explicit_euler_step, pendulum_dynamics), states) - 1).max() > 1e-2


def test_the_step_is_symplectic_for_an_untrained_network_and_the_two_line_update_is_not(random_model, states):
    dynamics = learned_dynamics(random_model)
    inside = states * 0.9  # away from the seam at ±π, where a difference would straddle two turns
    assert abs(determinant(of_states(symplectic_euler_step, dynamics), inside) - 1).max() < 1e-8
    assert abs(determinant(of_states(two_line_update, dynamics), inside) - 1).max() > 1e-4


def test_the_truth_is_rolled_out_as_in_the_post_bit_for_bit():
    for states in (ORBITS, [[1e-13, 0.0]]):  # the second starts nearly at rest, where the first kick changes little
        q, p = np.array(states).T
        p_vals, q_vals = run_simulation(states, dt=SHORT_DT)
        for k in range(1000):
            q, p = two_line_update(pendulum_dynamics, 0.0, q, p, SHORT_DT)
            np.testing.assert_array_equal((p_vals[k], q_vals[k]), (p, q))


def test_the_error_is_first_order_in_dt():
    def end(n_steps):
        p_vals, q_vals = run_simulation([1.0, 0.5 * UNIT_P], n_steps, 20 * SHORT_DT / n_steps)
        return np.array([q_vals[-1], p_vals[-1] / UNIT_P])

    truth = 2 * end(20_000) - end(10_000)  # Richardson: the first-order error cancels
    errors = [np.linalg.norm(end(n) - truth) for n in (50, 100, 200)]
    orders = np.log2(np.divide(errors[:-1], errors[1:]))
    np.testing.assert_allclose(orders, 1, rtol=0, atol=0.06)


@pytest.mark.parametrize("learned", [False, True])
def test_the_step_is_undone_by_its_adjoint_and_not_by_flipping_p(random_model, states, learned):
    dynamics = learned_dynamics(random_model) if learned else pendulum_dynamics
    q, p = (states * 0.9).T

    def swapped(t, state):  # q and p change roles: p first becomes q first
        return dynamics(t, state[::-1])[::-1]

    q_next, p_next = symplectic_euler_step(dynamics, 0.0, q, p, SHORT_DT)
    p_back, q_back = symplectic_euler_step(swapped, 0.0, p_next, q_next, -SHORT_DT)
    np.testing.assert_allclose((q_back, p_back), (q, p), rtol=1e-11, atol=1e-11)
    q_flipped, _ = symplectic_euler_step(dynamics, 0.0, q_next, -p_next, SHORT_DT)
    assert abs(q_flipped - q).max() > 1e-3


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_step_takes_tensors_too(states, dtype):
    def truth(t, state):
        return [torch.as_tensor(x, dtype=dtype) for x in pendulum_dynamics(t, [x.numpy() for x in state])]

    in_numpy = symplectic_euler_step(pendulum_dynamics, 0.0, *states.T, SHORT_DT)
    in_torch = symplectic_euler_step(truth, 0.0, *torch.tensor(states, dtype=dtype).T, SHORT_DT)
    assert all(x.dtype == dtype for x in in_torch)
    np.testing.assert_allclose(torch.stack(in_torch), in_numpy, rtol=1e-5 if dtype == torch.float32 else 1e-14)


@pytest.mark.parametrize("simulate", [run_simulation, run_simulation_HNN])
def test_a_batch_equals_its_orbits_one_by_one(simulate):
    batch = simulate(ORBITS, n_steps=100, dt=SHORT_DT)
    for k, state in enumerate(ORBITS):
        single = simulate(state, n_steps=100, dt=SHORT_DT)
        assert single[0].shape == single[1].shape == (100,)
        np.testing.assert_allclose(single, [vals[:, k] for vals in batch], rtol=0, atol=1e-9)


@pytest.mark.parametrize("kind", [list, np.array, torch.tensor, lambda s: torch.tensor(s, requires_grad=True)])
def test_states_may_be_lists_arrays_or_tensors(kind):
    np.testing.assert_array_equal(
        run_simulation_HNN(kind([0.5, 0.0]), n_steps=3), run_simulation_HNN([0.5, 0], n_steps=3)
    )


def test_p_comes_first_and_the_values_start_after_the_first_step(exact_model):
    q, p = symplectic_euler_step(pendulum_dynamics, 0.0, np.array(0.5), np.array(1.0), SHORT_DT)
    for p_vals, q_vals in (
        run_simulation([0.5, 1.0], 3, SHORT_DT),
        run_simulation_HNN([0.5, 1.0], exact_model, 3, SHORT_DT),
    ):
        np.testing.assert_allclose((p_vals[0], q_vals[0]), (p, q), rtol=1e-12)


def test_any_model_of_H_can_be_rolled_out(exact_model):
    for dt in (SHORT_DT, SHORT_DT / 3):
        learned, truth = run_simulation_HNN(ORBITS, exact_model, 300, dt), run_simulation(ORBITS, 300, dt)
        np.testing.assert_allclose(learned, truth, rtol=1e-8, atol=1e-8)


def test_a_q_that_is_no_angle_is_not_wrapped():
    class Spring(nn.Module):
        def forward(self, x):
            return x.square().sum(-1, keepdim=True) / 2

    def dynamics(t, state):
        return [state[1], -state[0]]

    state, dt = np.array([4.0, 0.0]), 0.5  # beyond π, and a time step that this pendulum need not bear
    truth = rollout(dynamics, *state, 100, dt)
    np.testing.assert_allclose(run_simulation_HNN(state, Spring(), 100, dt, period=None), truth, atol=1e-10)


def test_the_network_sees_one_turn_and_the_record_keeps_them_all(model):
    fast = ORBITS[2][1] * 1.4
    p_vals, q_vals = run_simulation_HNN([0.0, fast], model, n_steps=200, dt=SHORT_DT)
    assert q_vals[-1] > 2 * np.pi and (np.diff(q_vals) > 0).all()
    turned = run_simulation_HNN([2 * np.pi, fast], model, n_steps=200, dt=SHORT_DT)
    np.testing.assert_allclose(turned, (p_vals, q_vals + 2 * np.pi), rtol=0, atol=1e-8)


def test_the_time_step_may_be_as_long_as_the_method_is_stable():
    run_simulation([0.1, 0.0], 10, 0.98 * LARGEST_DT)
    assert abs(run_simulation([0.001, 0.0], 500, 0.98 * LARGEST_DT)[1]).max() < 0.1
    assert abs(rollout(pendulum_dynamics, np.array(0.001), np.array(0.0), 500, 1.02 * LARGEST_DT)[1]).max() > 0.1
    with pytest.raises(ValueError, match="unstable"):
        run_simulation([0.1, 0.0], 10, 1.02 * LARGEST_DT)


def test_a_step_that_cannot_be_solved_says_which():
    def dynamics(t, state):
        kick = np.where(state[1] > 0, -100.0, 100.0) if t > 0.11 else 0 * state[1]
        return [0 * state[1], kick]

    with pytest.raises(ArithmeticError, match=r"step 4 \(t = 0.15 s\).*does not settle.*smaller dt"):
        rollout(dynamics, np.zeros(1), np.ones(1), 10, 0.05)
