"""Shooting: orbits of the equation are laid through the rows of a recording, and no derivative of a row is taken.

The recording is cut into segments of half a swing. In each, an orbit starts from a state of its own, its node, and all
orbits have the same coefficients. Nodes and coefficients are fitted together by least squares of the rows' distances
(Gauss–Newton). Segments of one stretch are joined: an orbit must end where the next one starts. What is still open
there, the gap, is closed to first order (multiple shooting: Bock 1983):

    δs(k+1) = A(k) δs(k) + B(k) δp + gap(k)        s: the nodes [q, v], p: the coefficients

So two matrices are all that a step needs of a segment. With z = [δs, δp, 1],

    zᵀ S z     is the sum of its rows' squared distances
    T z        is the z of the next segment:  T = [[A, B, gap], [0, 1, 0], [0, 0, 1]]

Products of the T give every z of a stretch from that of its first segment, in terms of which all S are added up.
Stretches that grow, from one segment to the whole recording, find a long orbit step by step.
"""

import math
from dataclasses import dataclass

import numpy as np

from motion.orbits import hermite_weights, roll_out

NUDGE = 1e-5  # of the natural scale of a node or a coefficient: what derivatives are taken by
SHORTEST_STEP = 1 / 64  # of a Gauss–Newton step
TINY = 1e-12  # of the amplitude
ROWS_IN_SEGMENT = 8  # at least, on average
MOST_MOVES = 10  # of Gauss–Newton


class Segments:
    """Rows of a recording in segments, each with an orbit in `n_steps` steps.

    t, q, used, segment    of the rows, (R,): s, rad, whether they count, and in which segment they lie
    start, length, piece   of the segments, (N,): s, s, and the number of their piece
    cell                   of the rows, (R,): in which step they lie, counted over all segments
    weights                of the rows, (6, R): hermite_weights in their step
    gram                   of the steps, (N n_steps, 6, 6): Σ weights weightsᵀ over their rows
    """

    def __init__(self, pieces, half_swing, n_steps):
        """The rows of pieces, a list of (t, q), in segments of about half a swing (s)."""
        self.t, self.q = (np.concatenate(rows) for rows in zip(*pieces, strict=True))
        sizes = [max(min(round((t[-1] - t[0]) / half_swing), len(t) // ROWS_IN_SEGMENT), 1) for t, _ in pieces]
        edges = [np.linspace(t[0], t[-1], n + 1) for (t, _), n in zip(pieces, sizes, strict=True)]
        self.start, self.length = np.concatenate([e[:-1] for e in edges]), np.concatenate([np.diff(e) for e in edges])
        self.piece = np.repeat(np.arange(len(pieces)), sizes)
        within = [np.searchsorted(e[1:-1], t, side="right") for (t, _), e in zip(pieces, edges, strict=True)]
        before = np.cumsum([0, *sizes[:-1]])
        self.segment = np.concatenate([n + k for n, k in zip(before, within, strict=True)])
        self.used = np.ones(len(self.t), dtype=bool)
        self.use_steps(n_steps)

    def use_steps(self, n_steps):
        """Let each segment have so many steps."""
        self.n_steps, h = n_steps, (self.length / n_steps)[self.segment]
        x = (self.t - self.start[self.segment]) / h
        step = np.clip(x.astype(int), 0, n_steps - 1)
        self.cell, self.weights = self.segment * n_steps + step, hermite_weights(x - step, h)
        self.use_rows(self.used)

    def use_rows(self, used):
        """Let these rows count, (R,)."""
        self.used, n = used, len(self.start) * self.n_steps
        self.gram = np.empty((n, 6, 6))
        for i in range(6):
            for j in range(i + 1):
                of_rows = self.weights[i] * self.weights[j] * used
                self.gram[:, i, j] = self.gram[:, j, i] = np.bincount(self.cell, of_rows, n)

    def stretches(self, n_segments):
        """The first segments of stretches of so many within a piece, or less at its end, and how many each has."""
        _, first_of_piece, sizes = np.unique(self.piece, return_index=True, return_counts=True)
        first = np.concatenate([np.arange(a, a + n, n_segments) for a, n in zip(first_of_piece, sizes, strict=True)])
        return first, np.diff(first, append=len(self.piece))


@dataclass
class Fit:
    """Nodes and coefficients, and what their orbits give: S and T of each segment, δs and δp in natural scales."""

    shooting: "Shooting"
    nodes: np.ndarray  # (N, 2), [q, v]
    values: np.ndarray  # (P,), the coefficients of V′ and c₀, c₁, c₂
    free: np.ndarray  # (P,), which of the values are fitted; F of them are
    followed: int  # segments of a stretch, along which one orbit follows the rows
    distances: np.ndarray  # (R,), rows less orbits
    squares: np.ndarray  # S, (N, 2 + F + 1, 2 + F + 1)
    to_next: np.ndarray  # T, (N, 2 + F + 1, 2 + F + 1)
    ends: np.ndarray  # (N, 2), [q, v] where each orbit ends

    @property
    def force(self):
        return self.shooting.force

    @property
    def sum_of_squares(self):
        return self.squares[:, -1, -1].sum()

    @property
    def variance(self):
        """Of the rows about the orbits."""
        return self.sum_of_squares / self.shooting.segments.used.sum()

    @property
    def is_finite(self):
        return bool(np.isfinite(self.squares).all() and np.isfinite(self.to_next).all())

    def gaps(self, joined):
        """Where joined orbits end, less where the next ones start."""
        return self.to_next[joined, :2, -1]

    def condensed(self):
        """The S of each stretch; the products of T from its start to each segment; what is joined.

        They are (stretches, 2 + F + 1, 2 + F + 1), (N, the same), and (N,): whether an orbit must end at the next node.
        """
        first, length = self.shooting.segments.stretches(self.followed)
        to_this = np.repeat(np.eye(self.squares.shape[-1])[None], len(first), axis=0)
        squares, maps = np.zeros_like(to_this), np.empty_like(self.squares)
        for k in range(length.max()):
            longer = length > k
            here = first[longer] + k
            if k > 0:
                to_this[longer] = self.to_next[here - 1] @ to_this[longer]
            maps[here] = to_this[longer]
            squares[longer] += to_this[longer].transpose(0, 2, 1) @ self.squares[here] @ to_this[longer]
        joined = np.ones(len(maps), dtype=bool)
        joined[first + length - 1] = False
        return squares, maps, joined


class Shooting:
    """The fits of one force to Segments; `scale`, (2 + P,), holds the natural scales of q, v and the coefficients."""

    def __init__(self, segments, force, scale):
        self.segments, self.force, self.scale = segments, force, scale

    def roll_out(self, nodes, values):
        """The orbits, (n_steps + 1, 3, ..., N), from nodes (2, ..., N) and values (P, ...)."""
        segments = self.segments
        return roll_out(self.force, values, *nodes, segments.length / segments.n_steps, segments.n_steps)

    def rows_of(self, nodes, values):
        """q at the times of the rows, (R,), on the orbits from nodes, (N, 2)."""
        by_steps = ends_of_steps(self.roll_out(nodes.T, values)[:, :, None])
        return np.einsum("ir,ri->r", self.segments.weights, by_steps[self.segments.cell, :, 0])

    def at(self, nodes, values, free, followed):
        """The Fit with these nodes and values, as they are."""
        rows, n, changed = self.segments, len(nodes), np.append([0, 1], 2 + np.flatnonzero(free))
        size = 1 + len(changed)  # 1 + 2 + F orbits of each segment: as it is, and with one thing nudged
        nudged = np.repeat(np.append(nodes, np.tile(values, (n, 1)), axis=1)[None], size, axis=0)  # (size, N, 2 + P)
        nudged[np.arange(1, size), :, changed] += NUDGE * self.scale[changed, None]
        orbit = self.roll_out(nudged[..., :2].transpose(2, 0, 1), nudged[:, 0, 2:].T)  # (n_steps + 1, 3, size, N)
        by_steps = ends_of_steps(orbit)
        slopes = (by_steps[:, :, 1:] - by_steps[:, :, :1]) / NUDGE  # (N n_steps, 6, 2 + F)
        distances = rows.q - np.einsum("ir,ri->r", rows.weights, by_steps[rows.cell, :, 0])
        used = distances * rows.used
        along = np.stack([np.bincount(rows.cell, weight * used, len(by_steps)) for weight in rows.weights], axis=1)
        of_steps = slopes.transpose(0, 2, 1) @ rows.gram @ slopes
        squares = np.empty((n, size, size))
        squares[:, :-1, :-1] = of_steps.reshape(n, -1, size - 1, size - 1).sum(1)
        squares[:, :-1, -1] = -np.einsum("cif,ci->cf", slopes, along).reshape(n, -1, size - 1).sum(1)
        squares[:, -1, :-1] = squares[:, :-1, -1]
        squares[:, -1, -1] = np.bincount(rows.segment, used * distances, n)
        ends = orbit[-1, :2].transpose(2, 0, 1)  # (N, 2, size)
        to_next = np.repeat(np.eye(size)[None], n, axis=0)
        to_next[:, :2, :-1] = (ends[..., 1:] - ends[..., :1]) / NUDGE / self.scale[:2, None]
        to_next[:-1, :2, -1] = (ends[:-1, :, 0] - nodes[1:]) / self.scale[:2]
        return Fit(self, nodes, values, free, followed, distances, squares, to_next, ends[..., 0])

    def move(self, fit, variance):
        """The Gauss–Newton step: changes of nodes and values in their scales, the sum of squares then, what is joined.

        The sum is NaN where there is no such step. Each c counts as measured to be 0 ± its natural scale, which matters
        only where the rows, each with this `variance`, do not tell the three laws apart.
        """
        squares, maps, joined = fit.condensed()
        reduced, back = without_starts(squares)
        x, weak = (fit.values / self.scale[2:])[fit.free], variance * (np.flatnonzero(fit.free) >= len(fit.free) - 3)
        curvature, slope = reduced[:, :-1, :-1].sum(0) + np.diag(weak), -reduced[:, :-1, -1].sum(0) - weak * x
        size = np.sqrt(np.maximum(np.diag(curvature), 1e-300))
        curvature = curvature / np.outer(size, size)
        if not np.isfinite(curvature).all():  # orbits of a stretch run away from each other
            return None, None, math.nan, joined
        change = np.append(np.linalg.lstsq(curvature, slope / size, rcond=1e-14)[0] / size, 1)
        z = np.append(back @ change, np.repeat(change[None], len(back), axis=0), axis=1)  # (stretches, 2 + F + 1)
        promised = np.einsum("ni,nij,nj->", z, squares, z)
        _, length = self.segments.stretches(fit.followed)
        of_nodes = np.einsum("nij,nj->ni", maps[:, :2], np.repeat(z, length, axis=0))
        return of_nodes, change[:-1], promised, joined

    def fit(self, nodes, values, free, followed, most=MOST_MOVES):
        """The Fit that `most` steps at most lead to, in stretches of `followed` segments, or None where gaps stay open.

        To close gaps a step may have to raise the distances. So its cost has both, and gaps have a weight w by which a
        short step always lowers it; a step is halved until it does.
        """
        fit, w = self.at(nodes, values, free, followed), 0.0
        if not fit.is_finite:
            return None
        for _ in range(most):
            variance = max(fit.variance, (TINY * self.scale[0]) ** 2)
            of_nodes, change, promised, joined = self.move(fit, variance)
            if not math.isfinite(promised):
                return None
            open_gaps = np.square(fit.gaps(joined)).sum()
            if open_gaps > 0:
                w = max(w, 2 * (promised - fit.sum_of_squares) / open_gaps)
            cost = self.cost(fit, w, joined, variance)
            part, last = 1.0, fit
            while part >= SHORTEST_STEP:
                values = last.values.copy()
                values[free] += part * change * self.scale[2:][free]
                fit = self.at(last.nodes + part * of_nodes * self.scale[:2], values, free, followed)
                if fit.is_finite and self.cost(fit, w, joined, variance) <= cost * (1 + 1e-9):
                    break
                fit, part = last, part / 2
            has_settled = part == 1 and abs(last.sum_of_squares - promised) < 1e-2 * variance
            if fit is last or (has_settled and self.is_closed(fit, joined)):
                break
        return fit if self.is_closed(fit, joined) else None

    def cost(self, fit, w, joined, variance):
        """What a step is to lower: Σ distances² + w Σ gaps², and what move() has for drag."""
        drag = (fit.values / self.scale[2:])[-3:]
        return fit.sum_of_squares + w * np.square(fit.gaps(joined)).sum() + variance * drag @ drag

    def is_closed(self, fit, joined):
        """Whether the gaps are far below the scatter of the rows."""
        widest = abs(fit.gaps(joined)).max(initial=0) * self.scale[0]
        return bool(widest <= 0.03 * math.sqrt(fit.variance) + 10 * TINY * self.scale[0])


def ends_of_steps(orbit):
    """q, v, dv/dt at the start and the end of each step, (N n_steps, 6, L), of orbits (n_steps + 1, 3, L, N)."""
    return np.concatenate([orbit[:-1], orbit[1:]], axis=1).transpose(3, 0, 1, 2).reshape(-1, 6, orbit.shape[2])


def without_starts(squares):
    """Squares in terms of [δp, 1], each with its best start, and that start as a map of [δp, 1], (stretches, 2, F + 1).

    A start that no row tells anything of stays.
    """
    inverse = np.linalg.pinv(squares[:, :2, :2], rcond=1e-13, hermitian=True)
    back = -inverse @ squares[:, :2, 2:]
    return squares[:, 2:, 2:] + squares[:, 2:, :2] @ back, back
