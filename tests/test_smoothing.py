"""q and dq/dt of rows with noise, jitter and holes: what a polynomial gives where the answer is known."""

import math

import numpy as np
import pytest

from motion import smoothing
from motion.smoothing import local_polynomial, quarter_period

DT = 0.02


def jittered(n=500, seed=0):
    return DT * (np.arange(n) + np.random.default_rng(seed).uniform(-0.3, 0.3, n))


def quartic(t):
    return 1 - 2 * t + 0.5 * t**2 - 0.1 * t**3 + 0.02 * t**4, -2 + t - 0.3 * t**2 + 0.08 * t**3


@pytest.mark.parametrize("chunk", [smoothing.CHUNK, 50])
def test_a_polynomial_of_degree_four_is_found_exactly_at_any_times(chunk, monkeypatch):
    monkeypatch.setattr(smoothing, "CHUNK", chunk)
    t, grid = jittered(), np.linspace(1, 9, 101)
    value, slope, noise = local_polynomial(t, quartic(t)[0], grid, 0.3, DT)
    np.testing.assert_allclose((value, slope), quartic(grid), rtol=0, atol=1e-9)
    assert noise.max() < 1e-6


def test_the_scatter_about_the_polynomial_is_the_noise_and_the_slope_of_a_swing_is_right():
    t, grid = jittered(5000), np.linspace(1, 99, 800)
    q = np.cos(3 * t) + 0.01 * np.random.default_rng(1).normal(size=len(t))
    value, slope, noise = local_polynomial(t, q, grid, 0.4, DT)
    assert np.sqrt(np.mean(noise**2)) == pytest.approx(0.01, rel=0.03)
    assert np.std(value - np.cos(3 * grid)) == pytest.approx(0.01 * math.sqrt(225 / 64 / 40), rel=0.2)  # of 40 rows
    assert np.std(slope + 3 * np.sin(3 * grid)) == pytest.approx(0.01 / 0.4 * math.sqrt(75 / 4 / 40), rel=0.2)


def test_no_state_is_given_in_a_hole_or_at_an_end_where_rows_lie_to_one_side():
    t = DT * np.arange(300)
    q, whole = np.cos(t), np.linspace(0, t[-1], 300)
    is_hole = (t > 2) & (t < 2.6)
    for rows in ((t[~is_hole], q[~is_hole]), (t, np.where(is_hole, np.nan, q))):
        value, slope, _ = local_polynomial(*rows, whole, 0.2, DT)
        is_given = np.isfinite(value) & np.isfinite(slope)
        assert not is_given[(whole > 2.05) & (whole < 2.55)].any()
        assert not is_given[[0, 1, -2, -1]].any()
        assert is_given[(whole > 0.2) & (whole < 1.8)].all() and is_given[(whole > 2.8) & (whole < 5.7)].all()
    assert np.isnan(local_polynomial(t[:4], q[:4], whole, 0.2, DT)).all()  # four rows are too few


def test_the_quarter_period_of_a_swing_and_of_a_rotation():
    t = jittered(3000)
    noise = 0.05 * np.random.default_rng(2).normal(size=len(t))
    quarter, likeness = quarter_period(t, 0.3 + np.cos(2 * np.pi * t / 1.6) + noise, DT)
    assert quarter == pytest.approx(0.4, rel=0.02) and likeness > 0.9
    assert quarter_period(t, 2 * np.pi * t / 0.8 + noise, DT, 2 * np.pi)[0] == pytest.approx(0.2, rel=0.02)
    assert quarter_period(t, noise, DT)[1] < 0.2
