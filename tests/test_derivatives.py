"""The symplectic swap: the model's time derivatives are Hamilton's equations of whatever H it computes."""

import contextlib

import numpy as np
import pytest
import torch

from HNN import HNN
from hnn_model_derivs import closed_form_derivatives, get_model_time_derivatives
from pendulum_tensor import pendulum_dynamics_tensor

MODES = {"gradients": contextlib.nullcontext, "no_grad": torch.no_grad, "inference": torch.inference_mode}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("requires_grad", [False, True])
def test_exact_hamiltonian_gives_the_exact_dynamics(exact_model, states, mode, requires_grad):
    x = torch.tensor(states, requires_grad=requires_grad)
    with MODES[mode]():
        derivatives = get_model_time_derivatives(exact_model, x)
    assert torch.allclose(derivatives, pendulum_dynamics_tensor(0.0, x), rtol=1e-14, atol=1e-14)
    assert derivatives.requires_grad == (mode == "gradients")


def test_swap_has_the_sign_of_hamilton():
    x = torch.tensor([[0.7, -0.2]])
    assert get_model_time_derivatives(lambda x: x[:, 1:], x).tolist() == [[1, 0]]  # H = p: dq/dt = 1
    assert get_model_time_derivatives(lambda x: x[:, :1], x).tolist() == [[0, -1]]  # H = q: dp/dt = −1


@pytest.mark.parametrize("requires_grad", [False, True])
def test_the_states_are_left_as_they_were(random_model, states, requires_grad):
    x = torch.tensor(states, requires_grad=requires_grad)
    get_model_time_derivatives(random_model, x)
    assert x.requires_grad == requires_grad and x.grad is None


def test_the_graph_reaches_the_weights_and_the_states(states):
    model, x = HNN().double(), torch.tensor(states, requires_grad=True)
    get_model_time_derivatives(model, x).square().mean().backward()
    assert x.grad.abs().sum() > 0
    for name, parameter in model.named_parameters():
        reached = parameter.grad is not None and parameter.grad.abs().sum() > 0
        assert reached == (name != "linear_block.4.bias")  # the constant of H moves nothing


def test_a_batch_equals_its_states_one_by_one(random_model, states):
    x = torch.tensor(states)
    one_by_one = torch.cat([get_model_time_derivatives(random_model, x[k : k + 1]) for k in range(len(x))])
    assert torch.allclose(get_model_time_derivatives(random_model, x), one_by_one, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("xp", [np, torch])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_closed_form_equals_autograd(random_model, states, xp, dtype):
    rounded = random_model.to(dtype)
    x = torch.tensor(states)
    by_hand = closed_form_derivatives(rounded, xp)(states if xp is np else x)
    by_autograd = get_model_time_derivatives(rounded.double(), x)
    np.testing.assert_allclose(by_hand, by_autograd.detach(), rtol=1e-11, atol=1e-11)


def test_the_closed_form_does_not_follow_later_training(random_model, states):
    derivatives = closed_form_derivatives(random_model, np)
    before = derivatives(states)
    with torch.no_grad():
        random_model.linear_block[2].weight += 1
    np.testing.assert_array_equal(derivatives(states), before)


@pytest.mark.parametrize("shape", [(3,), (4, 3), ()])
def test_states_of_another_shape_are_refused(random_model, shape):
    with pytest.raises(ValueError, match=r"\(B, 2\)"):
        get_model_time_derivatives(random_model, torch.zeros(shape, dtype=torch.float64))
