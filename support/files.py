"""Files: refused before the work where they could not be written, and written whole or not at all."""

import contextlib
import io
import os
import secrets
import shutil
import time
from pathlib import Path

import numpy as np

# What a file of each ending starts with. A figure never replaces a file that starts otherwise.
FIGURES = {".png": b"\x89PNG", ".pdf": b"%PDF", ".svg": b"<?xml", ".jpg": b"\xff\xd8", ".jpeg": b"\xff\xd8"}
FILMS = {".gif": b"GIF8"}
TABLES = {".csv": b"t (s)"}
CHECKPOINTS = {".pth": b"", ".pt": b""}
PART = ".harmonic-{}.part"  # a file that is being written
ABANDONED = 60.0  # s: writing takes less than a second, so that an older part was left by a process that was killed


def check_outputs(outputs, used=None):
    """Raise ValueError, before any work is done, where one of the `outputs` could not be written.

    They are {option: (path, endings)}; `used` is the file of --weights, which none of them may replace.
    """
    options = {Path(used).resolve(): "--weights"} if used and Path(used).is_file() else {}
    for option, (path, endings) in outputs.items():
        target = _writable(option, path, endings)
        other = options.setdefault(target, option)
        if other != option:
            raise ValueError(f"{other} and {option} name one file, {path}; give them two")


def _writable(option, path, endings):
    """The file that `path` names, links followed; raises ValueError where it cannot be written or must not be."""
    ending = Path(path).suffix.lower()
    if ending not in endings:
        raise ValueError(f"{option} {path!r} is not the name of a {' or '.join(endings)} file; give it such a name")
    try:
        target = Path(path).resolve()
        if not target.parent.is_dir():
            raise ValueError(f"{option} {path}: there is no folder {target.parent}; make it first")
        _remove_abandoned(target.parent)
        part = _part_beside(target)
        try:
            part.touch(exist_ok=False)
        finally:
            part.unlink(missing_ok=True)
        if target.is_symlink() or (target.exists() and not target.is_file()):  # a link still: it leads to itself
            raise ValueError(f"{option} {path} is not a file; give it a file's name")
        if target.exists():
            with target.open("r+b") as file:  # which a read-only file refuses
                start = file.read(8)
            if start and not start.startswith(endings[ending]):
                raise ValueError(f"{option} {path} would replace a file that is no {ending}; give it another name")
    except (OSError, RuntimeError) as error:  # RuntimeError: a link that leads to itself, in older Pythons
        raise ValueError(f"{option} {path} cannot be written ({error}); name a file elsewhere") from None
    return target


def _part_beside(target):
    """A new name for a temporary file, in the folder of `target`, so that it can replace it atomically."""
    return target.with_name(PART.format(secrets.token_hex(6)))


def _remove_abandoned(folder):
    """Remove the parts that killed processes left in `folder`."""
    for part in folder.glob(PART.format("*")):
        with contextlib.suppress(OSError):  # another run has removed it first, or it is another user's
            if time.time() - part.stat().st_mtime > ABANDONED:
                part.unlink()


def write_whole(path, content):
    """Write the bytes `content` to `path` so that, whatever happens, the old file is intact or the new one complete.

    Raises OSError, with the name of the file in it, where that cannot be done.
    """
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
