"""benchmarks/noisy_data.py: its data and its measures, on systems whose answer is known."""

import numpy as np
import pytest
import torch

pytest.importorskip("scipy")

from benchmarks import noisy_data
from benchmarks.common import dynamics_error
from pendulum_tensor import pendulum_dynamics_tensor, sample_states

STATES = np.array([[1.0, 0.0], [0.3, -0.7]])


def test_the_noise_floor_of_a_linear_system_follows_from_its_matrix():
    def dynamics(t, state):
        return [2 * state[1], -3 * state[0]]

    rng = np.random.default_rng(0)
    clean = rng.normal(size=(100_000, 2))
    noisy = clean + 0.1 * rng.normal(size=clean.shape)
    floor = dynamics_error(dynamics, noisy, np.transpose(dynamics(0, clean.T)))
    assert floor == pytest.approx(0.1**2 * (2**2 + 3**2) / 2, rel=0.02)


def test_the_energy_error_of_a_known_gain_is_known():
    def pushed(t, state):  # p = t, and H = p² / 2 gains t² / 2
        return [0 * state[0], 1 + 0 * state[1]]

    error = noisy_data.energy_error(pushed, lambda state: state[1] ** 2 / 2, np.zeros((2, 2)))
    assert error == pytest.approx(noisy_data.ROLLOUT_TIME**4 / 20, rel=0.02)  # the mean of t⁴ / 4, over 200 times
    true = noisy_data.energy_error(noisy_data.their_dynamics, noisy_data.their_hamiltonian, STATES)
    assert true < 1e-10


def test_their_data_are_as_they_describe_them():
    clean, noisy, derivatives = noisy_data.their_data(seed=0)
    assert clean.shape == noisy.shape == derivatives.shape == (50, 45, 2)
    radius = np.linalg.norm(clean[:, 0], axis=-1)
    assert 1.3 <= radius.min() < 1.4 and 2.2 < radius.max() <= 2.3
    assert (noisy - clean).std() == pytest.approx(0.1, rel=0.05)
    H = noisy_data.their_hamiltonian(np.moveaxis(clean, -1, 0))
    np.testing.assert_allclose(H, H[:, :1].repeat(45, axis=1), rtol=1e-6)
    by_differences = np.gradient(clean, 3 / 44, axis=1, edge_order=2)
    np.testing.assert_allclose(derivatives[:, 1:-1], by_differences[:, 1:-1], rtol=0, atol=0.05)


def test_our_noisy_data_have_the_derivatives_of_the_states_without_noise():
    noisy, derivatives = noisy_data.our_data(2000, 1e-3, seed=0)
    clean = sample_states(2000, seed=0).numpy()
    assert (noisy - clean).std() == pytest.approx(1e-3, rel=0.05)
    np.testing.assert_allclose(derivatives, pendulum_dynamics_tensor(0, torch.tensor(clean)), rtol=0, atol=1e-12)


def test_their_training_lowers_the_loss_in_single_precision(monkeypatch):
    monkeypatch.setattr(noisy_data, "THEIR_STEPS", 60)
    _, noisy, derivatives = noisy_data.their_data(seed=0)
    x, y = noisy[:5].reshape(-1, 2), derivatives[:5].reshape(-1, 2)
    model = noisy_data.train_as_theirs(x, y, seed=0)
    assert next(model.parameters()).dtype == torch.float32
    learned = noisy_data.learned_dynamics(model, period=None)
    assert dynamics_error(learned, x, y) < 0.3 * np.square(y).mean()


class TheirH(torch.nn.Module):
    def forward(self, x):
        q, p = x[..., :1], x[..., 1:]
        return 3 * (1 - torch.cos(q)) + p**2


def test_the_exact_h_is_at_the_noise_floor_of_the_half_that_was_not_fitted(monkeypatch):
    monkeypatch.setattr(noisy_data, "RECIPES", {"exact": lambda *_: TheirH()})
    _, _, scores = noisy_data.compare(seed=0)
    assert scores["exact"][0] == pytest.approx(1, abs=1e-9) and scores["exact"][1] < 1e-9


def test_a_difference_is_counted_and_has_its_standard_error():
    assert noisy_data.difference([1.0, 2.0, 3.0], [2.0, 2.0, 2.0]) == "0.0e+00 ± 5.8e-01, less on 1 of 3 data sets"


def test_more_states_bring_the_learned_derivatives_nearer():
    assert noisy_data.more_states(4000) < noisy_data.more_states(400) / 2
