"""The times of a recording: rounded, with dropped frames, with jitter, two rows a stamp, or starting anew from 0."""

from decimal import Decimal

import numpy as np

from motion.tables import BY_DT, BY_NAME

ON_LINE = 0.01  # of dt: times that are closer than this to a straight line lie on it
# A straight line through the times is tried against the number of the row, which rounded times miss by half of their
# last digit, and against the number of the frame where some were dropped. After more than three in a row, and where t
# starts anew, the line starts anew too. Truncated times miss it by a whole digit.
LINES = [(0, 0.505), (3, 1)]  # longest gap in frames, digits


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
    """Refuse what is no time: numbers that never go up, go down again and again, or are mostly one number."""
    steps = np.diff(t)
    if not (steps > 0).any() or 4 * (steps < 0).sum() > len(steps):
        what = "descends from row to row; sort the rows by t, or" if (steps < 0).any() else "never goes up;"
        raise ValueError(f"{path}: t {what} {BY_NAME}")
    if 4 * (steps == 0).sum() > 3 * len(steps):
        raise ValueError(f"{path}: most rows have the time of the row before them; {BY_DT}")


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
        starts_anew = (steps < 0) | (frames > longest_gap if longest_gap else False)
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
    """The times (T,), from 0 on, of rows dt (s) apart, and whether they follow the file's, with its gaps and jitter.

    Where its `cells` are no times, each row is one dt after the one before it.
    """
    by_rows = dt * np.arange(len(t)), False
    if not np.isfinite(t).all() or (np.diff(t) == 0).any() or not (np.diff(t) > 0).any():
        return by_rows
    try:
        check_times(t, "")
    except ValueError:
        return by_rows
    line, spacing, is_on_line = straight_times(t, last_digit(cells, t))
    frames = line / spacing
    spread = np.diff(frames)
    if not is_on_line and np.std(spread[spread > 0]) > 0.5:
        return by_rows
    edges = piece_edges(t)
    start = np.repeat(frames[edges[:-1]], np.diff(edges))
    return dt * (np.rint(frames - start) if is_on_line else frames - start), True
