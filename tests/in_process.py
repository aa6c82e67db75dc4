"""A script run as its user runs it, but in this process; its streams and signals are as before afterwards."""

import contextlib
import io
import signal
import sys
from dataclasses import dataclass
from unittest.mock import patch

from support.command_line import SIGNALS, run


@dataclass
class Outcome:
    """What a script leaves on the terminal: its exit status, and what it showed on stdout and stderr."""

    status: int
    out: str
    err: str


def console(encoding="utf-8"):
    """A stream that refuses what its encoding does not have, as a console does."""
    return io.TextIOWrapper(io.BytesIO(), encoding, write_through=True)


def run_script(main, arguments="", out=console, err=console):
    """The outcome of run(main) with these arguments, a list or words in one string, on the streams of out() and err().

    Of a stream that is no console() it is not known what was shown.
    """
    words = arguments.split() if isinstance(arguments, str) else map(str, arguments)
    argv = patch.object(sys, "argv", [f"{main.__module__}.py", *words])
    handlers = {number: signal.getsignal(number) for number in SIGNALS}
    streams = out(), err()
    try:
        with contextlib.redirect_stdout(streams[0]), contextlib.redirect_stderr(streams[1]), argv:
            run(main)
    except SystemExit as end:
        return Outcome(end.code, *map(_shown_on, streams))
    finally:
        for stream in filter(None, streams):
            with contextlib.suppress(OSError):  # of what could not be shown
                stream.close()
        for number, handler in handlers.items():
            signal.signal(number, handler)
    raise AssertionError("run() returned, where a script must exit with a status")


def _shown_on(stream):
    bytes_shown = getattr(stream, "buffer", None)
    return bytes_shown.getvalue().decode(stream.encoding) if isinstance(bytes_shown, io.BytesIO) else None
