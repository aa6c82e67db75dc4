"""Recorded motion from a file: a table of times and states, or of times and positions alone."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pendulum_nonlinear import wrap_angle

EVEN = 0.01  # of dt: how far a time step may be from it
HALF, DEGREE = 4, 4  # a window of nine rows, HALF before and after, and the degree of the polynomial through it
MISSING = {"", "nan", "na", "none", "null"}


@dataclass
class Record:
    """q and p, (T, B), of B orbits in steps of dt (s); a row of NaN ends a piece. The summary says what was found."""

    q: np.ndarray
    p: np.ndarray
    dt: float
    summary: str


def read_record(path, period=None):
    """The Record in a text file: columns t, q, p, or t, q_1, p_1, q_2, p_2, …, or t, q; with a header or without.

    Commas, semicolons, tabs or blanks stand between the columns; what follows a # is a comment. A gap in the times, or
    their restart, ends a piece. Where p is not recorded, it is dq/dt, by local_polynomial. Raises FileNotFoundError or
    ValueError, in one sentence that names the file, where there is no such record.
    """
    rows = read_rows(Path(path))
    t, states = rows[:, 0], rows[:, 1:]
    dt, ends = time_step(t, path)
    has_p = states.shape[1] > 1
    if has_p and states.shape[1] % 2:
        columns = "the columns t, q, p (or t, q_1, p_1, q_2, p_2, … or t, q)"
        raise ValueError(f"{path} must have {columns}, not {rows.shape[1]} columns")
    q, p = (states[:, ::2], states[:, 1::2]) if has_p else local_polynomial(states, ends, dt, period)
    q, p = (np.insert(values, ends + 1, np.nan, axis=0) for values in (q, p))
    restarts = int((t[ends + 1] <= t[ends]).sum())
    n_pairs = int(np.isfinite(q[1:] - q[:-1] + p[1:] - p[:-1]).sum())
    summary = (
        f"{path}: {counted(q.shape[1] * (len(ends) + 1), 'record')} with {counted(n_pairs, 'pair')} of states "
        f"dt = {dt:.6g} s apart ({counted(len(ends) - restarts, 'gap')}, {counted(restarts, 'restart')} of t)"
    )
    if not has_p:
        summary += f"; there is no column p: p is dq/dt, of a polynomial through {2 * HALF + 1} rows"
    return Record(q, p, dt, summary)


def counted(n, what):
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def read_rows(path):
    """The numbers of the file, (rows, columns), what is missing as NaN."""
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}; name a table with the columns t, q, p")
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not a text file; name a table with the columns t, q, p") from None
    rows = []
    for number, line in enumerate(lines, start=1):
        cells = split_cells(re.split("[#%]", line)[0].strip())
        if not cells:
            continue
        try:
            row = [np.nan if cell.lower() in MISSING else float(cell) for cell in cells]
        except ValueError:
            if rows:
                raise ValueError(f"{path}, line {number}: {line.strip():.60} is no row of numbers") from None
            continue  # a header
        if rows and len(row) != len(rows[0]):
            raise ValueError(f"{path}, line {number}: {counted(len(row), 'number')}, where {len(rows[0])} are expected")
        rows.append(row)
    if len(rows) < 2 or len(rows[0]) < 2:
        raise ValueError(f"{path} has no rows of numbers; it must have the columns t, q, p, and two rows or more")
    return np.array(rows)


def split_cells(line):
    """The cells of a line. Beside semicolons and tabs, a comma is a decimal point."""
    for separator in ";\t":
        if separator in line:
            return [cell.strip() for cell in line.replace(",", ".").split(separator)]
    return [cell.strip() for cell in line.split(",")] if "," in line else line.split()


def time_step(t, path):
    """dt, and the numbers of the rows after which a piece ends: the next one is not dt later."""
    steps = np.diff(t)
    dt = np.median(steps)
    if not dt > 0:
        raise ValueError(f"{path}: t does not increase from row to row; sort the rows by t, the first column")
    is_even = abs(steps - dt) <= EVEN * dt
    if is_even.mean() < 0.5:
        raise ValueError(
            f"{path}: the times are not equally spaced: {is_even.sum():,} of {len(steps):,} steps are within 1 % of "
            f"their median, {dt:.6g} s; resample the record"
        )
    return steps[is_even].mean(), np.flatnonzero(~is_even)


def local_polynomial(q, ends, dt, period=None):
    """q smoothed, and p = dq/dt, (T, 1) each, by the least-squares polynomial through nine rows around each row.

    (Savitzky & Golay 1964.) Rows that do not have four on either side in their piece are NaN.
    """
    steps = wrap_angle(np.diff(q[:, 0]), period)
    steps[ends] = np.nan  # so that no window reaches over the end of a piece
    k = np.arange(-HALF, HALF + 1)
    of_value, of_slope = np.linalg.pinv(np.vander(k, DEGREE + 1, increasing=True))[:2]  # (9,) each
    smooth, slope = np.full_like(q, np.nan), np.full_like(q, np.nan)
    if len(steps) >= 2 * HALF:
        windows = np.lib.stride_tricks.sliding_window_view(steps, 2 * HALF)  # (T − 8, 8)
        path = np.insert(np.cumsum(windows, axis=1), 0, 0, axis=1)  # from the first row of the window, (T − 8, 9)
        path -= path[:, [HALF]]
        smooth[HALF:-HALF, 0] = q[HALF:-HALF, 0] + path @ of_value
        slope[HALF:-HALF, 0] = path @ of_slope / dt
    return smooth, slope
