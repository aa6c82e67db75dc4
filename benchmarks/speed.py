"""How long a step takes: ours, its peers, and the limit, timed side by side; medians over rounds.

The first table has the cost per orbit and step. Ours solves for p₁, which takes three gradients of the network a step,
or two sines of the true pendulum. The plain version and Euler take one, RK4 four, and SciPy's RK45 chooses its steps.
The limit is what a step cannot avoid, alone: two gradients of the network, of two matrix products each (one to find p₁,
one to see that it is found and to move q), or one sine.

The second table has the seconds of a whole training, hnn_training.train() and the post's loop, with their defaults.

The third table and the figure have the cost of a step against the number of states: at first it is that of the calls
alone, and does not depend on the number; then it is in proportion to it.

uv run --group bench python -m benchmarks.speed                 writes speed.png beside this file
"""

import math
from functools import partial

import matplotlib.pyplot as plt
import numpy as np
import torch
from scipy.integrate import solve_ivp
from torchdiffeq import odeint

from benchmarks.common import STATES, median_times, print_table, write_beside
from dist_dynamic import BLOCK, STEPS, carry, sample_cloud
from HNN import HIDDEN_SIZE, load_hnn
from hnn_model_derivs import get_model_time_derivatives, learned_dynamics
from hnn_training import POINTS, train, train_as_post
from pendulum_nonlinear import pendulum_dynamics
from pendulum_tensor import POST_BOX, TRAINING_BOX, pendulum_dynamics_tensor, sample_states, tensor_pair_dynamics
from rigid_simulator_HNN import run_simulation_HNN
from rigid_simulator_implicit import DT, INITIAL_STATES
from support.command_line import run

ROUNDS = 5
TOLERANCES = {"rtol": 1e-6, "atol": 1e-9}  # of SciPy's solve_ivp
PLAIN_STEPS, PLAIN_STATES = 200, 20  # of the plain versions, which are slow
FEW_STEPS = 20  # where a step is long
MOST_TRUE, MOST_LEARNED, MOST_SCIPY = 1_000_000, 10_000, 100_000  # states; SciPy's solver takes minutes for more
STYLES = {
    "ours": ("black", "-", "o"),
    "torchdiffeq, Euler": ("tab:red", "--", "s"),
    "SciPy, RK45": ("tab:blue", ":", "^"),
}


def plain_rollout(model, state, n_steps):
    """One orbit from an array (2,), as the post's listing does: explicit Euler by autograd, and the graph is kept."""
    x, orbit = torch.tensor(state[None], requires_grad=True), []
    for _ in range(n_steps):
        (dH_dx,) = torch.autograd.grad(model(x).sum(), x, create_graph=True)
        x = x + DT * torch.stack([dH_dx[:, 1], -dH_dx[:, 0]], dim=-1)
        orbit.append(x)
    return orbit


def plain_truth(states, n_steps):
    """The true pendulum, one state at a time, by the post's two-line update."""
    for q, p in states:
        for _ in range(n_steps):
            p = p + DT * pendulum_dynamics(0.0, [q, p])[1]
            q = q + DT * pendulum_dynamics(0.0, [q, p])[0]


def torchdiffeq_rollout(derivatives, states, n_steps, method):
    """The states after fixed steps of torchdiffeq, without a graph."""
    times = torch.tensor([0.0, n_steps * DT], dtype=torch.float64)
    with torch.no_grad():
        x = torch.tensor(states, dtype=torch.float64)
        return odeint(derivatives, x, times, method=method, options={"step_size": DT})[-1]


def scipy_rollout(derivatives, states, n_steps):
    """The states after as much time of SciPy's RK45, on all of them as one system."""
    shape, end = np.shape(states), n_steps * DT

    def as_system(t, y):
        return np.ravel(derivatives(t, torch.as_tensor(y.reshape(shape))))

    return solve_ivp(as_system, (0, end), np.ravel(states), t_eval=[end], **TOLERANCES).y.reshape(shape)


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
    block = torch.randn(min(n, BLOCK), dtype=torch.float64)
    sine = torch.empty_like(block)

    def run():
        for _ in range(round(n_steps * n / len(block))):
            torch.sin(block, out=sine)

    return run


def autograd_derivatives(model):
    """The model's derivatives as torchdiffeq and SciPy are given them."""

    def derivatives(t, x):
        with torch.no_grad():
            return get_model_time_derivatives(model, x)

    return derivatives


def peers(derivatives, states, n_steps):
    """{name: function} of the libraries that roll out all the states together, SciPy where there are few enough."""
    functions = {
        "torchdiffeq, Euler": lambda: torchdiffeq_rollout(derivatives, states, n_steps, "euler"),
        "torchdiffeq, RK4": lambda: torchdiffeq_rollout(derivatives, states, n_steps, "rk4"),
        "SciPy, RK45": lambda: scipy_rollout(derivatives, states, n_steps),
    }
    return {name: functions[name] for name in functions if len(states) <= MOST_SCIPY or not name.startswith("SciPy")}


def learned_case(model, states, n_steps, ours):
    """The ways to roll out the learned pendulum: {name: (function, orbits times steps)}."""
    n = len(states) * n_steps
    together = peers(autograd_derivatives(model), states, n_steps)
    return {
        "ours": (ours, n),
        "plain autograd, one orbit at a time": (lambda: plain_rollout(model, states[0], PLAIN_STEPS), PLAIN_STEPS),
        **{name: (function, n) for name, function in together.items()},
        "the limit": (bare_products(len(states), n_steps), n),
    }


true_flow = partial(carry, dynamics=tensor_pair_dynamics, kind=torch.tensor)  # as dist_dynamic.py carries the truth


def true_case(states, n_steps):
    """The ways to carry the states by the true pendulum: {name: (function, orbits times steps)}."""
    n, few = len(states) * n_steps, states[:PLAIN_STATES]
    together = peers(pendulum_dynamics_tensor, states, n_steps)
    return {
        "ours": (lambda: true_flow(states, n_steps=n_steps), n),
        "plain, one orbit at a time": (lambda: plain_truth(few, n_steps), len(few) * n_steps),
        **{name: (function, n) for name, function in together.items()},
        "the limit": (bare_sines(len(states), n_steps), n),
    }


def cases(model):
    """The cases of the first table."""
    orbits = np.array(INITIAL_STATES)
    thousand = np.random.default_rng(0).uniform([-2.5, -4], [2.5, 4], size=(1000, 2))  # they stay in the training box
    cloud = sample_cloud(100)
    carried = partial(carry, cloud, learned_dynamics(model), n_steps=STEPS)

    def rolled_out(states, n_steps):
        return learned_case(model, states, n_steps, lambda: run_simulation_HNN(states, model, n_steps))

    return {
        "learned, 3 orbits": rolled_out(orbits, 500),
        "learned, 1,000 orbits": rolled_out(thousand, STEPS),
        "learned, ensemble of 100": learned_case(model, cloud, STEPS, carried),
        "true, ensemble of 100": true_case(cloud, STEPS),
        "true, ensemble of 1,000,000": true_case(sample_cloud(1_000_000), STEPS),
    }


def trainings():
    """The two recipes of hnn_training.py on the states that they take by default: {name: function}."""
    ours, posts = sample_states(STATES, TRAINING_BOX), sample_states(POINTS, POST_BOX)
    return {
        "ours": lambda: train(ours, pendulum_dynamics_tensor(0, ours), period=2 * math.pi),
        "the post's": lambda: train_as_post(posts, pendulum_dynamics_tensor(0, posts)),
    }


def scaling(ours, derivatives, most, label):
    """{name: [(n, µs of a step)]} for n = 1, 10 … `most` states; ours(states, n_steps) carries them."""
    costs = {name: [] for name in STYLES}
    for n in 10 ** np.arange(round(np.log10(most)) + 1):
        cloud, n_steps = sample_cloud(n), STEPS if n <= 1000 else FEW_STEPS
        functions = {"ours": partial(ours, cloud, n_steps=n_steps), **peers(derivatives, cloud, n_steps)}
        kept = {name: functions[name] for name in STYLES if name in functions}
        for name, seconds in median_times(kept, ROUNDS, f"{label}, {n:,} states").items():
            costs[name].append((n, seconds / n_steps * 1e6))
    return costs


def turns_linear(costs):
    """The number of states n at which the cost a + b n of a step is a fixed part a and as much for the states, a / b.

    `costs` is [(n, cost)]; a is the cost of one state, b that of each further one where there are most.
    """
    (_, one), (n, most) = costs[0], costs[-1]
    return one / (most / n)


def draw(costs):
    """The cost of a step against the number of states, for the true pendulum and the learned one."""
    fig, panels = plt.subplots(1, 2, figsize=(9.6, 5.2), sharex=True, sharey=True, layout="constrained")
    for axes, (label, of_label) in zip(panels, costs.items(), strict=True):
        for name, (colour, line, marker) in STYLES.items():
            axes.loglog(*np.transpose(of_label[name]), line, color=colour, marker=marker, label=name)
        axes.axvline(turns_linear(of_label["ours"]), color="0.6", linewidth=1, label="ours turns from flat to linear")
        axes.set(title=f"{label} pendulum", xlabel="states carried together")
        axes.grid(alpha=0.3)
    panels[0].set_ylabel("time of one step of all of them (µs)")
    fig.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False)
    return fig


def main():
    model = load_hnn()
    rows = []
    for label, case in cases(model).items():
        seconds = median_times({name: function for name, (function, _) in case.items()}, ROUNDS, label)
        per_step = {name: seconds[name] / steps * 1e6 for name, (_, steps) in case.items()}
        for name, microseconds in per_step.items():
            ratio = "" if name == "ours" else f"{microseconds / per_step['ours']:.2f}"
            rows.append([label, name, f"{microseconds:.3g}", ratio])
    print_table(["case", "method", "µs per orbit and step", "times ours"], rows)

    seconds = median_times(trainings(), 1, "training")
    rows = [[name, f"{of_name:.1f}", f"{of_name / seconds['ours']:.2f}"] for name, of_name in seconds.items()]
    print_table(["training", "seconds", "times ours"], rows)

    learned = partial(carry, dynamics=learned_dynamics(model))
    costs = {
        "true": scaling(true_flow, pendulum_dynamics_tensor, MOST_TRUE, "true"),
        "learned": scaling(learned, autograd_derivatives(model), MOST_LEARNED, "learned"),
    }
    numbers = [n for n, _ in costs["true"]["ours"]]
    rows = []
    for label, of_label in costs.items():
        for name, of_name in of_label.items():
            cells = [f"{cost:,.0f}" for _, cost in of_name] + [""] * (len(numbers) - len(of_name))
            rows.append([label, name, *cells, f"{turns_linear(of_name):,.0f}"])
    print_table(["pendulum", "µs of a step of n states, n =", *(f"{n:,}" for n in numbers), "turns linear at"], rows)
    write_beside(__file__, draw(costs))


if __name__ == "__main__":
    run(main)
