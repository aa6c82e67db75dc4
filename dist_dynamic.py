"""Liouville's theorem: a cloud of states is stretched and sheared by a Hamiltonian flow, but keeps its area.

The cloud and a closed boundary around it are carried by the true pendulum and by the learned one, with symplectic
Euler, and for contrast by the true pendulum with explicit Euler, whose area grows in each step by the factor
1 + dt² (g / l) cos q.

uv run python dist_dynamic.py                           writes FIG4.png
uv run python dist_dynamic.py --animate liouville.gif   writes the motion too
"""

if __name__ == "__main__":  # first, because the imports below take seconds, in which Ctrl-C may come
    from command_line import expect_interrupts

    expect_interrupts()

import argparse
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.animation import FuncAnimation, PillowWriter
from tqdm import tqdm

from command_line import (
    LARGEST_SEED,
    add_figure_options,
    check_count,
    check_figure,
    check_output,
    finish_figure,
    run,
    write_whole,
)
from HNN import CHECKPOINT, load_hnn
from pendulum_nonlinear import pendulum_dynamics, pendulum_hamiltonian
from rigid_simulator_HNN import learned_dynamics
from rigid_simulator_implicit import DT, symplectic_euler_step

CENTRE = [0.0, 2.0]  # [q, p] of the cloud
SIGMA = 0.1  # its standard deviation, in rad and in kg m²/s
POINTS = 100
STEPS = 80
BOUNDARY_POINTS = 2000  # on a circle of 3 σ
BLOCK = 8192  # states carried together: few enough to stay in the processor's cache for all the steps
LARGEST_FRAMES = 100  # of an animation
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


def determinant(flow, states, eps=1e-5):
    """The factor by which flow(q, p) -> (q, p) scales the area around each state, by central differences, (n,).

    It is the determinant of the flow's Jacobian, 1 where the flow is symplectic.
    """
    q, p = np.transpose(states)
    by_q = np.subtract(flow(q + eps, p), flow(q - eps, p)) / (2 * eps)
    by_p = np.subtract(flow(q, p + eps), flow(q, p - eps)) / (2 * eps)
    return by_q[0] * by_p[1] - by_q[1] * by_p[0]


def flows(model):
    """The three ways to carry a cloud, as (name, dynamics, step)."""
    return [
        ("true pendulum, symplectic Euler", pendulum_dynamics, symplectic_euler_step),
        ("learned pendulum, symplectic Euler", learned_dynamics(model), symplectic_euler_step),
        ("true pendulum, explicit Euler", pendulum_dynamics, explicit_euler_step),
    ]


def draw_set(axes, cloud, edge, after=True):
    """The cloud and its filled boundary, in one of two styles that can be told apart in grey."""
    colour, line, label = ("C0", "-", "after") if after else ("0.45", "--", "before")
    (area,) = axes.fill(*edge.T, facecolor=colour, alpha=0.2, edgecolor="none")
    (outline,) = axes.plot(*np.append(edge, edge[:1], axis=0).T, line, color=colour, linewidth=1.5, label=label)
    (dots,) = axes.plot(*cloud[:DRAWN_POINTS].T, ".", color=colour, markersize=4 if len(cloud) <= 500 else 1)
    return area, outline, dots


def area_title(name, edge, edge_after):
    """A panel's title: the flow and the area ratio that it has reached."""
    return f"{name}\narea ratio {polygon_area(edge_after) / polygon_area(edge):.6f}"


def draw_energy_levels(axes):
    """The true pendulum's lines of equal energy, along which its exact flow carries every state."""
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    q, p = np.meshgrid(np.linspace(left, right, 200), np.linspace(bottom, top, 200))
    axes.contour(q, p, pendulum_hamiltonian([q, p]), levels=15, colors="0.88", linewidths=0.8, zorder=0)


def draw_panels(n, name="FIG4"):
    """A figure with `n` panels of one scale."""
    fig, panels = plt.subplots(1, n, figsize=(4 * n, 4.6), sharex=True, sharey=True, layout="constrained", num=name)
    panels[0].set_ylabel("angular momentum p (kg m²/s)")
    for axes in panels:
        axes.set_xlabel("angle q (rad)")
    return fig, panels


def animate(flows, cloud, edge, n_steps, path):
    """Write a GIF of the cloud and its boundary in each of the `flows`, side by side, a frame for each step."""
    every = -(-n_steps // LARGEST_FRAMES)  # steps a frame
    frames = [[(cloud, edge) for _ in flows]]
    for start in range(0, n_steps, every):
        n = min(every, n_steps - start)
        pairs = zip(frames[-1], flows, strict=True)
        frames.append([[carry(x, dynamics, step, n) for x in sets] for sets, (_, dynamics, step) in pairs])
    fig, panels = draw_panels(len(flows), "animation")
    everywhere = np.concatenate([edge for sets in frames for _, edge in sets])
    margin = 0.05 * np.ptp(everywhere, axis=0)
    panels[0].set_xlim(everywhere[:, 0].min() - margin[0], everywhere[:, 0].max() + margin[0])
    panels[0].set_ylim(everywhere[:, 1].min() - margin[1], everywhere[:, 1].max() + margin[1])
    for axes in panels:
        draw_set(axes, cloud, edge, after=False)
        draw_energy_levels(axes)
    moving = []

    def draw_frame(k):
        for artist in moving:
            artist.remove()
        moving.clear()
        for axes, (name, _, _), sets in zip(panels, flows, frames[k], strict=True):
            moving.extend(draw_set(axes, *sets))
            area, t = polygon_area(sets[1]), min(k * every, n_steps) * DT
            axes.set_title(f"{name}\narea {area:.6f} J s at t = {t:.2f} s")

    with tempfile.TemporaryDirectory() as folder, tqdm(total=len(frames), desc="animation", leave=False) as bar:
        animation = FuncAnimation(fig, draw_frame, frames=len(frames), init_func=lambda: None)
        gif = Path(folder, "animation.gif")
        animation.save(gif, PillowWriter(fps=15), dpi=70, progress_callback=lambda *_: bar.update())
        write_whole(path, gif.read_bytes())
    plt.close(fig)
    print(f"Wrote {path}")


def main():
    parser = argparse.ArgumentParser(description="Carry a cloud of states along the flow and measure its area.")
    parser.add_argument("--points", type=int, default=POINTS, help="states in the cloud (default: %(default)s)")
    parser.add_argument("--steps", type=int, default=STEPS, help="number of steps (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the cloud (default: %(default)s)")
    parser.add_argument("--weights", default=CHECKPOINT, help="checkpoint to use (default: the one beside this file)")
    parser.add_argument("--animate", metavar="FILE.gif", help="write the motion of truth and learned there too")
    add_figure_options(parser, "FIG4.png")
    args = parser.parse_args()
    check_figure(args.output)
    if args.animate is not None and Path(check_output(args.animate)).suffix.lower() != ".gif":
        raise ValueError(f"--animate writes a GIF: end {args.animate} in .gif")
    check_count("--points", args.points)
    check_count("--steps", args.steps)
    check_count("--seed", args.seed, 0, LARGEST_SEED)
    all_flows = flows(load_hnn(args.weights))
    cloud, edge = sample_cloud(args.points, args.seed), boundary()
    fig, panels = draw_panels(len(all_flows))
    print(f"{args.points:,} states and a boundary of {len(edge):,}, carried {args.steps:,} steps of {DT} s")
    for k, (axes, (name, dynamics, step)) in enumerate(zip(panels, all_flows, strict=True)):
        shown = cloud if k == 0 else cloud[:DRAWN_POINTS]
        edge_after = carry(edge, dynamics, step, args.steps)
        draw_set(axes, shown, edge, after=False)
        draw_set(axes, carry(shown, dynamics, step, args.steps), edge_after)
        axes.set_title(area_title(name, edge, edge_after))
        area, area_after = polygon_area(edge), polygon_area(edge_after)
        print(f"{name:<36} area {area:.6f} → {area_after:.6f} J s, ratio {area_after / area:.8f}")
        if k < 2 and abs(np.diff(edge_after, axis=0)).max() > SIGMA / 10:
            print("  Note: the boundary is stretched beyond what its points resolve; this ratio is the polygon's.")
    for axes in panels:
        draw_energy_levels(axes)
    panels[0].legend(loc="upper right")
    if args.animate:
        animate(all_flows[:2], cloud[:DRAWN_POINTS], edge, args.steps, args.animate)
    finish_figure(fig, args.output, args.show)


if __name__ == "__main__":
    run(main)
