"""benchmarks/recordings.py: its records, its peers and its measures, on motion that is known."""

import math

import numpy as np
import pytest
import torch

pytest.importorskip("scipy")

from benchmarks import recordings

T = np.arange(0, 20, 1 / 30)


def test_a_made_record_obeys_the_equation_and_its_noise_is_what_it_says():
    t, noisy, q = recordings.made_record((1.0, 0.5), (0.2, 0.3, 0.1), noise=0.01, rate=1000, duration=5.0)
    p = np.gradient(q, t)
    assert (q[0], p[0]) == pytest.approx((1.0, 0.5), abs=0.01)
    expected = -9.8 * np.sin(q) - 0.2 * np.sign(p) - 0.3 * p - 0.1 * abs(p) * p
    moves = abs(p) > 0.05
    np.testing.assert_allclose(np.gradient(p, t)[moves][2:-2], expected[moves][2:-2], rtol=0, atol=2e-3)
    assert np.std(noisy - q) == pytest.approx(0.01, rel=0.05)


def test_the_damped_cosine_finds_its_own_parameters():
    q = recordings.cosine(T, 0.3, 0.1, 3.0, 0.7, 0.05)
    after, (_, gamma, _) = recordings.by_cosine(T, q, 360)
    assert gamma == pytest.approx(0.1, rel=1e-6)
    np.testing.assert_allclose(after, q[360:], rtol=0, atol=1e-7)
    swings = 2 * math.pi / 3 * np.arange(5)  # the amplitude of a small swing falls as e^(−γ t / 2)
    np.testing.assert_allclose(recordings.cosine(swings, 1, 0.1, 3, 0, 0), np.exp(-0.05 * swings))


@pytest.mark.parametrize("start", [(1.0, 0.0), (0.0, 7.5)])
def test_the_pendulum_equation_finds_its_own_parameters(start, monkeypatch):
    found, fit = [], recordings.fit_equation
    monkeypatch.setattr(recordings, "fit_equation", lambda t, q: found.append(fit(t, q)) or found[0])
    q = 0.02 + recordings.swing(T[:240], start, 3.1, (0.0, 0.2, 0.03))
    after, drag = recordings.by_equation(T[:240], q, 150)
    np.testing.assert_allclose(found[0], [start[0] + 0.02, start[1], 3.1, 0.02, 0.2, 0.03], rtol=0, atol=3e-4)
    assert drag == (0.0, *found[0][4:])
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


def test_the_dissipative_hnn_learns_the_motion_and_goes_on_from_the_last_state(monkeypatch):
    monkeypatch.setattr(recordings, "BATCHES", 60)
    monkeypatch.setattr(recordings, "WIDTH", 64)
    t, q, _ = recordings.made_record((0.5, 0.0), drag=(0.0, 0.0, 0.0), noise=0.0, rate=30, duration=10.0)
    after, _ = recordings.by_dissipative_hnn(t, q, 290)
    assert after.shape == (10,) and abs(after - q[290:]).max() < 0.1 < abs(after - q[289]).max()


def test_a_prediction_is_compared_with_the_unseen_motion_without_its_noise(monkeypatch):
    monkeypatch.setattr(recordings, "WAYS", {"off": lambda t, q, seen: (shifted[seen:], (0.3, 0.0, 0.0))})
    shifted = recordings.record("noise 0.02 rad")[2] + 0.01
    (drag, deviation), found = recordings.compare("noise 0.02 rad")
    assert found["off"][:2] == ((0.3, 0.0, 0.0), pytest.approx(0.01)) and drag == (0.0, 0.05, 0.0)
    assert 0.3 < deviation < 0.5


def test_the_row_of_an_exact_record_says_how_far_what_was_found_is_off(monkeypatch):
    class Found:
        drag = np.array([0.0, 0.11, 0.0])
        found = type("", (), {"omega_squared": (9.7, 0.0)})

        def predict(self, t):
            return recordings.swing(np.append(0, t + 59.9), (1.0, 0.0), math.sqrt(9.8), (0, 0.1, 0))[1:] + 0.02, None

    monkeypatch.setattr(recordings, "learn", lambda recording: Found())
    _, drag, of_c, of_q, of_squared, _ = recordings.without_noise("from 1 rad, c₁ 0.1/s")
    assert (drag, of_c, of_q, of_squared) == ("c₁ 0.1100", "1.0e-02", "2.0e-02", "1.0e-01")


def test_the_row_of_error_bars_counts_right_laws_and_gives_z(monkeypatch):
    made = []

    def find(pieces, turn):
        drag = made[-1] + [0, 0.003 if len(made) % 2 else -0.003, 0]
        drag = drag if len(made) > 2 else np.append(drag[:2], 0.1)  # the first two are told wrong
        return type(
            "",
            (),
            {"equation": type("", (), {"drag": drag}), "drag_error": [0, 0.002, 0], "omega_squared": (9.9, 0.05)},
        )

    def made_record(start, drag, *_, tolerance):
        made.append(drag)
        return np.arange(9.0), np.arange(9.0), None

    monkeypatch.setattr(recordings, "find", find)
    monkeypatch.setattr(recordings, "made_record", made_record)
    assert recordings.error_bars((1,)) == ["viscous", "28 of 30", "1.50", "1.5", "2.00"]
    assert all(0.02 <= drag[1] <= 0.05 and drag[0] == drag[2] == 0 for drag in made)


def test_the_figure_shows_the_predictions_and_the_errors_of_all_records():
    names = [recordings.FIRST, *recordings.RECORDS]
    of = {way: (None, 0.1 * (k + 1), 1.0, np.full(200, k)) for k, way in enumerate(recordings.WAYS)}
    motion, errors = recordings.draw({name: ((None, 0.7), of) for name in names}).axes
    for k, way in enumerate(recordings.WAYS):
        for axes, values in ((motion, [k] * 200), (errors, [0.1 * (k + 1)] * len(names))):
            (line,) = [line for line in axes.lines if line.get_gid() == way]
            np.testing.assert_allclose(line.get_ydata() if axes is motion else line.get_xdata(), values)
