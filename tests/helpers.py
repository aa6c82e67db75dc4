"""A script run in this process, the exact model of H, and what a figure shows."""

import contextlib
import io
import os
import subprocess
import sys
from collections import namedtuple
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch
from torch import nn

from pendulum_nonlinear import GRAVITY, LENGTH, MASS
from rigid_simulator_implicit import run_simulation
from support.orbits import Orbits
from support.terminal import run

ROOT = Path(__file__).resolve().parents[1]
STATES = [[0.5, 0.3], [1.0, -2.0]]
OPTIONS = ["--state", 0.5, 0.3, "--state", 1.0, -2.0, "--steps", 40, "--dt", 0.02]  # a short run from them


class ExactH(nn.Module):
    """The true Hamiltonian in the network's place."""

    def forward(self, x):
        q, p = x[..., :1], x[..., 1:]
        return p**2 / (2 * MASS * LENGTH**2) + MASS * GRAVITY * LENGTH * (1 - torch.cos(q))  # (B, 1)


class Spring(nn.Module):
    """H = (q² + p²) / 2, whose q is not an angle."""

    def forward(self, x):
        return x.square().sum(-1, keepdim=True) / 2


Outcome = namedtuple("Outcome", "status out err")  # what a script leaves on the terminal


def run_script(main, arguments=""):
    """The Outcome of run(main) with these arguments, a list or words in one string."""
    words = arguments.split() if isinstance(arguments, str) else map(str, arguments)
    out, err, status = io.StringIO(), io.StringIO(), 0
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        patch.object(sys, "argv", [f"{main.__module__}.py", *words]),
    ):
        try:
            run(main)
        except SystemExit as end:
            status = end.code or 0
    return Outcome(status, out.getvalue(), err.getvalue())


def shown(axes, gid):
    """The points (2, n) of the one line with this id in a panel."""
    (line,) = [line for line in axes.lines if line.get_gid() == gid]
    return line.get_xydata().T


def start(folder, script, arguments="", redirect="", **variables):
    """A script as a process of its own, started by a shell in `folder`, where every warning is an error."""
    left_out = ("DISPLAY", "WAYLAND_DISPLAY", "MPLBACKEND", "PYTHONUNBUFFERED")
    environment = {k: v for k, v in os.environ.items() if k not in left_out}
    command = [sys.executable, "-W", "error", ROOT / script, *arguments.split()]
    return subprocess.Popen(
        ["bash", "-c", f'exec "$@" {redirect}', "bash", *command],
        cwd=folder,
        env=environment | {"OMP_NUM_THREADS": "1"} | variables,  # one thread, for several run side by side
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def true_orbits(states, n_steps=40, dt=0.02):
    return Orbits("truth", states, *run_simulation(states, n_steps, dt), dt)


def with_start(states, values):
    """A rollout's q_vals and p_vals, (n + 1, B) each, with the start in front."""
    p_vals, q_vals = values
    q, p = np.transpose(states)
    return np.concatenate([[q], q_vals]), np.concatenate([[p], p_vals])


def turned(starts, dt, n_steps):
    """The exact motion of a spring with H = (q² + p²) / 2, from the starts (B, 2): q and p, (n_steps + 1, B) each."""
    angle = dt * np.arange(n_steps + 1)[:, None]
    q, p = starts.T
    return q * np.cos(angle) + p * np.sin(angle), p * np.cos(angle) - q * np.sin(angle)
