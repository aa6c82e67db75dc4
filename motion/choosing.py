"""The smoothing of a recording: the window whose models best follow the parts of it that they have not seen."""

import math
import warnings
from itertools import pairwise

import numpy as np

from motion.rollout import Roller, orbit_through
from motion.states import as_they_are, side_by_side, smoothed
from motion.training import train_on_motion
from support.data import FEWEST_STATES
from support.notes import Note
from support.terminal import progress

WINDOWS = [0.35, 0.55, 0.8, 1.1]  # quarter periods to either side
PARTS = 5  # of the recording, each left out in turn
FOLLOWED = 12  # quarter periods of a part that an orbit is fitted to
MOST_ORBITS = 4  # in a part
EXACT = 1e-6  # of the derivatives' mean square: a record with less unexplained has no noise
METHOD = 0.01  # of γ: its error by smoothing, as seen on made recordings (twice that at an amplitude of 2.8 rad)
RIDGE = 1e-5  # times |A|: the one orbit of a swing without friction says nothing of K beside it


def choose(rows, tracks, quarter, training):
    """The Sampling of the window whose orbits follow the left-out parts most closely, and the model of all tracks.

    The least mean logarithm of the errors wins, so that a part of small swings counts as much as one of large swings.
    Evenly spaced rows with p that are exact need no smoothing. Raises ValueError where no orbits follow the rows.
    """
    best, least = None, math.inf
    spread = max(np.nanvar(track.q) for track in tracks)  # no orbit counts as worse than none at all
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Note)  # notes about windows that are not taken are not shown
        if rows.p is not None and rows.is_even:
            sampling = as_they_are(rows, quarter)
            record = side_by_side(sampling, tracks)
            if 1 - trained(sampling, record, training | {"epochs": 0}).explained < EXACT:
                return sampling, trained(sampling, record, training)
        for window in progress(WINDOWS, desc="smoothing", unit="window"):
            sampling = smoothed(rows, quarter, window)
            record = side_by_side(sampling, tracks)
            q, p, _ = record
            if np.isfinite(q[1:] + p[1:] + q[:-1] + p[:-1]).sum() < PARTS * FEWEST_STATES:
                continue
            model = trained(sampling, record, training)
            with_friction = training | {"friction": model.knows.get("friction", 0)}
            squares = np.minimum(left_out(sampling, record, tracks, quarter, with_friction), spread)
            score = np.log(squares + 1e-300).mean()
            if score < least:
                best, least, typical = (sampling, model), score, np.median(squares)
    if best is None:
        raise ValueError("the record cannot be learned from: it has too few rows in a swing, or too few swings")
    if not typical < spread / 2:
        raise ValueError(
            "no motion that follows a law is found in the record; say with --columns which is the angle, or with "
            "--period 2pi that it goes round"
        )
    return best


def trained(sampling, record, training):
    """The HNN of a record by side_by_side().

    Where rows were smoothed, the hidden layers stay as they were drawn and only the output weights are learned: hidden
    layers that are moved to fit noisy rows predict worse.
    """
    if sampling.half is not None:
        training = training | {"epochs": 0, "ridge": RIDGE}
    q, p, _ = record
    model = train_on_motion(q, p, sampling.dt, **training)
    if sampling.half is not None and model.friction_error > 0:  # else γ was said
        model.friction_error = math.hypot(model.friction_error, METHOD * model.knows.get("friction", 0.0))
    return model


def left_out(sampling, record, tracks, quarter, training):
    """The mean squared distance of each part's rows from orbits of a model that has not seen the part, (PARTS,).

    Only γ is that of all parts. An orbit is fitted to the first FOLLOWED quarter periods of a track in the part, for
    MOST_ORBITS tracks at most. With too few rows the distance is inf.
    """
    q, p, position = record
    distances, states = [], [sampling.states(track) for track in tracks]
    for first, last in pairwise(np.linspace(0, np.nanmax(position), PARTS + 1)):
        is_part = (first <= position) & (position <= last)
        roller, squares = Roller(trained(sampling, (np.where(is_part, np.nan, q), p, position), training)), []
        for track, of_track in zip(tracks, states, strict=True):
            t = track.t[(first <= track.position) & (track.position <= last)]
            if len(t) and len(squares) < MOST_ORBITS:
                until = min(t[-1], t[0] + FOLLOWED * quarter)
                orbit = orbit_through(roller, of_track, track, t[0], until)
                squares += [] if orbit is None else [orbit[2]]
        distances.append(np.mean(squares) if squares else math.inf)
    return distances
