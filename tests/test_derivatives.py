"""The symplectic swap: the model's time derivatives are Hamilton's equations of whatever H it computes."""

import contextlib

import numpy as np
import pytest
import torch
from systems import ExactH
from torch import nn

from HNN import HNN
from hnn_model_derivs import (
    POOR,
    get_model_time_derivatives,
    judgement,
    learned_dynamics,
    measure,
)
from pendulum_nonlinear import pendulum_dynamics, pendulum_hamiltonian
from pendulum_tensor import MEASURED_BOX, pendulum_dynamics_tensor, sample_states
from support.closed_form import closed_form_derivatives

MODES = {"gradients": contextlib.nullcontext, "no_grad": torch.no_grad, "inference": torch.inference_mode}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("requires_grad", [False, True])
def test_exact_hamiltonian_gives_the_exact_dynamics(exact_model, states, mode, requires_grad):
    x = torch.tensor(states, requires_grad=requires_grad)
    with MODES[mode]():
        derivatives = get_model_time_derivatives(exact_model, x)
    assert torch.allclose(derivatives, pendulum_dynamics_tensor(0.0, x), rtol=1e-14, atol=1e-13)
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


def test_a_network_in_float64_takes_states_in_float32(random_model, states):
    x = torch.tensor(states, dtype=torch.float32)
    assert torch.equal(random_model(x), random_model(x.double()))


@pytest.mark.parametrize("n", [1, 3, 64, 300])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_closed_form_equals_autograd(random_model, n, dtype):
    rounded = random_model.to(dtype).double()
    x = sample_states(n, MEASURED_BOX)
    by_autograd = get_model_time_derivatives(rounded, x).detach()
    np.testing.assert_allclose(closed_form_derivatives(rounded)(x.numpy()), by_autograd, rtol=1e-11, atol=1e-11)


def test_an_hnn_is_rolled_out_by_its_closed_form_and_no_other_model_is(monkeypatch, model, exact_model, states):
    def marked(model):  # off by so little that it still agrees with autograd
        return lambda x: (1 + 1e-10) * closed_form_derivatives(model)(x)

    monkeypatch.setattr("support.models.closed_form_derivatives", marked)
    np.testing.assert_array_equal(np.transpose(learned_dynamics(model)(0.0, states.T)), marked(model)(states))
    np.testing.assert_allclose(
        learned_dynamics(exact_model)(0.0, states.T), pendulum_dynamics(0.0, states.T), rtol=1e-12
    )


def edited(change):
    """An HNN in which something was changed after its making."""
    torch.manual_seed(0)
    model = HNN().double()
    change(model)
    return model


def add_layer(model):
    *layers, last = model.linear_block
    model.linear_block = nn.Sequential(*layers, nn.Linear(200, 200), nn.Tanh(), last).double()


EDITS = {
    "another activation": lambda model: model.linear_block.__setitem__(1, nn.SiLU()),
    "a third hidden layer": add_layer,
    "a hook": lambda model: model.register_forward_hook(lambda module, x, H: 2 * H),
    "nothing": lambda model: None,
}


@pytest.mark.parametrize("change", EDITS)
def test_the_closed_form_serves_only_where_it_is_right(change, states):
    model = edited(EDITS[change])
    by_autograd = get_model_time_derivatives(model, torch.tensor(states)).detach()
    learned = learned_dynamics(model, period=None)(0.0, states.T)
    np.testing.assert_allclose(np.transpose(learned), by_autograd, rtol=1e-10, atol=1e-12)


def test_learned_dynamics_do_not_follow_later_training(random_model, states):
    for model in (random_model, edited(EDITS["another activation"])):
        dynamics = learned_dynamics(model)
        before = dynamics(0.0, states.T)
        with torch.no_grad():
            model.linear_block[2].weight += 1
        np.testing.assert_array_equal(dynamics(0.0, states.T), before)


@pytest.mark.parametrize("shape", [(), (5,), (2, 3)])
def test_learned_dynamics_take_numbers_and_arrays_of_any_shape(exact_model, shape):
    state = [np.full(shape, 0.3), np.full(shape, 2.0)]
    np.testing.assert_allclose(learned_dynamics(exact_model)(0.0, state), pendulum_dynamics(0.0, state), rtol=1e-12)
    assert np.shape(learned_dynamics(exact_model)(0.0, state)) == (2, *shape)


def test_q_is_wrapped_by_the_period_that_the_caller_gives(states):
    class Spring(nn.Module):
        def forward(self, x):
            return x.square().sum(-1, keepdim=True) / 2

    far = [np.array([4.0, -9.0]), np.array([1.0, 2.0])]
    for period, q in ((2 * np.pi, [4.0 - 2 * np.pi, -9.0 + 2 * np.pi]), (3.0, [1.0, 0.0]), (None, far[0])):
        np.testing.assert_allclose(learned_dynamics(Spring(), period)(0.0, far)[1], -np.array(q), atol=1e-12)


@pytest.mark.parametrize("shape", [(3,), (4, 3), ()])
def test_states_of_another_shape_are_refused(random_model, shape):
    with pytest.raises(ValueError, match=r"\(B, 2\)"):
        get_model_time_derivatives(random_model, torch.zeros(shape, dtype=torch.float64))


@pytest.mark.parametrize("period", [0, -1.0, np.nan, np.inf, "2π", True])
def test_a_period_that_is_no_positive_number_is_refused(exact_model, period):
    with pytest.raises(ValueError, match="the period must be a number above 0 and finite"):
        learned_dynamics(exact_model, period)


class OffBy(ExactH):
    """The true H times (1 + relative), plus a q² / 2, plus a constant."""

    def __init__(self, relative=0.0, a=0.0, constant=0.0):
        super().__init__()
        self.relative, self.a, self.constant = relative, a, constant

    def forward(self, x):
        return (1 + self.relative) * super().forward(x) + self.a * x[..., :1] ** 2 / 2 + self.constant


def test_measure_knows_an_error_in_the_derivatives():
    q_max, p_max = MEASURED_BOX
    assert measure(ExactH())[0] < 1e-25
    np.testing.assert_allclose(measure(OffBy(a=0.3))[0], 0.3**2 * q_max**2 / 3 / 2, rtol=1e-3)  # dp/dt off by −a q
    np.testing.assert_allclose(measure(OffBy(a=0.3), box=(1.0, p_max))[0], 0.3**2 / 3 / 2, rtol=1e-3)


def test_measure_knows_an_error_of_H_up_to_its_constant():
    q, p = sample_states(5000, MEASURED_BOX, seed=9).numpy().T
    H = pendulum_hamiltonian([q, p])
    assert measure(OffBy(constant=5.0))[1] < 1e-14
    expected = 0.01 * np.std(H) / np.sqrt(np.mean(H**2))  # a hundredth of H, less its mean
    np.testing.assert_allclose(measure(OffBy(relative=0.01))[1], expected, rtol=1e-2)


def test_the_judgement_warns_of_a_poor_model_and_of_no_other():
    assert "derivative MSE" in judgement(ExactH()) and "Warning" not in judgement(ExactH())
    assert "Warning" not in judgement(OffBy(relative=0.5 * POOR))
    assert "Warning: a poor fit" in judgement(OffBy(relative=2 * POOR))
    assert "Warning: a poor fit" in judgement(OffBy(relative=np.nan))
    mse = measure(OffBy(a=0.3))[0]
    assert f"derivative MSE {mse:.1e}" in judgement(OffBy(a=0.3))
