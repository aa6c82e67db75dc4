"""What the benchmarks share: a table in Markdown, a figure beside its script, and times measured side by side."""

import statistics
import time
from pathlib import Path

import numpy as np
import torch

from hnn_training import HELD_OUT, POINTS
from support.command_line import progress
from support.files import write_figure

STATES = round(POINTS / (1 - HELD_OUT))  # that hnn_training.py takes: POINTS to fit, and those that are held out


def print_table(header, rows):
    """Print a Markdown table."""
    print("\n| " + " | ".join(header) + " |")
    print("|" + " --- |" * len(header))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print()


def write_beside(script, fig):
    """Write the figure beside the script that draws it, under its name, and say where."""
    path = Path(script).with_suffix(".png")
    write_figure(path, fig)
    print(f"Wrote {path}")


def use_one_core():
    """Let torch compute on one core, so that training times compare, and import now what its first optimizer needs."""
    torch.set_num_threads(1)
    torch.optim.Adam([torch.zeros(1, requires_grad=True)])


def spread(values, form="{:.1e}"):
    """The mean of some values, and the least and greatest of them."""
    mean, least, greatest = (form.format(f(values)) for f in (statistics.fmean, min, max))
    return f"{mean} ({least} … {greatest})"


def determinant(flow, states, eps=1e-5):
    """The factor by which flow(states) scales the area around each of the states, (n, 2), by central differences, (n,).

    It is the determinant of the flow's Jacobian, 1 where the flow is symplectic.
    """
    states = np.asarray(states, dtype=float)
    by_q, by_p = ((flow(states + step) - flow(states - step)) / (2 * eps) for step in eps * np.eye(2))  # each (n, 2)
    return by_q[:, 0] * by_p[:, 1] - by_q[:, 1] * by_p[:, 0]


def median_times(functions, rounds, label):
    """{name: median seconds of function()} over so many `rounds`, each of which calls every function once.

    The functions take turns, so that a machine that is slow for a while slows all of them; a first round warms up.
    """
    seconds = {name: [] for name in functions}
    for k in progress(range(rounds + 1), desc=label, unit="round"):
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            if k > 0:
                seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in seconds.items()}
