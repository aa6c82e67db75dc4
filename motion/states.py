"""From the rows of a recording to states q and p a step apart, in every way that may be tried."""

import itertools
from dataclasses import dataclass, replace

import numpy as np

from motion.rows import read_rows
from motion.smoothing import local_polynomial, quarter_period, unwrap

FEWEST_ROWS = 3  # to either side of a window's middle
LIKENESS = 0.3  # autocorrelation of neighbouring rows: below it they are noise
USUAL_HALF, USUAL_STEP = 0.75, 0.3  # of a quarter period: the rows to either side of a state, and a step


@dataclass
class Track:
    """A piece of one column: t, q without jumps, p or None, (T,) each; `part`, (T,), goes from 0 to 1 over all rows."""

    t: np.ndarray
    q: np.ndarray
    p: np.ndarray | None
    part: np.ndarray
    rows: slice
    column: int

    def between(self, first, last):
        """The finite rows t, q with first ≤ t ≤ last."""
        inside = np.isfinite(self.q) & (self.t >= first) & (self.t <= last)
        return self.t[inside], self.q[inside]

    def until(self, now):
        """The rows with t ≤ now."""
        n = np.searchsorted(self.t, now, side="right")
        p = None if self.p is None else self.p[:n]
        return replace(self, t=self.t[:n], q=self.q[:n], p=p, part=self.part[:n])


def tracks(rows, period):
    """The Tracks of all pieces and columns."""
    part = np.arange(len(rows.t)) / len(rows.t)
    return [
        Track(rows.t[s], unwrap(rows.q[s, i], period), None if rows.p is None else rows.p[s, i], part[s], s, i)
        for s, i in itertools.product(rows.pieces, range(rows.q.shape[1]))
        if np.isfinite(rows.q[s, i]).sum() > FEWEST_ROWS
    ]


@dataclass
class Way:
    """How rows become states: windows of `half` to either side (s; None: the rows as they are), and steps of dt (s).

    There are `starts` states in a step, so that no row is lost.
    """

    half: float | None
    dt: float
    starts: int

    def states(self, track, dt):
        """t, q, p, (3, n), of a track whose rows are dt apart."""
        t, q, p = track.t, track.q, track.p
        if self.half is not None:
            grid = np.arange(t[0], t[-1], self.dt / self.starts)
            value, slope, _ = local_polynomial(t, q, grid, self.half, dt)
            return np.stack([grid, value, slope if p is None else local_polynomial(t, p, grid, self.half, dt)[0]])
        k = np.round((t - t[0]) / dt).astype(int)
        states = np.full((3, k[-1] + 1), np.nan)
        states[:, k] = t, q, p
        states[0] = t[0] + dt * np.arange(k[-1] + 1)
        return states

    def side_by_side(self, track, dt):
        """t, q, p, part, (4, n, starts): the states of a track with a step from row to row, padded with NaN."""
        t, q, p = self.states(track, dt)
        states = np.stack([t, q, p, np.interp(t, track.t, track.part)])
        return np.pad(states, ((0, 0), (0, -len(t) % self.starts)), constant_values=np.nan).reshape(4, -1, self.starts)


def as_record(way, of_tracks, dt):
    """q, p and part, (T', B') each, of all tracks side by side, in steps of the way's dt."""
    blocks = [way.side_by_side(track, dt) for track in of_tracks]
    longest = max(block.shape[1] for block in blocks)
    pad = [np.pad(b, ((0, 0), (0, longest - b.shape[1]), (0, 0)), constant_values=np.nan) for b in blocks]
    _, q, p, part = np.concatenate(pad, axis=2)
    return q, p, part


def first_rows(rows, n):
    """The first n rows."""
    pieces = [slice(s.start, min(s.stop, n)) for s in rows.pieces if s.start < n]
    return replace(rows, t=rows.t[:n], q=rows.q[:n], p=None if rows.p is None else rows.p[:n], pieces=pieces)


def longest_quarter(rows, period):
    """The quarter period (s) of the longest track."""
    track = max(tracks(rows, period), key=lambda track: np.isfinite(track.q).sum(), default=None)
    if track is None or np.nanmin(track.q) == np.nanmax(track.q):
        raise ValueError("the record is at rest: q is the same in all rows")
    quarter, likeness = quarter_period(track.t, track.q, rows.dt, period)
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
    """The Record in a file, for train_on_motion, by a usual window and step; learn() chooses them for the recording.

    Even rows with p stay as they are. The arguments and what is raised are those of read_rows.
    """
    rows = read_rows(path, columns, period, degrees, dt)
    way = Way(None, rows.dt, 1)
    if rows.p is None or not rows.is_even:
        quarter = longest_quarter(rows, period)
        starts = max(1, min(6, round(USUAL_STEP * quarter / rows.dt)))  # about every row
        way = Way(max(USUAL_HALF * quarter, FEWEST_ROWS * rows.dt), USUAL_STEP * quarter, starts)
    q, p, _ = as_record(way, tracks(rows, period), rows.dt)
    return Record(q, p, way.dt, rows.words)
