"""Files are written whole or not at all, none is written over another one, and nothing else is left behind."""

import contextlib
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from in_process import run_script

import hnn_training
import rigid_simulator_implicit
from HNN import CHECKPOINT, load_hnn
from support import films
from support.files import ABANDONED, CHECKPOINTS, FIGURES, PART, check_outputs, write_whole

pytestmark = pytest.mark.filterwarnings("error")
ROOT = Path(__file__).resolve().parents[1]
WRITER = """
import sys
from support.files import write_whole
print("ready", flush=True)
while True:
    for letter in sys.argv[2].encode():
        write_whole(sys.argv[1], bytes([letter]) * 400_000)
"""


def start_writer(path, letters):
    """A process that writes `path` again and again, full of one letter after the other."""
    command = [sys.executable, "-c", WRITER, str(path), letters]
    return subprocess.Popen(command, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE)


def is_whole(content, letters):
    return len(content) == 400_000 and len(set(content)) == 1 and chr(content[0]) in letters


def names(folder):
    return sorted(file.name for file in folder.iterdir())


def make_old(parts):
    for part in parts:
        os.utime(part, (time.time() - 2 * ABANDONED,) * 2)


@pytest.mark.slow
def test_killed_writers_leave_whole_files_and_a_later_run_removes_their_parts(tmp_path):
    paths = [tmp_path / f"weights-{i}.pth" for i in range(6)]
    for path in paths:
        write_whole(path, b"a" * 400_000)
    writers = [start_writer(path, "ab") for path in paths]
    for writer in writers:
        writer.stdout.readline()
    for i, (path, writer) in enumerate(zip(paths, writers, strict=True)):
        for _ in range(5 * i):  # each is killed at another moment
            assert is_whole(path.read_bytes(), "ab")
        writer.kill()
        writer.communicate()
        assert is_whole(path.read_bytes(), "ab")
    make_old(tmp_path.glob(PART.format("*")))
    check_outputs({"--output": (str(paths[0]), CHECKPOINTS)})
    assert names(tmp_path) == [path.name for path in paths]


def test_only_old_parts_of_ours_are_removed(tmp_path):
    old, young, foreign = (tmp_path / name for name in (PART.format(1), PART.format(2), "other.part"))
    for file in (old, young, foreign):
        file.touch()
    (tmp_path / PART.format(3)).mkdir()  # what cannot be removed does not matter
    make_old([old, foreign, tmp_path / PART.format(3)])
    check_outputs({"--output": (str(tmp_path / "FIG3.png"), FIGURES)})
    assert names(tmp_path) == sorted([young.name, foreign.name, PART.format(3)])


@pytest.mark.slow
def test_two_writers_at_once_leave_one_whole_file(tmp_path):
    path = tmp_path / "weights.pth"
    writers = [start_writer(path, letters) for letters in ("ab", "cd")]
    for writer in writers:
        writer.stdout.readline()
    write_whole(path, b"a" * 400_000)
    for _ in range(100):
        assert is_whole(path.read_bytes(), "abcd")
    for writer in writers:
        writer.kill()
        writer.communicate()
    assert is_whole(path.read_bytes(), "abcd")


@contextlib.contextmanager
def disk_full_after(size):
    """No file may grow beyond `size` bytes: writing stops half-way, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize(
    "main, arguments, size, failed, written",
    [
        (rigid_simulator_implicit.main, "--steps 3", 1000, "FIG3.png", []),
        (rigid_simulator_implicit.main, "--steps 2000 --output a.jpg --save a.csv", 180_000, "a.csv", ["a.jpg"]),
        pytest.param(
            *(rigid_simulator_implicit.main, "--steps 9 --output a.pdf --animate a.gif", 40_000, "a.gif", ["a.pdf"]),
            marks=pytest.mark.slow,
        ),
        (hnn_training.main, "--epochs 1 --points 10", 1000, "hamiltonian_nn_1.pth", []),
    ],
)
def test_a_full_disk_is_named_with_the_file_and_costs_no_old_one(
    main, arguments, size, failed, written, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    old = {".png": b"\x89PNG old", ".csv": b"t (s),q\n", ".gif": b"GIF89a old", ".pth": b"old"}[Path(failed).suffix]
    (tmp_path / failed).write_bytes(old)
    with disk_full_after(size):
        outcome = run_script(main, arguments)
    sentence = f"Error: {failed}: not written, and what was there is as it was (File too large).\n"
    assert (outcome.status, outcome.err) == (1, sentence)
    assert (tmp_path / failed).read_bytes() == old
    assert names(tmp_path) == sorted([failed, *written])


def signals(number):
    """A function that takes the place of another one and sends this signal instead of doing its work."""
    return lambda *_, **__: signal.raise_signal(number)


@pytest.mark.parametrize("number, status, word", [("SIGINT", 130, "Interrupted."), ("SIGTERM", 143, "Stopped.")])
def test_a_signal_in_the_middle_of_a_write_leaves_the_old_file_and_no_debris(
    number, status, word, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hamiltonian_nn_1.pth").write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", signals(getattr(signal, number)))
    outcome = run_script(hnn_training.main, "--epochs 1 --points 10")
    assert (outcome.status, outcome.err) == (status, f"\n{word}\n")
    assert names(tmp_path) == ["hamiltonian_nn_1.pth"] and Path("hamiltonian_nn_1.pth").read_bytes() == b"old"


def test_a_second_ctrl_c_does_not_stop_the_cleaning_up(tmp_path, monkeypatch):
    def unlink(path, **_):
        signal.raise_signal(signal.SIGINT)
        path.rename(tmp_path / "cleaned up")

    def interrupted(*_):
        monkeypatch.setattr(Path, "unlink", unlink)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "fsync", interrupted)
    outcome = run_script(rigid_simulator_implicit.main, "--steps 3")
    assert (outcome.status, outcome.err) == (130, "\nInterrupted.\n")
    assert names(tmp_path) == ["cleaned up"]


@pytest.mark.parametrize("number, status", [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
def test_a_signal_before_a_films_first_frame_keeps_the_figure_and_leaves_no_film(number, status, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(films.plt, "subplots", signals(getattr(signal, number)))
    outcome = run_script(rigid_simulator_implicit.main, "--steps 3 --animate film.gif")
    assert (outcome.status, outcome.err) == (status, "\nInterrupted.\n" if status == 130 else "\nStopped.\n")
    assert names(tmp_path) == ["FIG3.png"]


def test_a_hangup_that_is_ignored_as_under_nohup_stops_nothing(tmp_path, monkeypatch):
    def wrapped_write(*arguments):
        signal.raise_signal(signal.SIGHUP)
        write_whole(*arguments)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(hnn_training, "write_whole", wrapped_write)
    handler = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        outcome = run_script(hnn_training.main, "--epochs 1 --points 10")
    finally:
        signal.signal(signal.SIGHUP, handler)
    assert (outcome.status, outcome.err) == (0, "") and load_hnn("hamiltonian_nn_1.pth")


def test_ctrl_c_after_the_weights_are_written_keeps_them(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(hnn_training, "judgement", signals(signal.SIGINT))
    outcome = run_script(hnn_training.main, "--epochs 1 --points 10")
    assert (outcome.status, outcome.err) == (130, "\nInterrupted.\n")
    assert outcome.out.endswith("Wrote hamiltonian_nn_1.pth\n") and load_hnn("hamiltonian_nn_1.pth")


def test_a_link_and_the_permissions_are_kept(tmp_path):
    target, link = tmp_path / "target.pth", tmp_path / "link.pth"
    target.write_bytes(b"old")
    target.chmod(0o640)
    link.symlink_to(target)
    write_whole(link, b"new")
    assert link.is_symlink() and target.read_bytes() == b"new" and target.stat().st_mode & 0o777 == 0o640


def test_a_new_file_has_the_usual_permissions(tmp_path):
    (tmp_path / "usual").write_bytes(b"")
    write_whole(tmp_path / "ours", b"")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "usual").stat().st_mode


@pytest.mark.parametrize(
    "name, start, old",
    [
        ("a.png", b"\x89PNG", b"\x89PNG and more"),
        ("a.PNG", b"\x89PNG", b""),
        ("a.pdf", b"%PDF", b"%PDF-1.4"),
        ("a.jpeg", b"\xff\xd8", b"\xff\xd8\xff\xe0"),
        pytest.param("a.svg", b"<?xml", b"<?xml version", marks=pytest.mark.slow),
    ],
)
def test_a_figure_replaces_one_of_its_kind_and_an_empty_file(name, start, old, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_bytes(old)
    outcome = run_script(rigid_simulator_implicit.main, f"--steps 3 --output {name}")
    assert (outcome.status, outcome.err) == (0, "")
    assert (tmp_path / name).read_bytes().startswith(start) and (tmp_path / name).stat().st_size > 5000


@pytest.mark.parametrize("name", ["weights.pth", "weights.pt", "WEIGHTS.PTH"])
def test_weights_end_in_pth_or_pt_and_may_replace_a_checkpoint(name, tmp_path):
    (tmp_path / name).write_bytes(CHECKPOINT.read_bytes())
    check_outputs({"--output": (str(tmp_path / name), CHECKPOINTS)})
    assert (tmp_path / name).read_bytes() == CHECKPOINT.read_bytes() and names(tmp_path) == [name]


def test_two_outputs_that_are_one_file_are_refused(tmp_path):
    file, link = tmp_path / "drawn.png", tmp_path / "link.png"
    link.symlink_to(file)
    for other in (file, link, tmp_path / "." / "drawn.png", tmp_path / ".." / tmp_path.name / "drawn.png"):
        with pytest.raises(ValueError, match="--output and --save name one file"):
            check_outputs({"--output": (str(file), FIGURES), "--save": (str(other), FIGURES)})
    assert names(tmp_path) == ["link.png"]


def refuse(*_, **__):
    raise PermissionError(13, "Permission denied")


def open_for_reading_alone(path, mode="r", *_, **__):
    return open(path, mode) if mode in ("r", "rb") else refuse()  # noqa: PTH123, of which this takes the place


@pytest.mark.parametrize("action, stand_in", [("touch", refuse), ("open", open_for_reading_alone)])
def test_a_read_only_folder_or_file_is_refused_before_the_work(action, stand_in, tmp_path, monkeypatch):
    path = tmp_path / "drawn.png"
    path.write_bytes(b"\x89PNG")
    with monkeypatch.context() as patch, pytest.raises(ValueError, match=r"--output .*Permission denied"):
        patch.setattr(Path, action, stand_in)  # since root, who may run these tests, may write everywhere
        check_outputs({"--output": (str(path), FIGURES)})
    assert names(tmp_path) == ["drawn.png"] and path.read_bytes() == b"\x89PNG"
