"""A table of numbers from a text file as people's programs write it: their encodings, separators, quotes and commas."""

import csv
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

MISSING = {"", "-", "nan", "na", "n/a", "none", "null", "#n/a", "#value!", "#div/0!"}
COMMENT = re.compile(r"\s*[#%](?!N/A|VALUE!|DIV/0!)")
DATE = re.compile(r"\d+([-/.])\d+\1\d|\d+:\d\d")
THOUSANDS = re.compile(r"-?[1-9]\d{0,2}(,\d{3})+(\.\d*)?")
COLUMNS = "the columns t and q"
BY_NAME = "name t and q with --columns, as in --columns 1 2"
BY_DT = "give the seconds from row to row with --dt"


@dataclass
class Table:
    """The C columns of a file, T rows each. In the values NaN stands for what is missing or no number."""

    heading: list  # the lines above the first row of numbers, as lists of cells
    comments: list  # the lines that begin with # or %, in the same way
    rows: list  # of T lists of cells as they are written, C or more
    values: np.ndarray  # (T, C)
    texts: list  # for each column, its cells that are neither numbers nor missing

    def is_text(self, column):
        """Whether most of what stands in a column is no number."""
        return len(self.texts[column]) > np.isfinite(self.values[:, column]).sum()


def read_table(path):
    """The Table in a text file. Raises FileNotFoundError, or ValueError where it has no rows of numbers."""
    lines = [line for line in read_text(path).splitlines() if line.strip(' \t,;"#%')]
    comments = [line.lstrip(" \t#%") for line in lines if COMMENT.match(line)]
    lines = [line for line in lines if not COMMENT.match(line)]
    mark = separator(lines, path)
    rows, comments = cells(lines, mark), cells(comments, mark)
    # A line above the header may hold two numbers too, but not that line and the next.
    start = next((i for i in range(len(rows)) if all(map(has_numbers, rows[i : i + 2]))), None)
    if start is None:
        first = f'its first line is "{lines[0]:.60}"' if lines else "it is empty"
        raise ValueError(f"{path} has no rows of two numbers or more ({first}); name a table with {COLUMNS}")
    heading, rows = rows[:start], rows[start:]
    width = Counter(map(len, rows)).most_common(1)[0][0]
    rows = [row if len(row) == width else padded(row, width) for row in rows]
    if mark == ",":
        rows = without_thousands(rows)
    values, texts = zip(*(numbers([row[column] for row in rows]) for column in range(width)), strict=True)
    while not texts[-1] and np.isnan(values[-1]).all():  # nothing stands after a comma at the end of each line
        values, texts = values[:-1], texts[:-1]
    return Table(heading, comments, rows, np.stack(values, axis=-1), texts)


def read_text(path):
    """The text of a file in UTF-8, UTF-16 or the encoding of Western Windows, with a byte order mark or without."""
    if not Path(path).is_file():
        raise FileNotFoundError(f"there is no file {path}; name a table with {COLUMNS}")
    content = Path(path).read_bytes()
    for encoding in ["utf-16"] if content[:2] in (b"\xff\xfe", b"\xfe\xff") else ["utf-8-sig", "cp1252"]:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not re.search(r"[\x00-\x08\x0e-\x1f]", text):
            return re.sub(r"[−–](?=\d)", "-", text)
    raise ValueError(f"{path} is not text; open it in the program that wrote it and save it as CSV, with {COLUMNS}")


def separator(lines, path):
    """What stands in most lines, and so separates their cells: a semicolon, a tab, a comma or spaces."""
    last = lines[-200:]
    mark = next((mark for mark in ";\t," if 2 * sum(mark in line for line in last) > len(last)), " ")
    if mark == "," and not any("." in line or '"' in line for line in last):
        for line in filter(re.compile(r"\d,0\d").search, lines):  # 0,020,0,998 is 0.020 and 0.998
            what = f'has commas between the columns and, it seems, in the numbers, as in "{line:.60}"'
            raise ValueError(f"{path} {what}; save it with semicolons between the columns, or with decimal points")
    return mark


def cells(lines, mark):
    """The cells of each line, without the quotes around them."""
    if mark == " ":
        lines = [" ".join(line.split()) for line in lines]
    # An odd quotation mark would swallow the next line.
    lines = (line if line.count('"') % 2 == 0 else line.replace('"', "") for line in lines)
    return list(csv.reader(lines, delimiter=mark, skipinitialspace=mark != " "))


def has_numbers(row):
    return sum(map(is_value, row)) >= 2


def is_value(cell):
    return bool(DATE.match(cell) or THOUSANDS.fullmatch(cell)) or not np.isnan(number(cell))


def number(cell):
    """The number in a cell, with a decimal point or a decimal comma; NaN where there is none."""
    try:
        return float(cell.replace(",", "."))
    except ValueError:
        return np.nan


def without_thousands(rows):
    """The rows without the commas of "1,017.5", where all commas in their numbers are such."""
    with_comma = [cell for row in rows for cell in row if "," in cell and is_value(cell)]
    if not with_comma or not all(map(THOUSANDS.fullmatch, with_comma)):
        return rows
    return [[cell.replace(",", "") if THOUSANDS.fullmatch(cell) else cell for cell in row] for row in rows]


def numbers(column):
    """The numbers in a column of cells, (T,), and those of the cells that are no numbers and not missing either."""
    values = np.fromiter(map(number, column), float, len(column))
    texts = [column[i] for i in np.flatnonzero(np.isnan(values)) if column[i].strip().lower() not in MISSING]
    return np.where(np.isinf(values), np.nan, values), texts


def padded(row, width):
    """A row of another length: what is missing at its end is empty; a row of more cells than columns has no numbers."""
    return [*row, *[""] * (width - len(row))] if not any(row[width:]) else [",".join(row), *[""] * (width - 1)]
