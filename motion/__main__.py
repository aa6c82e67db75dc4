"""From a recording of a pendulum to its equation, its drag and its future.

uv run python -m motion swing.csv                       writes swing.png
uv run python -m motion swing.csv --predict 20 --save next.csv
"""

import math
from pathlib import Path

import numpy as np

from motion.learned import learn
from motion.picture import draw_recording
from motion.recording import read_recording
from motion.report import report
from support.figures import show_figure
from support.files import FIGURES, TABLES, write_figure, write_table
from support.inputs import LARGEST_COUNT, check_positive
from support.options import Options
from support.terminal import run, say


def turn(text):
    """The period of an angle from the command line: a number, or a multiple of pi such as 2pi."""
    factor, pi, rest = text.strip().lower().partition("pi")
    if not pi:
        return float(text)
    if rest:
        raise ValueError
    return (float(factor) if factor else 1.0) * math.pi


def options():
    """The options of the command line."""
    options = Options("Find the equation of a recording: its force, drag and future.", prog="python -m motion")
    options.add_argument("file", help="a table with the columns t and q (an angle)")
    options.add_argument("--columns", nargs=2, metavar=("T", "Q"), help="names in the header, or numbers from 1")
    options.add_argument(
        "--turn", type=turn, help="the period of q, such as 2pi, where it goes round (default: it swings)"
    )
    options.add_argument("--degrees", action="store_true", help="q is in degrees")
    options.add_argument("--dt", type=float, help="s from row to row, in the place of the times in the file")
    options.add_argument("--predict", type=float, metavar="SECONDS", help="go on from the end of the recording")
    options.add_file("--save", TABLES, "write t, q and dq/dt of the prediction there")
    options.add_file("--output", FIGURES, "where to write the figure (default: FILE's name with .png, here)")
    options.add_argument("--show", action="store_true", help="open a window with the figure too")
    return options


def main():
    its = options()
    args = its.parse()
    figure = its.check_file("output", args.output or f"{Path(args.file).stem}.png")
    if args.save is not None and args.predict is None:
        raise ValueError("--save writes the prediction; say how far with --predict SECONDS")
    if args.save is not None and Path(args.save).resolve() == Path(args.file).resolve():
        raise ValueError(f"--save {args.save} is the recording itself; name another file")
    for option in ("turn", "dt", "predict"):
        if getattr(args, option) is not None:
            check_positive(f"--{option}", getattr(args, option))

    recording = read_recording(args.file, args.columns, args.turn, args.degrees, args.dt)
    for sentence in recording.words:
        say(sentence)
    after = None if args.predict is None else times_after(recording, args.predict)
    learned = learn(recording)
    for line in report(learned):
        say(line)
    fig = draw_recording(learned, Path(args.file).name, args.predict, show=args.show)
    write_figure(figure, fig)
    say(f"Wrote {figure}")
    if args.save is not None:
        q, v = learned.predict(after)
        unit = recording.unit or "?"
        write_table(args.save, {"t (s)": learned.end + after, f"q ({unit})": q, f"dq/dt ({unit}/s)": v})
        say(f"Wrote {args.save}")
    if args.show:
        show_figure(fig)


def times_after(recording, seconds):
    """The times (s) after the last row, dt apart, of so many seconds."""
    n = math.floor(seconds / recording.dt * (1 + 1e-6))  # 1 s has ten steps of 0.1 s, for all the rounding
    if not 1 <= n <= LARGEST_COUNT:
        raise ValueError(
            f"--predict {seconds:g} is {n:,} rows of dt = {recording.dt:.6g} s; ask for 1 to {LARGEST_COUNT:,}"
        )
    return recording.dt * np.arange(1, n + 1)


if __name__ == "__main__":
    run(main)
