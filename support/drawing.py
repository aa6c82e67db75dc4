"""Figures: orbits in phase space with their energies, and ensembles with the area that they cover.

The truth is a broad grey band; what was learned is a thin line in colour over it, and several orbits differ in their
lightness and in the pattern of their line, so that they are told apart in grey print too.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.patches import Polygon

DRAWN_POINTS = 5000  # of an orbit, at most: the figure of a long run stays light
WINDOW = 200  # steps: at dt = 0.05 s longer than a period, so that each window sees the whole range of the energy
NAMED = 10  # orbits that have a name in the legend
TRUTH = {"color": "0.75", "linewidth": 6, "solid_capstyle": "round"}
PATTERNS = ["-", (0, (5, 1.5)), (0, (1.5, 1.2)), (0, (6, 1.5, 1.5, 1.5))]
DENSE = 5000  # states from which on a cloud is drawn as a density
BINS = 120  # of the density, along each axis
LARGEST_SCALE = 4  # how much larger than the smallest panel's content a common scale may be
CURVES = {
    "before": {"color": "0.35", "linestyle": "--", "linewidth": 1.3},
    "after": {"color": "tab:blue", "linestyle": "-", "linewidth": 1.3},
    "lines of equal true energy": {"color": "0.8", "linestyle": "-", "linewidth": 0.8},
}
Q_LABEL, P_LABEL, T_LABEL = "angle q (rad)", "angular momentum p (kg m²/s)", "time t (s)"


def styles(n):
    """A style for each of n orbits."""
    colours = plt.get_cmap("plasma")(np.linspace(0, 0.8, min(n, NAMED)))
    return [{"color": colours[k % NAMED], "linestyle": PATTERNS[k % len(PATTERNS)], "linewidth": 1.6} for k in range(n)]


def wrapped_path(q, p):
    """q in [−π, π) and p, with a gap wherever q goes round, so that no line crosses the figure."""
    q, p = (q + np.pi) % (2 * np.pi) - np.pi, p.copy()
    p[1:][abs(np.diff(q)) > np.pi] = np.nan
    return q, p


def draw_energy_levels(axes, hamiltonian, n=12, **style):
    """Lines of equal true energy all over the axes, along which the exact flow carries every state."""
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    q, p = np.meshgrid(np.linspace(left, right, 200), np.linspace(bottom, top, 200))
    style = {"levels": n, "colors": "0.85", "linewidths": 0.8, "zorder": 0} | style
    return axes.contour(q, p, hamiltonian([q, p]), **style)


def draw_orbits(truth, learned=None):
    """A figure of orbits in phase space, their true energy over time and, if there are learned ones, their distance.

    Each line has an id (gid), "truth" or "learned" and the orbit's number, by which it can be found in the figure.
    """
    fig = plt.figure(figsize=(11, 6.2) if learned else (11, 4.6), layout="constrained")
    panels = fig.subplot_mosaic([["phase", "energy"], ["phase", "distance"]] if learned else [["phase", "energy"]])
    n = len(truth.names)
    for k, style in enumerate(styles(n)):
        layers = [(truth, TRUTH, "truth"), (learned, style, "learned")] if learned else [(truth, style, "truth")]
        for order, (orbits, how, who) in enumerate(layers):
            how = how | {"zorder": 2 + order, "gid": f"{who} {k}"}
            _draw_phase(panels["phase"], orbits, k, how)
            _draw_range(panels["energy"], orbits.t, orbits.H[:, k], how)
        if learned:
            _draw_range(panels["distance"], truth.t[1:], learned.distance(truth)[1:, k], how)
        if n <= NAMED:
            _draw_start(panels["phase"], learned or truth, k, style["color"])
    draw_energy_levels(panels["phase"], truth.hamiltonian)
    panels["phase"].set(xlabel=Q_LABEL, ylabel=P_LABEL, title="phase space: ● start, ▸ direction; thin grey: equal H")
    panels["energy"].set(
        ylabel="true H(q, p) (J)",
        title="the step makes the energy oscillate" + (", in the truth (grey) too" if learned else ""),
    )
    panels["energy"].set_ylim(bottom=0)
    if learned:
        title = "distance of the learned orbit from the true one"
        panels["distance"].set(title=title, yscale="log", ylabel="√(Δq² + Δp²)")
        panels["distance"].sharex(panels["energy"])
        panels["energy"].tick_params(labelbottom=False)
    panels["distance" if learned else "energy"].set_xlabel(T_LABEL)
    _draw_legend(fig, panels["phase"], truth, learned)
    return fig


def _draw_phase(axes, orbits, k, style):
    """One orbit with its angle wrapped: a line, or dots where it would be over DRAWN_POINTS long."""
    step = -(-len(orbits.q) // DRAWN_POINTS)
    q, p = wrapped_path(orbits.q[:, k], orbits.p[:, k])
    if step > 1:
        style = style | {"linestyle": "none", "marker": ".", "markersize": style["linewidth"]}
        q, p = q[::step], orbits.p[::step, k]
    axes.plot(q, p, **style)


def _draw_range(axes, t, values, style):
    """A quantity over time: a line, or, for a long run, its least and greatest value in each WINDOW steps or more."""
    if len(t) <= DRAWN_POINTS:
        axes.plot(t, values, **style)
    else:
        starts = np.linspace(0, len(t), min(len(t) // WINDOW, 500), endpoint=False, dtype=int)
        for bound in (np.minimum, np.maximum):
            axes.plot(t[starts], bound.reduceat(values, starts), **style)


def _draw_start(axes, orbits, k, colour):
    """Where an orbit starts, and which way it runs where it first is fastest."""
    q, p = wrapped_path(orbits.q[:, k], orbits.p[:, k])
    axes.plot(q[0], orbits.p[0, k], "o", color=colour, markersize=7, markeredgecolor="white", zorder=5)
    fast = abs(np.nan_to_num(p[:60]))
    i = 3 + int(np.argmax(fast[3:])) if len(fast) > 4 else len(fast) - 1
    if i > 0 and np.isfinite(p[i - 1 : i + 1]).all():
        arrow = {"arrowstyle": "-|>", "color": colour, "mutation_scale": 18, "linewidth": 0}
        axes.annotate("", xy=(q[i], p[i]), xytext=(q[i - 1], p[i - 1]), arrowprops=arrow, zorder=5)


def _draw_legend(fig, axes, truth, learned):
    n = len(truth.names)
    handles = [axes.plot([], [], **style, label=name)[0] for style, name in zip(styles(n), truth.names, strict=True)][
        :NAMED
    ]
    if learned:
        handles.append(axes.plot([], [], **TRUTH, label="truth")[0])
    of = f"{n:,} orbits, the first {NAMED} are named" if n > NAMED else "orbits"
    title = f"{'learned' if learned else 'true'} {of}, from [q, p]"
    fig.legend(handles=handles, title=title, loc="outside lower center", ncols=6, frameon=False, handlelength=4)


def draw_ensembles(ensembles, hamiltonian, scene=None):
    """A figure with a panel for each ensemble, before and after, over lines of equal true energy; it and its panels.

    For a film, which has another `after` in each frame, `scene` holds the points (n, 2) that each panel must have room
    for. The panels share one scale, so that areas can be compared, unless that would make one of them unreadable.
    """
    fig, panels = plt.subplots(1, len(ensembles), figsize=(4.2 * len(ensembles), 5.2), layout="constrained")
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
        draw_energy_levels(axes, hamiltonian)
        draw_cloud(axes, ensemble.cloud, ensemble.edge, after=False)
        if not is_film:
            draw_cloud(axes, ensemble.cloud_after, ensemble.edge_after)
        axes.set(xlabel=Q_LABEL)
    panels[0].set_ylabel(P_LABEL)
    handles = [panels[0].plot([], [], label=name, **style)[0] for name, style in CURVES.items()]
    fig.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False)
    return fig, panels


def draw_cloud(axes, cloud, edge, after=True):
    """The cloud, as dots or, if there are many, as a density, in its filled boundary; the artists."""
    when = "after" if after else "before"
    style = CURVES[when] | {"gid": f"edge {when}"}
    colour = style["color"]
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


def show(fig):
    """Open a window with the figure where there is a display."""
    if fig.canvas.required_interactive_framework is None:
        print("There is no display to show it on.")
    else:
        plt.show()
