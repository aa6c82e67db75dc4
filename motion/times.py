"""The times of a recording: rounded, with dropped frames, with jitter, two rows a stamp, or starting anew from 0."""

from decimal import Decimal

import numpy as np

from motion.tables import BY_NAME

ON_LINE = 0.01  # of dt: times that are closer than this to a straight line lie on it
# Straight lines that are tried, in this order: the longest gap in frames, and how many last digits a time may be off.
LINES = [
    (0, 0.505),  # a row is a frame, and times were rounded
    (3, 1),  # frames were dropped; after more than three in a row, and where t starts anew, the line starts anew
    (0, 1),  # a row is a frame, and times were cut off, which dropped frames can look like
]


def last_digit(cells, t):
    """The unit of the last digit that each time was written to, (T,): of fixed decimals or of significant digits."""
    numbers = (Decimal(cell.replace(",", ".")).as_tuple() for cell in cells)
    written = {(number.exponent, len(number.digits)) for number in numbers}
    n_digits = max((n for _, n in written), default=1)
    size = np.floor(np.log10(np.maximum(abs(t), 1e-300)))
    return np.maximum(10.0 ** min(written, default=(0,))[0], 10.0 ** (size + 1 - n_digits))


def piece_edges(t):
    """The rows at which t starts anew, with the first, 0, and the end; none where t often descends, and is no time."""
    restarts = np.flatnonzero(np.diff(t) < 0) + 1
    return [0, *(restarts if 4 * len(restarts) < len(t) else []), len(t)]


def check_times(t, path):
    """Raises ValueError for what is no time: numbers that never go up, or that go down again and again."""
    steps = np.diff(t)
    if not (steps > 0).any() or 4 * (steps < 0).sum() >= len(steps):
        what = "descends from row to row; sort the rows by t, or" if (steps < 0).any() else "never goes up;"
        raise ValueError(f"{path}: t {what} {BY_NAME}")


def straight_times(t, digit):
    """(t, dt, is_on_line): the straight line through times that were rounded, else the times as they are.

    A line that misses no time by more than its last digit, or a hundredth of dt, is the time: rounded times, off by δ,
    would put an error of δ dq/dt into q. dt is that of the line, else the mean step without gaps.
    """
    steps = np.diff(t)
    rising = steps > 0
    median = np.median(steps[rising])
    usual = rising & (abs(steps - median) <= median / 2)
    spacing = steps[usual].mean() if 2 * usual.sum() > len(steps) else steps[(steps >= 0) & (steps < 9 * median)].mean()
    for longest_gap, n_digits in LINES:
        frames = np.maximum(np.rint(steps / spacing), 1) if longest_gap else np.ones_like(steps)  # from row to row
        starts_anew = (steps < 0) | (frames > max(longest_gap, 1))
        slope, line = line_through(t, np.cumsum([0, *frames]), np.cumsum([0, *starts_anew]))
        is_coarse = longest_gap and digit.max() > 1.1 * slope  # frames of one rounded time cannot be told apart
        if not is_coarse and (abs(line - t) <= np.maximum(n_digits * digit, ON_LINE * slope)).all():
            return line, slope, True
    return t, spacing, False


def line_through(t, k, piece):
    """dt and the line t_0 + dt k through t by least squares, with a t_0 for each piece and one dt for all."""
    mean_t, mean_k = ((np.bincount(piece, x) / np.bincount(piece))[piece] for x in (t - t[0], k))
    dk, from_mean = k - mean_k, t - t[0] - mean_t
    dt = dk @ from_mean / max(dk @ dk, 1e-300)
    return dt, t[0] + mean_t + dt * dk


def times_by_dt(cells, t, dt):
    """(t, edges, words): times of rows dt (s) apart, from 0 on, in pieces; where the file's have gaps, so have these.

    Where its `cells` are no times on a straight line, each row is one dt after the one before it.
    """
    edges = piece_edges(t)
    steps = np.diff(t)
    if np.isfinite(t).all() and (steps > 0).any() and 4 * (steps <= 0).sum() < len(steps):
        line, spacing, is_on_line = straight_times(t, last_digit(cells, t))
        if is_on_line:
            start = np.repeat(line[edges[:-1]], np.diff(edges))
            return dt * np.rint((line - start) / spacing), edges, "the file's, in steps of --dt"
    return dt * np.arange(len(t)), [0, len(t)], "the number of the row times --dt"
