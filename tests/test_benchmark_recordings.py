"""benchmarks/recordings.py: its records, its peers and its measures, on motion that is known."""

import math

import numpy as np
import pytest
import torch

pytest.importorskip("scipy")

from benchmarks import recordings

T = np.arange(0, 20, 1 / 30)


def test_a_made_record_obeys_the_equation_and_its_noise_is_what_it_says():
    t, noisy, q = recordings.made_record((1.0, 0.5), gamma=0.3, noise=0.01, rate=1000, duration=5.0)
    p = np.gradient(q, t)
    assert (q[0], p[0]) == pytest.approx((1.0, 0.5), abs=0.01)
    np.testing.assert_allclose(np.gradient(p, t)[2:-2], (-9.8 * np.sin(q) - 0.3 * p)[2:-2], rtol=0, atol=1e-3)
    assert np.std(noisy - q) == pytest.approx(0.01, rel=0.05)


def test_the_damped_cosine_finds_its_own_parameters():
    q = recordings.cosine(T, 0.3, 0.1, 3.0, 0.7, 0.05)
    after, gamma = recordings.by_cosine(T, q, 360)
    assert gamma == pytest.approx(0.1, rel=1e-6)
    np.testing.assert_allclose(after, q[360:], rtol=0, atol=1e-7)
    swings = 2 * math.pi / 3 * np.arange(5)  # the amplitude of a small swing falls as e^(−γ t / 2)
    np.testing.assert_allclose(recordings.cosine(swings, 1, 0.1, 3, 0, 0), np.exp(-0.05 * swings))


@pytest.mark.parametrize("start", [(1.0, 0.0), (0.0, 7.5)])
def test_the_true_equation_finds_its_own_parameters(start, monkeypatch):
    found, fit = [], recordings.fit_equation
    monkeypatch.setattr(recordings, "fit_equation", lambda t, q: found.append(fit(t, q)) or found[0])
    q = 0.02 + recordings.swing(T[:240], start, 3.1, 0.2)
    after, gamma = recordings.by_equation(T[:240], q, 150)
    np.testing.assert_allclose(found[0], [start[0] + 0.02, start[1], 3.1, 0.2, 0.02], rtol=0, atol=1e-4)
    assert gamma == found[0][3]
    np.testing.assert_allclose(after, q[150:], rtol=0, atol=1e-4)


@pytest.mark.parametrize("rate", [30, 1000])
def test_states_and_derivatives_come_from_the_smoothed_angle(rate):
    t, noisy, q = recordings.made_record(**(recordings.BASE | {"rate": rate}))
    states, derivatives, times = recordings.differences(t, noisy)
    assert times[-1] == t[-1] and np.diff(times) == pytest.approx(1 / 30, rel=0.02)
    true = np.gradient(q, t), np.gradient(np.gradient(q, t), t)
    for found, of, most in ((states[:, 1], true[0], 0.05), (derivatives[:, 1], true[1], 0.6)):
        assert recordings.rms(found - np.interp(times, t, of)) < most
    np.testing.assert_array_equal(derivatives[:, 0], states[:, 1])


def test_the_dissipative_derivatives_are_those_of_its_two_functions():
    x = torch.tensor([[0.3, -0.7, 2.0], [1.0, 0.5, 4.0]], dtype=torch.float64)
    q, p, t = x.clone().T
    H, D = (lambda x: x[:, 0] ** 2 * x[:, 1] + x[:, 2] * x[:, 1]), (lambda x: x[:, 0] ** 3 - 0.1 * x[:, 1] ** 2)
    expected = torch.stack([q**2 + t + 3 * q**2, -2 * q * p - 0.2 * p], dim=-1)
    torch.testing.assert_close(recordings.dissipative_derivatives(H, D, x).detach(), expected)
    assert recordings.shrinking(H, D, x) == pytest.approx(0.2 - 6 * q.mean().item())


def test_the_dissipative_hnn_learns_the_motion_and_goes_on_from_the_last_state(monkeypatch):
    monkeypatch.setattr(recordings, "BATCHES", 60)
    monkeypatch.setattr(recordings, "WIDTH", 64)
    t, q, _ = recordings.made_record((0.5, 0.0), gamma=0.0, noise=0.0, rate=30, duration=10.0)
    after, _ = recordings.by_dissipative_hnn(t, q, 290)
    assert after.shape == (10,) and abs(after - q[290:]).max() < 0.1 < abs(after - q[289]).max()


def test_the_period_is_the_mean_time_between_passages():
    assert recordings.mean_period(T, 5 + 0.3 * np.cos(3 * T + 1)) == pytest.approx(2 * math.pi / 3, rel=1e-4)
    assert math.isnan(recordings.mean_period(T, T))


def test_a_prediction_is_compared_with_the_unseen_motion_without_its_noise(monkeypatch):
    monkeypatch.setattr(recordings, "WAYS", {"off": lambda t, q, seen: (shifted[seen:], 0.3)})
    shifted = recordings.record("noise 0.02 rad")[2] + 0.01
    (gamma, deviation, period), found = recordings.compare("noise 0.02 rad")
    assert found["off"][:3] == pytest.approx((0.3, 0.01, period)) and gamma == 0.05 and 0.3 < deviation < 0.5


def test_the_figure_shows_the_predictions_and_the_errors_of_all_records():
    names = [recordings.FIRST, *recordings.RECORDS]
    of = {way: (0.05, 0.1 * (k + 1), 2.0, 1.0, np.full(200, k)) for k, way in enumerate(recordings.WAYS)}
    motion, errors = recordings.draw({name: ((0.05, 0.7, 2.0), of) for name in names}).axes
    for k, way in enumerate(recordings.WAYS):
        for axes, values in ((motion, [k] * 200), (errors, [0.1 * (k + 1)] * 11)):
            (line,) = [line for line in axes.lines if line.get_gid() == way]
            np.testing.assert_allclose(line.get_ydata() if axes is motion else line.get_xdata(), values)
