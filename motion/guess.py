"""A first guess of the equation, from polynomials through the rows around each time (Savitzky & Golay 1964)."""

import math

import numpy as np

DEGREE = 4
ROWS = 7  # that a polynomial goes through, at least
MANY_ROWS = 200  # around a time: of more only some are taken
WILD = 9  # times the median distance: a row so far from a polynomial or an orbit is left out
FEW = 0.05  # of the rows: more than these are not left out of a recording
WINDOWS = [0.55, 0.28, 0.14, 0.07]  # quarter periods to either side
WINDOWS_JUDGED, WINDOWS_FITTED = 40, 400  # spread over a recording
MIDDLE = 0.36  # of a window: where the equation is demanded


def longest(pieces):
    """The (t, q) that lasts longest."""
    return max(pieces, key=lambda piece: piece[0][-1] - piece[0][0])


def quarter_period(t, q, turn=None):
    """The first lag (s) at which the autocorrelation of q, (T,), is 0; NaN where q is constant.

    Where an angle goes round, by more than its `turn` in all, it is that of e^(2πi q / turn).
    """
    n = max(min(2 * len(t), 200_000), 1000)
    even = np.interp(np.linspace(t[0], t[-1], n), t, q)
    if turn is not None and np.ptp(even) > turn:
        even = np.exp(2j * np.pi * even / turn)
    correlation = autocorrelation(even - even.mean())
    (negative,) = np.nonzero(correlation[1:] <= 0)
    if len(negative) == 0 or correlation[0] == 0:
        return math.nan
    k = negative[0] + 1
    before, beyond = correlation[k - 1 : k + 1]
    return (t[-1] - t[0]) / (n - 1) * (k - 1 + before / (before - beyond))


def autocorrelation(x):
    """Σ x(i) x(i + k) over Σ x², for k = 0 … n − 1, of x, (n,), real or complex."""
    spectrum = abs(np.fft.fft(x, 2 * len(x))) ** 2
    sums = np.fft.ifft(spectrum).real[: len(x)]
    return sums / (sums[0] or 1.0)


def local_polynomial(t, q, at, half):
    """The polynomial in (t − at) / half through the rows up to `half` (s) around `at`, and the variance about it.

    Where these are few, the nearest rows are taken; the variance is NaN where they leave none.
    """
    first, end = np.searchsorted(t, [at - half, at + half])
    if end - first < ROWS:
        first = max(min(np.searchsorted(t, at) - ROWS // 2, len(t) - ROWS), 0)
        end = first + ROWS
    some = slice(first, end, max((end - first) // MANY_ROWS, 1))
    x, y = (t[some] - at) / half, q[some]
    polynomial, distances, free = fitted(x, y)
    tame = abs(distances) <= WILD * np.median(abs(distances))
    if ROWS <= tame.sum() < len(x):
        polynomial, distances, free = fitted(x[tame], y[tame])
    return polynomial, distances @ distances / free if free > 0 else math.nan


def local_state(t, q, at, half):
    """[q, v] at a time, by the polynomial through the rows around it."""
    polynomial, _ = local_polynomial(t, q, at, half)
    return [polynomial(0), polynomial.deriv()(0) / half]


def fitted(x, y):
    """The polynomial of least squares, the distances of the points from it, and their number less its coefficients."""
    A = np.vander(x, min(DEGREE + 1, len(x)), increasing=True)
    coefficients = np.linalg.lstsq(A, y, rcond=None)[0]
    return np.polynomial.Polynomial(coefficients), y - A @ coefficients, len(x) - A.shape[1]


def window_and_noise(pieces, quarter):
    """Half the width (s) of the widest window whose polynomials still follow the rows, and the noise of a row.

    Windows of a part of a quarter period are tried, since an orbit that almost stands at the top takes long for a
    quarter, but falls as fast as any other.
    """
    t, q = longest(pieces)
    at = np.linspace(t[0], t[-1], WINDOWS_JUDGED + 2)[1:-1]
    fewest = ROWS / 2 * (t[-1] - t[0]) / (len(t) - 1)
    halves = np.maximum(quarter * np.array(WINDOWS), fewest)
    halves = halves[(halves > 1.5 * fewest) | (halves == halves[0])]
    variances = np.array([[local_polynomial(t, q, x, half)[1] for x in at] for half in halves])  # NaN: too few rows
    variances = [np.median(of[np.isfinite(of)]) if np.isfinite(of).any() else math.inf for of in variances]
    variances = np.maximum(variances, rounding(q) ** 2)  # a coarse encoder often stands still
    return halves[variances <= 2 * variances.min()].max(), math.sqrt(variances.min())


def rounding(q):
    """The standard deviation δ / √12 of what is lost where rows are rounded to multiples of δ, their least step."""
    steps = np.diff(np.unique(q))
    return steps.min() / math.sqrt(12) if len(steps) else 0.0


def first_values(pieces, force, half, quarter):
    """Coefficients of V′ and c₀, c₁, c₂, (P,): least squares of the equation over the middle of many windows.

        v(t + d) − v(t − d) = −∫ V′(q) dt − c₁ [q(t + d) − q(t − d)]

    The three laws of drag cannot be told apart by this, so that c₁ stands for them, between 0 and 1 / quarter.
    """
    d, (x, weight) = MIDDLE, np.polynomial.legendre.leggauss(5)
    total, equations, changes = sum(t[-1] - t[0] for t, _ in pieces), [], []
    for t, q in pieces:
        n = max(round(WINDOWS_FITTED * (t[-1] - t[0]) / total), 2)
        for at in np.linspace(t[0] + half, t[-1] - half, n) if t[-1] - t[0] > 2 * half else []:
            inside = t[slice(*np.searchsorted(t, [at - half, at + half]))]
            if len(inside) > DEGREE and np.ptp(inside) > 1.5 * half:
                polynomial, _ = local_polynomial(t, q, at, half)
                (q_0, q_1), (v_0, v_1) = polynomial([-d, d]), polynomial.deriv()([-d, d]) / half
                each = force.derivative(1, np.eye(force.size)[:, :, None], polynomial(d * x))  # (size, 5)
                equations.append([*(-each @ weight * d * half), q_0 - q_1])
                changes.append(v_1 - v_0)
    if len(changes) < force.size + 1:
        raise ValueError("the recording has too few rows in a swing, or too few swings; record more of them")
    A, y = np.array(equations), np.array(changes)
    drag = np.clip(np.linalg.lstsq(A, y, rcond=1e-8)[0][-1], 0, 1 / quarter)
    return np.array([*np.linalg.lstsq(A[:, :-1], y - A[:, -1] * drag, rcond=1e-8)[0], 0, drag, 0])


def first_nodes(segments, pieces, half):
    """[q, v] at the start of each segment, (N, 2), by polynomials through the rows around it."""
    return np.array([local_state(*pieces[k], at, half) for at, k in zip(segments.start, segments.piece, strict=True)])
