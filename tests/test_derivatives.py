"""The symplectic swap: the model's time derivatives are Hamilton's equations of whatever H it computes."""

import contextlib

import numpy as np
import pytest
import torch
from helpers import ExactH, Spring
from torch import nn

from HNN import HNN
from hnn_model_derivs import closed_form, get_model_time_derivatives, learned_dynamics, measure
from hnn_training import derivative_error, train
from motion.steps import train_on_motion
from pendulum_nonlinear import pendulum_hamiltonian
from pendulum_tensor import TEST_BOX, pendulum_dynamics_tensor, sample_states
from rigid_simulator_HNN import run_simulation_HNN

MODES = {"gradients": contextlib.nullcontext, "no_grad": torch.no_grad, "inference": torch.inference_mode}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("requires_grad", [False, True])
def test_the_exact_hamiltonian_gives_the_exact_dynamics(exact_model, states, mode, requires_grad):
    x = torch.tensor(states, requires_grad=requires_grad)
    with MODES[mode]():
        derivatives = get_model_time_derivatives(exact_model, x)
    assert torch.allclose(derivatives, pendulum_dynamics_tensor(0.0, x), rtol=1e-14, atol=1e-13)
    assert derivatives.requires_grad == (mode == "gradients")
    assert x.requires_grad == requires_grad and x.grad is None


def test_no_graph_of_the_gradient_is_made_where_gradients_are_off():
    def kept(mode):
        tensors = []
        with MODES[mode](), torch.autograd.graph.saved_tensors_hooks(lambda x: tensors.append(x) or x, lambda x: x):
            get_model_time_derivatives(HNN(), torch.zeros(3, 2))
        return len(tensors)

    assert kept("no_grad") < kept("gradients")


def test_few_states_are_worth_one_thread_and_many_all_of_them(two_threads):
    seen = []

    class Watched(Spring):
        def forward(self, x):
            seen.append((len(x), torch.get_num_threads()))
            return super().forward(x)

    dynamics = learned_dynamics(Watched(), period=None)
    seen.clear()
    for n in (3, 100):
        dynamics(0.0, np.zeros((2, n)))
    assert seen == [(3, 1), (100, 2)] and torch.get_num_threads() == 2


def test_the_swap_has_the_sign_of_hamilton():
    x = torch.tensor([[0.7, -0.2]])
    assert get_model_time_derivatives(lambda x: x[:, 1:], x).tolist() == [[1, 0]]  # H = p: dq/dt = 1
    assert get_model_time_derivatives(lambda x: x[:, :1], x).tolist() == [[0, -1]]  # H = q: dp/dt = −1
    with torch.no_grad():
        assert learned_dynamics(lambda x: x[:, 1:] ** 2 / 2)(0.0, [0.5, 3.0]) == [3, 0]  # H = p² / 2 moves freely


def test_the_graph_reaches_the_weights_and_the_states(states):
    model, x = HNN().double(), torch.tensor(states, requires_grad=True)
    get_model_time_derivatives(model, x).square().mean().backward()
    assert x.grad.abs().sum() > 0
    for name, parameter in model.named_parameters():
        reached = parameter.grad is not None and parameter.grad.abs().sum() > 0
        assert reached == (name != "linear_block.4.bias")  # the constant of H moves nothing


@pytest.mark.parametrize("shape", [(3,), (4, 3), ()])
def test_states_of_another_shape_are_refused(random_model, shape):
    with pytest.raises(ValueError, match=r"\(B, 2\)"):
        get_model_time_derivatives(random_model, torch.zeros(shape, dtype=torch.float64))


# The closed form, and what an integrator is given.


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_closed_form_equals_autograd(random_model, states, dtype, mode):
    rounded = random_model.to(dtype).double()
    x = torch.tensor(states)
    expected = get_model_time_derivatives(rounded, x).detach()
    with MODES[mode]():
        by_hand = closed_form(rounded)(x)
        learned = learned_dynamics(random_model, period=None)(0.0, states.T)
    for found in (by_hand, np.transpose(learned)):
        np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-11)


def test_a_network_as_it_stands_is_rolled_out_by_the_closed_form_which_is_faster(model, monkeypatch):
    seen = []
    monkeypatch.setattr(
        "hnn_model_derivs.closed_form", lambda model: lambda x: seen.append(len(x)) or closed_form(model)(x)
    )
    run_simulation_HNN([[0.5, 0.0], [1.0, 2.0]], model, n_steps=4)
    assert seen.count(2) >= 8  # two gradients a step, or three


def test_learned_dynamics_take_numbers_and_arrays_of_any_shape(random_model, states):
    expected = get_model_time_derivatives(random_model, torch.tensor(states)).detach().numpy().T
    dynamics, (q, p) = learned_dynamics(random_model), states.T
    of_numbers = dynamics(0.0, [q[0].item(), p[0].item()])
    assert all(np.shape(x) == () for x in of_numbers)
    np.testing.assert_allclose(of_numbers, expected[:, 0], rtol=0, atol=1e-11)
    for shape in ((64,), (2, 32)):
        of_arrays = dynamics(0.0, [q.reshape(shape), p.reshape(shape)])
        assert all(type(x) is np.ndarray and x.shape == shape for x in of_arrays)
        np.testing.assert_allclose([x.ravel() for x in of_arrays], expected, rtol=0, atol=1e-11)
    np.testing.assert_allclose(dynamics(0.0, np.float32([1, 2])), dynamics(0.0, [1.0, 2.0]), rtol=1e-5)
    assert HNN()(torch.zeros(3, 2, dtype=torch.float64)).dtype == torch.float32


@pytest.mark.parametrize(
    "change",
    [
        lambda model: model.linear_block.__setitem__(1, nn.SiLU()),
        lambda model: model.register_forward_hook(lambda module, x, H: 2 * H),
        lambda model: model.linear_block[1].register_forward_hook(lambda module, x, h: 0.9 * h),
    ],
)
def test_a_changed_network_is_rolled_out_as_its_own_derivatives_say(random_model, change, states):
    change(random_model)
    by_autograd = get_model_time_derivatives(random_model, torch.tensor(states)).detach()
    learned = learned_dynamics(random_model, period=None)(0.0, states.T)
    np.testing.assert_allclose(np.transpose(learned), by_autograd, rtol=1e-10, atol=1e-12)


def test_learned_dynamics_do_not_follow_later_training_and_leave_the_mode_alone(random_model, states):
    random_model.train()
    dynamics = learned_dynamics(random_model)
    before = dynamics(0.0, states.T)
    with torch.no_grad():
        random_model.linear_block[2].weight += 1
    np.testing.assert_array_equal(dynamics(0.0, states.T), before)
    assert random_model.training


def test_q_is_wrapped_by_the_models_own_period_or_the_callers():
    far = [np.array([4.0, -9.0]), np.array([1.0, 2.0])]
    wrapped = {2 * np.pi: [4.0 - 2 * np.pi, -9.0 + 2 * np.pi], 3.0: [1.0, 0.0], None: far[0]}
    spring = Spring()
    np.testing.assert_allclose(learned_dynamics(spring)(0.0, far)[1], np.negative(wrapped[2 * np.pi]), atol=1e-12)
    for period, q in wrapped.items():
        spring.knows = {}
        np.testing.assert_allclose(learned_dynamics(spring, period)(0.0, far)[1], np.negative(q), atol=1e-12)
        spring.knows = {"period": period}
        np.testing.assert_allclose(learned_dynamics(spring)(0.0, far)[1], np.negative(q), atol=1e-12)


def test_a_period_that_the_model_contradicts_is_refused_and_the_default_contradicts_nothing():
    spring = Spring()
    for own, given in ((None, 1.0), (1.0, 2.0), (2 * np.pi, None), (2 * np.pi, 1.0)):
        spring.knows = {"period": own}
        with pytest.raises(ValueError, match=r"trained with the period .*, not .*; leave the period out"):
            learned_dynamics(spring, given)
        learned_dynamics(spring, 2 * np.pi)


@pytest.mark.parametrize("period", [0, -1.0, np.nan, np.inf, "2pi", True])
def test_a_period_that_is_no_positive_number_is_refused_before_the_first_use(exact_model, period):
    x = np.random.default_rng(0).normal(size=(40, 2))
    for use in (
        lambda: learned_dynamics(exact_model, period),
        lambda: run_simulation_HNN([0.5, 0.0], exact_model, 3, period=period),
        lambda: train(x, x, period=period),
        lambda: train_on_motion(*x.T, 0.1, period=period),
    ):
        with pytest.raises(ValueError, match="the period must be a number above 0 and finite, not "):
            use()


@pytest.mark.parametrize(
    "model, message",
    [
        (300, "300 is none"),
        (HNN, "cannot be used"),
        (nn.Linear(2, 2), "one energy H for each state"),
        (nn.Linear(3, 1), r"fails on float64 states of shape \(B, 2\)"),
        (lambda x: x.square().mean(), "one energy H for each state"),
    ],
)
def test_what_is_no_model_of_h_is_refused(model, message):
    with pytest.raises(ValueError, match=message):
        learned_dynamics(model)


@pytest.mark.parametrize("wrap", [lambda model: model, nn.DataParallel])
def test_a_model_is_used_in_evaluation_mode_and_stays_in_training_mode(wrap, states):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 20), nn.BatchNorm1d(20), nn.Tanh(), nn.Linear(20, 1))
    model(torch.randn(30, 2))
    before = {key: value.clone() for key, value in model.state_dict().items()}
    found, _ = run_simulation_HNN(states, wrap(model), n_steps=3), measure(model)
    assert model.training and all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    np.testing.assert_array_equal(run_simulation_HNN(states, model.eval(), n_steps=3), found)


# How well a model knows the pendulum.


class OffBy(ExactH):
    """The true H times (1 + relative), plus a q² / 2, plus a constant."""

    def __init__(self, relative=0.0, a=0.0, constant=0.0):
        super().__init__()
        self.relative, self.a, self.constant = relative, a, constant

    def forward(self, x):
        return (1 + self.relative) * super().forward(x) + self.a * x[..., :1] ** 2 / 2 + self.constant


def test_measure_knows_an_error_in_the_derivatives():
    assert measure(ExactH())[0] < 1e-25
    np.testing.assert_allclose(measure(OffBy(a=0.3))[0], 0.3**2 * np.pi**2 / 3 / 2, rtol=1e-3)  # dp/dt off by −a q
    x = torch.tensor([[2.0, 0.0], [0.0, 1.0]], dtype=torch.float64)
    assert derivative_error(OffBy(a=0.3), x, pendulum_dynamics_tensor(0, x)) == pytest.approx(0.6**2 / 4)


def test_measure_knows_an_error_of_h_up_to_its_constant():
    q, p = sample_states(5000, TEST_BOX, seed=9).numpy().T
    H = pendulum_hamiltonian([q, p])
    assert measure(OffBy(constant=5.0))[1] < 1e-14
    expected = 0.01 * np.std(H) / np.sqrt(np.mean(H**2))  # a hundredth of H, less its mean
    np.testing.assert_allclose(measure(OffBy(relative=0.01))[1], expected, rtol=1e-2)
