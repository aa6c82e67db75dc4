"""Every script works from a foreign folder, on any terminal or on none."""

import signal
import subprocess
import sys

import pytest
from helpers import ROOT, start

from HNN import CHECKPOINT, load_hnn

pytestmark = pytest.mark.filterwarnings("error")

TERMINALS = {  # arguments, redirection, encoding of the terminal, file, last line of stdout, environment
    "hnn_training.py": ("--epochs 1 --points 50 --output new.pth", ">&-", "utf-8", "new.pth", "", {}),
    "rigid_simulator_implicit.py": ("--steps 3", ">/dev/full", "utf-8", "FIG3.png", "", {"MPLBACKEND": "svg"}),
    "rigid_simulator_HNN.py": ("--steps 3 --show", "2>/dev/full", "ascii", "FIG5.png", "There is no display", {}),
    "dist_dynamic.py": ("--steps 2 --points 9", "2>&-", "cp1252", "FIG4.png", "Wrote FIG4.png", {"MPLBACKEND": "no"}),
}


def test_scripts_run_in_a_foreign_folder_on_what_is_left_of_a_terminal(tmp_path):
    folder, foreign, committed = tmp_path / "a folder, größer", tmp_path / "foreign", CHECKPOINT.read_bytes()
    for place in (folder, foreign):  # both hold another package of the name
        (place / "support").mkdir(parents=True)
        (place / "support" / "__init__.py").write_text("raise ImportError('this is another package of the name')")
    processes = [
        start(folder, script, arguments, redirect, PYTHONIOENCODING=encoding, PYTHONPATH=str(foreign), **environment)
        for script, (arguments, redirect, encoding, *_, environment) in TERMINALS.items()
    ]
    for process, (script, (_, _, encoding, file, last_line, _)) in zip(processes, TERMINALS.items(), strict=True):
        out, err = (stream.decode(encoding) for stream in process.communicate())
        assert (process.returncode, err) == (0, ""), (script, err)
        assert (out.splitlines() or [""])[-1].startswith(last_line), (script, out)
        assert (folder / file).stat().st_size > 5000
    assert {f.name for f in folder.iterdir()} == {"support", *(row[3] for row in TERMINALS.values())}
    assert CHECKPOINT.read_bytes() == committed and load_hnn(folder / "new.pth")


def test_a_reader_who_leaves_does_not_end_the_training(tmp_path):
    process = start(tmp_path, "hnn_training.py", "--epochs 3 --points 50", "| head -1")
    out, err = process.communicate()
    assert (out.count(b"\n"), err) == (1, b"") and load_hnn(tmp_path / "hamiltonian_nn_1.pth")


def test_ctrl_c_in_training_ends_in_one_line_and_keeps_the_old_weights(tmp_path):
    weights = tmp_path / "hamiltonian_nn_1.pth"
    weights.write_bytes(b"old")
    process = start(tmp_path, "hnn_training.py", "--epochs 100000", PYTHONUNBUFFERED="1")
    process.stdout.readline()  # the first epoch's
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate()
    assert (process.returncode, errors.decode()) == (130, "\nInterrupted.\n")
    assert weights.read_bytes() == b"old" and list(tmp_path.iterdir()) == [weights]


def test_a_long_run_stays_in_bounded_memory_and_its_figure_is_light(tmp_path):
    command = f"ulimit -v 12000000; exec {sys.executable} {ROOT / 'rigid_simulator_implicit.py'} --steps 50000"
    result = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "FIG3.png").stat().st_size < 1e6
