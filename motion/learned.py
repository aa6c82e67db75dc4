"""A recording learned: its model, and how well a model that has not seen the last fifth predicts it."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from hnn_model_derivs import learned_dynamics
from hnn_training import EPOCHS
from motion.choosing import FOLLOWED, WINDOWS, choose
from motion.learning import train_on_motion
from motion.linear_fit import fit
from motion.orbits import Roller, follow, go_on
from motion.smoothing import local_polynomial
from motion.states import FEWEST_ROWS, Way, as_record, first_rows, longest_quarter, tracks
from support.derivatives import learned_energy
from support.trust import note_of_range

SEEN = 0.8  # of the rows; the last fifth is kept to be predicted


@dataclass
class Learned:
    """A model of a recording, and how well it predicts.

    `model` is fitted to all rows and `partial` to the first `n_seen`. `predicted`, (T, B), is q by `partial` at
    later rows, without jumps, NaN elsewhere; `error` is its root mean square distance from them, `deviation` their own
    about their mean, and `noise` the scatter of all rows about the smoothing polynomial. The record is `swings` periods
    of 4 `quarter` (s) long. Where `way.half` is None, the rows were taken as they are.
    """

    model: torch.nn.Module
    partial: torch.nn.Module
    way: Way
    quarter: float
    swings: float
    n_seen: int
    predicted: np.ndarray
    error: float
    deviation: float
    noise: float
    rows: object
    period: float | None

    @property
    def friction(self):
        """γ (1/s); model.friction_error is its standard error."""
        return self.model.knows.get("friction", 0.0)

    @cached_property
    def energy(self):
        """energy([q, p]) of the learned system, 0 at the bottom of its potential, and the q of that bottom."""
        energy, (_, q, _) = learned_energy(self.model, learned_dynamics(self.model)), self.states
        q = np.linspace(np.nanmin(q), np.nanmax(q), 400)
        bottom = energy([q, 0 * q])
        return lambda state: energy(state) - bottom.min(), q[bottom.argmin()]

    def tracks_of(self, column):
        """The Tracks of a column."""
        return [track for track in tracks(self.rows, self.period) if track.column == column]

    @cached_property
    def states(self):
        """t, q and p, (3, n), of the states of the first column that the model was fitted to."""
        return np.concatenate([self.way.states(track, self.rows.dt) for track in self.tracks_of(0)], axis=1)

    def over_time(self, before, after):
        """t, q, the motion laid through the rows that were seen, and the prediction of the others, (T,) each.

        They are of the first column and of the piece in which the last fifth begins, up to so many periods `before` and
        `after` that. The motion is laid anew through every few swings; where it is not, it is NaN.
        """
        track = next(track for track in self.tracks_of(0) if track.rows.stop > self.n_seen)
        unseen = self.predicted[track.rows, 0]
        seen, roller, states = np.full_like(unseen, np.nan), Roller(self.partial), self.way.states(track, self.rows.dt)
        end = np.flatnonzero(np.isfinite(unseen))[0]
        begin, beyond = np.searchsorted(track.t, track.t[end] + 4 * self.quarter * np.array([-before, after]))
        first = begin
        while first < end - 1:
            last = max(np.searchsorted(track.t[:end], track.t[first] + FOLLOWED * self.quarter) - 1, first + 1)
            laid = follow(roller, states, track, track.t[first], track.t[last])
            if laid is not None and laid[2] < math.inf:
                inside = slice(np.searchsorted(track.t, laid[0]), last + 1)
                seen[inside] = roller.orbit_at(laid[1][None], track.t[inside] - laid[0])[:, 0, 0]
            first = last
        return [values[begin:beyond] for values in (track.t, track.q, seen, unseen)]

    def predict(self, t):
        """q and p, (n, B) each, at the times t (s), (n,), after the last row; a note where they leave the data."""
        columns = []
        for i in range(self.rows.q.shape[1]):
            last = self.tracks_of(i)[-1]
            columns.append(go_on(self.model, self.way, last, last.t[-1], last.t[-1] + t, self.rows.dt, self.quarter))
        q, p = np.moveaxis(columns, (0, 1, 2), (2, 1, 0))
        note_of_range(self.model, q, p, learned_dynamics)
        return q, p


def learn(rows, period=None, friction=None, epochs=EPOCHS, seed=0, device="cpu", on_epoch=None):
    """The Learned of Rows: their smoothing, step and ridge are chosen, their friction is found or is as said.

    `epochs` of L-BFGS move the hidden layers where the rows are exact; noise does not bear that, and there they stay as
    they are drawn with `seed`. Raises ValueError for rows that are no motion, or too few.
    """
    of_tracks, n_seen = tracks(rows, period), round(SEEN * len(rows.t))
    seen = first_rows(rows, n_seen)
    quarter = longest_quarter(seen, period)
    swings = sum(np.ptp(track.t) for track in of_tracks if track.column == of_tracks[0].column) / (4 * quarter)
    if swings < 1:
        raise ValueError(
            "the record is about one swing long, or less: what it does at other amplitudes is not known; record more"
        )
    way = choose(seen, period, quarter, friction, seed)
    training = {"friction": friction, "epochs": epochs, "seed": seed, "device": device, "on_epoch": on_epoch}
    model, partial = (trained(way, some, rows.dt, period, training) for some in (of_tracks, tracks(seen, period)))

    predicted = np.full(rows.q.shape, np.nan)
    for track in of_tracks:
        now = max(track.t[track.part <= n_seen / len(rows.t)].max(initial=-math.inf), track.t[0] + 4 * quarter)
        later = track.t > now
        if later.any():
            states = go_on(partial, way, track, now, track.t[later], rows.dt, quarter)
            predicted[track.rows, track.column][later] = states[:, 0]
    error, deviation = unseen_error(predicted, of_tracks)
    half = max(WINDOWS[0] * quarter, FEWEST_ROWS * rows.dt)
    scatter = [local_polynomial(x.t, x.q, np.arange(x.t[0], x.t[-1], quarter / 4), half, rows.dt)[2] for x in of_tracks]
    noise = rms(np.concatenate(scatter))
    if error > deviation and error > 3 * noise:
        raise ValueError(
            "the last fifth of the record is predicted no better than by its mean; give it one motion only"
        )
    return Learned(model, partial, way, quarter, swings, n_seen, predicted, error, deviation, noise, rows, period)


def trained(way, of_tracks, dt, period, training):
    """The HNN of these tracks: of exact rows by train_on_motion alone, of others with fit()'s ridge and friction."""
    q, p, _ = as_record(way, of_tracks, dt)
    if way.half is None and way.starts == 1:
        return train_on_motion(q, p, way.dt, period, **training)
    found = fit(way, of_tracks, dt, period, training["friction"], training["seed"])
    of_fit = {"friction": found.friction, "epochs": 0, "ridge": found.ridge}
    model = train_on_motion(q, p, way.dt, period, **(training | of_fit))
    model.friction_error = found.friction_error
    return model


def unseen_error(predicted, of_tracks):
    """Root mean squares of the distance of the rows from what is predicted, and of these rows about their mean."""
    misses, rows = [], []
    for track in of_tracks:
        of_track = predicted[track.rows, track.column]
        is_later = np.isfinite(of_track + track.q)
        misses.append((of_track - track.q)[is_later])
        rows.append(track.q[is_later] - (track.q[is_later].mean() if is_later.any() else 0))
    return rms(np.concatenate(misses)), rms(np.concatenate(rows))


def rms(values):
    """The root mean square of those that are finite; NaN of none."""
    values = values[np.isfinite(values)]
    return float(np.sqrt(np.square(values).mean())) if len(values) else math.nan
