"""What the benchmarks share: a report of tables and a figure, the exact motion, errors, and times side by side."""

import importlib.metadata
import os
import platform
import statistics
import time
from pathlib import Path

import numpy as np
import torch

from hnn_training import ASIDE, POINTS
from support.files import write_figure, write_whole
from support.terminal import progress

STATES = round(POINTS / (1 - ASIDE))  # that hnn_training.py takes: POINTS to fit, and the rest


class Report:
    """Tables and lines in Markdown, printed as they come and written to a file beside the script that makes them."""

    def __init__(self, script):
        self.script = Path(script)
        command = f"uv run --group bench python -m benchmarks.{self.script.stem}"
        self.parts = [f"Printed by `{command}` on {machine()}."]

    def say(self, text):
        """A paragraph."""
        print(f"\n{text}")
        self.parts.append(text)

    def table(self, header, rows):
        """A table of strings."""
        lines = ["| " + " | ".join(header) + " |", "|" + " --- |" * len(header)]
        self.say("\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)]))

    def write(self, fig=None):
        """Write what was said, and the figure, beside the script, under its name."""
        if fig is not None:
            path = self.script.with_suffix(".png")
            write_figure(path, fig)
            print(f"\nWrote {path}")
        path = self.script.with_suffix(".md")
        write_whole(path, ("\n\n".join(self.parts) + "\n").encode())
        print(f"Wrote {path}")


def machine():
    """In words: cores, processor, whether it has AVX-512, and the versions of what computes."""
    path = Path("/proc/cpuinfo")
    cpu = path.read_text() if path.exists() else ""
    names = [line.partition(":")[2].strip() for line in cpu.splitlines() if line.startswith("model name")]
    avx512 = "AVX-512" if "avx512f" in cpu else "no AVX-512"
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("torch", "numpy", "matplotlib"))
    where = f"{os.cpu_count()} cores, {names[0] if names else platform.machine()}, {avx512}, {platform.system()}"
    return f"{time.strftime('%d %B %Y')}: {where}, Python {platform.python_version()}, {versions}"


def use_one_core():
    """Let torch compute on one core, so that training times compare, and import now what its first optimizer needs."""
    torch.set_num_threads(1)
    torch.optim.Adam([torch.zeros(1, requires_grad=True)])


def spread(values, form="{:.1e}"):
    """The mean of some values, and the least and greatest of them; of one value, that alone."""
    if len(values) == 1:
        return form.format(values[0])
    mean, least, greatest = (form.format(f(values)) for f in (statistics.fmean, min, max))
    return f"{mean} ({least} … {greatest})"


def solved(dynamics, states, times, tolerance):
    """The states [q, p] at the times, (B, len(times), 2), from the states (B, 2) at times[0], by SciPy's DOP853.

    All orbits are one system of equations, whose solver chooses its steps for the hardest of them.
    """
    from scipy.integrate import solve_ivp

    def derivatives(t, y):
        return np.ravel(dynamics(t, y.reshape(2, -1)))

    span, y_0 = (times[0], times[-1]), np.ravel(np.transpose(states))
    y = solve_ivp(derivatives, span, y_0, "DOP853", t_eval=times, rtol=tolerance, atol=tolerance).y
    return np.moveaxis(y.reshape(2, len(states), len(times)), 0, -1)


def dynamics_error(dynamics, states, derivatives):
    """The mean squared error of dynamics(t, [q, p]) at the states, against the derivatives, (..., 2) each."""
    q, p = np.reshape(states, (-1, 2)).T
    return np.square(np.transpose(dynamics(0, [q, p])) - np.reshape(derivatives, (-1, 2))).mean()


def stepped(step):
    """A rollout with `step`: roll_out(dynamics, states, n_steps, dt) gives the states after each, (n_steps, B, 2)."""

    def roll_out(dynamics, states, n_steps, dt):
        (q, p), orbit = np.transpose(states), []
        for i in range(n_steps):
            q, p = step(dynamics, i * dt, q, p, dt)
            orbit.append(np.stack([q, p], axis=-1))
        return np.array(orbit)

    return roll_out


def midpoint_step(dynamics, t, q, p, dt):
    """The implicit midpoint rule, symplectic and of second order, solved by repetition."""
    q_next, p_next = q, p
    for _ in range(50):
        q_last, p_last = q_next, p_next
        dq_dt, dp_dt = dynamics(t, [(q + q_next) / 2, (p + p_next) / 2])
        q_next, p_next = q + dt * dq_dt, p + dt * dp_dt
        if (abs(q_next - q_last) + abs(p_next - p_last) < 1e-13 * (1 + abs(q) + abs(p))).all():
            return q_next, p_next
    raise ArithmeticError("the midpoint does not settle")


def determinant(flow, states, eps=1e-5):
    """The factor by which flow(states) scales the area around each of the states, (n, 2), by central differences, (n,).

    It is the determinant of the flow's Jacobian, 1 where the flow is symplectic.
    """
    states = np.asarray(states, dtype=float)
    by_q, by_p = ((flow(states + step) - flow(states - step)) / (2 * eps) for step in eps * np.eye(2))  # each (n, 2)
    return by_q[:, 0] * by_p[:, 1] - by_q[:, 1] * by_p[:, 0]


def counted(dynamics):
    """The same dynamics, and a list whose only entry counts the states that it is asked about."""
    count = [0]

    def counting(t, state):
        count[0] += np.size(state[0])
        return dynamics(t, state)

    return counting, count


def timed(fit, *arguments, **how):
    """What fit(…) returns, and the seconds that it took."""
    start = time.perf_counter()
    return fit(*arguments, **how), time.perf_counter() - start


def median_times(functions, rounds, label):
    """{name: median seconds of function()} over so many `rounds`, each of which calls every function once.

    The functions take turns, so that a machine that is slow for a while slows all of them; a first round warms up.
    """
    seconds = {name: [] for name in functions}
    for k in progress(range(rounds + 1), desc=label, unit="round"):
        for name, function in functions.items():
            _, taken = timed(function)
            if k > 0:
                seconds[name].append(taken)
    return {name: statistics.median(values) for name, values in seconds.items()}
