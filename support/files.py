"""Files: refused before the work where they could not be written, and written whole or not at all."""

import io
import os
import shutil
from pathlib import Path

import numpy as np

FIGURES = (".png", ".pdf", ".svg", ".jpg", ".jpeg")
FILMS = (".gif",)
TABLES = (".csv",)
CHECKPOINTS = (".pth", ".pt")


def check_output(option, path, endings):
    """Raise ValueError, before any work, where the file of an option could not be written."""
    if Path(path).suffix.lower() not in endings:
        raise ValueError(f"{option} {path!r} is not the name of a {' or '.join(endings)} file; give it such a name")
    try:
        target = Path(path).resolve()
        part = _part_beside(target)
        part.touch()
        part.unlink()
        if target.exists():
            target.open("r+b").close()  # a read-only file refuses this, though its folder may be written
    except OSError as error:
        raise ValueError(f"{option} {path} cannot be written ({error.strerror}); name a file elsewhere") from None


def _part_beside(target):
    """Where a file is written before it takes its name, in the same folder, so that it can do so at once."""
    return target.with_name(f".{target.name}.{os.getpid()}.part")


def write_whole(path, content):
    """Write the bytes `content` to `path` so that, whatever happens, the old file is intact or the new one complete.

    Raises OSError, with the name of the file in it, where that cannot be done.
    """
    target = Path(path).resolve()  # through a link, the file that it names is replaced
    part = _part_beside(target)
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            shutil.copymode(target, part)
        part.replace(target)
    except OSError as error:
        reason = f"not written, and what was there is as it was ({error.strerror})"
        raise OSError(error.errno, reason, str(path)) from None
    finally:
        part.unlink(missing_ok=True)


def write_table(path, columns):
    """Write {header: values} as the columns of a CSV file, every number with all of its digits."""
    content, values = io.BytesIO(), np.column_stack(list(columns.values()))
    np.savetxt(content, values, "%.17g", ",", header=",".join(columns), comments="", encoding="utf-8")
    write_whole(path, content.getvalue())


def write_figure(path, fig):
    """Save a matplotlib figure in the format that its name asks for."""
    content = io.BytesIO()
    fig.savefig(content, format=Path(path).suffix[1:].lower(), dpi=150)
    write_whole(path, content.getvalue())
