"""Liouville's theorem: a cloud of states is stretched and sheared by a Hamiltonian flow, but keeps its area.

We sample a cloud, draw a circle around it, carry both, and measure the area ½ ∮ (q dp − p dq) inside the circle before
and after. Three flows carry them: the true pendulum and the learned one, with symplectic Euler, and for contrast the
true pendulum with explicit Euler, each step of which multiplies a small area at q by 1 + dt² (g / l) cos q.

uv run python dist_dynamic.py                           writes FIG4.png
uv run python dist_dynamic.py --animate liouville.gif   writes a film of it too
"""

from functools import partial

import numpy as np

from hnn_model_derivs import learned_dynamics
from pendulum_nonlinear import pendulum_dynamics
from rigid_simulator_HNN import load_and_judge
from rigid_simulator_implicit import DT, explicit_euler_step, symplectic_euler_step, two_line_step
from support.inputs import check_finite
from support.liouville import Ensemble, carried_edge, enclosed_area, show_ensembles
from support.options import Options
from support.terminal import progress, run
from support.trust import note_of_range

CENTRE = [0.0, 2.0]  # [q, p] of the cloud
SIGMA = 0.1  # its standard deviation, in rad and in kg m²/s
POINTS = 100
STEPS = 80
MOST_POINTS = 10_000  # which a network takes a quarter of a minute to carry


def sample_cloud(n, seed=0):
    """`n` states (n, 2) drawn from a normal distribution around CENTRE."""
    return np.random.default_rng(seed).normal(CENTRE, SIGMA, size=(n, 2))


def circle(n):
    """`n` points (n, 2) of a closed curve around the cloud, counterclockwise: a circle of radius 3 σ, evenly spaced."""
    angles = 2 * np.pi * np.arange(n) / n
    return CENTRE + 3 * SIGMA * np.stack([np.cos(angles), np.sin(angles)], axis=-1)


def carry(states, advance, n_steps=STEPS, dt=DT):
    """The states (n, 2) after `n_steps` of advance(t, q, p, dt)."""
    q, p = states.T
    for i in progress(range(n_steps), desc="ensemble", unit="step"):
        q, p = advance(i * dt, q, p, dt)
    return check_finite("carried state", np.stack([q, p], axis=-1))


def carry_and_measure(name, advance, cloud, n_steps):
    """The cloud and the edge around it, before and after n_steps, and the areas inside the edge."""

    def flow(states, n_steps=n_steps):
        return carry(states, advance, n_steps)

    edge, edge_after = carried_edge(circle, flow)  # (n, 2): n is doubled until the area no longer changes
    areas = enclosed_area(edge), enclosed_area(edge_after)
    return Ensemble(name, flow, cloud, flow(cloud), edge, edge_after, areas)


def main():
    options = Options("Carry a cloud of states along the flow and measure its area.")
    options.add_count("--points", POINTS, "states in the cloud", most=MOST_POINTS)
    options.add_count("--steps", STEPS, "number of steps")
    options.add_seed("the cloud")
    options.add_weights()
    options.add_figure("FIG4.png")
    args = options.parse()
    cloud = sample_cloud(args.points, args.seed)
    model = load_and_judge(args.weights)
    flows = {
        "true pendulum, symplectic Euler": partial(two_line_step, pendulum_dynamics),
        "learned pendulum, symplectic Euler": partial(symplectic_euler_step, learned_dynamics(model)),
        "true pendulum, explicit Euler": partial(explicit_euler_step, pendulum_dynamics),
    }
    ensembles = [carry_and_measure(name, advance, cloud, args.steps) for name, advance in flows.items()]
    learned = ensembles[1]
    note_of_range(model, *np.concatenate([learned.edge, learned.edge_after]).T)
    show_ensembles(args, DT, ensembles)


if __name__ == "__main__":
    run(main)
