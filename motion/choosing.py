"""Which equation a recording obeys: a pendulum or a series for V′, which laws of drag, and how sure each number is."""

import math
from dataclasses import dataclass

import numpy as np

from motion.equation import Equation
from motion.errors import covariance, criterion, independent_rows
from motion.search import FEW_MOVES, NEGLIGIBLE, Search
from motion.shooting import Fit

LAWS = [(), (0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2)]  # which of c₀, c₁, c₂ are not 0
LOST = 0.25  # of the amplitude: a root mean square distance above it is no fit
MOST_TERMS = 12  # of a series
SURE = 3  # standard errors of a drag that is shown
TWO_SWINGS = 4  # segments of half a swing
NO_MOTION = (
    "no motion that follows an equation is found in the recording; say with --columns which is the angle and, if it "
    "jumps by a turn, how much that is, as in --turn 2pi"
)
CLOSE = 6  # of the criterion: laws that are so near to the best are not ruled out


def force_of(search):
    """The Fit of the force that the criterion prefers, and the one with which drag and errors are judged.

    The pendulum comes first, for two numbers say all of it. A series that just suffices predicts best, but its error
    bars are several times too small; with two terms more they are right.
    """
    pendulum = search.grown(search.pendulum())
    if search.follows_all(pendulum):
        start = pendulum = search.refined(pendulum)
        if pendulum.variance <= 4 * search.rounding:  # nothing is left to explain
            return pendulum, pendulum
    else:
        start = search.grown(search.series(4))
        if start is None:
            raise ValueError(NO_MOTION)
        start = search.refined(start)
    best = wider = None
    for n in range(4, MOST_TERMS + 1, 2):
        fit = search.like(start, search.series(n))
        if fit is not None:
            wider = start = fit
            n_rows = independent_rows(fit)
            if best and criterion(fit, n_rows, search.rounding) >= criterion(best, n_rows, search.rounding):
                break
            best = fit
    if best is None:
        return start, start
    if pendulum is None or pendulum.followed < best.followed:
        pendulum = search.like(best, search.pendulum())
    is_as_long = pendulum is not None and pendulum.followed >= best.followed
    if is_as_long and criterion(pendulum, n_rows, search.rounding) <= criterion(best, n_rows, search.rounding):
        return pendulum, pendulum
    return best, wider


def law_of(search, fit):
    """The Fit with the law of drag that the criterion prefers, and the other laws within CLOSE of it.

    All start from a Fit that has all three. Where none of them gives an orbit that follows all rows, orbits of two
    swings are asked.
    """
    n_rows = independent_rows(fit)
    fits = sure_laws(fit, fit.nodes, fit.followed) or sure_laws(fit, search.nodes, TWO_SWINGS)
    if not fits:
        raise ValueError(NO_MOTION)
    scores = {law: criterion(its, n_rows, search.rounding) for law, its in fits.items()}
    best = min(scores, key=scores.get)
    return search.again(fits[best]), [law for law in scores if law != best and scores[law] < scores[best] + CLOSE]


def sure_laws(fit, nodes, followed):
    """{law: its Fit} of the laws whose every c is SURE standard errors above 0, and above rounding."""
    natural, of_force, sure = fit.shooting.scale[-3:], [True] * fit.force.size, {}
    for law in LAWS:
        shown = np.isin(np.arange(3), law)
        values = np.append(fit.values[:-3], np.where(shown, fit.values[-3:], 0))
        its = fit.shooting.fit(nodes, values, np.append(of_force, shown), followed, FEW_MOVES)
        if its is not None:
            error = np.sqrt(np.diag(covariance(its)))[fit.force.size :]
            if (its.values[-3:][shown] > np.maximum(SURE * error, 10 * NEGLIGIBLE * natural[shown])).all():
                sure[law] = its
    return sure


@dataclass
class Found:
    """The equation of some pieces of a recording, and how it was found; the Fit has its orbits."""

    search: Search
    equation: Equation
    fit: Fit
    drag_error: np.ndarray  # (3,), standard errors of c₀, c₁, c₂, 0 where the law is not shown
    other_laws: list  # that are not ruled out
    omega_squared: tuple  # V″ at the bottom, the square of a small swing's angular frequency (1/s²), and its error

    def end_of(self, piece):
        """The state [q, v] at the last row of a piece."""
        return self.fit.ends[np.flatnonzero(self.search.segments.piece == piece)[-1]]


@np.errstate(over="ignore", invalid="ignore", divide="ignore")  # orbits may run away before the right ones are found
def find(pieces, turn):
    """The Found equation of pieces, a list of (t, q). Raises ValueError where none follows the rows."""
    search = Search(pieces, turn)
    best, judge = force_of(search)
    if search.leave_out_wild_rows(best):
        best, judge = force_of(search)
    lawful, other_laws = law_of(search, judge)
    if best is judge:
        best = lawful
    else:  # the drag is the one that was judged
        free = np.arange(len(best.values)) < best.force.size
        values = np.append(best.values[:-3], lawful.values[-3:])
        best = best.shooting.fit(lawful.nodes, values, free, lawful.followed) or lawful
    if not math.sqrt(best.variance) < LOST * search.amplitude:
        raise ValueError(NO_MOTION)
    covariances, error = covariance(lawful), np.zeros(3)
    error[lawful.free[-3:]] = np.sqrt(np.diag(covariances))[lawful.force.size :]
    h = (search.segments.length / search.segments.n_steps).min()
    equation = Equation(best.force, best.values, h, bottom_of(search, best.force, best.values[:-3]))
    return Found(search, equation, best, error, other_laws, squared_frequency(search, lawful, covariances))


def bottom_of(search, force, coefficients):
    """q where V is least: of several such places the one around which the last swing of the recording was."""
    t, q = search.pieces[-1]
    last = q[t > t[-1] - 4 * search.quarter].mean()
    reach = search.circle / 2 if search.circle else 0
    grid = np.linspace(min(search.low, last - reach), max(search.high, last + reach), 2001)
    slope = force.derivative(1, coefficients, grid)
    (k,) = np.nonzero((slope[:-1] < 0) & (slope[1:] >= 0))
    if len(k) == 0:
        return grid[force.derivative(0, coefficients, grid).argmin()]
    q = grid[k[abs(grid[k] - last).argmin()]]
    for _ in range(5):  # Newton's method
        q = q - force.derivative(1, coefficients, q) / force.derivative(2, coefficients, q)
    return float(q)


def squared_frequency(search, fit, covariances):
    """ω² = V″ at the bottom, and its standard error by the slopes of ω² in the coefficients."""

    def at(coefficients):
        return float(fit.force.derivative(2, coefficients, bottom_of(search, fit.force, coefficients)))

    n, coefficients = fit.force.size, fit.values[:-3]
    nudges = 1e-4 * fit.shooting.scale[2:-3]
    slopes = [(at(coefficients + nudge) - at(coefficients - nudge)) / (2 * nudge.sum()) for nudge in np.diag(nudges)]
    return at(coefficients), math.sqrt(np.array(slopes) @ covariances[:n, :n] @ slopes)
