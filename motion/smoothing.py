"""q and dq/dt of a noisy recording, by a polynomial fitted to the rows around each time (Savitzky & Golay 1964).

The rows count at the times at which they were taken, so that stamps may jitter and frames may be missing.
"""

import numpy as np

DEGREE = 4
CHUNK = 2_000_000  # numbers in memory at once
# The variances of value and slope at the middle of a window of n even rows, times n over the variance of a row.
WHOLE = np.array([225 / 64, 75 / 4])
LEAST = 0.5  # of the precision of a whole window: below it rows are missing, or lie to one side


def local_polynomial(t, q, grid, half, dt):
    """(value, slope, noise) at the times `grid`, (G,) each, of the degree-4 polynomial through the rows around each.

    `t` and `q`, (T,), are the rows, NaN where q is missing; those up to `half` (s) to either side of a grid time are
    fitted by least squares. Value and slope are NaN where these are so few, or so much to one side, that they say less
    than half of what an even window of rows `dt` apart would. `noise` is the scatter of the rows about the polynomial.
    """
    is_given = np.isfinite(q)
    t, q = t[is_given], q[is_given]
    first = np.searchsorted(t, grid - half * (1 + 1e-9))
    after = np.searchsorted(t, grid + half * (1 + 1e-9), side="right")
    fitted = np.full((len(grid), 3), np.nan)
    enough = np.flatnonzero(after - first > DEGREE)
    if len(enough) == 0:
        return fitted.T
    width = (after - first).max()
    for some in np.array_split(enough, 1 + len(enough) * width // CHUNK):
        rows = first[some, None] + np.arange(width)  # (G, W)
        inside = rows < after[some, None]
        rows = np.minimum(rows, len(t) - 1)
        fitted[some] = fit_windows((t[rows] - grid[some, None]) / half, q[rows], inside, 2 * half / dt)
    fitted[:, 1] /= half
    return fitted.T


def fit_windows(x, y, inside, n_whole):
    """(value, slope, scatter) at x = 0, (G, 3), of polynomials through the points (x, y), (G, W), that are `inside`.

    The normal equations hold the moments Σ xᵏ and Σ xᵏ y; with |x| ≤ 1 and degree 4 they lose no digit that counts.
    """
    n = inside.sum(1)
    middle = (y * inside).sum(1) / n
    y = (y - middle[:, None]) * inside
    power, moments, right = inside.astype(float), [], []
    for k in range(2 * DEGREE + 1):
        moments.append(power.sum(1))
        if k <= DEGREE:
            right.append((power * y).sum(1))
        power = power * x
    moments, right = np.stack(moments, 1), np.stack(right, 1)  # (G, 9), (G, 5)
    k = np.arange(DEGREE + 1)
    inverse = np.linalg.pinv(moments[:, k[:, None] + k], hermitian=True)  # (G, 5, 5)
    c = (inverse @ right[:, :, None])[:, :, 0]
    scatter = np.sqrt(np.maximum((y**2).sum(1) - (c * right).sum(1), 0) / np.maximum(n - DEGREE - 1, 1))
    scatter[n <= DEGREE + 1] = np.nan
    variances = n_whole * inverse[:, [0, 1], [0, 1]]  # (G, 2)
    is_poor = (variances > WHOLE / LEAST).any(1)
    value, slope = np.where(is_poor, np.nan, [c[:, 0] + middle, c[:, 1]])
    return np.stack([value, slope, scatter], 1)


def quarter_period(t, q, dt, goes_round=None):
    """The first lag (s) at which the autocorrelation of q, (T,), is 0, and the autocorrelation at a lag of dt.

    Where an angle goes round, by more than its period `goes_round` in all, it is that of e^(2πi q / period). Both are
    NaN where there is no such lag.
    """
    is_given = np.isfinite(q)
    even = np.interp(np.arange(t[0], t[-1], dt), t[is_given], q[is_given])
    if goes_round is not None and np.ptp(even) > goes_round:
        even = np.exp(2j * np.pi * even / goes_round)
    even = even - even.mean()
    n = len(even)
    spectrum = abs(np.fft.fft(even, 2 * n)) ** 2
    correlation = np.fft.ifft(spectrum).real[:n]
    correlation /= correlation[0] or 1.0
    (negative,) = np.nonzero(correlation <= 0)
    if len(negative) == 0 or n < 2:
        return np.nan, np.nan
    k = negative[0]
    before, beyond = correlation[k - 1 : k + 1]
    return dt * (k - 1 + before / (before - beyond)), correlation[1]
