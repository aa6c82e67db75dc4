"""A recording: the angle q at times t, in pieces within which t goes up, from a file or from arrays."""

import itertools

import numpy as np

from motion.columns import (
    RADIANS,
    SECONDS,
    check_numbers,
    chosen_columns,
    meaning,
    named,
    names_of,
)
from motion.guess import quarter_period, window_and_noise
from motion.tables import BY_NAME, read_table
from motion.times import check_times, last_digit, piece_edges, straight_times, times_by_dt
from support.inputs import as_float64, check_positive

SMALL_UNITS = [(1e-3, "milliseconds"), (1e-6, "microseconds"), (1e-9, "nanoseconds")]
SHORTEST = 1e-4  # s: a dt that a table of a pendulum hardly has
GAP = 1.5  # of dt: a longer step is a gap


class Recording:
    """Times t (s) and an angle q (rad), (T,) each, of one pendulum, or lists of such arrays for several records of it.

    The times of a record may not go down, but need not be even. A row that is not finite is missing. Of an angle that
    goes round, `turn` is the period: jumps by it are undone. Raises ValueError for what is no recording.

    pieces        a list of (t, q), rows that are missing left out
    turn, unit        of q; None where q is no angle that goes round, "rad" or what a file says
    dt        the mean time from row to row (s)
    words        sentences that say what was found in a file
    """

    def __init__(self, t, q, turn=None):
        self.turn = turn if turn is None else check_positive("the turn", turn)
        is_list = isinstance(t, list | tuple) and len(t) > 0 and np.ndim(t[0]) > 0
        records = list(zip(t, q, strict=True)) if is_list and len(t) == len(q) else [(t, q)]
        self.pieces, self.unit, self.words = [self.piece(*record) for record in records], "rad", []
        self.dt = sum(t[-1] - t[0] for t, _ in self.pieces) / sum(len(t) - 1 for t, _ in self.pieces)

    def piece(self, t, q):
        """One record, checked."""
        t, q = as_float64("t", t), as_float64("q", q)
        if t.ndim != 1 or t.shape != q.shape:
            raise ValueError(f"t and q must both have the shape (T,), not {t.shape} and {q.shape}")
        given = np.isfinite(t) & np.isfinite(q)
        t, q = t[given], q[given]
        if len(t) < 2 or t[0] == t[-1]:
            raise ValueError(f"a record must have two rows or more at different times, not {len(t)}")
        if (np.diff(t) < 0).any():
            raise ValueError("t goes down within a record; sort its rows, or give a list of records")
        if self.turn is not None:
            q = np.unwrap(q, period=self.turn)
            q = q - self.turn * np.round(np.median(q) / self.turn)
        return t, q

    @property
    def end(self):
        """The time (s) of the last row."""
        return self.pieces[-1][0][-1]


def read_recording(path, columns=None, turn=None, degrees=False, dt=None):
    """The Recording in a text file, whose columns t and q are names in its header or numbers from 1.

    Where none are given the header says which they are; without a header they are the only two. With a `turn`, q is an
    angle that goes round. With `degrees` q is in degrees. A given dt (s) replaces the times. Raises FileNotFoundError or
    ValueError, in one sentence that names the file, where there is no such recording.
    """
    table = read_table(path)
    names = names_of(table)
    chosen = chosen_columns(table, names, columns, path)
    check_numbers(table, chosen if dt is None else chosen[1:], path)
    of_t, of_q = (meaning(names[c])[1] for c in chosen)
    of_q = "degrees" if degrees else of_q
    cells = [row[chosen[0]] for row in table.rows]
    t, q = table.values[:, chosen[0]] * SECONDS.get(of_t, 1.0), table.values[:, chosen[1]] * RADIANS.get(of_q, 1.0)
    n_missing = int((~np.isfinite(t) | ~np.isfinite(q)).sum()) if dt is None else int((~np.isfinite(q)).sum())
    if dt is None:
        kept = np.isfinite(t)
        t, q, cells = t[kept], q[kept], list(itertools.compress(cells, kept))
        check_times(t, path)
        line, spacing, is_on_line = straight_times(
            t, last_digit(cells, t / SECONDS.get(of_t, 1.0)) * SECONDS.get(of_t, 1.0)
        )
        miss = abs(line - t).max()
        is_taken = is_on_line and (miss <= spacing / 100 or is_smoother(line, t, q))
        words = "even" if is_taken else "as in the file"
        if is_taken and miss > spacing / 100:
            words = f"a straight line through the file's, which it misses by up to {miss:.1g} s"
        edges, t = piece_edges(t), line if is_taken else t
    else:
        edges, spacing = piece_edges(t[np.isfinite(t)]) if np.isfinite(t).all() else [0, len(t)], dt
        t, follows = times_by_dt(cells, t, dt)
        words = "the file's, in steps of --dt" if follows else "the number of the row times --dt"
        edges = edges if follows else [0, len(t)]
    parts = [slice(*ends) for ends in itertools.pairwise(edges) if np.isfinite(q[slice(*ends)]).sum() > 1]
    if not parts:
        raise ValueError(f"{path} has no two rows of numbers in the column of q; {BY_NAME}")
    recording = Recording([t[part] for part in parts], [q[part] for part in parts], turn)
    recording.dt = float(spacing)
    recording.unit = "rad" if of_q in ("", *RADIANS) else of_q
    missing = {
        "rows": len(table.rows),
        "missing": n_missing,
        "texts": [x for c in chosen[dt is not None :] for x in table.texts[c]],
    }
    recording.words = words_of(recording, path, words, missing, chosen, names, (of_t, of_q))
    return recording


def is_smoother(line, t, q):
    """Whether the rows lie closer to smooth curves on a straight line through their times than at the times."""
    edges = piece_edges(t)
    longest = max((slice(*ends) for ends in itertools.pairwise(edges)), key=lambda part: part.stop - part.start)
    noises = []
    for times in (line[longest], t[longest]):
        given = np.isfinite(q[longest])
        rows = times[given], q[longest][given]
        quarter = quarter_period(*rows) if given.sum() > 20 else np.nan
        if not np.isfinite(quarter):
            return True
        noises.append(window_and_noise([rows], quarter)[1])
    return noises[0] <= noises[1]


def words_of(recording, path, about_t, found, chosen, names, units):
    """Sentences that say which columns were taken for what, what the times are, and what may be another unit."""
    (of_t, of_q), dt = units, recording.dt
    taken = [
        f"{x} is column {named(c, names)}{turned(x, unit)}" for x, c, unit in zip("tq", chosen, units, strict=True)
    ]
    gaps = sum((np.diff(t) > GAP * dt).sum() for t, _ in recording.pieces)
    words = [
        f"{path}: {counted(found['rows'], 'row')}; {', '.join(taken)}.",
        f"dt = {dt:.6g} s, with {counted(gaps, 'gap')} and {counted(len(recording.pieces) - 1, 'restart')} of t; t is "
        f"{about_t}.",
    ]
    others = [c for c, name in enumerate(names) if c not in chosen and meaning(name)[0] == "v"]
    if others:
        words.append(
            f"Column {named(others[0], names)} is not used: the speed is that of the motion through the angles."
        )
    if found["missing"]:
        words.append(f"A number is missing in {counted(found['missing'], 'row')}.")
    words += [f'"{text:.60}" is no number.' for text in found["texts"][:1]]
    if of_t not in ("", *SECONDS):
        words.append(f'"{of_t:.20}" is no unit of time that is known: t is taken in seconds. Else --dt.')
    if of_q not in ("", *RADIANS):
        words.append(f'q stays in "{of_q:.20}".')
    if dt >= 1 and of_t not in SECONDS:
        size, unit = next(row for row in SMALL_UNITS if dt * row[0] < 1 or row is SMALL_UNITS[-1])
        what = f"dt = {dt:.6g} s from row to row: is t in {unit}, or does it count frames?"
        words.append(f"{what} Then --dt {dt * size:.3g}, or the seconds from frame to frame.")
    if dt < SHORTEST:
        words.append(f"dt = {dt:.2g} s from row to row is very short: is t right? Else --dt, in seconds.")
    if recording.turn is None and of_q == "" and seem_degrees(recording):
        recording.unit = ""
        greatest = max(abs(q).max() for _, q in recording.pieces)
        words.append(f"q goes up to {greatest:.3g}: are these degrees? Then --degrees.")
    if "/s" in names[chosen[1]].replace(" ", ""):
        name = names[chosen[1]]
        words.append(f'Is "{name:.40}" an angle, or an angular velocity, as its unit says? Then {BY_NAME}.')
    return words


def turned(letter, unit):
    own, units = ("s", SECONDS) if letter == "t" else ("rad", RADIANS)
    return f" (turned from {unit} into {own})" if units.get(unit, 1.0) != 1 else ""


def counted(n, what):
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def seem_degrees(recording):
    """Whether q goes beyond two turns of radians, but not round and round."""
    t, q = max(recording.pieces, key=lambda piece: len(piece[0]))
    return (abs(q) > 4 * np.pi).any() and abs(np.corrcoef(t, q)[0, 1]) < 0.995
