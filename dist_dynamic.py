"""Liouville's theorem: a cloud of states is stretched and sheared by a Hamiltonian flow, but keeps its area.

We sample a cloud, draw a circle around it, carry both, and measure the area ½ ∮ (q dp − p dq) inside the circle before
and after. Three flows carry them: the true pendulum and the learned one, with symplectic Euler, and for contrast the
true pendulum with explicit Euler, which multiplies the area at q by 1 + dt² (g / l) cos q, the determinant of its step.

uv run python dist_dynamic.py                           writes FIG4.png
uv run python dist_dynamic.py --animate liouville.gif   writes a film of it too
"""

from functools import partial

import numpy as np
import torch

from hnn_model_derivs import learned_dynamics
from pendulum_nonlinear import pendulum_dynamics
from rigid_simulator_HNN import load_and_judge
from rigid_simulator_implicit import DT, explicit_euler_step, symplectic_euler_step, two_line_step
from support.area import carried_boundary, enclosed_area
from support.checks import check_count, check_finite, check_seed
from support.command_line import Options, progress, run
from support.ensembles import Ensemble, show_ensembles
from support.knowledge import rollout_dt

CENTRE = [0.0, 2.0]  # [q, p] of the cloud
SIGMA = 0.1  # its standard deviation, in rad and in kg m²/s
POINTS = 100
STEPS = 80
LEARNED_POINTS = 5000  # of the cloud that the learned flow carries, at most, since a network takes much longer
BLOCK = 100_000  # states carried together: they stay in the processor's cache for all the steps


def sample_cloud(n, seed=0):
    """`n` states (n, 2) drawn from a normal distribution around CENTRE."""
    return torch.from_numpy(np.random.default_rng(seed).normal(CENTRE, SIGMA, size=(n, 2)))


def boundary(n):
    """`n` points (n, 2) of a closed curve around the cloud, counterclockwise: a circle of radius 3 σ, evenly spaced."""
    angles = 2 * np.pi * np.arange(n) / n
    return torch.from_numpy(CENTRE + 3 * SIGMA * np.stack([np.cos(angles), np.sin(angles)], axis=-1))


def carry(states, step, dynamics, n_steps=STEPS, dt=DT):
    """The states (n, 2) after `n_steps` steps: tensors, since torch spreads the work of large ones over all cores."""
    carried = []
    for block in progress(states.split(BLOCK), desc="ensemble", unit="block"):
        q, p = block.T
        for i in range(n_steps):
            q, p = step(dynamics, i * dt, q, p, dt)
        carried.append(torch.stack([q, p], dim=-1))
    return check_finite("carried state", torch.cat(carried))


def carry_and_measure(name, flow, cloud, n_steps):
    """The cloud and the boundary around it, before and after n_steps of the flow, and the areas inside the boundary."""
    flow_to_the_end = partial(flow, n_steps=n_steps)
    edge, edge_after = carried_boundary(boundary, flow_to_the_end)  # (n, 2): n doubles until the area settles
    areas = enclosed_area(edge), enclosed_area(edge_after)
    return Ensemble(name, flow, cloud, flow_to_the_end(cloud), edge, edge_after, *areas)


def main():
    options = Options("Carry a cloud of states along the flow and measure its area.")
    options.add_number("--points", POINTS, "states in the cloud")
    options.add_number("--steps", STEPS, "number of steps")
    options.add_number("--seed", 0, "seed of the cloud")
    options.add_weights()
    options.add_figure("FIG4.png")
    args = options.parse()
    cloud = sample_cloud(check_count("--points", args.points), check_seed(args.seed, "--seed"))
    n_steps = check_count("--steps", args.steps)

    model = load_and_judge(args.weights)
    dt = rollout_dt(model, dt=None, default=DT)  # the model's own, if it has one
    truth = partial(pendulum_dynamics, sin=torch.sin)  # of a pair [q, p], as a step asks for it
    learned = learned_dynamics(model)
    true_flow = partial(carry, step=two_line_step, dynamics=truth, dt=dt)
    learned_flow = partial(carry, step=symplectic_euler_step, dynamics=learned, dt=dt)
    explicit_flow = partial(carry, step=explicit_euler_step, dynamics=truth, dt=dt)
    ensembles = [
        carry_and_measure("true pendulum, symplectic Euler", true_flow, cloud, n_steps),
        carry_and_measure("learned pendulum, symplectic Euler", learned_flow, cloud[:LEARNED_POINTS], n_steps),
        carry_and_measure("true pendulum, explicit Euler", explicit_flow, cloud, n_steps),
    ]
    show_ensembles(args, dt, ensembles)


if __name__ == "__main__":
    run(main)
