"""From a recording of an angle to its equation, with its drag, and to what comes next.

A file becomes a Recording (read_recording), or arrays do. learn() finds the equation by shooting. What is Learned has
the drag and its errors, predicts, gives the energy, and trains the post's network on it. For states [q, p] of any
Hamiltonian system, some time apart, there is motion.steps.train_on_motion.
"""

from motion.learned import learn
from motion.recording import Recording, read_recording

__all__ = ["Recording", "learn", "read_recording"]
