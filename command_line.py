"""What the scripts share that is not physics: options, checks of what a user gives, and files written whole."""

import io
import os
import secrets
import shutil
import signal
import sys
from pathlib import Path

import numpy as np

LARGEST_COUNT = 10_000_000  # of steps, points or epochs
LARGEST_STATE = 1e6  # of |q| and |p|
LARGEST_SEED = 2**32 - 1
_written = []  # the files that this process has put in place


def expect_interrupts():
    """Let Ctrl-C end the process at once, in one line, until run() starts: for the seconds that imports take."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # elsewhere, as under nohup, it is ignored
        signal.signal(signal.SIGINT, _end_at_once)


def _end_at_once(*_):
    os.write(2, f"\n{_interrupted()}\n".encode())
    os._exit(130)


def _interrupted():
    kept = f"kept {', '.join(_written)}" if _written else "nothing was written, and what was there is as it was"
    return f"Interrupted: {kept}."


def run(main):
    """Run a script's main(); what a user can get wrong, or stop, ends in one sentence and no traceback."""
    try:
        if signal.getsignal(signal.SIGINT) is _end_at_once:
            signal.signal(signal.SIGINT, signal.default_int_handler)  # what is under way can now be undone
        main()
        sys.stdout.flush()
    except KeyboardInterrupt:
        print(f"\n{_interrupted()}", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:  # the reader of our output, such as `head`, has left
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except MemoryError:
        print(
            "Error: this needs more memory than there is; ask for fewer steps, points or states.",
            file=sys.stderr,
        )
        sys.exit(1)
    except OSError as error:
        named = f"{error.filename}: {error.strerror}" if error.filename and error.strerror else error
        print(f"Error: {named}.", file=sys.stderr)
        sys.exit(1)
    except (ArithmeticError, ValueError) as error:
        print(f"Error: {error}.", file=sys.stderr)
        sys.exit(1)


def check_count(name, value, least=1, most=LARGEST_COUNT):
    """`value` as an int; raises ValueError unless it is a whole number from `least` to `most`."""
    if isinstance(value, bool) or not hasattr(value, "__index__") or not least <= value <= most:
        raise ValueError(f"{name} must be a whole number from {least:,} to {most:,}, not {value!r}")
    return int(value)


def check_states(states, name="the state"):
    """`states` as a float64 array, (2,) or (B, 2); raises ValueError unless it holds finite states [q, p]."""
    if hasattr(states, "detach"):  # a torch tensor, on whatever device
        states = states.detach().cpu()
    try:
        array = np.asarray(states)
        array = array.astype(np.float64, casting="same_kind" if array.dtype.kind in "iuf" else "safe")
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be [q, p] or a batch of them, in numbers, not {states!r}") from None
    if array.ndim not in (1, 2) or array.shape[-1] != 2 or array.size == 0:
        raise ValueError(f"{name} must be [q, p] or a batch of shape (B, 2), not of shape {array.shape}")
    if not (abs(array) <= LARGEST_STATE).all():
        raise ValueError(f"{name} must hold finite numbers of at most {LARGEST_STATE:g} in size, not {array.tolist()}")
    return array


def check_rollout(init_state, n_steps, dt, largest_dt):
    """What a rollout starts from, as check_states gives it; raises ValueError for a bad state, count or time step."""
    check_count("the number of steps", n_steps)
    if isinstance(dt, bool) or not isinstance(dt, int | float | np.number) or not 0 < dt < largest_dt:
        raise ValueError(
            f"dt must be above 0 and below {largest_dt:.3g} s, where the method becomes unstable, not {dt!r}"
        )
    return check_states(init_state)


def usable_device(name):
    """The torch device called `name`; raises ValueError where this machine cannot compute on it in float64."""
    import torch  # here, so that the scripts that need no network need not wait for torch

    try:
        device = torch.device(name)
        (torch.ones(1, dtype=torch.float64, device=device) + 1).item()
    except (AssertionError, NotImplementedError, RuntimeError, TypeError, ValueError):
        has = "cpu" + "".join(f", cuda:{i}" for i in range(torch.cuda.device_count()))
        raise ValueError(f"device {str(name)!r} cannot be used here in float64; this machine has {has}") from None
    return device


def check_output(path):
    """`path`; raises ValueError or OSError, before any work is done, where a file could not be written there."""
    target = Path(path).resolve()
    if target.exists() and not target.is_file():
        raise ValueError(f"{path} is not a file; give --output a file's name")
    if not target.parent.is_dir():
        raise ValueError(f"there is no folder {target.parent} to write {target.name} in; make it first")
    if target.exists() and not os.access(target, os.W_OK):
        raise ValueError(f"{path} is read-only; give --output another name")
    part = _part_beside(target)
    try:
        part.touch(exist_ok=False)
    except OSError as error:
        raise ValueError(f"cannot write in the folder {target.parent} ({error.strerror}); choose another") from None
    finally:
        part.unlink(missing_ok=True)
    return path


def check_figure(path):
    """`path`, checked as by check_output; raises ValueError too where matplotlib cannot write such a figure."""
    from matplotlib.backend_bases import FigureCanvasBase

    formats = FigureCanvasBase.get_supported_filetypes()
    if Path(path).suffix[1:].lower() not in formats:
        raise ValueError(f"{path} does not end in a figure format; end it in one of .{', .'.join(sorted(formats))}")
    return check_output(path)


def _part_beside(target):
    """A new name for a temporary file, in the folder of `target`, so that it can replace it atomically."""
    return target.with_name(f".{os.getpid()}-{secrets.token_hex(4)}.part")


def write_whole(path, content):
    """Write the bytes `content` to `path` so that, whatever happens, the old file is intact or the new one complete."""
    target = Path(path).resolve()  # through a link, the file that it names is replaced
    part = _part_beside(target)
    try:
        with part.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            shutil.copymode(target, part)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    _written.append(str(path))


def finish_figure(fig, path, show):
    """Save a figure whole in the format that its name asks for, say where, and show it where that can be done."""
    content = io.BytesIO()
    fig.savefig(content, format=Path(path).suffix[1:].lower(), dpi=150)
    write_whole(path, content.getvalue())
    print(f"Wrote {path}")
    if show and fig.canvas.required_interactive_framework is None:
        print("There is no display to show it on.")
    elif show:
        import matplotlib.pyplot as plt

        plt.show()


def add_rollout_options(parser, n_steps, dt, output):
    """The options of both simulators."""
    parser.add_argument(
        "--state",
        nargs=2,
        type=float,
        action="append",
        metavar=("Q", "P"),
        help="an initial state, in rad and kg m²/s; repeat it for more (default: the post's three)",
    )
    parser.add_argument("--steps", type=int, default=n_steps, help="number of steps (default: %(default)s)")
    parser.add_argument("--dt", type=float, default=dt, help="time step in s (default: %(default)s)")
    add_figure_options(parser, output)


def add_figure_options(parser, output):
    """The options of every script that draws."""
    parser.add_argument("--output", default=output, help="where to write the figure (default: %(default)s)")
    parser.add_argument("--show", action="store_true", help="open a window with the figure too")
