"""One figure for a recording: its angle and what was predicted, phase space, the potential, and the fall of the energy.

The recording is grey, and what was learned from it is blue.
"""

import math

import numpy as np

from motion.choosing import FOLLOWED
from motion.rollout import Roller, orbit_through
from pendulum_nonlinear import wrap_angle
from support.figures import T_LABEL, draw_energy_levels, new_figure, plain_style

SWINGS_BEFORE, SWINGS_AFTER = 8, 8  # the end of what is seen, over time, at most: as many as can be told apart
ROWS = {"linestyle": "none", "marker": ".", "color": "0.5", "markersize": 5}
STATES = ROWS | {"markersize": 3, "rasterized": True}
MODEL = {"color": "#08519c", "linewidth": 1.7}
UNSEEN = MODEL | {"linestyle": (0, (5, 1.5))}


@plain_style()
def draw_recording(learned, name, seconds=None, show=False):
    """The figure of a Learned recording's first column, with the prediction of some `seconds` after its end.

    Each line has an id (gid).
    """
    fig = new_figure(show, figsize=(11, 7.8), layout="constrained")
    fig.suptitle(name)
    layout = [["angle"] * 3, ["residual"] * 3, ["phase", "potential", "energy"]]
    panels = fig.subplot_mosaic(layout, height_ratios=[2.6, 1.2, 2.6])
    draw_angle(panels["angle"], panels["residual"], learned, seconds)
    _, q, p = learned.states
    q = wrap_angle(q, learned.rows.period)
    unit = learned.rows.unit
    q_label = f"q ({unit})" if unit else "q"
    panels["angle"].set(ylabel=q_label)
    p_label = "p" if learned.rows.p is not None else f"p = dq/dt ({unit}/s)" if unit else "p = dq/dt"
    H_unit = " (rad²/s²)" if learned.rows.p is None and unit == "rad" else ""
    grid = np.linspace(np.nanmin(q), np.nanmax(q), 200)
    panels["phase"].plot(q, p, **STATES, gid="states")
    draw_energy_levels(panels["phase"], learned.energy)
    panels["phase"].set(xlabel=q_label, ylabel=p_label, title="phase space, over lines of equal learned H")
    panels["potential"].plot(grid, learned.energy([grid, 0 * grid]), **MODEL, gid="potential")
    panels["potential"].set(xlabel=q_label, ylabel=f"H(q, 0){H_unit}", title="learned potential", ylim=(0, None))
    for _, (t, q, p) in learned.of_column():
        H = learned.energy([q, p])
        panels["energy"].plot(t, H, **STATES, gid="energy")
        for run in np.ma.clump_unmasked(np.ma.masked_invalid(H)):  # from one gap to the next
            if run.stop - run.start > 1:
                work = learned.friction * np.cumsum(p[run] * np.gradient(q[run]))  # γ ∫ p dq, which friction takes
                panels["energy"].plot(t[run], (H[run] + work).mean() - work, **MODEL, gid="friction")
    panels["energy"].set(xlabel=T_LABEL, ylabel=f"H{H_unit}", title="learned energy", ylim=(0, None))
    labels = ["of the recording", f"H₀ − γ ∫ p dq, γ = {learned.friction:.3g} 1/s"]
    panels["energy"].legend(panels["energy"].lines[:2], labels, fontsize=9)
    return fig


def motion_over_time(learned):
    """t, the rows q, the motion laid through those that were seen, and the prediction of the others, (T,) each.

    They are of the first column's piece of which most was predicted. The motion is fitted anew to every few swings.
    """
    predicted = learned.predicted[:, 0]
    track, states = max(learned.of_column(), key=lambda piece: np.isfinite(predicted[piece[0].where]).sum())
    unseen, roller = predicted[track.where], Roller(learned.partial)
    end = np.flatnonzero(np.isfinite(unseen))[0]
    swings = np.array([-SWINGS_BEFORE, SWINGS_AFTER])
    begin, beyond = np.searchsorted(track.t, track.t[end] + 4 * learned.quarter * swings)
    seen, first = np.full_like(unseen, np.nan), begin
    while first < end - 1:
        last = max(np.searchsorted(track.t[:end], track.t[first] + FOLLOWED * learned.quarter) - 1, first + 1)
        orbit = orbit_through(roller, states, track, track.t[first], track.t[last])
        if orbit is not None and orbit[2] < math.inf:
            t_0, state, _ = orbit
            inside = slice(np.searchsorted(track.t, t_0), last + 1)
            seen[inside] = roller.orbit_at(state[None], track.t[inside] - t_0)[:, 0, 0]
        first = last
    return [values[begin:beyond] for values in (track.t, track.q, seen, unseen)]


def draw_angle(axes, below, learned, seconds):
    """The rows over time with the learned motion, and below it how far the rows are from the motion.

    The last fifth is shaded. The motion before it is laid through the rows; that in it was predicted from them, by a
    model that has not seen the last fifth.
    """
    t, q, seen, unseen = motion_over_time(learned)  # (T,) each
    begin = t[np.isfinite(unseen)][0]
    axes.plot(t, q, **ROWS, gid="rows", label="recording", zorder=2)
    axes.plot(t, seen, **MODEL, gid="seen", label="learned motion, anew every few swings", zorder=3)
    axes.plot(t, unseen, **UNSEEN, gid="unseen", label="predicted, not seen", zorder=3)
    if seconds is not None and t[-1] == learned.end:
        after = np.linspace(0, min(seconds, 4 * learned.quarter * SWINGS_AFTER), 500)
        future = learned.predict(after)[0][:, 0]
        axes.plot(t[-1] + after, future, color="tab:red", linewidth=1.2, gid="future", label="what comes next")
    for panel in (axes, below):
        panel.axvspan(begin, t[-1], color="0.93", zorder=0)
    below.plot(t, q - seen, **ROWS, gid="residual seen")
    below.plot(t, q - unseen, "x", color=MODEL["color"], markersize=3.5, gid="residual unseen")
    below.axhspan(-learned.noise, learned.noise, color="tab:orange", alpha=0.5, zorder=1, label="noise of a row")
    below.legend(loc="best", fontsize=9)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=4, frameon=False)
    axes.tick_params(labelbottom=False)
    below.set(xlabel=T_LABEL, ylabel="row − motion")
    below.sharex(axes)
