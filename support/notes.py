"""What a user should know about a result that is right all the same: a warning in Python, a line in a script."""

import math
import sys
import warnings
from pathlib import Path

import numpy as np

from pendulum_nonlinear import GRAVITY, LENGTH

ROOT = Path(__file__).resolve().parents[1]
# A step of the pendulum is Chirikov's standard map with K = dt² g / l. Its last barrier between swinging and going
# round breaks at K = 0.971635 (Greene 1979).
CHAOTIC_DT = math.sqrt(0.971635 * LENGTH / GRAVITY)  # s


class Note(UserWarning):
    """What a user should know about a result: a warning in Python, a line on stdout in a script."""


def note(text):
    """Give a Note, at the line that called into this repository."""
    frame, level = sys._getframe(1), 2
    while frame.f_back and _is_ours(Path(frame.f_code.co_filename)):
        frame, level = frame.f_back, level + 1
    warnings.warn(text, Note, stacklevel=level)


def _is_ours(file):
    return file.parent in (ROOT, ROOT / "support", ROOT / "motion") or file.name == "contextlib.py"


def note_of_angles(states):
    """Say so where a q of the `states`, (2,) or (B, 2), which is an angle in rad, seems to be one in degrees."""
    states = states.reshape(-1, 2)
    far = states[(abs(states[:, 0]) > 4 * math.pi) & (states[:, 0] == np.round(states[:, 0]))]
    if len(far):
        turns = abs(far[0, 0]) / (2 * math.pi)
        note(f"[{far[0, 0]:g}, {far[0, 1]:g}] lies {turns:.0f} turns away; q is in rad, not in degrees")


def note_of_dt(dt):
    """Say so where Euler's steps of the pendulum's equations no longer bound p."""
    if dt > CHAOTIC_DT:
        note(
            f"dt = {dt:g} s is above {CHAOTIC_DT:.3f} s: there nothing bounds p any more, and an orbit of the pendulum "
            "may wander from swinging to ever faster rotation; take a smaller dt"
        )
