"""Every script runs from a foreign folder without a display, and importing one does nothing."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from HNN import CHECKPOINT, load_hnn

ROOT = Path(__file__).resolve().parents[1]
RUNS = {
    "hnn_training.py": ("--epochs 1 --points 100 --output new.pth", "new.pth"),
    "rigid_simulator_implicit.py": ("--steps 30", "FIG3.png"),
    "rigid_simulator_HNN.py": ("--steps 30 --state 1 0 --state 0 7 --show", "FIG5.png"),
    "dist_dynamic.py": ("--steps 5 --points 20 --output small.pdf", "small.pdf"),
}


def start(folder, script, arguments, **variables):
    environment = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY", "MPLBACKEND")}
    environment |= {"PYTHONUNBUFFERED": "1"} | variables
    command = [sys.executable, "-W", "error", ROOT / script, *arguments.split()]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, cwd=folder, env=environment, text=True, **pipes)


def test_scripts_run_from_a_foreign_folder_without_a_display_or_a_warning(tmp_path):
    folder = tmp_path / "a folder, größer"
    folder.mkdir()
    committed = CHECKPOINT.read_bytes()
    processes = {script: start(folder, script, arguments) for script, (arguments, _) in RUNS.items()}
    for script, process in processes.items():
        output, errors = process.communicate()
        assert process.returncode == 0, (script, errors)
        assert f"Wrote {RUNS[script][1]}" in output
    assert sorted(file.name for file in folder.iterdir()) == sorted(name for _, name in RUNS.values())
    assert (folder / "FIG3.png").read_bytes().startswith(b"\x89PNG") and (folder / "small.pdf").stat().st_size > 1000
    assert load_hnn(folder / "new.pth") and CHECKPOINT.read_bytes() == committed


def test_importing_does_nothing_but_define(tmp_path):
    modules = [file.stem for file in ROOT.glob("*.py")]
    assert len(modules) >= 9
    script = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n" + "".join(f"import {name}\n" for name in modules)
    script += "import matplotlib.pyplot as plt, torch\nassert not plt.get_fignums() and torch.initial_seed() == 7"
    script = "import torch; torch.manual_seed(7)\n" + script
    result = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []


def test_training_does_without_torchs_compiler_whose_import_would_take_longer(tmp_path):
    script = f"import sys; sys.path.insert(0, {str(ROOT)!r}); sys.argv[1:] = ['--epochs', '1', '--points', '50']\n"
    script += "import hnn_training; hnn_training.main(); assert 'torch._dynamo' not in sys.modules"
    result = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


def test_ctrl_c_while_a_script_imports_ends_in_one_line(tmp_path):
    fake_package = "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n"  # Ctrl-C comes while this is imported
    (tmp_path / "tqdm.py").write_text(fake_package)
    for script in RUNS:
        process = start(tmp_path, script, "", PYTHONPATH=str(tmp_path))
        output, errors = process.communicate()
        assert (process.returncode, output) == (130, ""), script
        assert errors == "\nInterrupted: nothing was written, and what was there is as it was.\n"


@pytest.mark.slow
def test_ctrl_c_in_training_keeps_the_old_weights(tmp_path):
    weights = tmp_path / "hamiltonian_nn_1.pth"
    weights.write_bytes(b"old")
    process = start(tmp_path, "hnn_training.py", "--epochs 100000")
    process.stdout.readline()  # the first epoch's
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate()
    assert process.returncode == 130
    assert errors.splitlines()[-1] == "Interrupted: nothing was written, and what was there is as it was."
    assert "Traceback" not in errors
    assert weights.read_bytes() == b"old" and list(tmp_path.iterdir()) == [weights]


@pytest.mark.slow
def test_two_trainings_at_once_leave_one_whole_checkpoint(tmp_path):
    processes = [start(tmp_path, "hnn_training.py", f"--epochs 1 --points 100 --seed {seed}") for seed in (1, 2)]
    for process in processes:
        process.communicate()
        assert process.returncode == 0
    assert load_hnn(tmp_path / "hamiltonian_nn_1.pth")
    assert [file.name for file in tmp_path.iterdir()] == ["hamiltonian_nn_1.pth"]


@pytest.mark.slow
def test_a_long_run_stays_in_bounded_memory_and_its_figure_is_light(tmp_path):
    limited = "ulimit -v 12000000; exec "
    command = f"{limited} {sys.executable} {ROOT / 'rigid_simulator_implicit.py'} --steps 200000"
    result = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "FIG3.png").stat().st_size < 1e6
    assert "…" in result.stdout
