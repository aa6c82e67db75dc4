"""What is learned from a recording: its equation, and how well one that has not seen the last fifth predicts that."""

import math
from functools import cached_property

import numpy as np

from motion.choosing import find
from motion.equation import Equation, Legendre
from motion.guess import autocorrelation, longest, quarter_period, window_and_noise
from motion.recording import Recording
from support.inputs import as_float64
from support.notes import note
from support.terminal import progress

SEEN = 0.8  # of the rows of each piece; the last fifth is kept to be predicted
PAUSE = 4  # quarter periods without a row end a piece
FEWEST_ROWS, FEWEST_SWINGS = 20, 1.0
MOVES = 3  # times the noise of a row: a half swing in which q scatters less is none
STILL = 4  # the same: rows that are so near to where it was held were held still
LIKENESS = 0.3  # autocorrelation of neighbouring rows: below it they are noise
STATES, MARGIN = 1250, 1.05  # for a network: how many, and how far beyond what the recording covers


class Learned(Equation):
    """The equation found from all of a Recording, and the one found without the last fifth of each piece of it.

    drag          [c₀, c₁, c₂] (rad/s², 1/s, 1/rad): 0 where a law is not shown
    drag_error    their standard errors
    end           the time (s) of the last row of the last record of which an equation was found
    potential(q), energy([q, v]), dynamics(t, [q, v])        of the equation
    """

    def __init__(self, recording, found, before, end):
        super().__init__(**vars(found.equation))
        self.recording, self.found, self.before, self.end = recording, found, before, end
        self.drag_error = found.drag_error

    def predict(self, t):
        """(q, v), (n,) each, at t (s), a number or (n,), after the last row, at the time `end`."""
        late = self.end - self.found.search.pieces[-1][0][-1]  # what was left out at the end
        return super().orbit(self.found.fit.ends[-1], late + as_float64("t", t))

    def orbit(self, state, t):
        """(q, v), (n,) each, at times t (s), from 0 on, of the motion from a state [q, v] of one's own.

        A note says where it leaves the angles of a recording whose V is a series, which is a guess there.
        """
        q, v = super().orbit(state, t)
        search = self.found.search
        if isinstance(self.force, Legendre) and (abs(q - search.middle) > MARGIN * search.amplitude).any():
            note(f"an orbit leaves {search.low:.3g} ≤ q ≤ {search.high:.3g}, where the pendulum was recorded")
        return q, v

    def hnn(self, seed=0):
        """The post's network, trained by hnn_training.train on H = v²/2 + V(q) where the recording was, without drag.

        Its states are [q, v], all over the angles and the speeds of the recording.
        """
        import torch  # here, since nothing else about recordings needs it

        from hnn_training import train
        from pendulum_tensor import sample_states

        search, box = self.found.search, sample_states(STATES, (1.0, 1.0), seed).numpy()
        turn = search.circle
        reach = MARGIN * (search.amplitude if turn is None else turn / 2)
        fastest = MARGIN * math.sqrt(2 * self.energy(self.found.fit.nodes.T).max())  # at the bottom
        q, v = (self.bottom if turn else search.middle) + reach * box[:, 0], fastest * box[:, 1]
        derivatives = self.without_drag().dynamics(0, [q, v])
        states, derivatives = (torch.from_numpy(np.stack(rows, axis=-1)) for rows in ([q, v], derivatives))
        return train(states, derivatives, seed=seed, period=turn)

    @cached_property
    def unseen(self):
        """For each piece: t and q of the rows of its last fifth, and q as predicted from the others, (n,) each."""
        parts = []
        for k, (t, q) in enumerate(self.found.search.pieces):
            n_seen = len(self.before.search.pieces[k][0])
            later, now = t[n_seen:], t[n_seen - 1]
            parts.append((later, q[n_seen:], self.before.equation.orbit(self.before.end_of(k), later - now)[0]))
        return parts

    @cached_property
    def error(self):
        """The root mean square of the rows of the last fifth less what was predicted of them, but for wild rows."""
        segments, parts = self.found.search.segments, []
        for k, (_, q, predicted) in enumerate(self.unseen):
            used = segments.used[segments.piece[segments.segment] == k][-len(q) :]
            parts.append((q - predicted)[used])
        return rms(np.concatenate(parts))

    @property
    def noise(self):
        """Of a row: its scatter about polynomials, or about the orbit where that is less, as with few rows a swing."""
        return min(self.found.search.noise, math.sqrt(self.found.fit.variance))

    @cached_property
    def deviation(self):
        """The root mean square of the rows of the last fifth about their mean: of the motion itself."""
        return rms(np.concatenate([q - q.mean() for _, q, _ in self.unseen]))


def learn(recording):
    """The Learned of a Recording. Raises ValueError for rows that are no motion, or too few."""
    if not isinstance(recording, Recording):
        raise ValueError("learn() takes a Recording; make one with Recording(t, q) or read_recording(path)")
    quarter = checked_quarter(recording)
    records = [
        [part for part in without_gaps(t, q, PAUSE * quarter) if len(t) >= FEWEST_ROWS] for t, q in recording.pieces
    ]
    half, noise = window_and_noise(recording.pieces, quarter)
    if half < quarter:  # else there are too few rows in a swing to tell their noise
        records = [[while_it_moves(t, q, 2 * quarter, noise) for t, q in parts] for parts in records]
    records = [[(t, q) for t, q in parts if len(t) >= FEWEST_ROWS] for parts in records]
    pieces = [part for parts in records for part in parts]
    end = [t[-1] for (t, _), parts in zip(recording.pieces, records, strict=True) if parts]
    swings = sum(t[-1] - t[0] for t, _ in pieces) / (4 * quarter)
    if SEEN * swings < FEWEST_SWINGS:
        raise ValueError(
            f"the recording is {swings:.1f} swings long, or q drifts away; record more swings about one place, or say "
            "with --turn 2pi that it goes round"
        )
    seen = [(t[: round(SEEN * len(t))], q[: round(SEEN * len(t))]) for t, q in pieces]
    before, found = (find(part, recording.turn) for part in progress([seen, pieces], desc="fitting", unit="fit"))
    return Learned(recording, found, before, end[-1])


def checked_quarter(recording):
    """The quarter period (s) of the longest piece; raises ValueError where it is at rest, noise or too short."""
    t, q = longest(recording.pieces)
    if len(t) < FEWEST_ROWS or np.ptp(q) == 0:
        raise ValueError(
            f"the recording is at rest, or has less than {FEWEST_ROWS} rows; say with --columns which is the angle"
        )
    if not autocorrelation(q - q.mean())[1] > LIKENESS:
        raise ValueError(
            "the recording is noise: its rows do not follow from one another; say with --columns which is the angle"
        )
    return quarter_period(t, q, recording.turn)


def without_gaps(t, q, pause):
    """The parts of a piece between gaps of more than `pause` (s), (t, q) each."""
    edges = np.flatnonzero(np.diff(t) > pause) + 1
    return list(zip(np.split(t, edges), np.split(q, edges), strict=True))


def while_it_moves(t, q, half_swing, noise):
    """The rows from the first to the last half swing in which q moves by more than its noise.

    A pendulum that is held before it is let go obeys another law, and one at rest tells no more of its own.
    """
    number = ((t - t[0]) / half_swing).astype(int)  # of the half swing in which a row lies
    n = np.maximum(np.bincount(number), 1)
    mean = np.bincount(number, q) / n
    moves = np.sqrt(np.bincount(number, (q - mean[number]) ** 2) / n) > MOVES * noise
    moves[-1] |= n[-1] < np.median(n) / 2 and moves[-2:].any()  # what is left at the end is no half swing
    if not moves.any():
        return t, q
    first, last = np.flatnonzero(moves)[[0, -1]]
    begin, end = np.searchsorted(number, [first, last + 1])
    if np.any(number == first - 1):  # it was let go here, or in the half swing before
        before = np.searchsorted(number, first - 1)
        held, soon = q[before:begin], q[before : np.searchsorted(number, first + 1)]
        near = (soon >= held.min() - STILL * noise) & (soon <= held.max() + STILL * noise)
        begin = before + np.flatnonzero(near)[-1]  # the last row before it left
    return t[begin:end], q[begin:end]


def rms(x):
    """The root mean square."""
    return float(np.sqrt(np.square(x).mean()))
