"""What a user should know about a result that is right all the same: a warning in Python, a line in a script."""

import math
import warnings

import numpy as np

from pendulum_nonlinear import GRAVITY, LENGTH, pendulum_hamiltonian

# A step of the pendulum is Chirikov's standard map with K = dt² g / l. Its last barrier between swinging and going
# round breaks at K = 0.971635 (Greene 1979).
CHAOTIC_DT = math.sqrt(0.971635 * LENGTH / GRAVITY)  # s


class Note(UserWarning):
    """What a user should know about a result: a warning in Python, a line on stdout in a script."""


def note(text):
    warnings.warn(text, Note, stacklevel=4)  # at the line that called run_simulation, train and the like


def note_of_angles(states, dt, period=2 * math.pi):
    """Say what may surprise in orbits whose q is an angle in rad, from the `states` (2,) or (B, 2), in steps of dt."""
    if period is None or not math.isclose(period, 2 * math.pi):
        return
    states = states.reshape(-1, 2)
    far = states[(abs(states[:, 0]) > 4 * math.pi) & (states[:, 0] == np.round(states[:, 0]))]
    if len(far):
        turns = abs(far[0, 0]) / (2 * math.pi)
        note(f"[{far[0, 0]:g}, {far[0, 1]:g}] lies {turns:.0f} turns away; q is in rad, not in degrees")
    top = pendulum_hamiltonian([math.pi, 0.0])
    on_separatrix = states[abs(pendulum_hamiltonian(states.T) / top - 1) < 1e-12]
    if len(on_separatrix):
        q, p = on_separatrix[0]
        note(f"[{q:g}, {p:g}] lies on the separatrix, where rounding decides when and to which side it falls")
    if dt > CHAOTIC_DT:
        note(
            f"dt = {dt:g} s is above {CHAOTIC_DT:.3f} s: there nothing bounds p any more, and an orbit of the pendulum "
            "may wander from swinging to ever faster rotation; take a smaller dt"
        )
