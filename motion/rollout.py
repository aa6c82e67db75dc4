"""Orbits of a model of motion: rolled out with its friction, read between its steps, and fitted to recorded rows."""

import contextlib
import math

import numpy as np

from motion.states import FEWEST_ROWS
from rigid_simulator_HNN import learned_step

NODES = 8  # states that a value between two steps is interpolated from
ITERATIONS = 3  # of Gauss–Newton


class Roller:
    """Rolls out a model of motion as it is now, by its own step with its friction."""

    def __init__(self, model):
        self.dt, self.step = model.knows["dt"], learned_step(model)
        self.p_range = np.ptp(model.knows["p_range"])

    def roll_out(self, states, n_steps):
        """The states [q, p] now and after each of `n_steps` steps, (n_steps + 1, B, 2), from `states` (B, 2).

        They are NaN from a step on that has no solution: this is no model of the motion.
        """
        orbit = np.full((n_steps + 1, *np.shape(states)), np.nan)
        orbit[0] = states
        with contextlib.suppress(ArithmeticError):
            for i in range(n_steps):
                orbit[i + 1] = np.stack(self.step(i * self.dt, *orbit[i].T, self.dt), axis=-1)
        return orbit

    def orbit_at(self, states, t):
        """The states at the times t (s), (T, B, 2), after `states` (B, 2): polynomials through eight steps around."""
        x = t / self.dt
        n_steps = max(math.ceil(x.max()) + NODES // 2, NODES)
        orbit = self.roll_out(states, n_steps)
        first = np.clip(np.floor(x).astype(int) - NODES // 2 + 1, 0, n_steps + 1 - NODES)
        nodes, values = np.arange(NODES), np.zeros((len(t), *np.shape(states)))
        for k in nodes:
            others = nodes[nodes != k]
            weight = np.prod(((x - first)[:, None] - others) / (k - others), axis=1)  # Lagrange's
            values += weight[:, None, None] * orbit[first + k]
        return values

    def fit_start(self, t, q, start):
        """The state (2,) at t = 0 whose orbit passes nearest to rows (t, q), (T,), and its mean squared distance in q.

        Least squares by Gauss–Newton, from a `start` near it.
        """
        size = 1e-4 * np.array([np.ptp(q) or 1.0, self.p_range])
        best, least = start, math.inf
        for _ in range(ITERATIONS):
            moved = start + np.array([[0.0, 0.0], [size[0], 0.0], [0.0, size[1]]])
            at_rows = self.orbit_at(moved, t)[:, :, 0]  # (T, 3)
            residual = q - at_rows[:, 0]
            error = np.mean(residual**2)
            if not error < least:
                break
            best, least = start, error
            slopes = (at_rows[:, 1:] - at_rows[:, :1]) / size
            start = start + np.linalg.lstsq(slopes, residual, rcond=None)[0]
        return best, least


def orbit_through(roller, states, track, first, last):
    """(t_0, state, mean squared distance) of the orbit that best fits a track's rows from `first` to `last` (s).

    It starts at the time of the first of the smoothed `states` there; None where there is none, or too few rows.
    """
    (at,) = np.nonzero(np.isfinite(states).all(0) & (states[0] >= first) & (states[0] < last))
    if len(at) == 0:
        return None
    t_0, *start = states[:, at[0]]
    t, q = track.between(t_0, last)
    if len(t) < 2 * FEWEST_ROWS:
        return None
    return t_0, *roller.fit_start(t - t_0, q, np.array(start))


def continued(model, sampling, track, now, t, quarter):
    """The states (n, 2) at times t > now, where the orbit goes that fits the rows of the last period until now."""
    roller, seen = Roller(model), track.until(now)
    orbit = orbit_through(roller, sampling.states(seen), seen, now - 4 * quarter, now)
    if orbit is None or orbit[2] == math.inf:
        return np.full((len(t), 2), np.nan)
    t_0, state, _ = orbit
    return roller.orbit_at(state[None], t - t_0)[:, 0]
