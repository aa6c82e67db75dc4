"""benchmarks/from_motion.py: its records, its measures and its figure, on motion that is known."""

import itertools

import numpy as np
import pytest

pytest.importorskip("scipy")
pytest.importorskip("strupnet")

from benchmarks import from_motion
from pendulum_nonlinear import pendulum_hamiltonian
from support.exact import exact_motion


@pytest.fixture(scope="module")
def exact():
    return from_motion.exact_orbits(0.05)


def test_the_record_is_the_exact_motion_and_its_noise_is_what_it_says():
    q, p = from_motion.record(0.1, seed=1)
    np.testing.assert_allclose(exact_motion(q[0], p[0], 2, 0.1), (q[1:], p[1:]), rtol=0, atol=1e-12)
    noisy = from_motion.record(0.1, 1, 1e-3)
    assert np.std(noisy - [q, p]) == pytest.approx(1e-3, rel=0.05)


def test_scipys_orbits_are_those_of_our_own_integration(exact):
    np.testing.assert_allclose(exact, exact_motion(*from_motion.ORBITS.T, 1000, 0.05), rtol=0, atol=1e-7)
    assert from_motion.energy_error(exact).max() < 1e-9


def test_distance_and_energy_are_those_of_the_orbits():
    exact = np.zeros((2, 3, 4))
    np.testing.assert_allclose(from_motion.distance(exact + np.array([3.0, 4.0])[:, None, None], exact), 5)
    at_rest = from_motion.energy_error(exact)
    np.testing.assert_allclose(at_rest, np.tile(pendulum_hamiltonian(from_motion.ORBITS.T), (3, 1)))


def test_an_orbit_that_no_step_goes_on_from_is_infinitely_wrong():
    def step(q, p, dt):
        if q[0] > 0.55:
            raise ArithmeticError
        return q + 0.1, p

    orbit = from_motion.rolled_out(step, 3, 0.05)
    assert np.isfinite(orbit[:, 0]).all()
    for measure in (from_motion.distance(orbit, np.zeros((2, 3, 4))), from_motion.energy_error(orbit)):
        assert np.isfinite(measure[0]).all() and np.isinf(measure[1:]).all()


def test_each_system_steps_towards_the_exact_motion(monkeypatch, exact):
    monkeypatch.setattr(from_motion.time, "process_time", itertools.count().__next__)  # an update takes a second
    monkeypatch.setattr(from_motion, "SYMPNET_SECONDS", 400)
    monkeypatch.setattr(from_motion, "STATES", 300)
    exact = exact[:, :20]
    apart = {}
    for name, make in from_motion.SYSTEMS.items():
        step, count = make(0.05, 0)
        apart[name] = from_motion.distance(from_motion.rolled_out(step, 20, 0.05), exact).max()
        assert (count[0] > 0) == (name != from_motion.OTHER)
    assert apart[from_motion.OURS] < 1e-3 < apart[from_motion.MIDPOINT] < apart[from_motion.TRUE] < 0.5
    assert apart[from_motion.DIFFERENCES] < 0.6
    stands_still = from_motion.distance(np.repeat(from_motion.ORBITS.T[:, None], 20, axis=1), exact).max()
    assert apart[from_motion.OTHER] < stands_still / 2  # its minute has many more updates


def test_the_figure_shows_the_energies_and_the_distances_of_the_orbits(exact):
    orbits = {name: exact + (k + 1) * 1e-3 for k, name in enumerate(from_motion.STYLES)}
    energy, apart = from_motion.draw(0.05, exact, orbits).axes
    for name in from_motion.STYLES:
        (line,) = [line for line in apart.lines if line.get_gid() == name]
        expected = 0.05 * np.arange(1, 1001), from_motion.distance(orbits[name], exact)[:, 2]
        np.testing.assert_allclose(line.get_xydata().T, expected)
    for name in (from_motion.TRUE, from_motion.OURS):
        for k in (1, 2):
            (line,) = [line for line in energy.lines if line.get_gid() == f"{name} {k}"]
            np.testing.assert_allclose(line.get_ydata(), pendulum_hamiltonian(orbits[name][..., k])[:240])
