"""The rows of a recording: which columns of a table are t, q and p, in which units, and what its times are."""

import itertools
import re
from dataclasses import dataclass

import numpy as np

from motion.tables import BY_DT, BY_NAME, DATE, read_table
from motion.times import frames_of, last_digit, piece_edges, times

NAMES = {
    "t": {"t", "time", "timestamp", "zeit", "tiempo", "temps", "tempo"},
    "q": {"q", "theta", "θ", "θr", "phi", "φ", "angle", "angulo", "ángulo", "winkel", "angular position"},
    "p": {"p", "omega", "ω", "momentum", "angular velocity", "winkelgeschwindigkeit", "dq/dt", "dθ/dt", "theta dot"},
}
SECONDS = dict.fromkeys(["s", "sec", "seconds", "segundos", "sekunden", "secondes"], 1.0) | {"ns": 1e-9}
SECONDS |= dict.fromkeys(["ms", "msec", "milliseconds"], 1e-3) | dict.fromkeys(["us", "μs"], 1e-6)
SECONDS |= dict.fromkeys(["min", "mins", "minutes", "minuten"], 60.0) | dict.fromkeys(["h", "hours"], 3600.0)
SMALL_UNITS = [(1e-3, "milliseconds"), (1e-6, "microseconds"), (1e-9, "nanoseconds")]
SHORTEST = 1e-4  # s: a dt that a table of a pendulum hardly has
RADIANS = {"rad": 1.0, "mrad": 1e-3}
RADIANS |= dict.fromkeys(["°", "º", "deg", "degree", "degrees", "degrés", "grados", "grad"], np.pi / 180)


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
    period: float | None = None  # of q, where it goes round
    unit: str = "rad"  # of q; "" where it is unknown


def read_rows(path, columns=None, period=None, degrees=False, dt=None):
    """The Rows in a text file. Its columns t, q, p (or t, q, or t, q, p, q, p, …) are names in its header or numbers.

    Columns are counted from 1. Where none are given the header says which they are, and without a header they stand in
    this order. With a `period` the jumps of q by it are undone. With `degrees` q is in degrees. A given dt (s) replaces
    the times. Raises FileNotFoundError or ValueError, in one sentence that names the file, where there is no such
    recording.
    """
    table = read_table(path)
    names = names_of(table)
    chosen = chosen_columns(table, names, columns, path)
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
        t = np.concatenate([dt * (frames[start:end] - frames[start]) for start, end in itertools.pairwise(edges)])
    pieces = [slice(*ends) for ends in itertools.pairwise(edges)]
    in_degrees = period is None and units[1] == "" and seem_degrees(t, values[:, 1])
    q, period = unwrapped(values[:, 1::2], pieces, period)
    p = values[:, 2::2] if len(chosen) > 2 else None
    is_angle = units[1] in ("", *RADIANS) and not in_degrees
    rows = Rows(t, q, p, dt, pieces, is_even, [], period, "rad" if is_angle else units[1])
    rows.words = summary(rows, about_t, table, chosen, names, units, path)
    rows.words += doubts(rows, units, names[chosen[1]], in_degrees)
    return rows


def unwrapped(q, pieces, period):
    """q, (T, B), without its jumps by a period in each piece, and the period, None where no q goes round."""
    if period is None:
        return q, None
    q, goes_round = q.copy(), False
    for piece, i in itertools.product(pieces, range(q.shape[1])):
        given = piece.start + np.flatnonzero(np.isfinite(q[piece, i]))
        if len(given):
            q[given, i] = np.unwrap(q[given, i], period=period)
            q[given, i] -= period * np.round(np.median(q[given, i]) / period)
            goes_round |= np.ptp(q[given, i]) > period
    return q, period if goes_round else None


def names_of(table):
    """A name for each column, "" where it has none: of the lines above the numbers, the one with most known names.

    Of several such lines it is the lowest that is none of units. A comment is such a line where it names t and q, as
    NumPy writes it. Where the line below has units, each goes with its name.
    """

    def n_known(line):
        return sum(meaning(cell)[0] is not None for cell in line)

    def is_of_units(line):
        return any(first_word(cell.strip("()[]").casefold()) in SECONDS | RADIANS for cell in line)

    width, full_width = table.values.shape[1], len(table.rows[0])
    rows = [*(row for row in table.comments if n_known(row) > 1), *table.heading]
    rows = [row for row in rows if len(row) >= width and not any(row[full_width:])]
    lines = [[cell.strip() for cell in row[:width]] for row in rows]
    best = max(range(len(lines)), key=lambda i: (n_known(lines[i]), not is_of_units(lines[i]), i), default=None)
    names, *below = [[""] * width] if best is None else lines[best:]
    if below and is_of_units(below[0]):
        units = (cell.strip("()[]") for cell in below[0])
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


def chosen_columns(table, names, asked, path):
    """The numbers of the columns t, q, p, …: those that are asked for, or by their names, or without names in order."""
    columns = [c for c, texts in enumerate(table.texts) if texts or np.isfinite(table.values[:, c]).any()]
    chosen = []
    if asked:
        chosen = [position(str(column), names, path) for column in asked]
    elif any(names):
        t, q, p = ([c for c in columns if meaning(names[c])[0] == letter] for letter in "tqp")
        if len(columns) == 2:  # then they are t and q, whatever their names
            unknown = [c for c in columns if c not in (*t, *q, *p)]
            t, q = t or unknown[:1], q or unknown[-1:]
        if len(t) == 1 and len(q) == max(len(p), 1):
            chosen = [*t, *np.ravel([q, p] if p else q, order="F")]
    else:
        chosen = [c for c in columns if not table.is_text(c) or DATE.match(table.texts[c][0])]
        if len(chosen) > 2 and is_index(table.values[:, chosen[0]]):
            is_time = np.mean(np.diff(table.values[:, chosen[1]]) > 0) > 0.8  # it may start anew here and there
            chosen = chosen[1:] if is_time else chosen
    if len(chosen) == 2 or (len(chosen) > 2 and len(chosen) % 2):
        return chosen
    if asked:
        raise ValueError(f"{path}: --columns takes T Q, or T Q P, or T Q P Q P … for several orbits with one t")
    raise ValueError(f"{path}: which of the columns {listed(columns, names)} are t, q (and p) is not clear; {BY_NAME}")


def listed(columns, names):
    return ", ".join(f"{c + 1} {named(c, names)}" if names[c] else f"{c + 1}" for c in columns[:9])


def is_index(values):
    return values[0] in (0, 1) and np.array_equal(values, values[0] + np.arange(len(values)))


def position(column, names, path):
    """The number, from 0, of a column that is given by its name or by its number from 1."""
    places = {str(c + 1): c for c in range(len(names))}
    for form in (lambda name: re.split(r"[(\[]", name.casefold())[0].strip(), str):
        places |= {form(names[c]): c for c in reversed(range(len(names))) if names[c]}  # of two the first
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
    columns = ", ".join(f"{x} is column {named(c, names)}" + unit_note(x, unit) for x, c, unit in taken)
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


def named(c, names):
    return f'"{names[c]:.40}"' if names[c] else f"{c + 1}"


def unit_note(letter, unit):
    own, units = ("s", SECONDS) if letter == "t" else ("rad", RADIANS)
    return f" (turned from {unit} into {own})" if units.get(unit, 1.0) != 1 else ""


def counted(n, what):
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def doubts(rows, units, name, in_degrees):
    """Sentences about what may be another unit, or another column, than it seems."""
    dt, asked = rows.dt, []
    if units[0] not in ("", *SECONDS):
        asked.append(f'"{units[0]:.20}" is no unit of time that is known: t is taken in seconds. Else --dt.')
    if units[1] not in ("", *RADIANS):
        asked.append(f'q stays in "{units[1]:.20}".')
    if dt >= 1 and units[0] not in SECONDS:
        size, unit = next(row for row in SMALL_UNITS if dt * row[0] < 1 or row is SMALL_UNITS[-1])
        what = f"dt = {dt:.6g} s from row to row: is t in {unit}, or does it count frames?"
        asked.append(f"{what} Then --dt {dt * size:.3g}, or the seconds from frame to frame.")
    if dt < SHORTEST:
        asked.append(f"dt = {dt:.2g} s from row to row is very short: is t right? Else --dt, in seconds.")
    if in_degrees:
        asked.append(f"q goes up to {np.nanmax(abs(rows.q[:, 0])):.3g}: are these degrees? Then --degrees.")
    if "/s" in name.replace(" ", ""):
        asked.append(f'Is "{name:.40}" an angle, or an angular velocity, as its unit says? Then {BY_NAME}.')
    if rows.p is not None and not is_slope(rows.t, rows.q, rows.p, dt):
        asked.append(f"Is p right? It is not dq/dt up to a factor. If it is not, {BY_NAME}.")
    return asked


def seem_degrees(t, q):
    """Whether q, (T,), goes beyond two turns of radians, but not round and round."""
    seen = np.isfinite(q)
    return (abs(q[seen]) > 4 * np.pi).any() and abs(np.corrcoef(t[seen], q[seen])[0, 1]) < 0.995


def is_slope(t, q, p, dt):
    """Whether p is dq/dt up to a factor: differences of q over a few rows (more, the noisier) are parallel to it."""
    for h in 2 ** np.arange(int(np.log2(len(t) / 4 + 1))):  # rows before and after
        dq, middle, span = q[2 * h :] - q[: -2 * h], p[h:-h], t[2 * h :] - t[: -2 * h]
        use = ((span > 0) & (span < 3 * h * dt))[:, None] & np.isfinite(dq + middle)  # over no gap
        cosine = dq[use] @ middle[use] / max(np.linalg.norm(dq[use]) * np.linalg.norm(middle[use]), 1e-300)
        if abs(cosine) > 0.9:
            return cosine > 0
    return False
