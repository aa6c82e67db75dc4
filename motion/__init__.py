"""From a recording of motion to a model of it, with its friction, and to what comes next.

A text file holds a Table. Its columns t, q (and p), in seconds and radians, are Rows. A Track is one column q up to
where t starts anew. Smoothing turns a track into states [q, p], several in the time dt of a step, and train_on_motion
learns from those of all tracks. learn() does all this for the Rows that read_rows() gives; its Learned recording has
the model, and says how well it predicts. read_record() gives the states alone, for a training of your own.
"""

from motion.learned import learn
from motion.rows import read_rows
from motion.states import read_record
from motion.training import train_on_motion

__all__ = ["learn", "read_record", "read_rows", "train_on_motion"]
