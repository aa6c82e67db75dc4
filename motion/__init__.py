"""From a recording of motion to a model of it, with its friction, and to what comes next."""

from motion.learned import learn
from motion.rows import read_rows
from motion.states import read_record
from motion.training import train_on_motion

__all__ = ["learn", "read_record", "read_rows", "train_on_motion"]
