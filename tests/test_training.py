"""Training: it learns, it is deterministic, any units will do, and noise does not lead it astray."""

import math

import numpy as np
import pytest
import torch
from systems import UNIT_H
from torch import nn

import hnn_training
from HNN import HNN
from hnn_model_derivs import get_model_time_derivatives, measure
from hnn_training import train, train_as_post
from pendulum_tensor import TRAINING_BOX, pendulum_dynamics_tensor, sample_states
from rigid_simulator_HNN import run_simulation_HNN
from support.least_squares import choose_ridge, left_out_errors, solve_output_layer
from support.variable_projection import derivative_features, reduced_loss, variable_projection

HAMILTON = (get_model_time_derivatives, derivative_features)  # what the HNN predicts, and its features
X = np.random.default_rng(0).normal(size=(50, 2))


def true_derivatives_of(states):
    return pendulum_dynamics_tensor(0.0, states)


def loss_of(model, states, derivatives):
    """The mean squared error of the model's derivatives."""
    with torch.no_grad():
        return (get_model_time_derivatives(model, states) - derivatives).square().mean().item()


def short_run(seed=0, **arguments):
    """A training on 200 states, and what it reported: [(epoch, loss, test loss)]."""
    lines = []
    states = sample_states(200, seed=seed)
    model = train(states, true_derivatives_of(states), seed=seed, on_epoch=lambda *e: lines.append(e[:3]), **arguments)
    return model, lines


def test_a_short_run_lowers_the_loss_and_says_how_well_it_fits():
    states = sample_states(1000, seed=5)
    size = true_derivatives_of(states).square().mean().item()
    model, lines = short_run(epochs=2)
    assert [epoch for epoch, _, _ in lines] == [0, 1, 2] and lines[-1][1] < lines[0][1]
    assert model.test_loss == min(test_loss for _, _, test_loss in lines) < 1e-5 * size
    assert measure(model)[0] < 1e-5 * size


def test_the_reported_losses_are_mean_squared_errors_of_the_derivatives():
    reported = []
    states = sample_states(200)
    derivatives = true_derivatives_of(states)

    def on_epoch(epoch, loss, test_loss, model):
        errors = (get_model_time_derivatives(model, states) - derivatives).square().mean().item()
        reported.append((0.8 * loss + 0.2 * test_loss, errors))

    train(states, derivatives, epochs=1, on_epoch=on_epoch)
    np.testing.assert_allclose(*np.transpose(reported), rtol=1e-6)


def test_another_seed_holds_out_other_states(monkeypatch):
    monkeypatch.setattr("hnn_training.new_hnn", lambda seed, same=hnn_training.new_hnn: same(0))
    states = sample_states(200)
    test_losses = [train(states, true_derivatives_of(states), epochs=0, seed=seed).test_loss for seed in (0, 1, 1)]
    assert test_losses[0] != test_losses[1] == test_losses[2]


def test_every_epoch_ends_with_the_output_layer_solved_for_wherever_the_optimizer_ends(monkeypatch):
    class Wanderer:
        """It ends beside the point where it last asked for the loss, as a line search may."""

        def __init__(self, parameters):
            self.parameters = list(parameters)

        def step(self, closure):
            closure()
            with torch.no_grad():
                self.parameters[0] *= 1.1

    monkeypatch.setattr("support.variable_projection.LBFGS", Wanderer)
    model, x = HNN().double(), sample_states(100, (1.0, 1.0))
    problem = x, true_derivatives_of(x), 1e-3
    for _ in variable_projection(model, *problem, 2, *HAMILTON):
        weight = model.linear_block[-1].weight.detach().clone()
        reduced_loss(model, *problem, *HAMILTON)  # solves for it
        np.testing.assert_array_equal(weight, model.linear_block[-1].weight.detach())


def test_the_hidden_layers_learn_too():
    states, losses = sample_states(500), []
    train(states, true_derivatives_of(states), epochs=4, on_epoch=lambda *e: losses.append(e[2]))
    assert losses[-1] < losses[0] / 8


def test_a_run_is_deterministic_for_its_seed_and_leaves_the_callers_random_numbers_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    states = sample_states(100)
    runs = [train(states, true_derivatives_of(states), epochs=1, seed=seed).state_dict() for seed in (3, 3, 4)]
    train_as_post(states, true_derivatives_of(states), epochs=1, seed=3)
    assert torch.equal(torch.rand(3), expected)
    assert all(torch.equal(runs[0][key], runs[1][key]) for key in runs[0])
    assert not torch.equal(runs[0]["linear_block.2.weight"], runs[2]["linear_block.2.weight"])


def test_the_gradient_is_that_of_the_reduced_objective():
    torch.manual_seed(0)
    model, x, eps = HNN().double(), sample_states(60, (1.0, 1.0)), 1e-5
    y, ridge = true_derivatives_of(x), 0.3  # large, so that the ridge's share of the gradient counts
    reduced_loss(model, x, y, ridge, *HAMILTON).backward()
    weight = model.linear_block[2].weight
    gradient = weight.grad.clone()
    for i, j in ((0, 0), (7, 100), (150, 3)):
        values = []
        for step in (eps, -eps):
            with torch.no_grad():
                weight[i, j] += step
            values.append(reduced_loss(model, x, y, ridge, *HAMILTON).item())  # the output layer is solved for anew
            with torch.no_grad():
                weight[i, j] -= step
        np.testing.assert_allclose(gradient[i, j].item(), (values[0] - values[1]) / (2 * eps), rtol=1e-4)


def test_the_features_times_the_output_weights_are_the_derivatives():
    torch.manual_seed(0)
    model, x = HNN().double(), sample_states(40)
    A = derivative_features(model.linear_block[:-1], x)
    by_features = (A @ model.linear_block[-1].weight.T).reshape(-1, 2)
    assert torch.allclose(by_features, get_model_time_derivatives(model, x), rtol=1e-12, atol=1e-13)


def test_the_output_layer_is_the_minimum_of_its_three_terms():
    generator = torch.Generator().manual_seed(0)
    A, y, rows = (torch.rand(n, m, generator=generator, dtype=torch.float64) for n, m in ((60, 7), (30, 2), (5, 7)))
    output = nn.Linear(7, 1).double()
    solve_output_layer(output, A, y, ridge=0.5, zero_rows=rows)
    w = output.weight.detach().T
    gradient = A.T @ (A @ w - y.reshape(-1, 1)) + 0.5**2 * w + rows.T @ rows @ w
    assert gradient.abs().max() < 1e-12 and output.bias.item() == 0


def test_the_ridge_is_the_one_that_leaving_states_out_prefers():
    generator = torch.Generator().manual_seed(0)
    A = torch.rand(400, 60, generator=generator, dtype=torch.float64)
    clean = (A @ torch.rand(60, 1, generator=generator, dtype=torch.float64)).reshape(-1, 2)
    noise = torch.randn(200, 1, generator=generator, dtype=torch.float64).expand(200, 2)  # a state's two share it
    assert choose_ridge(A, clean) < 1e-6 * torch.linalg.matrix_norm(A)
    assert choose_ridge(A, clean + 3 * noise) > 1e-3 * torch.linalg.matrix_norm(A)


def test_leaving_a_state_out_is_what_the_short_formula_says():
    generator = torch.Generator().manual_seed(1)
    A, y = (torch.rand(n, m, generator=generator, dtype=torch.float64) for n, m in ((24, 6), (12, 2)))
    ridges, errors = torch.tensor([0.1, 1.0]), np.empty((2, 12))
    for (i, k), _ in np.ndenumerate(errors):
        kept = torch.ones(24, dtype=torch.bool)
        kept[2 * k : 2 * k + 2] = False
        normal = A[kept].T @ A[kept] + ridges[i] ** 2 * torch.eye(6)
        errors[i, k] = (A[~kept] @ torch.linalg.solve(normal, A[kept].T @ y.reshape(-1)[kept]) - y[k]).square().sum()
    np.testing.assert_allclose(left_out_errors(A, y, ridges), errors, rtol=1e-8)


@pytest.mark.parametrize("excess, chosen", [(0.9, 3.0), (1.1, 2.0)])
def test_a_ridge_may_be_worse_than_the_best_by_a_standard_error_of_their_difference(excess, chosen, monkeypatch):
    hard = torch.linspace(0, 100, 50)  # the same states are hard for all ridges
    varies = torch.linspace(-1, 1, 50)
    worse = varies + excess * varies.std() / math.sqrt(50)
    monkeypatch.setattr("support.least_squares.RIDGES", [1.0, 2.0, 3.0])
    monkeypatch.setattr(
        "support.least_squares.left_out_errors", lambda *_: hard + torch.stack([1 + 0 * hard, 0 * hard, worse])
    )
    assert choose_ridge(torch.eye(2), torch.zeros(50, 2)) == pytest.approx(chosen * math.sqrt(2))


def test_a_rollout_is_refused_another_period_than_the_training_had():
    of_no_angle, of_an_angle = (train(X, X, epochs=0, period=period) for period in (None, 2 * math.pi))
    run_simulation_HNN([0.5, 0.0], of_no_angle, 2, period=None), run_simulation_HNN([0.5, 0.0], of_an_angle, 2)
    for model, how in ((of_no_angle, {}), (of_an_angle, {"period": None}), (of_an_angle, {"period": 1.0})):
        with pytest.raises(ValueError, match=r"trained with the period .*, not .*; give its rollout the same"):
            run_simulation_HNN([0.5, 0.0], model, 2, **how)


def test_the_learned_H_has_the_period_that_it_was_given():
    states = sample_states(300)
    ends = torch.tensor([[math.pi, -3.0], [math.pi, 0.0], [math.pi, 4.0]], dtype=torch.float64)
    ends[:, 1] *= TRAINING_BOX[1] / 7.5
    gaps = []
    for period in (None, 2 * math.pi):
        model = train(states, true_derivatives_of(states), epochs=0, period=period)
        with torch.no_grad():
            gaps.append((model(ends) - model(ends * torch.tensor([-1.0, 1.0]))).abs().max().item())
    assert gaps[1] < 1e-7 * UNIT_H and gaps[1] < gaps[0] / 20


def test_q_is_taken_modulo_its_period():
    states = sample_states(300)
    turned = torch.stack([states[:, 0] + 2 * math.pi * (torch.arange(300) % 5), states[:, 1]], dim=-1)
    models = [train(x, true_derivatives_of(states), epochs=0, period=2 * math.pi) for x in (states, turned)]
    few = 0.9 * states[:20]
    assert torch.allclose(*(get_model_time_derivatives(model, few) for model in models), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("m, l, g", [(4.0, 1.0, 9.8), (1.0, 3.0, 9.8), (1.0, 1.0, 100.0), (2.0, 0.5, 1.6)])
def test_any_pendulum_is_learned_as_well_in_relative_terms(m, l, g):
    assert relative_error(2 * m * l * math.sqrt(g * l), lambda x: pendulum_dynamics_tensor(0.0, x, m, l, g)) < 1e-7


@pytest.mark.parametrize("unit", [1e-6, 1e6])
def test_p_may_come_in_any_unit(unit):
    scale = torch.tensor([1.0, unit])
    error = relative_error(unit * TRAINING_BOX[1] / 1.2, lambda x: true_derivatives_of(x / scale) * scale)
    assert error < 1e-7


def relative_error(separatrix, derivatives_of):
    """The mean square error of a short fit, relative to what it fits, the worse of the two derivatives."""
    x, fresh = (sample_states(n, (math.pi, 1.2 * separatrix), seed) for n, seed in ((400, 0), (500, 1)))
    model = train(x, derivatives_of(x), epochs=2, period=2 * math.pi)
    y = derivatives_of(fresh)
    with torch.no_grad():
        errors = get_model_time_derivatives(model, fresh) - y
    return (errors.square().mean(0) / y.square().mean(0)).max().item()


def test_a_planted_hamiltonian_is_recovered():
    states = sample_states(600, box=(2.0, 3.0))  # a Duffing oscillator, H = p² / 2 + q⁴ / 4 − q² / 2 + q p / 5
    q, p = states.T
    derivatives = torch.stack([p + q / 5, -(q**3 - q + p / 5)], dim=-1)
    model = train(states.numpy(), derivatives.numpy(), epochs=3)
    q, p = (0.9 * states).T
    H = p**2 / 2 + q**4 / 4 - q**2 / 2 + q * p / 5
    with torch.no_grad():
        learned = model(0.9 * states)[:, 0]
        assert abs(model(torch.zeros(1, 2, dtype=torch.float64))).item() < 1e-12  # H(0, 0) = 0
    assert abs(learned - H).max() < 1e-5


def noisy(n, noise):
    """States of the pendulum with noise, and the derivatives that they had without it."""
    clean = (2 * torch.rand(n, 2, dtype=torch.float64) - 1) * torch.tensor(TRAINING_BOX)
    return clean + noise * torch.randn(n, 2), true_derivatives_of(clean)


@pytest.mark.parametrize("seed", [0, 1, pytest.param(2, marks=pytest.mark.slow)])
def test_noisy_states_are_fitted_to_their_noise_floor(seed):
    torch.manual_seed(seed)
    model = train(*noisy(1000, 0.1), seed=seed, epochs=1)
    states, derivatives = noisy(20_000, 0.1)
    floor = loss_of_truth(states, derivatives)
    assert loss_of(model, states, derivatives) < 1.05 * floor


def loss_of_truth(states, derivatives):
    """The noise floor: what the exact derivatives at the noisy states are off by."""
    return (true_derivatives_of(states) - derivatives).square().mean().item()


def test_a_little_noise_leaves_something_for_the_hidden_layers_to_learn():
    torch.manual_seed(0)
    data, (states, derivatives) = noisy(800, 1e-6), noisy(5000, 1e-6)
    losses = [loss_of(train(*data, epochs=epochs), states, derivatives) for epochs in (0, 4)]
    assert losses[1] < 0.5 * losses[0] and losses[1] < 2 * loss_of_truth(states, derivatives)


def test_an_epoch_is_not_kept_for_a_gain_that_may_be_chance():
    torch.manual_seed(1)
    data, lines = noisy(300, 0.03), []
    hidden = [train(*data, epochs=epochs, on_epoch=lambda *e: lines.append(e)).linear_block[:-1] for epochs in (0, 3)]
    assert min(line[2] for line in lines) < lines[0][2]  # some epoch is a little better on the held-out states
    assert all(torch.equal(a, b) for a, b in zip(*(layers.parameters() for layers in hidden), strict=True))


def test_the_held_out_states_are_fitted_too_in_the_end():
    states, losses = sample_states(200), []
    derivatives = true_derivatives_of(states + 0.1 * torch.rand(200, 2))

    def on_epoch(epoch, loss, test_loss, model):
        losses.append(loss_of(model, states, derivatives))

    model = train(states, derivatives, epochs=0, on_epoch=on_epoch)
    assert loss_of(model, states, derivatives) < losses[0]


def test_the_posts_loop_is_the_posts():
    """Three epochs equal the post's listing, written out: Adam at 1e-2, mean squared error, float32."""
    states = sample_states(200, (3.0, 3.0))
    torch.manual_seed(7)
    model, losses, ours = HNN(), [], []
    optimizer, loss_fn = torch.optim.Adam(model.parameters(), lr=1e-2), nn.MSELoss()
    x, y = states.float(), true_derivatives_of(states).float()
    for _ in range(4):
        loss = loss_fn(get_model_time_derivatives(model, x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    trained = train_as_post(states, true_derivatives_of(states), 3, seed=7, on_epoch=lambda *e: ours.append(e[1]))
    np.testing.assert_allclose(ours, losses, rtol=1e-5)
    assert next(trained.parameters()).dtype == torch.float32


def test_the_posts_loop_lowers_its_loss():
    losses = []
    states = sample_states(200, (3.0, 3.0))
    of_a_spring = states.flip(-1) * torch.tensor([1.0, -9.8])
    train_as_post(states, of_a_spring, epochs=60, on_epoch=lambda *e: losses.append(e[1]))
    assert len(losses) == 61 and losses[-1] < 0.2 * losses[0]


def test_a_system_at_rest_is_learned_exactly():
    assert loss_of(train(X, 0 * X, epochs=1), torch.tensor(X), torch.tensor(0 * X)) == 0


@pytest.mark.parametrize("fit", [train, train_as_post])
@pytest.mark.parametrize("seed", [-1, 2**32, 0.5])
def test_a_seed_out_of_range_is_refused(fit, seed):
    with pytest.raises(ValueError, match="the seed must be a whole number from 0 to 4,294,967,295"):
        fit(X, X, epochs=1, seed=seed)


def test_hidden_layers_that_diverge_stop_the_run():
    A = torch.full((20, 3), torch.nan, dtype=torch.float64)
    with pytest.raises(ArithmeticError, match=r"hidden layers.*not finite; try"):
        solve_output_layer(nn.Linear(3, 1).double(), A, torch.zeros(10, 2).double(), ridge=1e-6)


@pytest.mark.parametrize(
    "states, derivatives, message",
    [
        (X[:5], X[:5], "at least 10"),
        (X, X[:40], r"\(N, 2\)"),
        (X[:, :1], X[:, :1], r"\(N, 2\)"),
        (X.ravel(), X.ravel(), r"\(N, 2\)"),
        (X, X * np.nan, "finite"),
        (np.where(X > 1, np.inf, X), X, "finite"),
        ([["a", "b"]] * 20, X[:20], "numbers"),
        (X + 1j, X, "real"),
    ],
)
@pytest.mark.parametrize("fit", [train, train_as_post])
def test_data_that_cannot_be_fitted_are_refused(fit, states, derivatives, message):
    with pytest.raises(ValueError, match=message):
        fit(states, derivatives, epochs=1)


@pytest.mark.parametrize("states", [np.ones_like(X), X * [1, 0], np.stack([2 * np.arange(50), X[:, 1]], -1)])
def test_states_that_are_all_alike_are_refused(states):
    with pytest.raises(ValueError, match="alike in q or in p"):
        train(states, X, epochs=1, period=2.0)


@pytest.mark.parametrize("period", [0, -1.0, np.nan, np.inf, "2π"])
def test_a_period_that_is_no_positive_number_is_refused(period):
    with pytest.raises(ValueError, match="the period must be a number above 0 and finite"):
        train(X, X, epochs=1, period=period)


@pytest.mark.parametrize("fit, size", [(train, 1e200), (train_as_post, 1e30)])
def test_a_loss_that_is_not_finite_stops_the_run(fit, size):
    with pytest.raises(ArithmeticError, match=r"epoch 0.*not finite"):
        fit(X, X * size, epochs=3)
