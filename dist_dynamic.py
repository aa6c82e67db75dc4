"""Liouville's theorem: a cloud of states is stretched and sheared by a Hamiltonian flow, but keeps its area.

The cloud and a closed boundary around it are carried by the true pendulum and by the learned one, with symplectic
Euler, and for contrast by the true pendulum with explicit Euler, which multiplies the area at q by
1 + dt² (g / l) cos q in each step.

uv run python dist_dynamic.py                           writes FIG4.png
uv run python dist_dynamic.py --animate liouville.gif   writes the motion too
"""

from functools import partial

import numpy as np
import torch

from hnn_model_derivs import learned_dynamics, load_and_judge
from pendulum_nonlinear import pendulum_hamiltonian
from pendulum_tensor import tensor_pair_dynamics
from rigid_simulator_implicit import DT, explicit_euler_step, symplectic_euler_step
from support.checks import as_float64, check_count, check_finite, check_seed, check_states
from support.command_line import Options, progress, run
from support.ensembles import Ensemble, show_ensembles

CENTRE = [0.0, 2.0]  # [q, p] of the cloud
SIGMA = 0.1  # its standard deviation, in rad and in kg m²/s
POINTS = 100
STEPS = 80
BLOCK = 300_000  # states carried together: they keep the cores busy and stay in the cache for all the steps
LEARNED_POINTS = 10_000  # states that the learned flow carries, at most: it takes a thousand times as long for each


def sample_cloud(n, seed=0):
    """`n` states (n, 2) drawn from a normal distribution around CENTRE."""
    return np.random.default_rng(seed).normal(CENTRE, SIGMA, size=(n, 2))


def boundary(angles):
    """Points (n, 2) of a closed curve around the cloud, at these angles: a circle of radius 3 σ, counterclockwise."""
    return CENTRE + 3 * SIGMA * np.stack([np.cos(angles), np.sin(angles)], axis=-1)


def carry(states, dynamics, step=symplectic_euler_step, n_steps=STEPS, dt=DT, kind=np.array):
    """The states (n, 2) after `n_steps` steps, as an array.

    The dynamics and the step are given q and p of the `kind` that they take, np.array or torch.tensor.
    """
    states = check_states(states, "the states").reshape(-1, 2)
    check_count("the number of steps", n_steps, least=0)
    carried = np.empty_like(states)
    with progress(total=len(states), desc="ensemble", unit="state", unit_scale=True) as bar:
        for start in range(0, len(states), BLOCK):
            q, p = kind(states[start : start + BLOCK].T)
            for i in range(n_steps):
                q, p = step(dynamics, i * dt, q, p, dt)
                bar.update(len(q) / n_steps)
            carried[start : start + BLOCK] = np.stack([q, p], axis=-1)
    return check_finite("carried state", carried)


def polygon_area(points):
    """The area inside a closed curve, (n, 2), by the shoelace formula ½ |Σ (qᵢ pᵢ₊₁ − qᵢ₊₁ pᵢ)|, in J s."""
    points = as_float64("the points", points)
    q, p = (points - points[0]).T  # relative to the first point, so that rounding does not grow with the distance
    return abs(np.sum(q * np.roll(p, -1) - np.roll(q, -1) * p)) / 2


def main():
    options = Options("Carry a cloud of states along the flow and measure its area.")
    options.add_number("--points", POINTS, "states in the cloud")
    options.add_number("--steps", STEPS, "number of steps")
    options.add_number("--seed", 0, "seed of the cloud")
    options.add_weights()
    options.add_figure("FIG4.png")
    args = options.parse()
    check_count("--points", args.points)
    check_count("--steps", args.steps)
    check_seed(args.seed, "--seed")
    learned = learned_dynamics(load_and_judge(args.weights))
    cloud = sample_cloud(args.points, args.seed)
    truth = partial(carry, dynamics=tensor_pair_dynamics, kind=torch.tensor)  # torch's sine uses every core
    flows = [
        ("true pendulum, symplectic Euler", truth, cloud),
        ("learned pendulum, symplectic Euler", partial(carry, dynamics=learned), cloud[:LEARNED_POINTS]),
        ("true pendulum, explicit Euler", partial(truth, step=explicit_euler_step), cloud),
    ]
    ensembles = [Ensemble(*flow, boundary, polygon_area, args.steps) for flow in flows]
    show_ensembles(args, DT, pendulum_hamiltonian, ensembles)


if __name__ == "__main__":
    run(main)
