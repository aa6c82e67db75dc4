"""The times of a recording: rounded, with dropped frames, with jitter, or starting anew from 0 now and then."""

from decimal import Decimal

import numpy as np

from motion.tables import BY_DT, BY_NAME

ON_LINE = 0.01  # of dt: times that are closer than this to a straight line lie on it
# A straight line through the times is tried in these ways: (longest gap in frames, last digits that a time may be off).
# Without gaps (0) it goes against the number of the row: rounded times are off by half a digit. With gaps it goes
# against the number of the frame. After a longer gap it starts anew; it is not the time then, but gives dt more
# exactly, so that the next one can count the frames in gaps that are ten times as long. Truncated times are off by a
# whole digit; they come last, for dropped frames can look like them.
LINES = [(0, 0.505), (3, 1), (30, 1), (300, 1), (np.inf, 1), (0, 1)]


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


def times(t, digit, path):
    """t, dt, whether t goes on by whole numbers of dt, and words for what t is.

    Where a straight line through t against the number of the row, or of the frame if some were dropped, misses no t by
    more than its last digit or a hundredth of dt, that line is the time: rounded times, off by δ, would put an error of
    δ dq/dt into q. Other times stay as they are if six steps of ten are within half of the median of it.
    """
    steps = np.diff(t)
    inside = steps >= 0  # else t starts anew
    if not (steps > 0).any() or 4 * inside.sum() < 3 * len(steps):
        what = "never goes up;" if inside.all() else "descends from row to row; sort the rows by t, or"
        raise ValueError(f"{path}: t {what} {BY_NAME}")
    median = np.median(steps[inside])
    regular = inside & (steps > 0) & (abs(steps - median) <= median / 2)
    spacing = dt = steps[regular if regular.any() else inside].mean()
    for longest_gap, n_digits in LINES:
        frames = np.maximum(np.rint(steps / dt), 1) if longest_gap else np.ones_like(steps)  # from row to row
        is_cut = ~inside | (frames > max(longest_gap, 1))  # there the line starts anew
        slope, line = straight_line(t, np.cumsum([0, *frames]), np.cumsum([0, *is_cut]))
        miss = abs(line - t)
        is_coarse = longest_gap and digit.max() > 1.1 * slope  # frames of one rounded time cannot be told apart
        is_whole = not (is_cut & inside).any()
        if is_whole and not is_coarse and (miss <= np.maximum(n_digits * digit, ON_LINE * slope)).all():
            of_file = f"a straight line through the file's, which it misses by up to {miss.max():.1g} s"
            return line, slope, True, of_file if miss.max() > ON_LINE * slope else "even"
        dt = slope if longest_gap and slope > 0 else dt
    if digit.max() > spacing / 3 or regular.sum() < 0.6 * inside.sum():
        found = f"their steps have a median of {median:.3g} s and their last digit is {digit.max():.2g} s"
        raise ValueError(f"{path}: the times are neither even nor on a straight line ({found}); {BY_DT}")
    return t, spacing, False, f"as in the file, where the steps scatter by {np.std(steps[regular]) / spacing:.0%}"


def frames_of(cells, t, path):
    """The numbers of the frames, (T,), for a dt that is given, whether they are whole, and words for them.

    They follow the file's times, with their gaps and their jitter. Where its `cells` are no times, they are the numbers
    of the rows.
    """
    rows = np.arange(len(t)), True, "the number of the row times --dt"
    if not np.isfinite(t).all() or (np.diff(t) == 0).any():
        return rows
    try:
        line, spacing, is_even, _ = times(t, last_digit(cells, t), path)
    except ValueError:
        return rows
    frames = line / spacing
    return (np.rint(frames - frames[0]) if is_even else frames), is_even, "the file's, in steps of --dt"


def straight_line(t, k, piece):
    """dt and the line t_0 + dt k through t by least squares, with a t_0 for each piece and one dt for all."""
    mean_t, mean_k = ((np.bincount(piece, x) / np.bincount(piece))[piece] for x in (t - t[0], k))
    dk, from_mean = k - mean_k, t - t[0] - mean_t
    dt = dk @ from_mean / (dk @ dk)
    return dt, t[0] + mean_t + dt * dk
