"""Scripts run inside the tests, as a shell would run them."""

import signal
import sys

import pytest

from support.command_line import SIGNALS, run


def run_script(module, arguments, monkeypatch):
    """The exit status of a script's main() with these arguments; what run() changes for good is put back."""
    handlers, streams = [signal.getsignal(number) for number in SIGNALS], (sys.stdout, sys.stderr)
    monkeypatch.setattr(sys, "argv", [f"{module.__name__}.py", *map(str, arguments)])
    try:
        with pytest.raises(SystemExit) as end:
            run(module.main)
    finally:
        sys.stdout, sys.stderr = streams
        for number, handler in zip(SIGNALS, handlers, strict=True):
            signal.signal(number, handler)
    return end.value.code
