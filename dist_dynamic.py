"""Liouville's theorem: a cloud of states is stretched and sheared by a Hamiltonian flow, but keeps its area.

The cloud and a closed boundary around it are carried by the true pendulum and by the learned one, with symplectic
Euler, and for contrast by the true pendulum with explicit Euler, whose area grows in each step by the factor
1 + dt² (g / l) cos q.

uv run python dist_dynamic.py                   writes FIG4.png
"""

import argparse

import matplotlib.pyplot as plt
import numpy as np
from tqdm import tqdm

from command_line import LARGEST_SEED, add_figure_options, check_count, check_figure, finish_figure, run
from HNN import CHECKPOINT, load_hnn
from pendulum_nonlinear import pendulum_dynamics, pendulum_hamiltonian
from rigid_simulator_HNN import learned_dynamics
from rigid_simulator_implicit import DT, symplectic_euler_step

CENTRE = [0.0, 2.0]  # [q, p] of the cloud
SIGMA = 0.1  # its standard deviation, in rad and in kg m²/s
POINTS = 100
STEPS = 80
BOUNDARY_POINTS = 4000  # on a circle of 3 σ
BLOCK = 8192  # states carried together: few enough to stay in the processor's cache for all the steps
DRAWN_POINTS = 2000  # of the cloud, at most; the learned pendulum and explicit Euler carry no more than these


def explicit_euler_step(dynamics, t, q, p, dt):
    """The step that is not symplectic, for contrast: (q₁, p₁), both from the old state."""
    dq_dt, dp_dt = dynamics(t, [q, p])
    return q + dt * dq_dt, p + dt * dp_dt


def sample_cloud(n, seed=0):
    """`n` states (n, 2) drawn from a normal distribution around CENTRE."""
    return np.random.default_rng(seed).normal(CENTRE, SIGMA, size=(n, 2))


def boundary():
    """A closed curve around the cloud, (BOUNDARY_POINTS, 2): a circle of radius 3 σ."""
    angle = np.linspace(0, 2 * np.pi, BOUNDARY_POINTS, endpoint=False)
    return CENTRE + 3 * SIGMA * np.stack([np.cos(angle), np.sin(angle)], axis=-1)


def carry(states, dynamics, step=symplectic_euler_step, n_steps=STEPS, dt=DT):
    """The states (n, 2) after `n_steps` steps."""
    carried = np.empty_like(states)
    for start in tqdm(range(0, len(states), BLOCK), desc="ensemble", unit="block", delay=1, leave=False):
        q, p = states[start : start + BLOCK].T.copy()
        for i in range(n_steps):
            q, p = step(dynamics, i * dt, q, p, dt)
        carried[start : start + BLOCK] = np.stack([q, p], axis=-1)
    return carried


def polygon_area(points):
    """The area inside a closed curve, (n, 2), by the shoelace formula ½ |Σ (qᵢ pᵢ₊₁ − qᵢ₊₁ pᵢ)|, in J s."""
    q, p = (points - points[0]).T  # from a point of its own, so that rounding does not grow with the distance
    return abs(np.sum(q * np.roll(p, -1) - np.roll(q, -1) * p)) / 2


def flows(model):
    """The three ways to carry a cloud, as (name, dynamics, step)."""
    return [
        ("true pendulum, symplectic Euler", pendulum_dynamics, symplectic_euler_step),
        ("learned pendulum, symplectic Euler", learned_dynamics(model), symplectic_euler_step),
        ("true pendulum, explicit Euler", pendulum_dynamics, explicit_euler_step),
    ]


def draw_flow(axes, name, before, after):
    """One panel: the cloud and its boundary, `before` and `after` each (cloud, edge), and the areas."""
    for (cloud, edge), colour, line, label in ((before, "0.45", "--", "before"), (after, "C0", "-", "after")):
        axes.fill(*edge.T, facecolor=colour, alpha=0.2, edgecolor="none")
        axes.plot(*np.append(edge, edge[:1], axis=0).T, line, color=colour, linewidth=1.5, label=label)
        axes.plot(*cloud[:DRAWN_POINTS].T, ".", color=colour, markersize=4 if len(cloud) <= 500 else 1)
    area, area_after = polygon_area(before[1]), polygon_area(after[1])
    axes.set(title=f"{name}\narea ratio {area_after / area:.6f}", xlabel="angle q (rad)")


def draw_energy_levels(axes):
    """The true pendulum's lines of equal energy, along which its exact flow carries every state."""
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    q, p = np.meshgrid(np.linspace(left, right, 200), np.linspace(bottom, top, 200))
    axes.contour(q, p, pendulum_hamiltonian([q, p]), levels=15, colors="0.88", linewidths=0.8, zorder=0)


def main():
    parser = argparse.ArgumentParser(description="Carry a cloud of states along the flow and measure its area.")
    parser.add_argument("--points", type=int, default=POINTS, help="states in the cloud (default: %(default)s)")
    parser.add_argument("--steps", type=int, default=STEPS, help="number of steps (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the cloud (default: %(default)s)")
    parser.add_argument("--weights", default=CHECKPOINT, help="checkpoint to use (default: the one beside this file)")
    add_figure_options(parser, "FIG4.png")
    args = parser.parse_args()
    check_figure(args.output)
    check_count("--points", args.points)
    check_count("--steps", args.steps)
    check_count("--seed", args.seed, 0, LARGEST_SEED)
    cloud, edge = sample_cloud(args.points, args.seed), boundary()
    fig, panels = plt.subplots(1, 3, figsize=(12, 4.6), sharex=True, sharey=True, layout="constrained")
    print(f"{args.points:,} states and a boundary of {len(edge):,}, carried {args.steps:,} steps of {DT} s")
    for axes, (name, dynamics, step) in zip(panels, flows(load_hnn(args.weights)), strict=True):
        every_one = dynamics is pendulum_dynamics and step is symplectic_euler_step
        shown = cloud if every_one else cloud[:DRAWN_POINTS]
        after = [carry(states, dynamics, step, args.steps) for states in (shown, edge)]
        draw_flow(axes, name, (shown, edge), after)
        area, area_after = polygon_area(edge), polygon_area(after[1])
        print(f"{name:<36} area {area:.6f} → {area_after:.6f} J s, ratio {area_after / area:.8f}")
    for axes in panels:
        draw_energy_levels(axes)
    panels[0].set_ylabel("angular momentum p (kg m²/s)")
    panels[0].legend(loc="upper right")
    finish_figure(fig, args.output, args.show)


if __name__ == "__main__":
    run(main)
