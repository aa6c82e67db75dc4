"""The way to a fit: from a first guess, by stretches that grow, to orbits that follow a recording from end to end."""

import math

import numpy as np

from motion.equation import Legendre, Sines
from motion.guess import FEW, WILD, first_nodes, first_values, longest, quarter_period, window_and_noise
from motion.shooting import MOST_MOVES, Segments, Shooting

ENDS = [0.002, 0.998]  # quantiles of q: a single wild row does not widen its range
STRETCHES = [1, 4, 16, 64]  # segments of half a swing in a stretch, before all of them are one
FEW_MOVES = 4  # of Gauss–Newton, where a fit is not the last one
JUMP, VISIBLE = 9.0, 1e-4  # of the variance from stretch to stretch, and of the amplitude's square: the orbit is lost
FEWEST_STEPS, MOST_STEPS = 12, 400  # of an orbit in half a swing
STEP = 0.27  # of 1 / ω for the largest ω² = V″: the first steps are no longer
STEADY = 0.03  # of the misfit: how far half the step may move the rows
NEGLIGIBLE = 1e-9  # of the amplitude: what is less is rounding


class Search:
    """What the fits of one recording have in common.

    pieces, turn        of the recording
    circle        its turn, where it goes round, else None
    quarter, omega        the quarter period (s), and π/2 over it
    low, high, middle, amplitude        of q
    half, noise        half the width of polynomials that follow the rows (s), and the noise of a row about them
    segments, nodes        the rows in segments, and first nodes for them
    """

    def __init__(self, pieces, turn):
        self.pieces, self.turn = pieces, turn
        self.low, self.high = np.quantile(np.concatenate([q for _, q in pieces]), ENDS)
        self.middle, self.amplitude = (self.low + self.high) / 2, (self.high - self.low) / 2
        self.circle = turn if turn is not None and self.high - self.low > turn else None
        self.quarter = quarter_period(*longest(pieces), turn)
        self.omega = math.pi / 2 / self.quarter
        self.half, self.noise = window_and_noise(pieces, self.quarter)
        self.segments = Segments(pieces, 2 * self.quarter, FEWEST_STEPS)
        self.nodes = first_nodes(self.segments, pieces, self.half)
        self.rounding = (NEGLIGIBLE * self.amplitude) ** 2

    def pendulum(self):
        """ω² sin(q − q₀)."""
        return Sines(1, self.turn or 2 * math.pi)

    def series(self, n):
        """A force with n terms."""
        return Sines(n // 2, self.circle) if self.circle else Legendre(n, self.middle, self.amplitude)

    def shooting(self, force):
        """The Shooting of a force, in natural scales."""
        a, w = self.amplitude, self.omega
        return Shooting(self.segments, force, np.array([a, a * w, *[a * w**2] * force.size, a * w**2, w, 1 / a]))

    @property
    def swings(self):
        """How many there are in the pieces."""
        return sum(t[-1] - t[0] for t, _ in self.pieces) / (4 * self.quarter)

    def follows_all(self, fit):
        """Whether one orbit follows each piece from end to end."""
        return fit is not None and fit.followed >= len(self.nodes)

    def grown(self, force):
        """The Fit of a force from the first guess, in stretches that grow until one orbit loses the rows, or None."""
        values = first_values(self.pieces, force, self.half, self.quarter)
        stiffness = abs(force.derivative(2, values[:-3], self.range_of_q())).max()
        n_steps = math.ceil(2 * self.quarter * math.sqrt(stiffness) / STEP)
        if n_steps > self.segments.n_steps:
            self.segments.use_steps(min(n_steps, MOST_STEPS))
        shooting, best, nodes, free = self.shooting(force), None, self.nodes, np.ones(len(values), dtype=bool)
        for n in [*(n for n in STRETCHES if n < len(nodes)), len(nodes)]:
            fit = shooting.fit(nodes, values, free, n, MOST_MOVES if n == len(nodes) else FEW_MOVES)
            if fit is None or (best and fit.variance > max(JUMP * best.variance, VISIBLE * self.amplitude**2)):
                break
            best, nodes, values = fit, fit.nodes, fit.values
        return best

    def like(self, fit, force):
        """The Fit of another force from where this one is, None where it does not settle."""
        q = self.range_of_q()
        each = force.derivative(1, np.eye(force.size)[:, :, None], q)  # (size, 200)
        values = np.linalg.lstsq(each.T, fit.force.derivative(1, fit.values[:-3], q), rcond=1e-10)[0]
        values = np.append(values, fit.values[-3:])
        return self.shooting(force).fit(fit.nodes, values, np.ones(len(values), dtype=bool), fit.followed)

    def range_of_q(self):
        return np.linspace(self.low, self.high, 200)

    def again(self, fit):
        """The same fit once more, as after the steps have changed, or as it was where it does not settle."""
        return fit.shooting.fit(fit.nodes, fit.values, fit.free, fit.followed) or fit

    def leave_out_wild_rows(self, fit):
        """Let the few rows that are far off a Fit count no more; returns whether there are any."""
        for _ in range(2):  # once more without them, since a wild row draws the orbit away from its neighbours
            off = abs(fit.distances)
            wild = off > WILD * np.median(off) + 1e3 * math.sqrt(self.rounding)
            if not 0 < wild.sum() <= FEW * len(wild):
                break
            self.segments.use_rows(~wild)
            fit = self.again(fit)
        return not self.segments.used.all()

    def refined(self, fit):
        """The Fit with steps so short that half of them would hardly move the rows."""
        while self.segments.n_steps < MOST_STEPS:
            n, rows = self.segments.n_steps, self.segments.q - fit.distances
            self.segments.use_steps(2 * n)
            moved = math.sqrt(np.mean((fit.shooting.rows_of(fit.nodes, fit.values) - rows) ** 2))
            if moved <= max(STEADY * math.sqrt(fit.variance), math.sqrt(self.rounding)):
                self.segments.use_steps(n)
                break
            fit = self.again(fit)
        return fit
