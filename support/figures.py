"""Figures as a user sees them, and those of orbits: phase space, the energy over time, the distance from the truth.

The truth is a broad grey band; what was learned is a thin line in colour over it, and several orbits differ in their
lightness and in the pattern of their line, so that they are told apart in grey print too.
"""

import os

import numpy as np

from pendulum_nonlinear import pendulum_hamiltonian, wrap_angle
from support.files import write_figure
from support.notes import note
from support.terminal import say

backend = os.environ.pop("MPLBACKEND", None)  # a shell's, as a notebook's, may not be installed here
import matplotlib.style  # noqa: E402
from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402

os.environ |= {} if backend is None else {"MPLBACKEND": backend}

NAMED = 10  # orbits that have a name in the legend
TRUTH = {"color": "0.8", "linewidth": 6, "solid_capstyle": "round"}
PATTERNS = ["-", (0, (5, 1.5)), (0, (2, 1)), (0, (6, 1.5, 1.5, 1.5))]
Q_LABEL, P_LABEL, T_LABEL = "angle q (rad)", "angular momentum p (kg m²/s)", "time t (s)"


def plain_style():
    """A context, or a decorator, in which matplotlib has its default style, whatever a matplotlibrc says."""
    return matplotlib.style.context("default")


def new_figure(show=False, **options):
    """An empty figure, of pyplot where a window will show it, else of Agg, which needs no display and no backend."""
    if show:
        try:
            from matplotlib import pyplot

            return pyplot.figure(**options)
        except Exception as error:  # each backend fails in a way of its own
            note(f"matplotlib cannot open a window here ({' '.join(str(error).split()):.80})")
    fig = Figure(**options)
    FigureCanvasAgg(fig)
    return fig


def show_figure(fig):
    """Open a window with a figure that new_figure(show=True) made, where there is a display."""
    if fig.canvas.required_interactive_framework is None:
        note("there is no display to show the figure on")
    else:
        from matplotlib import pyplot

        pyplot.show()


def write_and_show(args, fig, film):
    """Write the figure, and the film by film(path), which says what it shows, and open a window, as `args` ask for."""
    write_figure(args.output, fig)
    say(f"Wrote {args.output}")
    if args.animate is not None:
        what = film(args.animate)
        say(f"Wrote {args.animate}: {what}")
    if args.show:
        show_figure(fig)


def styles(n):
    """A style for each of n orbits."""
    colours = matplotlib.colormaps["plasma"](np.linspace(0, 0.55, min(n, NAMED)))
    return [{"color": colours[k % NAMED], "linestyle": PATTERNS[k % len(PATTERNS)], "linewidth": 1.6} for k in range(n)]


def wrapped_path(q, p):
    """q in [−π, π) and p, with a gap wherever q goes round, so that no line crosses the figure."""
    q, p = wrap_angle(q), p.copy()
    p[1:][abs(np.diff(q)) > np.pi] = np.nan
    return q, p


def draw_energy_levels(axes, energy):
    """Lines of equal energy([q, p]) all over the axes, along which the exact flow carries every state."""
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    q, p = np.meshgrid(np.linspace(left, right, 200), np.linspace(bottom, top, 200))
    axes.contour(q, p, energy([q, p]), 12, colors="0.85", linewidths=0.8, zorder=0)


def draw_orbits(orbits, truth=None, show=False):
    """A figure of orbits in phase space, their energy over time and, over a truth, the distance from it.

    Each line has an id (gid), the kind of its orbits, "truth" or "learned", and the orbit's number.
    """
    fig = new_figure(show, figsize=(11, 6.2) if truth else (11, 4.6), layout="constrained")
    panels = fig.subplot_mosaic([["phase", "energy"], ["phase", "distance"]] if truth else [["phase", "energy"]])
    n = len(orbits.names)
    for k, style in enumerate(styles(n)):
        for order, (layer, line) in enumerate([(truth, TRUTH), (orbits, style)] if truth else [(orbits, style)]):
            line = line | {"zorder": 2 + order, "gid": f"{layer.kind} {k}"}
            panels["phase"].plot(*wrapped_path(layer.q[:, k], layer.p[:, k]), **line)
            panels["energy"].plot(layer.t, layer.H[:, k], **line | {"linewidth": 0.6 * line["linewidth"]})
        panels["energy"].axhline(orbits.H[0, k], color="black", linestyle=":", linewidth=0.8, zorder=4, gid="start")
        if truth:
            panels["distance"].plot(truth.t[1:], orbits.distance(truth)[1:, k], **line)
        if n <= NAMED:
            draw_start(panels["phase"], orbits, k, style["color"], named=n <= 3)
    draw_energy_levels(panels["phase"], pendulum_hamiltonian)
    panels["phase"].set(xlabel=Q_LABEL, ylabel=P_LABEL, title="phase space: ● start, ▸ direction; thin grey: equal H")
    panels["energy"].set(ylabel="true H(q, p) (J)", title=f"steps of {orbits.dt:.3g} s make H swing (dotted: exact H)")
    panels["energy"].set_ylim(bottom=0)
    if truth:
        panels["distance"].set(title=f"distance of the learned orbit from the {truth.name}'s", ylabel="√(Δq² + Δp²)")
        if (orbits.distance(truth) > 0).any():  # a pendulum at rest stays where it is
            panels["distance"].set_yscale("log")
        panels["distance"].sharex(panels["energy"])
        panels["energy"].tick_params(labelbottom=False)
    panels["distance" if truth else "energy"].set_xlabel(T_LABEL)
    draw_legend(fig, panels["phase"], orbits, truth)
    return fig


def draw_start(axes, orbits, k, colour, named):
    """Where an orbit starts, with its name, and which way it runs where it first is fastest."""
    q, p = wrapped_path(orbits.q[:, k], orbits.p[:, k])
    axes.plot(q[0], orbits.p[0, k], "o", color=colour, markersize=7, markeredgecolor="white", zorder=5)
    if named:
        axes.annotate(orbits.names[k], (q[0], orbits.p[0, k]), (-6, 7), textcoords="offset points", ha="right", size=9)
    fast = abs(np.nan_to_num(p[:60]))
    i = 3 + int(np.argmax(fast[3:])) if len(fast) > 4 else len(fast) - 1
    if i > 0 and np.isfinite(p[i - 1 : i + 1]).all():
        arrow = {"arrowstyle": "-|>", "color": colour, "mutation_scale": 18, "linewidth": 0}
        axes.annotate("", xy=(q[i], p[i]), xytext=(q[i - 1], p[i - 1]), arrowprops=arrow, zorder=5)


def draw_legend(fig, axes, orbits, truth):
    """A line for each orbit that has a name, and one for the truth where it is drawn below."""
    n = len(orbits.names)
    named = list(zip(styles(n), orbits.names, strict=True))[:NAMED]
    handles = [axes.plot([], [], **style, label=name)[0] for style, name in named]
    if truth:
        handles.append(axes.plot([], [], **TRUTH, label=f"{truth.name}, same steps")[0])
    of = f"{n:,} orbits, the first {NAMED} are named" if n > NAMED else "orbits"
    title = f"{'learned' if orbits.kind == 'learned' else 'true'} {of}, from [q, p]"
    fig.legend(handles=handles, title=title, loc="outside lower center", ncols=6, frameon=False, handlelength=4)
