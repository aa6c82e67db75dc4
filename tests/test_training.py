"""Training: it learns, it is deterministic, any units will do, and noise does not lead it astray."""

import contextlib
import math

import numpy as np
import pytest
import torch
from torch import nn

from HNN import HNN, load_hnn
from hnn_model_derivs import get_model_time_derivatives, measure
from hnn_training import ASIDE, POINTS, derivative_error, first_hidden_layers, tell, train, train_as_post
from pendulum_tensor import POST_BOX, pendulum_dynamics_tensor, sample_states
from rigid_simulator_HNN import run_simulation_HNN
from support import variable_projection
from support.data import TrainingData
from support.least_squares import RIDGES, choose_ridge, solve
from support.notes import Note
from support.variable_projection import best_network, features, output_weights

X = np.random.default_rng(0).normal(size=(50, 2))


def true_derivatives_of(states):
    return pendulum_dynamics_tensor(0.0, states)


def same_weights(a, b):
    return all(torch.equal(u, v) for u, v in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


def rand(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def split(states, seed):
    """The numbers of the states that train() fits, and of those that it keeps aside."""
    return TrainingData(states, true_derivatives_of(states)).split(ASIDE, POINTS, seed)


# The post's loop


def test_the_posts_loop_is_the_posts():
    """Three epochs equal the post's listing, written out: Adam at 1e-2, mean squared error, float32."""
    states = sample_states(200, POST_BOX)
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


def test_the_output_weights_are_the_minimum_of_their_three_terms():
    A, y, rows = rand(60, 7), rand(60, 1, seed=1), rand(5, 7, seed=2)
    w = solve(A, y, 0.5, rows)
    gradient = A.T @ (A @ w - y) + 0.5**2 * w + rows.T @ rows @ w
    assert gradient.abs().max() < 1e-12
    A = rand(400, 40) @ torch.diag(10.0 ** -torch.linspace(0, 6, 40, dtype=torch.float64))
    w = rand(40, 1, seed=3)
    assert (solve(A, A @ w, 0.0) - w).abs().max() < 1e-9  # refined to the last digit


def test_blocks_of_rows_have_the_solution_of_all_rows_at_once(monkeypatch):
    hidden, x = first_hidden_layers(0).double(), sample_states(700, (1.0, 1.0))
    y = true_derivatives_of(x)
    whole = solve(features(hidden, x).detach(), y.reshape(-1, 1), 1e-3)
    monkeypatch.setattr(variable_projection, "BLOCK", 123)
    blocked = output_weights(hidden, x, y, 1e-3)
    assert torch.allclose(blocked, whole, rtol=1e-8, atol=1e-8 * whole.abs().max().item())


def test_the_ridge_is_the_one_that_comes_nearest_to_the_clean_data():
    A = (rand(160, 100) - 0.5) @ torch.diag(10.0 ** -torch.linspace(0, 3, 100, dtype=torch.float64))
    clean = A @ rand(100, 1, seed=1)
    assert choose_ridge(A, clean.reshape(-1, 2)) == RIDGES[0]
    for noise in (0.1, 1.0):
        y = clean + noise * (rand(160, 1, seed=2) + rand(160, 1, seed=3) - 1)
        fits = {ridge: A @ solve(A, y, ridge * torch.linalg.matrix_norm(A)) for ridge in RIDGES}
        errors = {ridge: (fit - clean).square().mean().item() for ridge, fit in fits.items()}
        assert errors[choose_ridge(A, y.reshape(-1, 2))] <= 1.3 * min(errors.values())


def test_the_default_recipe_reaches_the_numbers_of_the_committed_weights():
    states = sample_states(1250)
    model = train(states, true_derivatives_of(states), period=2 * math.pi)
    mse, H_error = measure(model)
    assert mse < 1e-13 and H_error < 5e-9  # 8e-15 and 1e-9, the last digits by the machine


def test_the_reported_losses_are_mean_squared_errors_of_the_derivatives():
    states, reported = sample_states(200), []
    derivatives = true_derivatives_of(states)
    fit, test = split(states, 3)
    assert len(fit) == 160 and len(test) == 40 and not set(fit.tolist()) & set(test.tolist())

    def on_epoch(epoch, loss, validation_loss, model):
        errors = [derivative_error(model, states[part], derivatives[part]) for part in (fit, test)]
        reported.append((epoch, loss, validation_loss, *errors))

    model = train(states, derivatives, epochs=2, seed=3, on_epoch=on_epoch)
    epochs, loss, validation_loss, of_fit, of_test = np.transpose(reported)
    np.testing.assert_allclose((loss, validation_loss), (of_fit, of_test), rtol=1e-6)
    assert epochs.tolist() == [0, 1, 2] and loss[2] < loss[0]
    assert model.validation_loss == validation_loss.min() < 1e-3 and model.explained_part > 1 - 1e-6
    least, greatest = states.min(0).values.tolist(), states.max(0).values.tolist()
    ranges = {"q_range": (least[0], greatest[0]), "p_range": (least[1], greatest[1])}
    assert model.knows == {"period": None, **ranges}


def test_the_kept_epoch_is_the_best_on_the_validation_part_and_its_loss_is_the_models():
    torch.manual_seed(1)
    data, lines = noisy(300, 0.03), []
    models = [train(*data, epochs=epochs, on_epoch=lambda *e: lines.append(e)) for epochs in (0, 3)]
    validation_losses = [line[2] for line in lines[1:]]
    assert min(validation_losses) < validation_losses[0]  # better, but by no more than chance
    assert validation_losses[3] != validation_losses[0]
    assert models[1].validation_loss == validation_losses[0]
    hidden = [model.linear_block[:-1].state_dict().values() for model in models]
    assert all(torch.equal(a, b) for a, b in zip(*hidden, strict=True))


def test_more_states_than_the_hidden_layers_need_still_enter_the_last_solve(monkeypatch):
    monkeypatch.setattr("hnn_training.POINTS", 150)
    states, noise = sample_states(4000), torch.randn(4000, 2, generator=torch.Generator().manual_seed(0))
    derivatives = true_derivatives_of(states) + noise
    few, many = (train(states[:n], derivatives[:n], epochs=0) for n in (200, 4000))
    assert measure(many)[0] < measure(few)[0] / 4


def test_a_run_is_deterministic_for_its_seed_and_leaves_the_callers_random_numbers_and_threads_alone(two_threads):
    states = sample_states(100)
    torch.manual_seed(5)
    before = torch.get_rng_state()
    runs = [train(states, true_derivatives_of(states), epochs=1, seed=seed) for seed in (3, 3, 4)]
    train_as_post(states, true_derivatives_of(states), epochs=1, seed=3)
    measure(load_hnn())
    run_simulation_HNN([0.5, 0.0], n_steps=2)
    with pytest.raises(ArithmeticError):
        train(X, 1e300 * X)
    assert torch.equal(torch.get_rng_state(), before) and torch.get_num_threads() == 2
    assert same_weights(*runs[:2]) and not same_weights(*runs[1:])
    assert not torch.equal(runs[0].linear_block[2].weight, runs[2].linear_block[2].weight)


def test_a_training_takes_one_thread_from_the_first_epoch_to_the_last_solve(two_threads, monkeypatch):
    seen, data = [], (X, X[:, ::-1] * [1.0, -2.0])

    def watched(*arguments, **how):
        seen.append(torch.get_num_threads())
        return best_network(*arguments, **how)

    monkeypatch.setattr("hnn_training.best_network", watched)
    train(*data, epochs=1)
    train_as_post(*data, epochs=1, on_epoch=lambda *_: seen.append(torch.get_num_threads()))
    assert seen == [1] * 5


@pytest.mark.parametrize("value", [torch.float64, torch.float16, "meta"])
def test_what_another_library_set_for_all_of_torch_changes_nothing(value):
    def everything():
        trained = train(X, X[:, ::-1] * [1.0, -2.0], epochs=1, seed=3, period=20.0)
        weights = [values.numpy() for values in trained.state_dict().values()]
        learned = run_simulation_HNN([[0.5, 0.0], [0.0, 5.0]], n_steps=5)
        return [sample_states(50).numpy(), *weights, trained.validation_loss, *measure(load_hnn()), *learned]

    expected = everything()
    try:
        (torch.set_default_device if value == "meta" else torch.set_default_dtype)(value)
        found = everything()
        assert value == "meta" or torch.get_default_dtype() == value
    finally:
        torch.set_default_device(None)
        torch.set_default_dtype(torch.float32)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("fit", [train, train_as_post])
@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_gradients_may_be_off(mode, fit):
    y = X[:, ::-1] * [1.0, -2.0]
    with mode():
        model = fit(torch.tensor(X), torch.tensor(y.copy()), epochs=1)
    assert same_weights(model, fit(X, y, epochs=1))


@pytest.mark.parametrize("fit", [train, train_as_post])
def test_a_loss_that_is_not_finite_ends_the_training(fit):
    with pytest.raises(ArithmeticError, match=r"epoch 0: the loss is not finite|hidden layers' weights are not finite"):
        fit(X, 1e300 * X, epochs=2)
    for losses in ((math.nan, 1.0), (1.0, math.inf)):
        with pytest.raises(ArithmeticError, match="epoch 7: the loss is not finite"):
            tell(None, 7, *losses, None)


def test_the_learned_h_has_the_period_that_it_was_given_and_is_0_at_rest():
    states = sample_states(300)
    ends = torch.tensor([[math.pi, -3.0], [math.pi, 0.0], [math.pi, 4.0]], dtype=torch.float64)
    gaps = []
    for period in (None, 2 * math.pi):
        model = train(states, true_derivatives_of(states), epochs=0, period=period)
        assert model.knows["period"] == period
        with torch.no_grad():
            gaps.append((model(ends) - model(ends * torch.tensor([-1.0, 1.0]))).abs().max().item())
            assert abs(model(torch.zeros(1, 2, dtype=torch.float64)).item()) < 1e-12
    assert gaps[1] < 1e-7 and gaps[1] < gaps[0] / 20


@pytest.mark.parametrize(
    "m, l, g, unit", [(4.0, 1.0, 9.8, 1.0), (2.0, 0.5, 1.6, 1.0), (1, 1, 9.8, 1e-6), (1, 1, 9.8, 1e6)]
)
def test_any_pendulum_is_learned_as_well_and_p_may_come_in_any_unit(m, l, g, unit):
    separatrix = 2 * m * l * math.sqrt(g * l)
    scale = torch.tensor([1.0, unit], dtype=torch.float64)
    x, fresh = (sample_states(n, (math.pi, 1.2 * separatrix), seed) for n, seed in ((400, 0), (500, 1)))
    y, expected = (pendulum_dynamics_tensor(0.0, states, m, l, g) * scale for states in (x, fresh))
    model = train(x * scale, y, epochs=2, period=2 * math.pi)
    with torch.no_grad():
        errors = get_model_time_derivatives(model, fresh * scale) - expected
    assert (errors.square().mean(0) / expected.square().mean(0)).max() < 1e-7


def test_a_planted_hamiltonian_is_recovered():
    states = sample_states(600, box=(2.0, 3.0))  # a Duffing oscillator, H = p² / 2 + q⁴ / 4 − q² / 2 + q p / 5
    q, p = states.T
    derivatives = torch.stack([p + q / 5, -(q**3 - q + p / 5)], dim=-1)
    model = train(states.numpy(), derivatives.numpy(), epochs=3)
    q, p = (0.9 * states).T
    H = p**2 / 2 + q**4 / 4 - q**2 / 2 + q * p / 5
    with torch.no_grad():
        assert abs(model(0.9 * states)[:, 0] - H).max() < 1e-5


def noisy(n, noise):
    """States of the pendulum with noise, and the derivatives that they had without it."""
    clean = (2 * torch.rand(n, 2, dtype=torch.float64) - 1) * torch.tensor([1.05 * math.pi, 7.513])
    return clean + noise * torch.randn(n, 2), true_derivatives_of(clean)


def floor(states, derivatives):
    """What the exact derivatives at the noisy states are off by."""
    return (true_derivatives_of(states) - derivatives).square().mean().item()


@pytest.mark.parametrize("seed", [0, 1])
def test_noisy_states_are_fitted_to_their_noise_floor(seed):
    torch.manual_seed(seed)
    model = train(*noisy(1000, 0.1), seed=seed, epochs=1)
    fresh = noisy(20_000, 0.1)
    assert derivative_error(model, *fresh) < 1.05 * floor(*fresh)


def test_a_system_at_rest_is_learned_exactly():
    model = train(X, 0 * X, epochs=1)
    assert derivative_error(model, torch.tensor(X), torch.tensor(0 * X)) == 0


def test_data_that_the_model_does_not_explain_are_warned_of_with_the_part_and_the_worst_row():
    _, test = split(sample_states(300, (1.5, 4.0)), 0)
    for row in (17, 200):  # one that is fitted, and one that is kept for validation
        assert (row in test.tolist()) == (row == 200)
        states = sample_states(300, (1.5, 4.0))
        derivatives = true_derivatives_of(states)
        derivatives[row, 0] = math.pi / 0.05  # from an angle that was wrapped
        with pytest.warns(Note, match=r"worst is the state .*62\.8319") as caught:
            model = train(states, derivatives, epochs=1)
        assert f"{states[row, 0]:.6g}" in str(caught[0].message) and model.explained_part < 0.9
        assert f"explains only {max(0, model.explained_part):.0%} of" in str(caught[0].message)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("unexplained, said", [(0.08, None), (0.12, "88%"), (0.8, "20%"), (1.5, "0%")])
@pytest.mark.parametrize("unit", [1.0, 1e-3])  # of p, and so of dp/dt and H; q and dq/dt stay
def test_the_part_that_is_explained_is_said_from_a_tenth_unexplained_on_in_any_unit(unexplained, said, unit):
    states, derivatives = (sample_states(200, (1.0, 1.0), seed) / torch.tensor([1.0, unit]) for seed in (0, 1))
    predicted = derivatives * (1 - math.sqrt(unexplained))
    with pytest.warns(Note, match=f"the model explains only {said} of") if said else contextlib.nullcontext():
        found = TrainingData(states, derivatives).explained_part(lambda _: predicted, slice(None))
    assert found == pytest.approx(1 - unexplained)
    predicted = derivatives * torch.tensor([0.0, 1.0])  # all of dp/dt and nothing of dq/dt, half of it all
    with pytest.warns(Note, match="the model explains"):
        assert 0.3 < TrainingData(states, derivatives).explained_part(lambda _: predicted, slice(None)) < 0.7


@pytest.mark.filterwarnings("ignore:the model explains")
def test_what_is_held_out_is_in_no_epoch_of_the_fit():
    states = sample_states(100)
    derivatives = pendulum_dynamics_tensor(0, states)
    _, test = split(states, 0)
    flipped = derivatives.clone()
    flipped[test] *= -1  # of the same size, so that the units of the data stay
    losses = [], []
    for given, of_epochs in zip((derivatives, flipped), losses, strict=True):
        train(states, given, epochs=2, on_epoch=lambda epoch, loss, *_, seen=of_epochs: seen.append(loss))
    assert losses[0] == losses[1] and len(losses[0]) == 3
    kept = [set(split(states, seed)[1].tolist()) for seed in (0, 1)]
    assert len(kept[0]) == len(kept[1]) == 20 and kept[0] != kept[1]
