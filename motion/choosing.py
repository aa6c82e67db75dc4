"""The window and step by which a recording is learned: those whose models best follow the parts that they never saw."""

import itertools
import math

import numpy as np

from motion.linear_fit import PARTS, fit
from motion.orbits import Roller, follow
from motion.states import FEWEST_ROWS, Way, tracks
from support.terminal import progress

WINDOWS = [0.35, 0.55, 0.8, 1.1]  # quarter periods to either side
STEPS = [0.2, 0.35]  # quarter periods
MOST_STARTS = 6  # states in a step,
MOST_STATES = 20_000  # fewer of them in a long record
FOLLOWED = 12  # quarter periods that an orbit is followed through a part that was left out
MOST_ORBITS = 4  # followed in a part
EXACT = 1e-6  # of the mean square of the derivatives: what is unexplained in a record without noise


def distances(way, models, of_tracks, dt, quarter):
    """The mean squared distance, (PARTS,), of the rows of each part from an orbit of the model that has not seen it."""
    found = [[] for _ in models]
    edges = np.linspace(0, max(track.part[-1] for track in of_tracks), PARTS + 1)
    rollers = [Roller(model) for model in models]
    for track in of_tracks:
        states = way.states(track, dt)
        for j, roller in enumerate(rollers):
            t = track.t[(track.part >= edges[j]) & (track.part <= edges[j + 1])]
            if len(t) and len(found[j]) < MOST_ORBITS:
                laid = follow(roller, states, track, t[0], min(t[-1], t[0] + FOLLOWED * quarter))
                found[j] += [] if laid is None else [laid[2]]
    return np.array([np.mean(f) if f else np.nan for f in found])


def ways(rows, quarter):
    """The Ways to try for rows with noise."""
    found = []
    for window, step in itertools.product(WINDOWS, STEPS):
        k = max(math.floor(step * quarter / rows.dt), 1)  # rows in a step
        starts = max(min(k, MOST_STARTS, int(MOST_STATES * k / rows.q.size)), 1)
        found.append(Way(max(window * quarter, FEWEST_ROWS * rows.dt), step * quarter, starts))
        if rows.p is not None and rows.is_even:
            found.append(Way(None, k * rows.dt, k))
    return [way for i, way in enumerate(found) if way not in found[:i]]


def choose(rows, period, quarter, friction, seed):
    """The Way whose orbits follow the parts that were left out most closely, each part counted by its own measure.

    Rows that are exact as they are, with p, need no other. Raises ValueError where no way follows them.
    """
    of_tracks, best, least = tracks(rows, period), None, math.inf
    spread = max(np.nanvar(track.q) for track in of_tracks)
    if rows.p is not None and rows.is_even:
        as_they_are = Way(None, rows.dt, 1)
        found = fit(as_they_are, of_tracks, rows.dt, period, friction, seed)
        if found is not None and found.unexplained < EXACT:
            return as_they_are
    for way in progress(ways(rows, quarter), desc="windows and steps", unit="way"):
        found = fit(way, of_tracks, rows.dt, period, friction, seed)
        if found is None:
            continue
        squares = np.minimum(distances(way, found.models, of_tracks, rows.dt, quarter), spread)
        score = np.nanmean(np.log(squares + 1e-300))
        if score < least:
            best, least, typical = way, score, np.nanmedian(squares)
    if best is None:
        raise ValueError("the record is too short to learn from: it has too few rows in a swing, or too few swings")
    if not typical < spread / 2:
        raise ValueError(
            "no motion that follows a law is found in the record; say with --columns which is the angle, and with "
            "--period 2pi (or 360) that it goes round"
        )
    return best
