"""From the rows of a recording to states q and p at even times."""

import itertools
import math
from dataclasses import dataclass, replace

import numpy as np

from motion.rows import read_rows
from motion.smoothing import local_polynomial, quarter_period

STEP = 0.2  # quarter periods: with longer steps [q₀, p₁] lies far from the recorded states
USUAL_WINDOW = 0.75  # quarter periods to either side of a state
FEWEST_ROWS = 3  # to either side of it
MOST_PER_STEP = 6  # states in a step
MOST_STATES = 20_000  # in all: a long record has fewer in a step
LIKENESS = 0.3  # autocorrelation of neighbouring rows: below it they are noise


@dataclass
class Track:
    """A piece of one column: t, q, and p or None, (T,) each, in rows dt (s) apart.

    `where` is the slice of all rows that it takes up. `position`, (T,), goes from 0 to 1 over all rows, and tells which
    part of the recording a row is in.
    """

    t: np.ndarray
    q: np.ndarray
    p: np.ndarray | None
    dt: float
    position: np.ndarray
    where: slice
    column: int

    def between(self, first, last):
        """The finite rows t, q with first ≤ t ≤ last."""
        inside = np.isfinite(self.q) & (self.t >= first) & (self.t <= last)
        return self.t[inside], self.q[inside]

    def until(self, now):
        """The rows with t ≤ now."""
        n = np.searchsorted(self.t, now, side="right")
        p = None if self.p is None else self.p[:n]
        return replace(self, t=self.t[:n], q=self.q[:n], p=p, position=self.position[:n])


def tracks_of(rows):
    """The Tracks of all pieces and columns, but for those of FEWEST_ROWS or less."""
    position = np.arange(len(rows.t)) / len(rows.t)
    return [
        Track(
            rows.t[piece],
            rows.q[piece, i],
            None if rows.p is None else rows.p[piece, i],
            rows.dt,
            position[piece],
            piece,
            i,
        )
        for piece, i in itertools.product(rows.pieces, range(rows.q.shape[1]))
        if np.isfinite(rows.q[piece, i]).sum() > FEWEST_ROWS
    ]


@dataclass
class Sampling:
    """How rows become states: smoothed over `half` (s) to either side, or as they are (None), for steps of dt (s).

    A step is many rows long. So that all of them count there are `per_step` states in it, dt / per_step apart, each of
    which is the start of a step.
    """

    half: float | None
    dt: float
    per_step: int

    def states(self, track):
        """t, q, p, (3, n), of a track, dt / per_step apart."""
        t, q, p = track.t, track.q, track.p
        if self.half is not None:
            grid = np.arange(t[0], t[-1], self.dt / self.per_step)
            value, slope, _ = local_polynomial(t, q, grid, self.half, track.dt)
            return np.stack([grid, value, slope if p is None else local_polynomial(t, p, grid, self.half, track.dt)[0]])
        k = (t - t[0]) / self.dt
        taken = abs(k - np.round(k)) < track.dt / self.dt / 2
        k = np.round(k).astype(int)
        states = np.full((3, k[-1] + 1), np.nan)
        states[:, k[taken]] = np.stack([t, q, p])[:, taken]
        states[0] = t[0] + self.dt * np.arange(k[-1] + 1)
        return states


def as_they_are(rows, quarter):
    """The Sampling that takes rows as they are; of a long record only some, for longer steps."""
    rows_in_step = min(math.ceil(rows.q.size / MOST_STATES), math.floor(STEP * quarter / rows.dt))
    return Sampling(None, max(rows_in_step, 1) * rows.dt, 1)


def smoothed(rows, quarter, window):
    """The Sampling that smooths over `window` times `quarter` (s) to either side of a state."""
    rows_in_step = max(math.floor(STEP * quarter / rows.dt), 1)
    per_step = max(min(rows_in_step, MOST_PER_STEP, int(MOST_STATES * rows_in_step / rows.q.size)), 1)
    return Sampling(max(window * quarter, FEWEST_ROWS * rows.dt), STEP * quarter, per_step)


def side_by_side(sampling, tracks):
    """q, p and position, (T, B) each, of all tracks side by side, with one step from row to row.

    A track gives `per_step` columns, one for each place in a step, NaN where it has no state.
    """
    blocks = []
    for track in tracks:
        t, q, p = sampling.states(track)
        states = np.stack([q, p, np.interp(t, track.t, track.position)])
        whole = np.pad(states, ((0, 0), (0, -len(t) % sampling.per_step)), constant_values=np.nan)
        blocks.append(whole.reshape(3, -1, sampling.per_step))
    longest = max(block.shape[1] for block in blocks)
    padded = [np.pad(b, ((0, 0), (0, longest - b.shape[1]), (0, 0)), constant_values=np.nan) for b in blocks]
    return np.concatenate(padded, axis=2)


def first_rows(rows, n):
    """The first n rows."""
    pieces = [slice(s.start, min(s.stop, n)) for s in rows.pieces if s.start < n]
    return replace(rows, t=rows.t[:n], q=rows.q[:n], p=None if rows.p is None else rows.p[:n], pieces=pieces)


def longest_quarter(tracks, period):
    """The quarter period (s) of the longest track."""
    track = max(tracks, key=lambda track: np.isfinite(track.q).sum(), default=None)
    if track is None or np.nanmin(track.q) == np.nanmax(track.q):
        raise ValueError("the record is at rest, or has too few rows")
    quarter, likeness = quarter_period(track.t, track.q, track.dt, period)
    if not likeness > LIKENESS:
        raise ValueError(
            "the record is noise: its rows do not follow from one another; say with --columns which is the angle"
        )
    return quarter


@dataclass
class Record:
    """States q and p, (T, B) each, dt (s) from row to row, NaN where a run of them ends; `words` say what was read."""

    q: np.ndarray
    p: np.ndarray
    dt: float
    words: list


def read_record(path, columns=None, period=None, degrees=False, dt=None):
    """The Record in a file, for train_on_motion. Its arguments, and the ValueErrors, are those of read_rows.

    Evenly spaced rows with p stay as they are. Others are smoothed with a usual window, where learn() chooses one.
    """
    rows = read_rows(path, columns, period, degrees, dt)
    tracks, sampling = tracks_of(rows), Sampling(None, rows.dt, 1)
    if rows.p is None or not rows.is_even:
        sampling = smoothed(rows, longest_quarter(tracks, rows.period), USUAL_WINDOW)
    q, p, _ = side_by_side(sampling, tracks)
    return Record(q, p, sampling.dt, rows.words)
