"""The truth: two implementations of one pendulum, both Hamilton's equations of its energy; where states are drawn."""

import numpy as np
import pytest
import torch

from pendulum_nonlinear import GRAVITY, LENGTH, MASS, pendulum_dynamics, pendulum_hamiltonian, wrap_angle
from pendulum_tensor import (
    MEASURED_BOX,
    POST_BOX,
    SEPARATRIX,
    TRAINING_BOX,
    pendulum_dynamics_tensor,
    sample_states,
)

CONSTANTS = [(1.0, 1.0, 9.8), (2.5, 0.3, 1.62), (0.1, 4.0, 24.8)]


@pytest.mark.parametrize("m, l, g", CONSTANTS)
def test_numpy_and_torch_agree(states, m, l, g):
    in_numpy = np.stack(pendulum_dynamics(t=0.0, state=states.T, m=m, l=l, g=g), axis=-1)
    in_torch = pendulum_dynamics_tensor(t=0.0, state=torch.tensor(states), m=m, l=l, g=g)
    np.testing.assert_allclose(in_torch.numpy(), in_numpy, rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize("m, l, g", CONSTANTS)
def test_dynamics_are_the_derivatives_of_the_hamiltonian(states, m, l, g):
    (q, p), eps = states.T, 1e-5

    def H(q, p):
        return pendulum_hamiltonian([q, p], m=m, l=l, g=g)

    dH_dq = (H(q + eps, p) - H(q - eps, p)) / (2 * eps)
    dH_dp = (H(q, p + eps) - H(q, p - eps)) / (2 * eps)
    dq_dt, dp_dt = pendulum_dynamics(0.0, [q, p], m, l, g)
    scale = abs(H(q, p)).max()
    np.testing.assert_allclose(dq_dt, dH_dp, rtol=1e-6, atol=1e-9 * scale)
    np.testing.assert_allclose(dp_dt, -dH_dq, rtol=1e-6, atol=1e-9 * scale)


def test_energy_is_zero_at_rest_and_twice_mgl_on_top():
    assert pendulum_hamiltonian([0.0, 0.0]) == 0
    assert pendulum_hamiltonian([np.pi, 0.0]) == pytest.approx(2 * MASS * GRAVITY * LENGTH)


@pytest.mark.parametrize("shape", [(), (5,), (2, 3)])
def test_dynamics_take_numbers_and_arrays_of_any_shape(shape):
    dq_dt, dp_dt = pendulum_dynamics(0.0, [np.full(shape, 0.3), np.full(shape, 2.0)])
    assert np.shape(dq_dt) == np.shape(dp_dt) == shape


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_tensor_dynamics_keep_the_dtype_and_are_differentiable(dtype):
    state = torch.zeros(4, 2, dtype=dtype, requires_grad=True)
    derivatives = pendulum_dynamics_tensor(0.0, state)
    assert derivatives.shape == (4, 2) and derivatives.dtype == dtype
    derivatives[:, 1].sum().backward()
    at_rest = torch.tensor(-MASS * GRAVITY * LENGTH, dtype=dtype)  # ∂(dp/dt)/∂q = −m g l cos 0
    assert torch.allclose(state.grad[:, 0], at_rest)


def test_an_angle_is_wrapped_to_one_period_and_what_is_no_angle_is_left_alone():
    q = np.array([-np.pi, 0.0, 3.0, 4.0, -40.0])
    wrapped = wrap_angle(q)
    assert (wrapped >= -np.pi).all() and (wrapped < np.pi).all()
    np.testing.assert_allclose(np.exp(1j * wrapped), np.exp(1j * q), atol=1e-12)
    np.testing.assert_allclose(wrap_angle(q, period=1.0), [-0.14159265, 0.0, 0.0, 0.0, 0.0], atol=1e-8)
    assert wrap_angle(q, period=None) is q


def test_the_boxes_follow_from_the_separatrix():
    assert pendulum_hamiltonian([0.0, SEPARATRIX]) == pytest.approx(pendulum_hamiltonian([np.pi, 0.0]))
    assert pendulum_hamiltonian([0.0, MEASURED_BOX[1]]) == pytest.approx(1.25 * pendulum_hamiltonian([np.pi, 0.0]))
    np.testing.assert_allclose(TRAINING_BOX, (1.05 * np.pi, 1.2 * SEPARATRIX), rtol=1e-14)
    assert MEASURED_BOX[0] == np.pi
    assert POST_BOX == (3.0, 3.0)


@pytest.mark.parametrize("box", [TRAINING_BOX, MEASURED_BOX, POST_BOX])
def test_states_fill_their_box_evenly(box):
    states = (sample_states(4000, box, seed=3) / torch.tensor(box)).numpy()  # in [−1, 1]²
    counts, _, _ = np.histogram2d(*states.T, bins=4, range=[[-1, 1], [-1, 1]])
    assert counts.sum() == 4000 and abs(counts - 250).max() < 25
    np.testing.assert_allclose(np.ptp(states, axis=0), 2, atol=0.01)


def test_another_seed_draws_other_states():
    assert torch.equal(sample_states(50, seed=1), sample_states(50, seed=1))
    assert not torch.equal(sample_states(50, seed=1), sample_states(50, seed=2))
