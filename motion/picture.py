"""One figure for a recording: its angle and what was predicted, phase space, the potential, and the fall of the energy.

The recording is grey, and what was learned from it is blue.
"""

import numpy as np

from motion.guess import local_state
from pendulum_nonlinear import wrap_angle
from support.figures import T_LABEL, draw_energy_levels, new_figure, plain_style

SWINGS_BEFORE, SWINGS_AFTER = 8, 8  # the end of what is seen, over time, at most: as many as can be told apart
MOST_STATES = 3000  # of a recording in phase space
ROWS = {"linestyle": "none", "marker": ".", "color": "0.5", "markersize": 5}
STATES = ROWS | {"markersize": 3, "rasterized": True}
MODEL = {"color": "#08519c", "linewidth": 1.7}
UNSEEN = MODEL | {"linestyle": (0, (5, 1.5))}


@plain_style()
def draw_recording(learned, name, seconds=None, show=False):
    """The figure of a Learned recording, with the prediction of some `seconds` after its end.

    Each line has an id (gid).
    """
    fig = new_figure(show, figsize=(11, 7.8), layout="constrained")
    fig.suptitle(name)
    layout = [["angle"] * 3, ["residual"] * 3, ["phase", "potential", "energy"]]
    panels = fig.subplot_mosaic(layout, height_ratios=[2.6, 1.2, 2.6])
    draw_angle(panels["angle"], panels["residual"], learned, seconds)
    unit = learned.recording.unit
    q_label, v_label = (f"{what} ({of})" if unit else what for what, of in (("q", unit), ("v = dq/dt", f"{unit}/s")))
    H_unit = f" (({unit}/s)²)" if unit else ""
    panels["angle"].set(ylabel=q_label)
    search = learned.found.search
    turn = search.circle
    centre = learned.bottom if turn else 0.0

    def wrapped(q):
        return centre + wrap_angle(q - centre, turn)

    t, q, v = states_of(learned)
    panels["phase"].plot(wrapped(q), v, **STATES, gid="states")
    draw_energy_levels(panels["phase"], learned.energy)
    panels["phase"].set(xlabel=q_label, ylabel=v_label, title="phase space, over lines of equal H")
    grid = np.linspace(*((centre - turn / 2, centre + turn / 2) if turn else (search.low, search.high)), 200)
    panels["potential"].plot(grid, learned.potential(grid), **MODEL, gid="potential")
    panels["potential"].set(
        xlabel=q_label, ylabel=f"V(q){H_unit}", title="potential, where it has been", ylim=(0, None)
    )
    panels["energy"].plot(t, learned.energy([q, v]), **STATES, gid="energy")
    for times, state in orbits_of(learned.found):
        panels["energy"].plot(times, learned.energy(state), **MODEL, gid="orbit")
    for name in ("phase", "potential"):
        panels[name].locator_params(axis="x", nbins=5)  # more would run into each other
    panels["energy"].set(xlabel=T_LABEL, ylabel=f"H = v²/2 + V{H_unit}", title="energy", ylim=(0, None))
    panels["energy"].legend(panels["energy"].lines[:2], ["of the recording", "of the equation"], fontsize=9)
    return fig


def states_of(learned):
    """t, q and v, (3, n), of the recording, by polynomials through the rows around some of its times."""
    search = learned.found.search
    stride = max(sum(len(t) for t, _ in search.pieces) // MOST_STATES, 1)
    return np.transpose([[at, *local_state(t, q, at, search.half)] for t, q in search.pieces for at in t[::stride]])


def draw_angle(axes, below, learned, seconds):
    """The rows over time with the motion of the equation, and below it how far the rows are from it.

    The last fifth is shaded. The motion before it is fitted to the rows; that in it was predicted from them, by an
    equation that has not seen the last fifth. It is the last piece of the recording.
    """
    before, (t_unseen, q_unseen, predicted) = learned.before, learned.unseen[-1]
    (t, q), (t_orbit, (q_orbit, _)) = before.search.pieces[-1], orbits_of(before)[-1]
    span = 4 * learned.found.search.quarter
    begin, end = t[-1] - SWINGS_BEFORE * span, min(t[-1] + SWINGS_AFTER * span, t_unseen[-1])
    distances = before.fit.distances[-len(t) :]
    seen, shown, near = t >= begin, t_unseen <= end, t_orbit >= begin
    ahead = np.linspace(0, end - t[-1], 1000)
    q_ahead, _ = before.equation.orbit(before.fit.ends[-1], ahead)
    axes.plot(np.append(t[seen], t_unseen[shown]), np.append(q[seen], q_unseen[shown]), **ROWS, gid="rows", zorder=2)
    axes.plot(t_orbit[near], q_orbit[near], **MODEL, gid="seen", zorder=3)
    axes.plot(t[-1] + ahead, q_ahead, **UNSEEN, gid="unseen", zorder=3)
    labels = ["recording", "fitted motion", "predicted, not seen"]
    if seconds is not None and end == t_unseen[-1]:
        after = np.linspace(0, min(seconds, SWINGS_AFTER * span), 1000)
        future, _ = learned.predict(after)
        axes.plot(learned.end + after, future, color="tab:red", linewidth=1.2, gid="future")
        labels.append("what comes next")
    for panel in (axes, below):
        panel.axvspan(t[-1], end, color="0.93", zorder=0)
    noise = learned.noise
    below.plot(t[seen], distances[seen], **ROWS, gid="residual seen")
    below.plot(
        t_unseen[shown], (q_unseen - predicted)[shown], "x", color=MODEL["color"], markersize=3.5, gid="residual unseen"
    )
    band = below.axhspan(-noise, noise, color="tab:orange", alpha=0.5, zorder=1)
    used = before.search.segments.used[-len(t) :][seen]
    widest = max(abs(distances[seen][used]).max(), abs(q_unseen - predicted)[shown].max())
    below.set_ylim(-1.3 * widest, 1.3 * widest)  # a row that was left out may be far outside
    below.legend([band], ["noise of a row"], loc="best", fontsize=9)
    axes.legend(axes.lines, labels, loc="lower left", bbox_to_anchor=(0, 1), ncols=4, frameon=False)
    axes.tick_params(labelbottom=False)
    below.set(xlabel=T_LABEL, ylabel="row − motion")
    below.sharex(axes)


def orbits_of(found):
    """For each piece of the recording: t, (n,), and the states [q, v], (2, n), of the fitted orbit."""
    fit, segments = found.fit, found.search.segments
    orbit = fit.shooting.roll_out(fit.nodes.T, fit.values)[:-1, :2]  # (n_steps, 2, N)
    t = segments.start + segments.length * np.arange(segments.n_steps)[:, None] / segments.n_steps  # (n_steps, N)
    pieces = [segments.piece == k for k in range(len(found.search.pieces))]
    return [(t[:, its].T.ravel(), orbit[:, :, its].transpose(1, 2, 0).reshape(2, -1)) for its in pieces]
