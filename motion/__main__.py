"""From a recording of a pendulum to its future.

uv run python -m motion swing.csv                       writes swing.png and swing.pth
uv run python -m motion swing.csv --predict 20 --save next.csv
"""

import math
from pathlib import Path

import numpy as np

from HNN import CHECKPOINT
from motion.learned import learn
from motion.picture import draw_recording
from motion.report import report
from motion.rows import read_rows
from support.figures import show_figure
from support.files import CHECKPOINTS, FIGURES, TABLES, check_output, write_figure, write_table
from support.inputs import check_period, check_positive, check_seed
from support.options import Options
from support.terminal import run, say
from support.weights import save_weights


def angle(text):
    """A period from the command line: a number, or a multiple of pi such as 2pi."""
    factor, pi, rest = text.strip().lower().partition("pi")
    if not pi:
        return float(text)
    if rest:
        raise ValueError
    return (float(factor) if factor else 1.0) * math.pi


def options():
    """The options of the command line."""
    options = Options("Learn the motion of a recording: its energy, friction and future.", prog="python -m motion")
    options.add_argument("file", help="a table with the columns t and q (an angle), or t, q and p")
    options.add_argument("--columns", nargs="+", metavar="T Q [P]", help="names in the header, or numbers from 1")
    options.add_argument("--period", type=angle, help="of q, such as 2pi, where it goes round (default: it swings)")
    options.add_argument("--degrees", action="store_true", help="q is in degrees")
    options.add_argument("--dt", type=float, help="s from row to row, in the place of the times in the file")
    options.add_argument("--predict", type=float, metavar="SECONDS", help="go on from the end of the recording")
    options.add_file("--save", TABLES, "write t, q and p of the prediction there")
    options.add_file("--weights", CHECKPOINTS, "where to write the weights (default: FILE's name with .pth, here)")
    options.add_file("--output", FIGURES, "where to write the figure (default: FILE's name with .png, here)")
    options.add_number("--seed", 0, "seed of the network")
    options.add_argument("--show", action="store_true", help="open a window with the figure too")
    return options


def main():
    args = options().parse()
    name = Path(args.file).stem
    weights, figure = args.weights or f"{name}.pth", args.output or f"{name}.png"
    check_output("--weights", weights, CHECKPOINTS)
    check_output("--output", figure, FIGURES)
    if Path(weights).name == CHECKPOINT.name:
        raise ValueError(f"{weights} is the name of the pendulum's own weights; name another file with --weights")
    if args.save is not None and args.predict is None:
        raise ValueError("--save writes the prediction; say how far with --predict SECONDS")
    for option in ("dt", "predict"):
        if getattr(args, option) is not None:
            check_positive(f"--{option}", getattr(args, option))

    rows = read_rows(args.file, args.columns, check_period(args.period), args.degrees, args.dt)
    for sentence in rows.words:
        say(sentence)
    if args.predict is not None and args.predict < rows.dt:
        raise ValueError(f"--predict {args.predict:g} is less than dt, {rows.dt:.6g} s; go on for longer")
    learned = learn(rows, seed=check_seed(args.seed, "--seed"))
    for line in report(learned):
        say(line)
    fig = draw_recording(learned, Path(args.file).name, args.predict, show=args.show)
    write_figure(figure, fig)
    save_weights(weights, learned.model)
    say(f"Wrote {figure} and {weights}")
    if args.save is not None:
        write_prediction(args.save, learned, args.predict)
        say(f"Wrote {args.save}")
    if args.show:
        show_figure(fig)


def write_prediction(path, learned, seconds):
    """A table of t, q and p from the last row on, row by row, in the recording's own time."""
    after = learned.rows.dt * np.arange(1, math.floor(seconds / learned.rows.dt) + 1)
    q, p = learned.predict(after)
    columns = {"t (s)": learned.end + after}
    for k in range(q.shape[1]):
        number = f"_{k + 1}" if q.shape[1] > 1 else ""
        columns |= {f"q{number}": q[:, k], f"p{number}": p[:, k]}
    write_table(path, columns)


if __name__ == "__main__":
    run(main)
