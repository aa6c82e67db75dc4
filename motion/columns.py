"""Which columns of a table are t and q, and in which units, by the names in its header or as a person says."""

import re

import numpy as np

from motion.tables import BY_DT, BY_NAME, DATE

NAMES = {
    "t": {"t", "time", "timestamp", "zeit", "tiempo", "temps", "tempo"},
    "q": {"q", "theta", "θ", "θr", "phi", "φ", "angle", "angulo", "ángulo", "winkel", "angular position"},
    "v": {"p", "omega", "ω", "momentum", "angular velocity", "winkelgeschwindigkeit", "dq/dt", "dθ/dt", "theta dot"},
}
SECONDS = dict.fromkeys(["s", "sec", "seconds", "segundos", "sekunden", "secondes"], 1.0) | {"ns": 1e-9}
SECONDS |= dict.fromkeys(["ms", "msec", "milliseconds"], 1e-3) | dict.fromkeys(["us", "μs"], 1e-6)
SECONDS |= dict.fromkeys(["min", "mins", "minutes", "minuten"], 60.0) | dict.fromkeys(["h", "hours"], 3600.0)
RADIANS = {"rad": 1.0, "mrad": 1e-3}
RADIANS |= dict.fromkeys(["°", "º", "deg", "degree", "degrees", "degrés", "grados", "grad"], np.pi / 180)


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
    """What a cell of a header, as "Angle (°)", "q_1 / rad" or "Run 1: time_ms", names: t, q, v or None; its unit."""
    cell = cell.casefold().replace("_", " ")
    name, unit = re.fullmatch(r"(?:.*:)?\s*(.*?)\s*(?:[(\[](.*?)[)\]].*)?", cell).groups(default="")
    bare, _, last = name.rpartition(" ")
    if bare and first_word(last) in SECONDS | RADIANS:
        name, unit = bare.rstrip("/ "), last
    for what, its_unit in [(name, unit), name.partition("/")[::2]]:
        for letter, known in NAMES.items():
            if re.sub(r"\s*\d+$", "", what.strip()) in known:
                return letter, first_word(its_unit)
    return None, first_word(unit) or (name if name in SECONDS | RADIANS else "")


def first_word(unit):
    """The deg of deg/s, which is the unit of the angle."""
    return re.split(r"[\s/.]", unit.strip())[0]


def chosen_columns(table, names, asked, path):
    """The numbers of the columns t and q: those that are asked for, or by their names, or without names in order."""
    columns = [c for c, texts in enumerate(table.texts) if texts or np.isfinite(table.values[:, c]).any()]
    chosen = []
    if asked:
        chosen = [position(str(column), names, path) for column in asked]
    elif any(names):
        t, q, v = ([c for c in columns if meaning(names[c])[0] == letter] for letter in "tqv")
        if len(columns) == 2:  # then they are t and q, whatever their names
            unknown = [c for c in columns if c not in (*t, *q, *v)]
            t, q = t or unknown[:1], q or unknown[-1:]
        chosen = [*t, *q] if len(t) == len(q) == 1 else []
    else:
        chosen = [c for c in columns if not table.is_text(c) or DATE.match(table.texts[c][0])]
        if len(chosen) > 2 and is_index(table.values[:, chosen[0]]):
            is_time = np.mean(np.diff(table.values[:, chosen[1]]) > 0) > 0.8  # it may start anew here and there
            chosen = chosen[1:] if is_time else chosen
    if len(chosen) == 2:
        return chosen
    raise ValueError(f"{path}: which of the columns {listed(columns, names)} are t and q is not clear; {BY_NAME}")


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


def named(c, names):
    return f'"{names[c]:.40}"' if names[c] else f"{c + 1}"
