"""Orbits as they were recorded, and what a simulator makes of them: a table, a figure, a film and a file of numbers."""

import numpy as np

from pendulum_nonlinear import pendulum_hamiltonian
from support.figures import draw_orbits, plain_style, write_and_show
from support.files import write_table
from support.films import film_orbits
from support.terminal import say


class Orbits:
    """Orbits with their start: t, (n + 1,), in s, and q, p and the energy H, each (n + 1, B).

    `p_vals` and `q_vals`, (n, B), are a rollout from `states`, (B, 2), in steps of dt; `kind` is "truth" or "learned".
    H is the true energy.
    """

    def __init__(self, kind, states, p_vals, q_vals, dt):
        q_0, p_0 = np.transpose(states)
        self.kind, self.dt = kind, dt
        self.name = "true pendulum" if kind == "truth" else "learned one"
        self.q, self.p = np.concatenate([[q_0], q_vals]), np.concatenate([[p_0], p_vals])
        self.t = dt * np.arange(len(self.q))
        self.H = pendulum_hamiltonian([self.q, self.p])
        self.names = [f"[{q:g}, {p:g}]" for q, p in zip(q_0, p_0, strict=True)]

    def distance(self, other):
        """How far the orbits are from the others at the same time, in q and p together, (n + 1, B)."""
        return np.hypot(self.q - other.q, self.p - other.p)


def table(orbits, truth=None):
    """A line for each orbit: the range of its energy H, and how far the learned orbit is from the true one."""
    layers = [truth, orbits] if truth else [orbits]
    lines = [["orbit [q, p]", *(f"H of the {layer.name} (J)" for layer in layers)]]
    lines[0] += ["greatest distance"] if truth else []
    for k, name in enumerate(orbits.names):
        row = [name, *(f"{layer.H[:, k].min():.4f} … {layer.H[:, k].max():.4f}" for layer in layers)]
        lines.append([*row, f"{orbits.distance(truth)[:, k].max():.1e}"] if truth else row)
    return "\n".join("".join(f"{cell:<29}" for cell in line).rstrip() for line in lines)


@plain_style()
def show_orbits(args, states, truth, learned=None):
    """Write the figure, numbers and film that the options `args` ask for, and print the table of the orbits.

    `truth` and `learned` are rollouts (p_vals, q_vals) from the states (B, 2).
    """
    truth, orbits = None, Orbits("truth", states, *truth, args.dt)
    if learned is not None:
        truth, orbits = orbits, Orbits("learned", states, *learned, args.dt)
    fig = draw_orbits(orbits, truth, args.show)
    say(table(orbits, truth))
    if args.save is not None:
        columns = {"t (s)": orbits.t}
        for k in range(len(orbits.names)):
            columns |= {f"q_{k + 1} (rad)": orbits.q[:, k], f"p_{k + 1} (kg m^2/s)": orbits.p[:, k]}
        write_table(args.save, columns)
        say(f"Wrote {args.save}")
    write_and_show(args, fig, lambda path: film_orbits(path, orbits, truth))
