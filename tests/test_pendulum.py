"""The truth: two implementations of one pendulum, and both are Hamilton's equations of its energy."""

import numpy as np
import pytest
import torch

from pendulum_nonlinear import GRAVITY, pendulum_dynamics, pendulum_hamiltonian
from pendulum_tensor import pendulum_dynamics_tensor

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
    assert pendulum_hamiltonian([np.pi, 0.0]) == pytest.approx(2 * GRAVITY)


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
    assert torch.allclose(state.grad[:, 0], torch.tensor(-GRAVITY, dtype=dtype))  # ∂(dp/dt)/∂q = −m g l cos 0
