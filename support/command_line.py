"""What the scripts share with a terminal: options, errors in one sentence, progress, and output that may be gone."""

import argparse
import os
import re
import signal
import sys

from tqdm import tqdm

from support.files import CHECKPOINTS, FIGURES, FILMS, TABLES, check_outputs

NEGATIVE_NUMBER = re.compile(r"-([\d._]+(e[+-]?\d+)?|inf|nan)", re.IGNORECASE)
SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


class Stopped(BaseException):
    """A signal: Ctrl-C, SIGTERM or SIGHUP. What is under way is undone on its way out."""


def _stop(number, _frame):
    _on_signals(signal.SIG_IGN)  # a second one changes nothing
    raise Stopped(number)


def _on_signals(handler):
    """Let `handler` take the signals that end a script, except those that are ignored, as under nohup."""
    for number in SIGNALS:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, handler)


class _Terminal:
    """A stream that never stops the work: what it cannot show is replaced, and once it is gone it keeps silent."""

    def __init__(self, stream):
        if stream is None:  # it was closed: nothing else that is opened may take its place
            stream = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", closefd=False)
        self.stream = stream
        self.error = None
        if hasattr(self.stream, "reconfigure"):
            self.stream.reconfigure(errors="replace")

    def _try(self, action, *arguments):
        if self.error is None:
            try:
                action(*arguments)
            except (OSError, ValueError) as error:  # no space left, the reader has left, or it is closed
                self.error = error

    def write(self, text):
        self._try(self.stream.write, text)
        return len(text)

    def flush(self):
        self._try(self.stream.flush)

    def __getattr__(self, name):  # whatever else a library asks of a stream
        return getattr(self.stream, name)


def run(main):
    """Run a script's main() and exit; what a user can get wrong ends in one sentence and no traceback.

    The exit status is 1 for an error, 130 for Ctrl-C, and 128 + n for another signal n. Output that cannot be shown (a
    full disk, a reader who has left) does not stop the work; it ends in status 1 once the work is done.
    """
    sys.stdout, sys.stderr = _Terminal(sys.stdout), _Terminal(sys.stderr)
    try:
        _on_signals(_stop)
        status, message = _outcome(main)
        _on_signals(signal.SIG_IGN)
    except (KeyboardInterrupt, Stopped) as stopped:
        number = stopped.args[0] if stopped.args else signal.SIGINT
        status, message = 128 + number, "\nInterrupted." if number == signal.SIGINT else "\nStopped."
    sys.stdout.flush()
    if sys.stdout.error and status == 0:
        status = 1
        if not isinstance(sys.stdout.error, BrokenPipeError):
            message = f"Error: the work is done, but not all of the output could be shown ({sys.stdout.error})."
    if message:
        print(message, file=sys.stderr)
    sys.stderr.flush()
    sys.exit(status)


def _outcome(main):
    """The exit status of main(), and what to say last."""
    try:
        main()
    except SystemExit as end:  # argparse has said what is wrong
        return end.code, None
    except OSError as error:
        named = f"{error.filename}: {error.strerror}" if error.filename and error.strerror else error
        return 1, f"Error: {named}."
    except (ArithmeticError, ValueError) as error:
        return 1, f"Error: {error}."
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "memory" not in str(error):  # torch has no MemoryError
            raise
        return 1, "Error: this needs more memory than there is; ask for fewer steps, points or states."
    return 0, None


def progress(iterable=None, **options):
    """A progress bar for work that lasts, on a terminal; in a pipe or a log it keeps silent."""
    return tqdm(iterable, **({"delay": 1, "leave": False, "disable": None} | options))


class Options(argparse.ArgumentParser):
    """The options that the scripts have in common."""

    def __init__(self, description):
        super().__init__(description=description)
        self.endings = {}  # of the files that the options name

    def parse(self):
        """The options as given; raises ValueError where a file that they name could not be written."""
        words = [f" {word}" if NEGATIVE_NUMBER.fullmatch(word) else word for word in sys.argv[1:]]  # -1e-3 is a value
        args = self.parse_args(words)
        named = {name: path for name, path in vars(args).items() if path is not None}
        outputs = {f"--{name}": (named[name], endings) for name, endings in self.endings.items() if name in named}
        check_outputs(outputs, named.get("weights"))
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

    def add_rollout(self, n_steps, dt):
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
        self.add_number("--dt", dt, "time step in s", float)
        self.endings["save"] = TABLES
        self.add_argument("--save", metavar="FILE.csv", help="write t, q and p of each orbit there too")

    def add_weights(self):
        """Which checkpoint a script uses."""
        self.add_argument("--weights", help="checkpoint to use (default: this folder's, else the committed one)")

    def add_device(self):
        """Where torch computes."""
        self.add_argument("--device", default="cpu", help="torch device (default: cpu)")
