"""Files are written whole or not at all."""

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import check_figure, check_output, write_whole

ROOT = Path(__file__).resolve().parents[1]
WRITER = """
import sys
from command_line import write_whole
print("ready", flush=True)
while True:
    for letter in sys.argv[2].encode():
        write_whole(sys.argv[1], bytes([letter]) * 400_000)
"""


def start_writer(path, letters):
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", WRITER, str(path), letters]
    writer = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)
    writer.stdout.readline()
    return writer


def is_whole(content, letters):
    return len(content) == 400_000 and len(set(content)) == 1 and chr(content[0]) in letters


def test_a_killed_writer_leaves_the_old_file_or_the_new_one(tmp_path):
    path = tmp_path / "weights.pth"
    write_whole(path, b"a" * 400_000)
    for _ in range(8):
        writer = start_writer(path, "ab")
        for _ in range(20):
            assert is_whole(path.read_bytes(), "ab")
        writer.kill()
        writer.communicate()
        assert is_whole(path.read_bytes(), "ab")


def test_two_writers_at_once_leave_one_whole_file(tmp_path):
    path = tmp_path / "weights.pth"
    writers = [start_writer(path, letters) for letters in ("ab", "cd")]
    for _ in range(200):
        assert is_whole(path.read_bytes(), "abcd")
    for writer in writers:
        writer.kill()
        writer.communicate()
    assert is_whole(path.read_bytes(), "abcd")


def test_a_write_that_fails_keeps_the_old_file_and_leaves_no_debris(tmp_path):
    path = tmp_path / "weights.pth"
    write_whole(path, b"old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))  # as a full disk: writing stops half-way
    try:
        with pytest.raises(OSError):
            write_whole(path, b"x" * 5000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_interrupted_write_leaves_no_debris(tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_whole(tmp_path / "weights.pth", b"new")
    assert list(tmp_path.iterdir()) == []


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


@pytest.mark.parametrize("path", [".", "/dev/null", "nowhere/weights.pth"])
def test_what_cannot_be_written_is_refused_before_the_work(path):
    with pytest.raises(ValueError, match=r"not a file|no folder"):
        check_output(path)


def test_a_read_only_folder_is_refused_before_the_work(tmp_path, monkeypatch):
    def refuse(self, *_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "touch", refuse)  # root, who may run these tests, may write in any folder
    with pytest.raises(ValueError, match="cannot write in the folder"):
        check_output(tmp_path / "weights.pth")


@pytest.mark.parametrize("name", ["figure", "figure.xyz", "figure.png.", ".png"])
def test_a_figure_of_no_known_format_is_refused(name):
    with pytest.raises(ValueError, match="figure format"):
        check_figure(name)


def test_ctrl_c_ends_in_one_line_and_status_130(tmp_path):
    script = (
        "from command_line import run\n"
        "import time\n"
        "def main():\n    print('ready', flush=True)\n    time.sleep(60)\n"
        "run(main)"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    pipe = subprocess.PIPE
    process = subprocess.Popen([sys.executable, "-c", script], env=environment, stdout=pipe, stderr=pipe, text=True)
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate()
    assert process.returncode == 130
    assert errors.strip() == "Interrupted: nothing was written, and what was there is as it was."
