"""benchmarks/integrators.py and learned_energy.py: each measure on a system whose answer is known."""

import math

import numpy as np
import pytest

pytest.importorskip("scipy")

from test_benchmark_common import STATES, spring, turned

from benchmarks import integrators, learned_energy
from hnn_model_derivs import learned_dynamics
from pendulum_nonlinear import pendulum_dynamics, pendulum_hamiltonian
from rigid_simulator_implicit import INITIAL_STATES


def test_every_integrator_solves_the_spring_to_its_order():
    n_steps, dt = 200, 0.05
    exact = turned(STATES, n_steps * dt)
    errors = {
        name: abs(roll_out(spring, STATES, n_steps, dt)[-1] - exact).max()
        for name, roll_out in integrators.INTEGRATORS.items()
    }
    assert errors.pop("DOP853, 1e-12") < 1e-10
    assert errors.pop("implicit midpoint") < 1e-2  # t dt² / 12 = 2e-3
    assert errors.pop("explicit Euler") > 0.1  # the orbit grows by exp(t dt / 2) = 1.28
    assert len(errors) == 2 and max(errors.values()) < 0.06  # the two semi-implicit ones


def test_the_area_error_of_a_linear_map_is_that_of_its_determinant():
    grown = (1 + 0.05**2) ** 80 - 1  # a step of explicit Euler is [[1, dt], [−dt, 1]]
    measured = {
        name: integrators.area_error(roll_out, spring, STATES) for name, roll_out in integrators.INTEGRATORS.items()
    }
    np.testing.assert_allclose(measured.pop("explicit Euler"), grown, rtol=1e-6)
    for error in measured.values():
        np.testing.assert_allclose(error, 0, rtol=0, atol=1e-8)


def test_the_energy_errors_are_those_of_a_rollout_off_by_a_known_factor():
    k = np.arange(3000)[:, None]
    H_true = 10 + np.sin(0.1 * k) * [1.0, 2.0]
    H_learned = 1.01 * H_true
    np.testing.assert_allclose(integrators.integrator_error(H_true, np.array([10.0, 10.0])), [1, 2], rtol=1e-3)
    np.testing.assert_allclose(integrators.model_error(H_learned, H_true), [0.11, 0.12], rtol=1e-3)
    assert (integrators.model_error(H_true[::-1], H_true) < 1e-3).all()  # where a phase differs, a range does not


def test_the_faults_of_a_training_are_the_energy_errors_under_each_step(exact_model):
    start = integrators.energies(np.array(INITIAL_STATES))
    rows = integrators.faults({"exact": learned_dynamics(exact_model), "true": pendulum_dynamics}, start)
    assert [row[:2] for row in rows[:2]] == [["exact", "explicit Euler"], ["exact", "solved step (ours)"]]
    assert rows[0][2:] == rows[2][2:] == ["117", "117", "120"]
    assert rows[1][2:] == rows[3][2:] == ["0.1", "1.2", "0.898"]


def test_the_energies_along_a_rollout_are_the_true_ones():
    orbit = integrators.dop853(pendulum_dynamics, INITIAL_STATES, 20, 0.05)
    start = pendulum_hamiltonian(np.transpose(INITIAL_STATES))
    np.testing.assert_allclose(integrators.energies(orbit), np.tile(start, (20, 1)), rtol=1e-9)


def test_the_curvatures_at_rest_are_the_pendulums_constants(exact_model):
    d2H_dq2, d2H_dp2 = learned_energy.curvatures(exact_model)
    assert (d2H_dq2, 1 / d2H_dp2) == pytest.approx((9.8, 1.0), rel=1e-12)
    for _, exact, learned in learned_energy.constants(exact_model):
        assert learned == pytest.approx(exact, rel=1e-9)


@pytest.mark.parametrize("amplitude", [1e-3, 1.0, 3.0])
def test_the_period_of_the_true_swing_is_the_elliptic_integral(amplitude):
    period = learned_energy.swing_period(pendulum_dynamics, amplitude)
    assert period == pytest.approx(learned_energy.exact_period(amplitude), rel=1e-9)


def test_a_small_swing_has_the_period_of_a_spring():
    assert learned_energy.exact_period(1e-4) == pytest.approx(2 * math.pi / math.sqrt(9.8), rel=1e-8)
    assert learned_energy.swing_period(spring, 1.0) == pytest.approx(2 * math.pi, rel=1e-9)


def test_the_map_of_an_exact_model_up_to_its_constant_has_no_error(exact_model):
    q, p = np.meshgrid(np.linspace(-6, 6, 11), np.linspace(-14, 14, 11))
    truth, learned = learned_energy.energies(lambda x: exact_model(x) + 5, q, p)
    np.testing.assert_allclose(learned, truth, rtol=0, atol=1e-12)
