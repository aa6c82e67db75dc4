"""A learned recording: its model, and how well a model of the first four fifths predicts the last."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from hnn_training import EPOCHS
from motion.choosing import WINDOWS, choose, trained
from motion.rollout import continued
from motion.rows import Rows
from motion.smoothing import local_polynomial
from motion.states import Sampling, first_rows, longest_quarter, side_by_side, smoothed, tracks_of
from pendulum_nonlinear import wrap_angle
from support.derivatives import learned_energy
from support.trust import note_of_range

SEEN = 0.8  # of the rows; the last fifth is kept to be predicted


@dataclass
class Learned:
    """A model of a recording, and how well it predicts.

    `model` is fitted to all rows and `partial` to all but the last fifth. `predicted`, (T, B), is q by `partial` in
    that fifth, not wrapped, and NaN elsewhere. Three numbers are root mean squares: `error`, of predicted less
    recorded; `deviation`, of recorded less its mean; `noise`, of all rows less polynomials through the narrowest
    window, or `error` where that is less. There are `swings` periods of 4 `quarter` (s).
    """

    model: torch.nn.Module
    partial: torch.nn.Module
    sampling: Sampling
    quarter: float
    swings: float
    predicted: np.ndarray
    error: float
    deviation: float
    noise: float
    rows: Rows

    @property
    def friction(self):
        """γ (1/s); model.friction_error is its standard error."""
        return self.model.knows.get("friction", 0.0)

    @cached_property
    def bottom(self):
        """Where the learned potential H(q, 0) is least among the q that were recorded: q and H there."""
        q = wrap_angle(self.states[1], self.rows.period)
        q = np.linspace(np.nanmin(q), np.nanmax(q), 400)
        H = learned_energy(self.model)([q, 0 * q])
        return q[H.argmin()], H.min()

    def energy(self, state):
        """The learned energy at states [q, p], 0 at the bottom of the potential."""
        return learned_energy(self.model)(state) - self.bottom[1]

    @cached_property
    def pieces(self):
        """The Tracks that are long enough to have a state, each with t, q and p, (3, n), of its states."""
        pieces = [(track, self.sampling.states(track)) for track in tracks_of(self.rows)]
        return [(track, states) for track, states in pieces if np.isfinite(states).all(axis=0).any()]

    def of_column(self, column=0):
        """The pieces of a column."""
        return [(track, states) for track, states in self.pieces if track.column == column]

    @property
    def states(self):
        """t, q and p, (3, n), of the states of the first column that the model was fitted to."""
        return np.concatenate([states for _, states in self.of_column()], axis=1)

    @property
    def end(self):
        """The time (s) of the last row of the last piece, from which a prediction goes on."""
        return self.of_column()[-1][0].t[-1]

    def predict(self, t):
        """q and p, (n, B) each, at t (s), a number or (n,), after the end; a note where they leave the data.

        Raises ArithmeticError where no orbit goes through the last rows.
        """
        columns, t = [], np.atleast_1d(t)
        for i in range(self.rows.q.shape[1]):
            last, _ = self.of_column(i)[-1]
            end = last.t[np.isfinite(last.q)][-1]
            columns.append(continued(self.model, self.sampling, last, end, last.t[-1] + t, self.quarter))
        q, p = np.moveaxis(columns, (0, 1, 2), (2, 1, 0))
        if not np.isfinite(q + p).all():
            raise ArithmeticError(
                "no orbit of the model goes through the end of the recording; cut off what is no swing"
            )
        note_of_range(self.model, q, p)
        return q, p


def learn(rows, friction=None, epochs=EPOCHS, seed=0):
    """The Learned of Rows: their smoothing is chosen, and their friction is found unless it is given.

    `epochs` of L-BFGS move the hidden layers where rows are taken as they are; where they are smoothed these stay as
    they are drawn with `seed`. Raises ValueError for rows that are no motion, or too few.
    """
    n_seen = round(SEEN * len(rows.t))
    rows_seen = first_rows(rows, n_seen)
    tracks, tracks_seen = tracks_of(rows), tracks_of(rows_seen)
    quarter = longest_quarter(tracks_seen, rows.period)
    swings = sum(np.ptp(track.t) for track in tracks if track.column == tracks[0].column) / (4 * quarter)
    if swings < 1:
        raise ValueError(
            "the record is about one swing long, or less, or q drifts away; record more swings about one place, or say "
            "with --period 2pi that it goes round"
        )
    training = {"period": rows.period, "friction": friction, "epochs": epochs, "seed": seed}
    sampling, partial = choose(rows_seen, tracks_seen, quarter, training)
    model = trained(sampling, side_by_side(sampling, tracks), training)

    predicted = np.full(rows.q.shape, np.nan)
    for track in tracks:
        # The orbit is laid through the period until now: of the rows that were seen, or of a later track's first ones.
        now = max(track.t[track.position < n_seen / len(rows.t)].max(initial=-math.inf), track.t[0] + 4 * quarter)
        later = track.t > now
        if later.any():
            states = continued(partial, sampling, track, now, track.t[later], quarter)
            predicted[track.where, track.column][later] = states[:, 0]
    if not np.isfinite(predicted[:, 0]).any():
        raise ValueError("no piece of the last fifth is long enough to be predicted; record more without a restart")
    error, deviation = unseen_error(predicted, tracks)
    half = smoothed(rows, quarter, WINDOWS[0]).half
    scatter = [local_polynomial(x.t, x.q, np.arange(x.t[0], x.t[-1], quarter / 4), half, rows.dt)[2] for x in tracks]
    noise = rms(np.concatenate(scatter))
    if not (error <= deviation or error <= 3 * noise):  # or it is NaN
        raise ValueError("the last fifth of the record is predicted no better than by its mean; record one motion only")
    return Learned(model, partial, sampling, quarter, swings, predicted, error, deviation, min(noise, error), rows)


def unseen_error(predicted, tracks):
    """Root mean squares of the distance of the rows from what is predicted, and of these rows about their mean."""
    misses, rows = [], []
    for track in tracks:
        of_track = predicted[track.where, track.column]
        is_later = np.isfinite(of_track + track.q)
        misses.append((of_track - track.q)[is_later])
        rows.append(track.q[is_later] - (track.q[is_later].mean() if is_later.any() else 0))
    return rms(np.concatenate(misses)), rms(np.concatenate(rows))


def rms(values):
    """The root mean square of those that are finite; NaN of none."""
    values = values[np.isfinite(values)]
    return float(np.sqrt(np.square(values).mean())) if len(values) else math.nan
