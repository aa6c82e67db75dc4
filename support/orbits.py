"""Orbits as they were recorded, and what a simulator makes of them: a table, a figure, a film and a file of numbers."""

import numpy as np

from pendulum_nonlinear import pendulum_hamiltonian
from support.command_line import say
from support.drawing import draw_orbits
from support.files import write_figure, write_table
from support.films import film_orbits
from support.plotting import plain_style, show_figure


class Orbits:
    """Orbits with their start: t, (n + 1,), in s, and q, p and the true energy H, each (n + 1, B).

    `p_vals` and `q_vals`, (n, B), are a rollout from `states`, (B, 2), in steps of dt; `name` says of what.
    """

    def __init__(self, name, states, p_vals, q_vals, dt, is_exact=False):
        q_0, p_0 = np.transpose(states)
        self.name, self.dt, self.is_exact = name, dt, is_exact
        self.q, self.p = np.concatenate([[q_0], q_vals]), np.concatenate([[p_0], p_vals])
        self.t = dt * np.arange(len(self.q))
        self.H = pendulum_hamiltonian([self.q, self.p])
        self.names = [f"[{q:g}, {p:g}]" for q, p in zip(q_0, p_0, strict=True)]

    def distance(self, other):
        """How far the orbits are from the others at the same time, in q and p together, (n + 1, B)."""
        return np.hypot(self.q - other.q, self.p - other.p)


def table(truth, learned=None):
    """A line for each orbit: the range of its true energy H, and how far the learned orbit is from the true one."""
    columns = ["orbit [q, p]", f"H of the {truth.name} (J)"]
    columns += ["H of the learned one (J)", "greatest distance"] if learned else []
    lines = [columns]
    for k, name in enumerate(truth.names):
        row = [name, *(f"{o.H[:, k].min():.4f} … {o.H[:, k].max():.4f}" for o in (truth, learned) if o)]
        lines.append([*row, f"{learned.distance(truth)[:, k].max():.1e}"] if learned else row)
    return "\n".join("".join(f"{cell:<29}" for cell in line).rstrip() for line in lines)


@plain_style()
def show_orbits(args, truth, learned=None):
    """Write the figure, numbers and film that the options `args` ask for, and print the table of the orbits."""
    fig = draw_orbits(truth, learned, args.show)
    write_figure(args.output, fig)
    say(table(truth, learned))
    say(f"Wrote {args.output}")
    shown = learned or truth
    if args.save is not None:
        columns = {"t (s)": shown.t}
        for k in range(len(shown.names)):
            columns |= {f"q_{k + 1} (rad)": shown.q[:, k], f"p_{k + 1} (kg m^2/s)": shown.p[:, k]}
        write_table(args.save, columns)
        say(f"Wrote {args.save}")
    if args.animate is not None:
        what = film_orbits(args.animate, truth, learned)
        say(f"Wrote {args.animate}: {what}")
    if args.show:
        show_figure(fig)
