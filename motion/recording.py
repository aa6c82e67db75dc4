"""A recording: the angle q of one pendulum at times t, from a file or from arrays."""

import itertools
import math

import numpy as np

from motion.columns import RADIANS, SECONDS, check_numbers, chosen_columns, meaning, named, names_of
from motion.guess import FEW, longest, quarter_period, window_and_noise
from motion.tables import BY_DT, BY_NAME, read_table
from motion.times import check_times, last_digit, piece_edges, straight_times, times_by_dt
from support.inputs import as_float64, check_positive

SMALL_UNITS = [(1e-3, "milliseconds"), (1e-6, "microseconds"), (1e-9, "nanoseconds")]
AS_IN_FILE = "as in the file"
SHORTEST = 1e-4  # s: a dt that a table of a pendulum hardly has
GAP, FEW_GAPS = 1.5, 0.1  # of dt: a longer step is a gap, where such steps are few
FAR_OUT = 2  # times as far from the median as all other rows


class Recording:
    """Times t (s) and an angle q (rad), (T,) each, or lists of such arrays for several records of one pendulum.

    The times of a record may not go down, but need not be even. A row that is not finite is missing, and so is one far
    outside all others. The period of an angle that goes round is its `turn`: jumps by it are undone. Raises ValueError
    for what is no recording.

    pieces        a list of (t, q), without the rows that are missing
    turn, unit    of q: None where it does not go round; "rad", or what a file says
    far_out       how many rows are left out because they are far outside
    dt            the mean time from row to row (s)
    words         sentences that say what was found in a file
    """

    def __init__(self, t, q, turn=None):
        self.turn = turn if turn is None else check_positive("the turn", turn)
        is_list = isinstance(t, list | tuple) and len(t) > 0 and np.ndim(t[0]) > 0
        if is_list and len(t) != len(q):
            raise ValueError(f"t and q must be lists of as many records, not of {len(t)} and {len(q)}")
        self.pieces, self.far_out = [], 0
        for record in zip(t, q, strict=True) if is_list else [(t, q)]:
            self.pieces.append(self.piece(*record))
        self.dt = sum(t[-1] - t[0] for t, _ in self.pieces) / sum(len(t) - 1 for t, _ in self.pieces)
        self.unit, self.words = "rad", []

    def piece(self, t, q):
        """One record, (T,) each, once it has been checked."""
        t, q = as_float64("t", t), as_float64("q", q)
        if t.ndim != 1 or t.shape != q.shape:
            raise ValueError(f"t and q must both have the shape (T,), not {t.shape} and {q.shape}")
        t, q = t[np.isfinite(t + q)], q[np.isfinite(t + q)]
        if len(t) < 2 or t[0] == t[-1]:
            raise ValueError(f"a record must have two rows or more, at different times, not {len(t)}")
        if (np.diff(t) < 0).any():
            raise ValueError("t goes down within a record; sort its rows, or give a list of records")
        if self.turn is None:
            stray = is_far_out(q)
            self.far_out += int(stray.sum())
            t, q = t[~stray], q[~stray]
        else:
            q, near = np.unwrap(q, period=self.turn), np.median(self.pieces[0][1]) if self.pieces else 0.0
            q = q - self.turn * np.round((np.median(q) - near) / self.turn)  # all records in one turn
        return t, q


def is_far_out(q):
    """Which rows, (T,), are far outside all others, as the 9999 that a program writes where it has lost its mark."""
    distance = abs(q - np.median(q))
    largest = np.sort(distance)[-math.ceil(FEW * len(q)) - 1 :]
    (k,) = np.nonzero((largest[:-1] > 0) & (largest[1:] > FAR_OUT * largest[:-1]))
    return distance > (largest[k[0]] if len(k) else math.inf)


def read_recording(path, columns=None, turn=None, degrees=False, dt=None):
    """The Recording in a text file, whose columns t and q are names in its header or numbers from 1.

    Where none are given the header says which they are; without a header they are the only two. With a `turn`, q is an
    angle that goes round. With `degrees` q is in degrees. A given dt (s) replaces the times. Raises FileNotFoundError
    or ValueError, in one sentence that names the file, where there is no such recording.
    """
    table = read_table(path)
    names = names_of(table)
    chosen = chosen_columns(table, names, columns, path)
    check_numbers(table, chosen if dt is None else chosen[1:], path)
    units = [meaning(names[c])[1] for c in chosen]
    units[1] = "degrees" if degrees else units[1]
    second, q = SECONDS.get(units[0], 1.0), table.values[:, chosen[1]] * RADIANS.get(units[1], 1.0)
    cells, t = [row[chosen[0]] for row in table.rows], table.values[:, chosen[0]]
    if dt is None:
        given = np.isfinite(t)
        t, q, cells = second * t[given], q[given], list(itertools.compress(cells, given))
        check_times(t, path)
        edges, (t, dt, about_t) = piece_edges(t), times_of_file(t, q, second * last_digit(cells, t / second), path)
    else:
        t, edges, about_t = times_by_dt(cells, t, dt)
    parts = [slice(*ends) for ends in itertools.pairwise(edges)]
    parts = [part for part in parts if len(np.unique(t[part][np.isfinite(q[part])])) > 1]
    if not parts:
        raise ValueError(f"{path} has no two rows of numbers in the column of q; {BY_NAME}")
    if turn is not None:  # it may be said in the unit of the file
        in_rad = turn * RADIANS.get(units[1], 1.0)
        turn = in_rad if abs(in_rad - 2 * np.pi) < abs(turn - 2 * np.pi) else turn
    recording = Recording([t[part] for part in parts], [q[part] for part in parts], turn)
    recording.dt, recording.unit = float(dt), "rad" if units[1] in ("", *RADIANS) else units[1]
    if turn is not None and units[1] == "" and not np.isclose(turn, 2 * np.pi, rtol=1e-3):
        recording.unit = ""  # it is not known of how many the turn is
    missing = len(table.rows) - int(np.isfinite(q).sum())
    t_is, q_is = (is_column(x, named(c, names), unit) for x, c, unit in zip("tq", chosen, units, strict=True))
    recording.words = [f"{path}: {counted(len(table.rows), 'row')}; {t_is}, {q_is}.", about(recording, about_t)]
    if missing:
        recording.words.append(f"A number is missing in {counted(missing, 'row')}.")
    odd = [text for c in chosen if not table.is_text(c) for text in table.texts[c]]
    if odd:
        recording.words.append(f'"{odd[0]:.60}" is no number.')
    recording.words += unused(names, chosen)
    recording.words += doubts(recording, units, names[chosen[1]], is_even=about_t != AS_IN_FILE)
    return recording


def times_of_file(t, q, digit, path):
    """(t, dt, words): the straight line through the times where they were rounded from it, else the times as they are.

    Rows that lie closer to smooth curves at the times as they are were taken then, as two that have one stamp may be.
    Raises ValueError where there is no line and most rows share their time with another.
    """
    line, dt, is_on_line = straight_times(t, digit)
    miss = abs(line - t).max()
    if is_on_line and miss <= dt / 100:
        return line, dt, "even"
    if is_on_line and scatter(line, q) <= scatter(t, q):
        return line, dt, f"a straight line through the file's, which it misses by up to {miss:.1g} s"
    if 4 * (np.diff(t) == 0).sum() > 3 * len(t):
        raise ValueError(f"{path}: most rows have the time of the row before them; {BY_DT}")
    return t, dt, AS_IN_FILE


def scatter(t, q):
    """The noise of the rows about polynomials; infinite where there are too few."""
    part = slice(*max(itertools.pairwise(piece_edges(t)), key=lambda ends: ends[1] - ends[0]))
    t, q = t[part], q[part]
    t, q = t[np.isfinite(q)], q[np.isfinite(q)]
    quarter = quarter_period(t, q) if len(t) > 20 else np.nan
    return window_and_noise([(t, q)], quarter)[1] if quarter > 0 else np.inf


def about(recording, about_t):
    """A sentence about the times."""
    steps = np.concatenate([np.diff(t) for t, _ in recording.pieces])
    gaps, restarts = (steps > GAP * recording.dt).sum(), len(recording.pieces) - 1
    if gaps > FEW_GAPS * len(steps):  # the rows are events
        return f"t is {about_t}, {recording.dt:.3g} s from row to row on average, with {counted(restarts, 'restart')}."
    have = f"{counted(gaps, 'gap')} and {counted(restarts, 'restart')}"
    return f"dt = {recording.dt:.6g} s, with {have} of t; t is {about_t}."


def unused(names, chosen):
    """A sentence about a column of speeds."""
    speeds = [named(c, names) for c, name in enumerate(names) if c not in chosen and meaning(name)[0] == "v"]
    return [f"Column {speeds[0]} is not used: v is that of the motion which fits the angles."] if speeds else []


def doubts(recording, units, name, is_even):
    """Sentences about what may be another unit, or another column, than it seems."""
    dt, asked = recording.dt, []
    if units[0] not in ("", *SECONDS):
        asked.append(f'"{units[0]:.20}" is no unit of time that is known: t is taken in seconds. Else --dt.')
    if units[1] not in ("", *RADIANS):
        asked.append(f'q stays in "{units[1]:.20}".')
    if dt >= 1 and units[0] not in SECONDS:
        size, unit = next(row for row in SMALL_UNITS if dt * row[0] < 1 or row is SMALL_UNITS[-1])
        what = f"dt = {dt:.6g} s from row to row: is t in {unit}, or does it count frames?"
        cure = (
            f"--dt {dt * size:.3g}, or the seconds from frame to frame" if is_even else "write the unit into the header"
        )
        asked.append(f"{what} Then {cure}.")
    if dt < SHORTEST:
        asked.append(f"dt = {dt:.2g} s from row to row is very short: is t right? Else --dt, in seconds.")
    t, q = longest(recording.pieces)
    goes_on = abs(np.corrcoef(t, q)[0, 1]) > 0.995 if np.ptp(q) else False  # round and round
    if recording.turn is None and units[1] == "" and np.ptp(q) > 2 * np.pi and not goes_on:
        recording.unit = ""
        asked.append(f"q goes up to {abs(q).max():.3g}: are these degrees? Then --degrees.")
    if "/s" in name.replace(" ", ""):
        asked.append(f'Is "{name:.40}" an angle, or an angular velocity, as its unit says? Then {BY_NAME}.')
    return asked


def is_column(letter, name, unit):
    own, known = ("s", SECONDS) if letter == "t" else ("rad", RADIANS)
    turned = f" (turned from {unit} into {own})" if known.get(unit, 1.0) != 1 else ""
    return f"{letter} is column {name}{turned}"


def counted(n, what):
    return f"{n:,} {what}{'' if n == 1 else 's'}"
