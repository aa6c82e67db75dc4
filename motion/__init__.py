"""From a recording of motion to a model of it, with its friction, and to what comes next."""

from motion.learned import learn
from motion.learning import train_on_motion
from motion.rows import read_rows
from motion.states import read_record

__all__ = ["learn", "read_record", "read_rows", "train_on_motion"]
