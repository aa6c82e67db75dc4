"""The equation of a recorded angle and its orbits, against motions that are known in closed form."""

import math

import numpy as np
import pytest

from motion.equation import Equation, Legendre, Sines
from motion.orbits import hermite_weights, roll_out
from pendulum_nonlinear import pendulum_dynamics, pendulum_hamiltonian

FORCES = {
    "pendulum": (Sines(1), [9.0, 0.7]),
    "two sines of 3 rad": (Sines(2, turn=3.0), [9.0, 0.7, -2.0, 0.3]),
    "series": (Legendre(4, 0.2, 1.5), [0.3, 8.0, -0.4, 1.2]),
}
SPRING = Legendre(2, 0.0, 1.0), [0.0, 4.0]  # V′ = 4 q, so that ω = 2


def equation(force, coefficients, drag=(0.0, 0.0, 0.0), h=0.01, bottom=0.0):
    return Equation(force, np.array([*coefficients, *drag]), h, bottom)


@pytest.mark.parametrize("name", FORCES)
def test_each_derivative_of_the_potential_is_that_of_the_one_before(name):
    force, coefficients = FORCES[name]
    q, step = np.linspace(-1.2, 1.6, 50), 1e-5
    for order in (1, 2):
        above, below = (force.derivative(order - 1, coefficients, q + s) for s in (step, -step))
        np.testing.assert_allclose((above - below) / (2 * step), force.derivative(order, coefficients, q), atol=1e-7)
    if isinstance(force, Sines):
        x, k, n = 2 * math.pi * q / force.turn, 1 + np.arange(force.n)[:, None], force.n
        slope = coefficients[:n] @ np.sin(k * x) + coefficients[n:] @ np.cos(k * x)
        np.testing.assert_allclose(force.derivative(1, coefficients, q), slope, atol=1e-12)


def test_one_sine_is_the_pendulum():
    q, v = np.random.default_rng(0).uniform(-3, 3, (2, 20))
    ours = equation(Sines(1), [9.8, 0.0])
    np.testing.assert_allclose(ours.dynamics(0, [q, v]), pendulum_dynamics(0, [q, v], m=1, l=1, g=9.8), atol=1e-12)
    np.testing.assert_allclose(ours.energy([q, v]), pendulum_hamiltonian([q, v], m=1, l=1, g=9.8), atol=1e-12)


def test_a_damped_spring_moves_as_it_should_at_any_time():
    gamma, t = 0.4, np.array([3.21, 0.0, 0.004, 7.7, 1.0])
    omega = math.sqrt(4 - gamma**2 / 4)
    q, v = equation(*SPRING, drag=(0, gamma, 0), h=0.02).orbit([1.0, 0.0], t)
    c, s, fallen = np.cos(omega * t), np.sin(omega * t) / omega, np.exp(-gamma * t / 2)
    np.testing.assert_allclose(q, fallen * (c + gamma / 2 * s), atol=1e-12)
    np.testing.assert_allclose(v, -4 * fallen * s, atol=1e-12)


def test_dry_drag_takes_the_same_from_each_swing_and_then_holds_the_spring():
    """Between two turns the spring swings about ∓ c₀ / ω²: each half swing of π / ω takes 2 c₀ / ω² from it."""
    c_0 = 0.3  # c₀ / ω² = 0.075: turns at 1, −0.85, 0.7, −0.55, 0.4, −0.25, 0.1 and 0.05, where it stays
    ours = equation(*SPRING, drag=(c_0, 0, 0), h=0.03)
    turns = np.arange(9) * math.pi / 2
    q, v = ours.orbit([1.0, 0.0], turns)
    np.testing.assert_allclose(q, [1, -0.85, 0.7, -0.55, 0.4, -0.25, 0.1, 0.05, 0.05], atol=2e-7)
    np.testing.assert_allclose(v, 0, atol=2e-6)
    assert ours.orbit([1.0, 0.0], 50.0)[1] == 0
    assert ours.orbit([0.07, 0.0], [1.0, 9.0])[0].tolist() == [0.07, 0.07]  # the force there is less than c₀
    np.testing.assert_allclose(
        ours.dynamics(0, [np.array([0.07, 0.1, -0.1]), np.zeros(3)])[1], [0, -0.1, 0.1], atol=1e-12
    )


def test_quadratic_drag_alone_slows_as_one_over_time():
    force = Legendre(1, 0.0, 1.0), [0.0]  # no force: v = v₀ / (1 + c₂ v₀ t)
    q, v = equation(*force, drag=(0, 0, 0.5)).orbit([0.0, -2.0], np.array([1.0, 3.0]))
    np.testing.assert_allclose(v, -2 / (1 + np.array([1.0, 3.0])), atol=1e-12)
    np.testing.assert_allclose(q, -2 * np.log(1 + np.array([1.0, 3.0])), atol=1e-12)


@pytest.mark.parametrize("drag", [(0, 0.1, 0), (0.2, 0, 0), (0.1, 0.05, 0.1)])
def test_half_the_step_makes_errors_of_the_sixth_order(drag):
    def end(h):
        return np.array(equation(Sines(1), [9.8, 0.0], drag, h).orbit([2.0, 0.0], 6.0))[:, 0]

    exact = end(0.002)
    errors = [abs(end(h) - exact).max() for h in (0.1, 0.05, 0.025)]
    assert errors[2] < 1e-6 and math.log2(errors[0] / errors[2]) / 2 > 5


def test_many_orbits_side_by_side_are_each_as_alone():
    values = np.array([[9.0, 9.8], [0.1, 0.0], [0.2, 0.0], [0.1, 0.0], [0.0, 0.3]])  # (P, 2): two equations
    q, v, h = np.array([[1.0, 0.5, 0.1]] * 2), np.array([[0.0, -1.0, 2.0]] * 2), np.array([0.1, 0.05, 0.08])
    together = roll_out(Sines(1), values, q, v, h, 20)
    for i, k in np.ndindex(2, 3):
        alone = roll_out(Sines(1), values[:, i], q[i, k : k + 1], v[i, k : k + 1], h[k : k + 1], 20)
        np.testing.assert_allclose(together[:, :, i, k], alone[:, :, 0], atol=1e-13)


def test_between_two_steps_lies_the_polynomial_of_degree_five():
    polynomial = np.polynomial.Polynomial([0.3, -1.0, 0.5, 2.0, -0.7, 0.2])
    h, x = 0.4, np.linspace(0, 1, 7)
    ends = [polynomial.deriv(order)(at) if order else polynomial(at) for at in (0, h) for order in range(3)]
    np.testing.assert_allclose(np.array(ends) @ hermite_weights(x, h), polynomial(h * x), atol=1e-14)


def test_the_energy_is_0_where_the_pendulum_rests():
    force, coefficients = Legendre(2, 0.0, 1.0), [-4.0, 4.0]  # V′ = 4 (q − 1)
    ours = equation(force, coefficients, bottom=1.0)
    assert ours.energy([1.0, 0.0]) == 0 and ours.potential(1.0) == 0
    assert ours.energy([1.5, 2.0]) == pytest.approx(4 / 2 * 0.5**2 + 2)


@pytest.mark.filterwarnings("error")
def test_an_orbit_that_runs_away_does_so_without_a_word():
    q, v = equation(Legendre(4, 0.0, 1.0), [0.0, 1.0, 0.0, -9.0]).orbit([5.0, 0.0], 9.0)
    assert not np.isfinite(q + v).any()


def test_an_orbit_before_its_start_or_of_too_many_steps_is_refused():
    for t, message in (
        (-1.0, "from its start on"),
        (np.nan, "finite times t ≥ 0"),
        (np.inf, "finite"),
        (1e9, "number of steps"),
    ):
        with pytest.raises(ValueError, match=message):
            equation(*SPRING).orbit([1.0, 0.0], t)
