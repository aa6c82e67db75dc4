"""How long a step takes: ours, its peers, and the limit, timed side by side; medians, per orbit and step.

The limit is the matrix products (or sines) that a step cannot avoid, alone: two gradients of the network, of two
products each (one to find p₁, one to see that it is found and to move q); one sine for the true pendulum.

uv run --group bench python benchmarks/speed.py
"""

import sys
from pathlib import Path

import numpy as np
import torch
from scipy.integrate import solve_ivp
from torchdiffeq import odeint

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from command_line import run

from benchmarks.common import median_times, print_table
from dist_dynamic import BLOCK, STEPS, carry, sample_cloud
from HNN import HIDDEN_SIZE, load_hnn
from hnn_model_derivs import get_model_time_derivatives
from pendulum_nonlinear import pendulum_dynamics
from pendulum_tensor import pendulum_dynamics_tensor
from rigid_simulator_HNN import learned_dynamics, run_simulation_HNN
from rigid_simulator_implicit import DT, INITIAL_STATES

REPEATS = 5
TOLERANCES = {"rtol": 1e-6, "atol": 1e-9}  # of SciPy's solve_ivp


def plain_rollout(model, state, n_steps):
    """One orbit, as the post's listing steps it: both from the old state, by autograd, and the graph is kept."""
    x, orbit = torch.tensor([state], dtype=torch.float64, requires_grad=True), []
    for _ in range(n_steps):
        (dH_dx,) = torch.autograd.grad(model(x).sum(), x, create_graph=True)
        x = x + DT * torch.stack([dH_dx[:, 1], -dH_dx[:, 0]], dim=-1)
        orbit.append(x)
    return orbit


def plain_truth(states, n_steps):
    """The true pendulum, one state at a time."""
    for q, p in states:
        for _ in range(n_steps):
            p = p + DT * pendulum_dynamics(0.0, [q, p])[1]
            q = q + DT * pendulum_dynamics(0.0, [q, p])[0]


def torchdiffeq_rollout(derivatives, states, n_steps, method):
    """Fixed steps of torchdiffeq, without a graph; only the end is kept."""
    with torch.no_grad():
        times = torch.tensor([0.0, n_steps * DT], dtype=torch.float64)
        return odeint(
            derivatives, torch.tensor(states, dtype=torch.float64), times, method=method, options={"step_size": DT}
        )


def scipy_rollout(derivatives, states, n_steps):
    """SciPy's RK45 on all states as one system."""
    shape = np.shape(states)
    return solve_ivp(
        lambda t, y: np.ravel(derivatives(t, torch.as_tensor(y.reshape(shape)))),
        (0, n_steps * DT),
        np.ravel(states),
        t_eval=[n_steps * DT],
        **TOLERANCES,
    )


def bare_products(n, n_steps):
    """The four products of two gradients of the network, for n states."""
    h, W = np.random.default_rng(0).normal(size=(n, HIDDEN_SIZE)), np.ones((HIDDEN_SIZE, HIDDEN_SIZE))
    product = np.empty_like(h)

    def run():
        for _ in range(4 * n_steps):
            np.matmul(h, W, out=product)

    return run


def bare_sines(n, n_steps):
    """One sine for each of n states and steps, in blocks that stay in the cache."""
    block = np.random.default_rng(0).normal(size=min(n, BLOCK))
    sine = np.empty_like(block)

    def run():
        for _ in range(round(n_steps * n / len(block))):
            np.sin(block, out=sine)

    return run


def learned_case(model, states, n_steps, plain_steps):
    """The ways to roll out the learned pendulum: {name: (function, orbits times steps)}."""

    def derivatives(t, x):
        with torch.no_grad():
            return get_model_time_derivatives(model, x)

    n, all_steps = len(states), len(states) * n_steps
    one = states[0]
    return {
        "ours": (lambda: run_simulation_HNN(states, model, n_steps), all_steps),
        "plain autograd, one orbit at a time": (lambda: plain_rollout(model, one, plain_steps), plain_steps),
        "torchdiffeq, Euler": (lambda: torchdiffeq_rollout(derivatives, states, n_steps, "euler"), all_steps),
        "torchdiffeq, RK4": (lambda: torchdiffeq_rollout(derivatives, states, n_steps, "rk4"), all_steps),
        "SciPy, RK45": (lambda: scipy_rollout(derivatives, states, n_steps), all_steps),
        "the limit": (bare_products(n, n_steps), all_steps),
    }


def ensemble_case(model, n):
    """The ways to carry the Liouville ensemble: by the true pendulum, or by the learned one if there is a model."""
    cloud, all_steps = sample_cloud(n), n * STEPS
    if model is not None:
        case = learned_case(model, cloud, STEPS, 100)
        dynamics = learned_dynamics(model)
        return case | {"ours": (lambda: carry(cloud, dynamics), all_steps)}
    truth = pendulum_dynamics_tensor
    few = cloud[:20]
    return {
        "ours": (lambda: carry(cloud, pendulum_dynamics), all_steps),
        "plain, one orbit at a time": (lambda: plain_truth(few, STEPS), len(few) * STEPS),
        "torchdiffeq, Euler": (lambda: torchdiffeq_rollout(truth, cloud, STEPS, "euler"), all_steps),
        "torchdiffeq, RK4": (lambda: torchdiffeq_rollout(truth, cloud, STEPS, "rk4"), all_steps),
        "SciPy, RK45": (lambda: scipy_rollout(truth, cloud, STEPS), all_steps),
        "the limit": (bare_sines(n, STEPS), all_steps),
    }


def main():
    model = load_hnn()
    thousand = np.random.default_rng(0).uniform([-2.5, -4], [2.5, 4], size=(1000, 2))  # they stay in the training box
    cases = {
        "learned, 3 orbits": learned_case(model, INITIAL_STATES, 500, 200),
        "learned, 1,000 orbits": learned_case(model, thousand, 20, 200),
        "learned, ensemble of 100": ensemble_case(model, 100),
        "true, ensemble of 100": ensemble_case(None, 100),
        "true, ensemble of 1,000,000": ensemble_case(None, 1_000_000),
    }
    rows = []
    for label, case in cases.items():
        seconds = median_times({name: function for name, (function, _) in case.items()}, REPEATS, label)
        per_step = {name: seconds[name] / steps * 1e6 for name, (_, steps) in case.items()}
        for name, microseconds in per_step.items():
            ratio = "" if name == "ours" else f"{microseconds / per_step['ours']:.2f}"
            rows.append([label, name, f"{microseconds:.3g}", ratio])
    print_table(["case", "method", "µs per orbit and step", "times ours"], rows)


if __name__ == "__main__":
    run(main)
