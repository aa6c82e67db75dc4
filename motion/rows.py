"""The rows of a recording: which columns of a table are t, q and p, in which units, and what its times are."""

import re
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from motion.tables import BY_DT, BY_NAME, DATE, read_table
from motion.times import frames_of, last_digit, piece_edges, times
from pendulum_nonlinear import wrap_angle

NAMES = {
    "t": {"t", "time", "zeit", "tiempo", "temps", "tempo"},
    "q": {"q", "theta", "θ", "phi", "φ", "angle", "angulo", "ángulo", "winkel", "angular position"},
    "p": {"p", "omega", "ω", "momentum", "angular velocity", "winkelgeschwindigkeit", "dq/dt", "dθ/dt", "theta dot"},
}
SECONDS = dict.fromkeys(["s", "sec", "seconds", "segundos", "sekunden"], 1.0) | {"min": 60.0, "h": 3600.0, "ns": 1e-9}
SECONDS |= dict.fromkeys(["ms", "msec", "milliseconds"], 1e-3) | dict.fromkeys(["us", "μs"], 1e-6)
RADIANS = {"rad": 1.0, "mrad": 1e-3} | dict.fromkeys(["°", "º", "deg", "degree", "degrees", "grados"], np.pi / 180)


@dataclass
class Rows:
    """A recording of B orbits as its file has it."""

    t: np.ndarray  # (T,), s, increasing within each piece
    q: np.ndarray  # (T, B), rad or the file's unit; NaN where it is missing
    p: np.ndarray | None  # (T, B), or None where it is not recorded
    dt: float  # s, from row to row
    pieces: list  # of slices; t starts anew after each of them
    is_even: bool  # whether t, within a piece, goes on by whole numbers of dt
    words: list  # of sentences that say what was found
    unit: str = "rad"  # of q, "" where the file does not say what else it is


def read_rows(path, columns=None, period=None, degrees=False, dt=None):
    """The Rows in a text file. Its columns t, q, p (or t, q, or t, q, p, q, p, …) are names in its header or numbers.

    Columns are counted from 1. Where none are given the header says which they are, and without a header they stand in
    this order. With `degrees` q is in degrees. A given dt (s) replaces the times. Raises FileNotFoundError or
    ValueError, in one sentence that names the file, where there is no such recording.
    """
    table = read_table(path)
    names = names_of(table)
    chosen = choose(table, names, columns, path)
    check_numbers(table, chosen if dt is None else chosen[1:], path)
    units = [meaning(names[c])[1] for c in chosen]
    if degrees:
        units[1::2] = ["degrees"] * len(units[1::2])
    factors = [SECONDS.get(units[0], 1.0), *(RADIANS.get(unit, 1.0) for unit in units[1:])]
    values = table.values[:, chosen] * factors  # (T, 1 + 2 B), or (T, 2)
    if dt is None:
        kept = np.flatnonzero(np.isfinite(values[:, 0]))
        digit = last_digit([table.rows[i][chosen[0]] for i in kept], table.values[kept, chosen[0]]) * factors[0]
        t, dt, is_even, about_t = times(values[kept, 0], digit, path)
        is_later = np.diff(t, prepend=-np.inf) != 0
        t, values = t[is_later], values[kept[is_later]]
        edges = piece_edges(t)
    else:
        edges = piece_edges(values[:, 0])
        frames, is_even, about_t = frames_of([row[chosen[0]] for row in table.rows], table.values[:, chosen[0]], path)
        t = np.concatenate([dt * (frames[start:end] - frames[start]) for start, end in pairwise(edges)])
    pieces = [slice(*ends) for ends in pairwise(edges)]
    p = values[:, 2::2] if len(chosen) > 2 else None
    unit = "rad" if units[1] in RADIANS or units[1] == "" else units[1]
    rows = Rows(t, values[:, 1::2], p, dt, pieces, is_even, [], unit)
    rows.words = [*summary(rows, about_t, table, chosen, names, units, path), *doubts(rows, units, period)]
    return rows


def names_of(table):
    """A name for each column, "" where it has none: of the lines above the numbers, the one with most known names.

    A comment is such a line where it names t and q, as NumPy writes it. Where the line below has units, each goes with
    its name.
    """

    def n_known(line):
        return sum(meaning(cell)[0] is not None for cell in line)

    width, full_width = table.values.shape[1], len(table.rows[0])
    rows = [*(row for row in table.comments if n_known(row) > 1), *table.heading]
    rows = [row for row in rows if len(row) >= width and not any(row[full_width:])]
    lines = [[cell.strip() for cell in row[:width]] for row in rows]
    names, *below = lines[lines.index(max(lines, key=n_known)) :] if lines else [[""] * width]
    units = [cell.strip("()[]") for cell in below[0]] if below else []
    if any(first_word(unit.casefold()) in SECONDS | RADIANS for unit in units):
        return [f"{name} ({unit})" if unit else name for name, unit in zip(names, units, strict=True)]
    return names


def meaning(cell):
    """What a cell of a header, as "Angle (°)", "q_1 / rad" or "Run 1: time_ms", names: t, q, p or None; its unit."""
    cell = cell.casefold().replace("_", " ")
    name, unit = re.fullmatch(r"(?:.*:)?\s*(.*?)\s*(?:[(\[](.*?)[)\]].*)?", cell).groups(default="")
    bare, _, last = name.rpartition(" ")
    if bare and first_word(last) in SECONDS | RADIANS:
        name, unit = bare.rstrip("/ "), last
    for what, its_unit in [(name, unit), name.partition("/")[::2]]:
        for letter, known in NAMES.items():
            if re.sub(r"\s*\d+$", "", what.strip()) in known:
                return letter, first_word(its_unit)
    return None, first_word(unit)


def first_word(unit):
    """The deg of deg/s, which is the unit of the angle."""
    return re.split(r"[\s/.]", unit.strip())[0]


def choose(table, names, asked, path):
    """The numbers of the columns t, q, p, …: those that are asked for, or by their names, or without names in order."""
    columns = [c for c, texts in enumerate(table.texts) if texts or np.isfinite(table.values[:, c]).any()]
    chosen = []
    if asked:
        chosen = [position(str(column), names, path) for column in asked]
    elif any(names):
        t, q, p = ([c for c in columns if meaning(names[c])[0] == letter] for letter in "tqp")
        if len(t) == 1 and len(q) == max(len(p), 1):
            chosen = [*t, *np.ravel([q, p] if p else q, order="F")]
    else:
        chosen = [c for c in columns if not table.is_text(c) or DATE.match(table.texts[c][0])]
        if len(chosen) > 2 and is_index(table.values[:, chosen[0]]):
            is_time = np.mean(np.diff(table.values[:, chosen[1]]) > 0) > 0.8  # it may start anew here and there
            chosen = chosen[1:] if is_time else chosen
    if len(chosen) == 2 or (len(chosen) > 2 and len(chosen) % 2):
        return chosen
    raise ValueError(f"{path}: which of the columns {listed(columns, names)} are t, q (and p) is not clear; {BY_NAME}")


def listed(columns, names):
    return ", ".join(f'"{names[c]:.30}"' if names[c] else f"{c + 1}" for c in columns[:9])


def is_index(values):
    return values[0] in (0, 1) and np.array_equal(values, values[0] + np.arange(len(values)))


def position(column, names, path):
    """The number, from 0, of a column that is given by its name or by its number from 1."""
    places = {str(c + 1): c for c in range(len(names))}
    for form in (lambda name: re.split(r"[(\[]", name.casefold())[0].strip(), str):
        places |= {form(name): c for c, name in enumerate(names) if name}
    place = places.get(column, places.get(column.casefold()))
    if place is None:
        raise ValueError(f'{path} has no column "{column:.30}", but {listed(range(len(names)), names)}; {BY_NAME}')
    return place


def check_numbers(table, columns, path):
    for column in filter(table.is_text, columns):
        cell = table.texts[column][0]
        cure = f"write the time in seconds, or {BY_DT}" if DATE.match(cell) else BY_NAME
        raise ValueError(f'{path}: "{cell:.60}" in column {column + 1} is no number; {cure}')


def summary(rows, about_t, table, chosen, names, units, path):
    """Sentences that say which columns were taken for what, what the times are, and what is missing."""
    taken = zip(["t", "q", "p", "q"], chosen, units, strict=False)
    columns = ", ".join(f"{x} is column {listed([c], names)}" + unit_note(x, unit) for x, c, unit in taken)
    n_gaps = sum((np.diff(rows.t[piece]) > 1.5 * rows.dt).sum() for piece in rows.pieces)
    n_missing = len(table.rows) - np.isfinite(rows.q + (0 if rows.p is None else rows.p)).all(axis=1).sum()
    texts = [text for column in chosen for text in table.texts[column]]
    return [
        f"{path}: {counted(len(table.rows), 'row')}; {columns}{', …' * (len(chosen) > 4)}.",
        f"dt = {rows.dt:.6g} s, with {counted(n_gaps, 'gap')} and {counted(len(rows.pieces) - 1, 'restart')} of t; "
        f"t is {about_t}.",
        *[f"A number is missing, or t stands still, in {counted(n_missing, 'row')}."] * bool(n_missing),
        *[f'"{text:.60}" is no number.' for text in texts[:1]],
    ]


def unit_note(letter, unit):
    own, units = ("s", SECONDS) if letter == "t" else ("rad", RADIANS)
    return f" (turned from {unit} into {own})" if units.get(unit, 1.0) != 1 else ""


def counted(n, what):
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def doubts(rows, units, period):
    """Sentences about what may be another unit, or another column, than it seems."""
    t, q, dt = rows.t, rows.q[:, 0], rows.dt
    seen, asked = np.isfinite(q), []
    if dt >= 1 and units[0] not in SECONDS:
        what = f"dt = {dt:.6g} s from row to row: is t in milliseconds, or does it count frames?"
        unit = next(unit for unit in (1e-3, 1e-6, 1e-9) if dt * unit < 1 or unit == 1e-9)
        asked.append(f"{what} Then --dt {dt * unit:.3g}, or the seconds from frame to frame.")
    is_far = period is None and units[1] == "" and (abs(q[seen]) > 4 * np.pi).any()
    if is_far and abs(np.corrcoef(t[seen], q[seen])[0, 1]) < 0.995:  # else it goes round and round
        asked.append(f"q goes up to {abs(q[seen]).max():.3g}: are these degrees? Then --degrees.")
        rows.unit = ""
    if rows.p is not None and not is_slope(rows, period):
        asked.append(f"Is p right? It is not dq/dt up to a factor. If it is not, {BY_NAME}.")
    return asked


def is_slope(rows, period):
    """Whether p is dq/dt up to a factor: differences of q over a few rows (more, the noisier) are parallel to it."""
    for h in 2 ** np.arange(int(np.log2(len(rows.t) / 4 + 1))):  # rows before and after
        dq, p = wrap_angle(rows.q[2 * h :] - rows.q[: -2 * h], period), rows.p[h:-h]
        span = rows.t[2 * h :] - rows.t[: -2 * h]
        use = ((span > 0) & (span < 3 * h * rows.dt))[:, None] & np.isfinite(dq + p)  # over no gap
        cosine = dq[use] @ p[use] / max(np.linalg.norm(dq[use]) * np.linalg.norm(p[use]), 1e-300)
        if abs(cosine) > 0.9:
            return cosine > 0
    return False
