"""What the benchmarks share, each on a system whose answer is known."""

import math

import numpy as np
import pytest
from matplotlib.figure import Figure

from benchmarks import common
from pendulum_nonlinear import pendulum_dynamics
from rigid_simulator_implicit import explicit_euler_step

STATES = np.array([[1.0, 0.0], [0.3, -0.7]])


def spring(t, state):
    """H = (q² + p²) / 2: every state turns about rest by the angle t, clockwise."""
    q, p = state
    return [p, -q]


def turned(states, t):
    """The exact solution of the spring."""
    return states @ [[math.cos(t), -math.sin(t)], [math.sin(t), math.cos(t)]]


def test_a_report_is_printed_and_written_beside_its_script(tmp_path, capsys):
    report = common.Report(tmp_path / "some_benchmark.py")
    report.say("A step.")
    report.table(["a", "b"], [["1", "2"]])
    report.write(Figure())
    written = (tmp_path / "some_benchmark.md").read_text(encoding="utf-8")
    assert written.startswith("Printed by `uv run --group bench python -m benchmarks.some_benchmark` on ")
    assert written.endswith("\n\nA step.\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n") and "torch" in written
    assert (tmp_path / "some_benchmark.png").read_bytes().startswith(b"\x89PNG")
    assert "| 1 | 2 |" in capsys.readouterr().out


def test_the_determinant_of_a_linear_map_is_its_own():
    A = np.array([[2.0, 0.5], [-1.0, 3.0]])
    np.testing.assert_allclose(common.determinant(lambda x: x @ A.T, STATES), 6.5, rtol=1e-8)


def test_a_spread_has_the_mean_and_the_range():
    assert common.spread([1.0, 2.0, 6.0], "{:.1f}") == "3.0 (1.0 … 6.0)"
    assert common.spread([2.0]) == "2.0e+00"


def test_the_error_of_the_dynamics_is_the_mean_square_over_both_components():
    derivatives = np.stack([STATES[:, 1] + 0.2, -STATES[:, 0]], axis=-1)
    assert common.dynamics_error(spring, STATES, derivatives) == pytest.approx(0.02)
    assert common.dynamics_error(spring, STATES[None], derivatives[None]) == pytest.approx(0.02)


def test_scipys_solution_keeps_orbits_and_times_apart():
    pytest.importorskip("scipy")
    times = np.linspace(0, 2, 5)
    orbits = common.solved(spring, STATES, times, 1e-9)
    for k, t in enumerate(times):
        np.testing.assert_allclose(orbits[:, k], turned(STATES, t), rtol=0, atol=1e-7)


def test_the_midpoint_step_is_the_one_of_a_spring():
    q, p = common.midpoint_step(spring, 0.0, *STATES.T, 0.1)
    angle = 2 * math.atan(0.05)  # it turns by this, exactly
    np.testing.assert_allclose(np.stack([q, p], axis=-1), turned(STATES, angle), rtol=0, atol=1e-12)


def test_a_rollout_has_the_states_after_each_step_and_its_gradients_are_counted():
    counting, count = common.counted(pendulum_dynamics)
    orbit = common.stepped(explicit_euler_step)(counting, STATES, 7, 0.1)
    assert orbit.shape == (7, 2, 2) and count == [14]
    q, p = STATES.T
    np.testing.assert_allclose(orbit[0], np.stack([q + 0.1 * p, p - 0.98 * np.sin(q)], axis=-1))


def test_times_are_medians_over_rounds_without_the_first(monkeypatch):
    clock = iter(np.cumsum([0, 100, 0, 1, 0, 5, 0, 2]))
    monkeypatch.setattr(common.time, "perf_counter", lambda: next(clock))
    assert common.median_times({"a": lambda: None}, 3, "") == {"a": 2}
