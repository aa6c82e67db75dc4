"""From a recording of motion to a model of it."""

from motion.learning import train_on_motion

__all__ = ["train_on_motion"]
