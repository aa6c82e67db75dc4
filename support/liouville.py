"""Liouville: the area inside a closed curve of states, and a cloud with its curve, in a figure and in a film."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from matplotlib.patches import Polygon

from pendulum_nonlinear import pendulum_hamiltonian
from support.figures import P_LABEL, Q_LABEL, draw_energy_levels, new_figure, plain_style, write_and_show
from support.films import frames_of, in_words, write_gif
from support.terminal import say

FIRST_POINTS = 256
MOST_POINTS = 32_768
SETTLED = 1e-9  # of the area: what half of the points must agree to
DRAWN_STATES = 5000  # of a cloud, at most
CURVES = {
    "before": {"color": "0.6", "linestyle": "--", "linewidth": 1.6},
    "after": {"color": "#08519c", "linestyle": "-", "linewidth": 1.6},
    "lines of equal energy": {"color": "0.85", "linestyle": "-", "linewidth": 0.8},
}


def enclosed_area(points):
    """The area ½ ∮ (q dp − p dq) inside a closed curve, in J s, from points (n, 2) evenly spaced along its parameter.

    With z = q + i p = Σ c_k exp(i k θ) it is π Σ k |c_k|², positive where the curve runs counterclockwise. For a
    smooth curve this converges faster than any power of n, where a polygon's area has an error of order 1 / n².
    """
    q, p = np.asarray(points, dtype=float).T
    n = len(q)
    c = np.fft.fft(q + 1j * p) / n
    k = n * np.fft.fftfreq(n)  # 0, 1, 2, …, −2, −1
    return np.pi * np.sum(k * abs(c) ** 2)


def is_resolved(points):
    """Whether the points tell the area: every second one of them gives the same."""
    area = enclosed_area(points)
    return bool(abs(area - enclosed_area(points[::2])) <= SETTLED * abs(area))


def carried_edge(curve, flow):
    """The points of a curve, (n, 2), and where the flow carries them: twice as many until half of them tell the area.

    curve(n) gives n of them. There are MOST_POINTS at most, though they may not resolve it.
    """
    n = FIRST_POINTS
    while True:
        before = curve(n)
        after = flow(before)
        if is_resolved(after) or n >= MOST_POINTS:
            return before, after
        n *= 2


@dataclass
class Ensemble:
    """A cloud (n, 2) and the edge around it, before and after some steps of flow(states, n_steps)."""

    name: str
    flow: Callable
    cloud: np.ndarray
    cloud_after: np.ndarray
    edge: np.ndarray
    edge_after: np.ndarray
    areas: tuple  # J s, inside the edge before and after

    def ratio(self, digits=6):
        """The area after over the area before, in words."""
        if not is_resolved(self.edge_after):
            return f"area not resolved by {len(self.edge):,} points: too many folds"
        return f"area ratio {self.areas[1] / self.areas[0]:.{digits}f}"


@plain_style()
def show_ensembles(args, dt, ensembles):
    """Write the figure and the film that the options `args` ask for, and print the areas."""
    fig = draw_ensembles(ensembles, show=args.show)
    for axes, ensemble in zip(fig.axes, ensembles, strict=True):
        axes.set_title(f"{ensemble.name}\n{ensemble.ratio()}")
    fig.suptitle(f"{args.points:,} states after {args.steps:,} steps of {dt:g} s, t = {args.steps * dt:.2f} s")
    say(f"{args.points:,} states, carried {args.steps:,} steps of {dt:g} s, with the edge around them:")
    for ensemble in ensembles:
        from_area = f"from {ensemble.areas[0]:.6f} J s, by {len(ensemble.edge):,} points"
        say(f"{ensemble.name:<36} {ensemble.ratio(digits=10)}, {from_area}")
    write_and_show(args, fig, lambda path: film_ensembles(path, args.steps, dt, ensembles))


def draw_ensembles(ensembles, scene=None, show=False):
    """A figure with a panel for each ensemble, before and after, over lines of equal energy, all on one scale.

    For a film, which has another `after` in each frame, `scene` holds the points (n, 2) that must have room.
    """
    fig = new_figure(show, figsize=(4.2 * len(ensembles), 5.2), layout="constrained")
    fig.get_layout_engine().set(h_pad=0.08)
    panels = fig.subplots(1, len(ensembles))
    is_film = scene is not None
    if not is_film:
        scene = np.concatenate([edge for ensemble in ensembles for edge in (ensemble.edge, ensemble.edge_after)])
    low, high = scene.min(axis=0), scene.max(axis=0)
    margin = 0.06 * (high - low)
    for axes, ensemble in zip(panels, ensembles, strict=True):
        axes.set_xlim(low[0] - margin[0], high[0] + margin[0])
        axes.set_ylim(low[1] - margin[1], high[1] + margin[1])
        draw_energy_levels(axes, pendulum_hamiltonian)
        draw_cloud(axes, ensemble.cloud, ensemble.edge, "before")
        if not is_film:
            draw_cloud(axes, ensemble.cloud_after, ensemble.edge_after, "after")
        axes.set(xlabel=Q_LABEL)
    panels[0].set_ylabel(P_LABEL)
    handles = [panels[0].plot([], [], label=name, **style)[0] for name, style in CURVES.items()]
    for of_states in handles[:2]:
        of_states.set_marker(".")
    fig.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False)
    return fig


def draw_cloud(axes, cloud, edge, when):
    """The first states of the cloud as dots in its filled edge, "before" or "after"; returns the artists."""
    style = CURVES[when] | {"gid": f"edge {when}"}
    colour, dots = style["color"], cloud[:DRAWN_STATES]
    size = 4 if len(dots) <= 500 else 2
    area = axes.add_artist(Polygon(edge, facecolor=colour, alpha=0.15, edgecolor="none", zorder=1))
    line = axes.plot(*np.append(edge, edge[:1], axis=0).T, **style, zorder=3)
    return [area, *line, *axes.plot(*dots.T, ".", color=colour, markersize=size, zorder=2, gid=f"cloud {when}")]


def film_ensembles(path, n_steps, dt, ensembles):
    """Write a film of the clouds and their edges in motion; returns a sentence that says what it shows."""
    steps, frame_time, speed = frames_of(n_steps, dt)
    edges = [[ensemble.edge] for ensemble in ensembles]
    for n in np.diff(steps):
        for ensemble, recorded in zip(ensembles, edges, strict=True):
            recorded.append(ensemble.flow(recorded[-1], n_steps=n))
    clouds = [ensemble.cloud[:DRAWN_STATES] for ensemble in ensembles]
    fig = draw_ensembles(ensembles, scene=np.concatenate([edge for recorded in edges for edge in recorded]))
    moving = []

    def draw_frame(i):
        while moving:
            moving.pop().remove()
        for k, (axes, ensemble) in enumerate(zip(fig.axes, ensembles, strict=True)):
            if i > 0:
                clouds[k] = ensemble.flow(clouds[k], n_steps=steps[i] - steps[i - 1])
            moving.extend(draw_cloud(axes, clouds[k], edges[k][i], "after"))
            axes.set_title(f"{ensemble.name}\narea {enclosed_area(edges[k][i]):.6f} J s")
        fig.suptitle(f"t = {steps[i] * dt:.2f} s, step {steps[i]:,}")

    write_gif(path, fig, draw_frame, len(steps), frame_time)
    return f"steps 0 to {steps[-1]:,} of {n_steps:,} {in_words(speed)}, {len(steps)} frames"
