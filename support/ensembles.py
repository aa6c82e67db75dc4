"""Ensembles: clouds of states and the closed curve around them, as a flow carries them: figure, film and table."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.colors import LogNorm
from matplotlib.patches import Polygon

from support.area import enclosed_area, is_resolved
from support.command_line import say
from support.drawing import P_LABEL, Q_LABEL, draw_energy_levels
from support.files import write_figure
from support.films import frames_of, write_gif
from support.plotting import new_figure, plain_style, show_figure

DENSE = 5000  # states from which on a cloud is drawn as a density
BINS = 120  # of the density, along each axis
LARGEST_SCALE = 4  # how much larger than the smallest panel's content a common scale may be
CURVES = {
    "before": {"color": "0.6", "linestyle": "--", "linewidth": 1.6},
    "after": {"color": "#08519c", "linestyle": "-", "linewidth": 1.6},
    "lines of equal true energy": {"color": "0.85", "linestyle": "-", "linewidth": 0.8},
}


@dataclass
class Ensemble:
    """A cloud (n, 2) and the boundary around it, before and after some steps of flow(states, n_steps=…)."""

    name: str
    flow: Callable
    cloud: torch.Tensor
    cloud_after: torch.Tensor
    edge: torch.Tensor
    edge_after: torch.Tensor
    area: float  # J s, inside the edge
    area_after: float

    def ratio(self):
        """The area after over the area before, in words."""
        if not is_resolved(self.edge_after):
            return "area not resolved: too many folds"
        return f"area ratio {self.area_after / self.area:.6f}"

    def row(self):
        """A line of numbers: the areas, their ratio, and how many points of the boundary it took."""
        line = f"{self.name:<36} area {self.area:.6f}"
        if not is_resolved(self.edge_after):
            return f"{line} J s before; after, {len(self.edge):,} points do not resolve it"
        ratio = f"ratio {self.area_after / self.area:.10f}, {len(self.edge):,} points"
        return f"{line} → {self.area_after:.6f} J s, {ratio}"


@plain_style()
def show_ensembles(args, dt, ensembles):
    """Write the figure and the film that the options `args` ask for, and print the areas."""
    fig = draw_ensembles(ensembles, show=args.show)
    for axes, ensemble in zip(fig.axes, ensembles, strict=True):
        fewer = f", {len(ensemble.cloud):,} of the states" if len(ensemble.cloud) < args.points else ""
        axes.set_title(f"{ensemble.name}{fewer}\n{ensemble.ratio()}")
    fig.suptitle(f"{args.points:,} states after {args.steps:,} steps of {dt:g} s, t = {args.steps * dt:.2f} s")
    write_figure(args.output, fig)
    say(f"{args.points:,} states, carried {args.steps:,} steps of {dt:g} s, with the boundary around them:")
    for ensemble in ensembles:
        say(ensemble.row())
        if len(ensemble.cloud) < args.points:
            say(f"  (it carries the first {len(ensemble.cloud):,} states only)")
    say(f"Wrote {args.output}")
    if args.animate is not None:
        what = film_ensembles(args.animate, args.steps, dt, ensembles)
        say(f"Wrote {args.animate}: {what}")
    if args.show:
        show_figure(fig)


def draw_ensembles(ensembles, scene=None, show=False):
    """A figure with a panel for each ensemble, before and after, over lines of equal true energy.

    For a film, which has another `after` in each frame, `scene` holds the points (n, 2) that each panel must have room
    for. The panels share one scale, so that areas can be compared, unless that would make one of them unreadable.
    """
    fig = new_figure(show, figsize=(4.2 * len(ensembles), 5.2), layout="constrained")
    fig.get_layout_engine().set(h_pad=0.08)
    panels = fig.subplots(1, len(ensembles))
    is_film = scene is not None
    scene = scene or [np.concatenate([ensemble.edge, ensemble.edge_after]) for ensemble in ensembles]
    sizes = np.array([np.ptp(points, axis=0) for points in scene])
    if (np.ptp(np.concatenate(scene), axis=0) <= LARGEST_SCALE * sizes.min(axis=0)).all():
        scene = [np.concatenate(scene)] * len(ensembles)
    for axes, ensemble, points in zip(panels, ensembles, scene, strict=True):
        low, high = points.min(axis=0), points.max(axis=0)
        margin = 0.06 * (high - low)
        axes.set_xlim(low[0] - margin[0], high[0] + margin[0])
        axes.set_ylim(low[1] - margin[1], high[1] + margin[1])
        draw_energy_levels(axes)
        draw_cloud(axes, ensemble.cloud, ensemble.edge, after=False)
        if not is_film:
            draw_cloud(axes, ensemble.cloud_after, ensemble.edge_after)
        axes.set(xlabel=Q_LABEL)
    panels[0].set_ylabel(P_LABEL)
    markers = {"before": ".", "after": "."}  # of the states
    handles = [
        panels[0].plot([], [], marker=markers.get(name), label=name, **style)[0] for name, style in CURVES.items()
    ]
    fig.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False)
    return fig


def draw_cloud(axes, cloud, edge, after=True):
    """The cloud, as dots or, if there are many, as a density, in its filled boundary; returns the artists."""
    when = "after" if after else "before"
    style = CURVES[when] | {"gid": f"edge {when}"}
    colour = style["color"]
    cloud, edge = np.asarray(cloud), np.asarray(edge)
    area = axes.add_artist(Polygon(edge, facecolor=colour, alpha=0.15, edgecolor="none", zorder=1))
    artists = [area, *axes.plot(*np.append(edge, edge[:1], axis=0).T, **style, zorder=3)]
    if len(cloud) < DENSE:
        size = 4 if len(cloud) <= 500 else 2
        return artists + axes.plot(*cloud.T, ".", color=colour, markersize=size, zorder=2, gid=f"cloud {when}")
    count, q_edges, p_edges = np.histogram2d(*cloud.T, bins=BINS)
    count = np.ma.masked_equal(count.T, 0)
    mesh = axes.pcolormesh(q_edges, p_edges, count, cmap="Blues" if after else "Greys", norm=LogNorm(0.3), zorder=2)
    mesh.set_gid(f"cloud {when}")
    return [*artists, mesh]


def film_ensembles(path, n_steps, dt, ensembles):
    """Write a film of the clouds and their boundaries in motion; returns a sentence that says what it shows."""
    steps, frame_time = frames_of(n_steps, dt)
    edges = [[ensemble.edge] for ensemble in ensembles]
    for n in np.diff(steps):
        for ensemble, recorded in zip(ensembles, edges, strict=True):
            recorded.append(ensemble.flow(recorded[-1], n_steps=n))
    clouds = [ensemble.cloud for ensemble in ensembles]
    fig = draw_ensembles(ensembles, scene=[np.concatenate(recorded) for recorded in edges])
    moving = []

    def draw_frame(i):
        while moving:
            moving.pop().remove()
        for k, (axes, ensemble) in enumerate(zip(fig.axes, ensembles, strict=True)):
            if i > 0:
                clouds[k] = ensemble.flow(clouds[k], n_steps=steps[i] - steps[i - 1])
            moving.extend(draw_cloud(axes, clouds[k], edges[k][i]))
            axes.set_title(f"{ensemble.name}\narea {enclosed_area(edges[k][i]):.6f} J s")
        fig.suptitle(f"t = {steps[i] * dt:.2f} s, step {steps[i]:,}")

    write_gif(path, fig, draw_frame, len(steps), frame_time)
    return f"steps 0 to {steps[-1]:,} of {n_steps:,} in real time, {len(steps)} frames"
