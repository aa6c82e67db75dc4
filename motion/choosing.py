"""The window by which a recording is smoothed: that whose models best follow the parts that they have not seen."""

import math

import numpy as np

from motion.cross_validation import PARTS, fit
from motion.orbits import Roller, orbit_through
from motion.states import Sampling, smoothed
from support.terminal import progress

WINDOWS = [0.35, 0.55, 0.8, 1.1]  # quarter periods to either side
FOLLOWED = 12  # quarter periods that an orbit is followed through a part that was left out
MOST_ORBITS = 4  # followed in a part
EXACT = 1e-6  # of the mean square of the derivatives: what is unexplained in a record without noise


def distances(sampling, models, tracks, quarter):
    """The mean squared distance, (PARTS,), of the rows of each part from an orbit of the model that has not seen it."""
    found = [[] for _ in models]
    edges = np.linspace(0, max(track.position[-1] for track in tracks), PARTS + 1)
    rollers = [Roller(model) for model in models]
    for track in tracks:
        states = sampling.states(track)
        for j, roller in enumerate(rollers):
            t = track.t[(track.position >= edges[j]) & (track.position <= edges[j + 1])]
            if len(t) and len(found[j]) < MOST_ORBITS:
                orbit = orbit_through(roller, states, track, t[0], min(t[-1], t[0] + FOLLOWED * quarter))
                found[j] += [] if orbit is None else [orbit[2]]
    return np.array([np.mean(f) if f else np.nan for f in found])


def choose(rows, tracks, period, quarter, friction, seed):
    """The Sampling whose orbits best follow the parts that were left out, each counted by its own measure, and its Fit.

    Rows that are exact as they are, with p, need no other. Raises ValueError where no orbits follow them.
    """
    best, least, spread = None, math.inf, max(np.nanvar(track.q) for track in tracks)
    if rows.p is not None and rows.is_even:
        as_they_are = Sampling(None, rows.dt, 1)
        found = fit(as_they_are, tracks, period, friction, seed)
        if found is not None and found.unexplained < EXACT:
            return as_they_are, found
    for window in progress(WINDOWS, desc="smoothing", unit="window"):
        sampling = smoothed(rows, quarter, window)
        found = fit(sampling, tracks, period, friction, seed)
        if found is None:
            continue
        squares = np.minimum(distances(sampling, found.models, tracks, quarter), spread)
        score = np.nanmean(np.log(squares + 1e-300))
        if score < least:
            best, least, typical = (sampling, found), score, np.nanmedian(squares)
    if best is None:
        raise ValueError("the record is too short to learn from: it has too few rows in a swing, or too few swings")
    if not typical < spread / 2:
        raise ValueError(
            "no motion that follows a law is found in the record; say with --columns which is the angle, and with "
            "--period 2pi (or 360) that it goes round"
        )
    return best
