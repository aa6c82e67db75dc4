"""Training: it learns, it is deterministic, it recovers other systems, and noise does not lead it astray."""

import numpy as np
import pytest
import torch

from HNN import HNN
from hnn_model_derivs import get_model_time_derivatives
from hnn_training import (
    derivative_loss,
    measure,
    output_features,
    sample_states,
    solve_output_layer,
    train,
    train_as_post,
    true_derivatives_of,
)
from pendulum_tensor import pendulum_dynamics_tensor


def short_run(seed=0, **arguments):
    losses = []
    states = sample_states(200, seed)
    model = train(
        states, true_derivatives_of(states), seed=seed, on_epoch=lambda *e: losses.append(e[1:3]), **arguments
    )
    return model, losses


def test_a_short_run_lowers_the_loss_and_returns_the_best_model():
    states = sample_states(200)
    model, losses = short_run(epochs=2)
    assert len(losses) == 3 and losses[-1][0] < losses[0][0]
    assert derivative_loss(model, states, true_derivatives_of(states)) < 1e-5
    assert measure(model)[0] < 1e-4


def test_the_hidden_layers_learn_too():
    states, losses = sample_states(1250), []
    train(states, true_derivatives_of(states), epochs=3, on_epoch=lambda *e: losses.append(e[2]))
    assert losses[0] < 1e-7  # the solved output layer alone
    assert losses[-1] < losses[0] / 8


def test_a_run_is_deterministic_for_its_seed_and_leaves_the_callers_random_numbers_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    weights = [short_run(seed, epochs=1)[0].state_dict() for seed in (3, 3, 4)]
    assert torch.equal(torch.rand(3), expected)
    assert all(torch.equal(weights[0][key], weights[1][key]) for key in weights[0])
    assert not torch.equal(weights[0]["linear_block.0.weight"], weights[2]["linear_block.0.weight"])


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
    assert abs(learned - H).max() < 1e-4


@pytest.mark.parametrize("seed", range(3))
def test_noisy_states_are_fitted_to_their_noise_floor(seed):
    def noisy(n):
        clean = (2 * torch.rand(n, 2, dtype=torch.float64) - 1) * torch.tensor([3.3, 7.5])
        return clean + 0.1 * torch.randn(n, 2), pendulum_dynamics_tensor(0.0, clean)

    torch.manual_seed(seed)
    model = train(*noisy(1000), seed=seed)
    states, derivatives = noisy(20_000)
    floor = (pendulum_dynamics_tensor(0.0, states) - derivatives).square().mean().item()
    assert derivative_loss(model, states, derivatives) < 1.05 * floor


def test_the_held_out_states_are_fitted_too_in_the_end():
    states, losses = sample_states(200), []
    derivatives = true_derivatives_of(states + 0.1)

    def on_epoch(epoch, loss, test_loss, model):
        losses.append(derivative_loss(model, states, derivatives))

    model = train(states, derivatives, epochs=0, on_epoch=on_epoch)
    assert derivative_loss(model, states, derivatives) < losses[0]


def test_the_output_layer_is_solved_for():
    torch.manual_seed(0)
    model, x = HNN().double(), sample_states(500)
    y = pendulum_dynamics_tensor(0.0, x)
    solve_output_layer(model, x, y, ridge=1e-9)
    derivatives = get_model_time_derivatives(model, x)
    flattened = output_features(model, x) @ model.linear_block[4].weight.T
    assert torch.allclose(flattened[:, 0], derivatives.T.reshape(-1), atol=1e-8)
    (derivatives - y).square().mean().backward()
    gradients = {name: p.grad.abs().max().item() for name, p in model.named_parameters() if p.grad is not None}
    assert gradients["linear_block.4.weight"] < 1e-4 * gradients["linear_block.2.weight"]


def test_the_posts_loop_lowers_its_loss():
    losses = []
    states = (6 * torch.rand(200, 2) - 3).float()
    model = train_as_post(states, true_derivatives_of(states), epochs=60, on_epoch=lambda *e: losses.append(e[1]))
    assert len(losses) == 61 and losses[-1] < 0.2 * losses[0]
    assert next(model.parameters()).dtype == torch.float32


X = np.random.default_rng(0).normal(size=(50, 2))


def test_a_system_at_rest_is_learned_exactly():
    assert derivative_loss(train(X, 0 * X, epochs=1), torch.tensor(X), torch.tensor(0 * X)) == 0


@pytest.mark.parametrize("fit", [train, train_as_post])
@pytest.mark.parametrize("seed", [-1, 2**32, 0.5])
def test_a_seed_out_of_range_is_refused(fit, seed):
    with pytest.raises(ValueError, match="the seed must be a whole number from 0 to 4,294,967,295"):
        fit(X, X, epochs=1, seed=seed)


def test_hidden_layers_that_diverge_stop_the_run():
    model, x = HNN().double(), torch.tensor(X)
    with torch.no_grad():
        model.linear_block[0].weight[0] = float("nan")
    with pytest.raises(ArithmeticError, match=r"hidden layers.*not finite; try"):
        solve_output_layer(model, x, x, ridge=1e-6)


@pytest.mark.parametrize(
    "states, derivatives, message",
    [
        (X[:5], X[:5], "at least 10"),
        (X, X[:40], r"\(N, 2\)"),
        (X[:, :1], X[:, :1], r"\(N, 2\)"),
        (X.ravel(), X.ravel(), r"\(N, 2\)"),
        (np.ones_like(X), X, "alike"),
        (X * [1, 0], X, "alike in q or in p"),
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


@pytest.mark.parametrize("fit, size", [(train, 1e200), (train_as_post, 1e30)])
def test_a_loss_that_is_not_finite_stops_the_run(fit, size):
    with pytest.raises(ArithmeticError, match=r"epoch 0.*not finite"):
        fit(X, X * size, epochs=3)
