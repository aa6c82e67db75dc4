"""benchmarks/speed.py: the peers solve one problem, and what is counted is what was done."""

import numpy as np
import pytest
import torch

pytest.importorskip("scipy")
pytest.importorskip("torchdiffeq")
pytest.importorskip("strupnet")

from test_benchmark_common import STATES, spring, turned

from benchmarks import speed
from benchmarks.common import midpoint_step, stepped
from pendulum_nonlinear import pendulum_dynamics
from rigid_simulator_implicit import explicit_euler_step


def test_a_cost_turns_linear_where_its_two_parts_are_equal():
    costs = [(n, 30 + 0.02 * n) for n in 10 ** np.arange(7)]
    assert speed.turns_linear(costs) == pytest.approx(1500, rel=0.01)


def test_the_peers_solve_the_same_problem():
    def derivatives(t, x):  # of torch states (B, 2)
        return torch.stack(spring(t, x.unbind(-1)), dim=-1)

    exact = turned(STATES, 20 * 0.05)
    np.testing.assert_allclose(speed.scipy_rollout(derivatives, STATES, 20), exact, rtol=0, atol=1e-5)
    np.testing.assert_allclose(speed.torchdiffeq_rollout(derivatives, STATES, 20, "rk4"), exact, rtol=0, atol=1e-6)
    euler = stepped(explicit_euler_step)(spring, STATES, 20, 0.05)[-1]
    np.testing.assert_allclose(speed.torchdiffeq_rollout(derivatives, STATES, 20, "euler"), euler, rtol=0, atol=1e-12)
    by_fsolve = speed.fsolve_midpoint_step(pendulum_dynamics, 0.0, *STATES.T, 0.1)
    np.testing.assert_allclose(by_fsolve, midpoint_step(pendulum_dynamics, 0.0, *STATES.T, 0.1), rtol=0, atol=1e-9)


def test_the_plain_rollout_is_explicit_euler_of_the_model(exact_model):
    orbit = speed.plain_rollout(exact_model, np.array([0.5, 0.0]), 20)
    expected = stepped(explicit_euler_step)(pendulum_dynamics, [[0.5, 0.0]], 20, 0.05)
    np.testing.assert_allclose(torch.cat(orbit).detach(), expected[:, 0], rtol=0, atol=1e-12)


def test_without_a_gpu_the_report_says_so(model, monkeypatch):
    said = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    speed.on_a_gpu(type("Report", (), {"say": said.append}), model)
    assert "no GPU" in said[0]
