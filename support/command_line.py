"""What the scripts share with a terminal: options, lines of text, progress, and errors in one sentence."""

import argparse
import contextlib
import math
import os
import re
import sys
import warnings

from tqdm import tqdm

from support.files import CHECKPOINTS, FIGURES, FILMS, TABLES, check_output
from support.notes import Note

NEGATIVE_NUMBER = re.compile(r"-([\d._]+(e[+-]?\d+)?|inf|nan)", re.IGNORECASE)
NO_MEMORY = "this needs more memory than there is; ask for fewer steps, points or states"


def say(text):
    """Print a line, over a progress bar if there is one. Where it cannot be shown, the work goes on without it.

    A reader may have left (a pipe to head), the disk behind a log may be full, and stdout may have been closed.
    """
    try:
        tqdm.write(text)
        sys.stdout.flush()
    except (AttributeError, ValueError):  # it was closed
        pass
    except OSError:
        with contextlib.suppress(OSError, ValueError):  # what is still to be flushed goes nowhere, and without a word
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def progress(iterable=None, **options):
    """A progress bar for work that lasts, on a terminal; in a pipe or a log it keeps silent."""
    on_terminal = sys.stderr is not None and sys.stderr.isatty()
    return tqdm(iterable, **({"delay": 1, "leave": False, "disable": not on_terminal} | options))


def run(main):
    """Run a script's main() and exit; what a user can get wrong ends in one sentence and no traceback.

    The exit status is 0, 1 for an error, and 130 for Ctrl-C. Each Note that the work gives becomes a line on stdout.
    """

    said = set()

    def show(message, category, filename, lineno, file=None, line=None):
        if issubclass(category, Note):
            if str(message) not in said:  # truth and model may both give it
                say(f"Note: {message}.")
            said.add(str(message))
        else:
            show_other(message, category, filename, lineno, file, line)

    with _replacing_what_the_console_lacks(), warnings.catch_warnings():
        show_other, warnings.showwarning = warnings.showwarning, show
        warnings.simplefilter("always", Note)
        sentence, status = None, 0
        try:
            main()
        except KeyboardInterrupt:
            sentence, status = "\nInterrupted.", 130
        except OSError as error:
            named = f"{error.filename}: {error.strerror}" if error.filename and error.strerror else error
            sentence, status = f"Error: {named}.", 1
        except (ArithmeticError, ValueError) as error:
            sentence, status = f"Error: {error}.", 1
        except (MemoryError, RuntimeError) as error:
            if isinstance(error, RuntimeError) and "memory" not in str(error):  # torch has no MemoryError
                raise
            sentence, status = f"Error: {NO_MEMORY}.", 1
        if sentence is not None:
            with contextlib.suppress(OSError, ValueError):
                print(sentence, file=sys.stderr)
    if status:
        sys.exit(status)


@contextlib.contextmanager
def _replacing_what_the_console_lacks():
    """A console that does not have a sign, ≤ or ², shows another in its place."""
    streams = {stream: stream.errors for stream in (sys.stdout, sys.stderr) if hasattr(stream, "reconfigure")}
    for stream in streams:
        stream.reconfigure(errors="replace")
    try:
        yield
    finally:
        for stream, errors in streams.items():
            with contextlib.suppress(OSError, ValueError):
                stream.reconfigure(errors=errors)


def angle(text):
    """A period from the command line: a number, or a multiple of pi such as 2pi."""
    factor, pi, rest = text.strip().lower().partition("pi")
    if not pi:
        return float(text)
    if rest:
        raise ValueError
    return (float(factor) if factor else 1.0) * math.pi


class Options(argparse.ArgumentParser):
    """The options that the scripts have in common."""

    def __init__(self, description):
        super().__init__(description=description)
        self.endings = {}  # of the files that the options name

    def parse(self):
        """The options as given; raises ValueError where a file that they name could not be written."""
        words = [f" {word}" if NEGATIVE_NUMBER.fullmatch(word) else word for word in sys.argv[1:]]  # -1e-3 is a value
        args = self.parse_args(words)
        for name, endings in self.endings.items():
            if getattr(args, name) is not None:
                check_output(f"--{name}", getattr(args, name), endings)
        return args

    def add_number(self, name, default, text, kind=int):
        """A number with a default."""
        self.add_argument(name, type=kind, default=default, help=f"{text} (default: {default})")

    def add_output(self, default, what="figure", endings=FIGURES):
        """Where the result goes."""
        self.endings["output"] = endings
        self.add_argument("--output", default=default, help=f"where to write the {what} (default: %(default)s)")

    def add_weights_output(self, default):
        """Where the trained weights go."""
        self.add_output(default, "weights", CHECKPOINTS)

    def add_figure(self, default):
        """Where the figure and the film go, and whether a window shows the figure."""
        self.add_output(default)
        self.add_argument("--show", action="store_true", help="open a window with the figure too")
        self.endings["animate"] = FILMS
        self.add_argument("--animate", metavar="FILE.gif", help="write a film of the motion there too")

    def add_rollout(self, n_steps, dt, or_else=""):
        """What a simulator starts from, and where its numbers go."""
        self.add_argument(
            "--state",
            nargs=2,
            type=float,
            action="append",
            metavar=("Q", "P"),
            help="an initial state, in rad and kg m²/s; repeat it for more (default: the post's three)",
        )
        self.add_number("--steps", n_steps, "number of steps")
        self.add_argument("--dt", type=float, help=f"time step in s (default: {dt}{or_else})")
        self.endings["save"] = TABLES
        self.add_argument("--save", metavar="FILE.csv", help="write t, q and p of each orbit there too")

    def add_weights(self):
        """Which checkpoint a script uses."""
        self.add_argument("--weights", help="checkpoint to use (default: this folder's, else the committed one)")

    def add_device(self):
        """Where torch computes."""
        self.add_argument("--device", default="cpu", help="torch device (default: cpu)")
