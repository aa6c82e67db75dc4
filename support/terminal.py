"""What the scripts share with a terminal: lines of text, progress, and errors in one sentence."""

import contextlib
import sys
import warnings

from tqdm import tqdm

from support.inputs import check_count
from support.notes import Note

NO_MEMORY = "this needs more memory than there is; ask for fewer steps, points or states"


def say(text):
    """Print a line, over a progress bar if there is one. Where it cannot be shown, the work goes on without it.

    A reader may have left (a pipe to head), the disk behind a log may be full, and stdout may have been closed.
    """
    try:
        if sys.stdout is not None:
            tqdm.write(text)
            sys.stdout.flush()
    except (OSError, ValueError):
        sys.stdout = None  # nobody reads it any more


def progress(iterable=None, **options):
    """A progress bar for work that lasts, on a terminal; in a pipe or a log it keeps silent."""
    on_terminal = sys.stderr is not None and sys.stderr.isatty()
    return tqdm(iterable, **({"delay": 1, "leave": False, "disable": not on_terminal} | options))


def count_epochs(epochs):
    """The epochs 0, 1, … up to `epochs`, with a progress bar; raises ValueError where that is no number of epochs."""
    return progress(range(check_count("the number of epochs", epochs, least=0) + 1), desc="training", unit="epoch")


def run(main):
    """Run a script's main() and exit; what a user can get wrong ends in one sentence and no traceback.

    The exit status is 0, 1 for an error, and 130 for Ctrl-C. Each Note that the work gives becomes a line on stdout.
    """
    said = set()

    def show(message, category, filename, lineno, file=None, line=None):
        if not issubclass(category, Note):
            show_other(message, category, filename, lineno, file, line)
        elif str(message) not in said:  # truth and model may both give it
            said.add(str(message))
            say(f"Note: {message}.")

    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a console that lacks a sign, ≤ or ², shows another in its place
    with warnings.catch_warnings():
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
        sys.exit(status)
