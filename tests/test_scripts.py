"""Every script works from a foreign folder, on any terminal or none, and importing a module does nothing."""

import ast
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from in_process import console, run_script

import dist_dynamic
import hnn_training
import rigid_simulator_HNN
import rigid_simulator_implicit
from HNN import CHECKPOINT, load_hnn

pytestmark = pytest.mark.filterwarnings("error")
ROOT = Path(__file__).resolve().parents[1]
TOP = ["pendulum_nonlinear", "pendulum_tensor", "HNN", "hnn_model_derivs", "hnn_training"]
TOP += ["rigid_simulator_implicit", "rigid_simulator_HNN", "dist_dynamic"]  # in the order in which they are read
SUPPORT = [f"support.{file.stem}" for file in (ROOT / "support").glob("[!_]*.py")]
SCRIPTS = {  # a short run of each, and the file that it writes
    hnn_training: ("--epochs 1 --points 50", "hamiltonian_nn_1.pth"),
    rigid_simulator_implicit: ("--steps 3", "FIG3.png"),
    rigid_simulator_HNN: ("--steps 3", "FIG5.png"),
    dist_dynamic: ("--steps 2 --points 20", "FIG4.png"),
}


def imports_of(path):
    """The modules that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


def is_script(name):
    return 'if __name__ == "__main__":' in (ROOT / f"{name}.py").read_text()


@pytest.mark.parametrize("name", TOP)
def test_a_module_at_the_top_imports_only_those_above_it_and_no_script_but_the_integrator(name):
    assert sorted(file.stem for file in ROOT.glob("*.py")) == sorted(TOP)
    imported = {module for module in imports_of(ROOT / f"{name}.py") if module in TOP}
    assert imported <= set(TOP[: TOP.index(name)])
    integrator = {"rigid_simulator_implicit"} if name in ("rigid_simulator_HNN", "dist_dynamic") else set()
    assert set(filter(is_script, imported)) <= integrator


def test_support_imports_nothing_from_the_top():
    assert len(SUPPORT) >= 12
    for name in SUPPORT:
        imported = set(imports_of(ROOT / f"{name.replace('.', '/')}.py"))
        assert not {module for module in imported if module in TOP or module.startswith(".")}, name


IMPORTING = f"""
import random, signal, sys, threading
sys.path.insert(0, {str(ROOT)!r})
import numpy, torch
torch.manual_seed(7)
before = [torch.get_rng_state().tolist(), str(numpy.random.get_state()), random.getstate()]
before += [signal.getsignal(signal.SIGINT), threading.active_count(), sys.stdout, torch.get_default_dtype()]
come_with_torch = set(sys.modules)
import {", ".join(TOP + SUPPORT)}
after = [torch.get_rng_state().tolist(), str(numpy.random.get_state()), random.getstate()]
after += [signal.getsignal(signal.SIGINT), threading.active_count(), sys.stdout, torch.get_default_dtype()]
assert after == before
import matplotlib.pyplot
assert not matplotlib.pyplot.get_fignums()
import os
assert not os.listdir()
print("imported")
sys.argv[1:] = ["--epochs", "1", "--points", "50"]
hnn_training.main()
loaded = {{name for name in set(sys.modules) - come_with_torch if name.startswith(("torch._dynamo", "sympy"))}}
assert not loaded, f"training has imported torch's compiler, which takes longer than the training: {{loaded}}"
"""


def start(folder, script, arguments="", redirect="", **variables):
    """A script as a process of its own, started by a shell in `folder`, where every warning is an error.

    It has one thread, for several run side by side.
    """
    left_out = ("DISPLAY", "WAYLAND_DISPLAY", "MPLBACKEND", "PYTHONUNBUFFERED")
    environment = {k: v for k, v in os.environ.items() if k not in left_out}
    command = [sys.executable, "-W", "error", ROOT / script, *arguments.split()]
    return subprocess.Popen(
        ["bash", "-c", f'exec "$@" {redirect}', "bash", *command],
        cwd=folder,
        env=environment | {"OMP_NUM_THREADS": "1"} | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


TERMINALS = {  # arguments, redirection, encoding of the terminal, file, status, last line of stdout, stderr
    "hnn_training.py": ("--epochs 1 --points 50 --output new.pth", ">&-", "utf-8", "new.pth", 0, "", ""),
    "rigid_simulator_implicit.py": ("--steps 3", ">/dev/full", "utf-8", "FIG3.png", 1, "", "No space left"),
    "rigid_simulator_HNN.py": ("--steps 3 --show", "2>/dev/full", "ascii", "FIG5.png", 0, "There is no display", ""),
    "dist_dynamic.py": ("--steps 2 --points 20", "2>&-", "cp1252", "FIG4.png", 0, "Wrote FIG4.png", ""),
}


@pytest.fixture
def foreign(tmp_path):
    """A folder that holds another package with the name of our support/, as the folder of the user does too."""
    for folder in (tmp_path / "a folder, größer", tmp_path / "foreign"):
        (folder / "support").mkdir(parents=True)
        (folder / "support" / "__init__.py").write_text("raise ImportError('this is another package of the name')")
    return tmp_path / "foreign"


def run_on(terminals, foreign):
    """Run scripts side by side, each on what is left of its terminal, and check all that they leave."""
    folder, committed = foreign.with_name("a folder, größer"), CHECKPOINT.read_bytes()
    processes = [
        start(folder, script, arguments, redirect, PYTHONIOENCODING=encoding, PYTHONPATH=str(foreign))
        for script, (arguments, redirect, encoding, *_) in terminals.items()
    ]
    for process, (script, (_, _, encoding, file, status, last_line, error)) in zip(
        processes, terminals.items(), strict=True
    ):
        out, err = (stream.decode(encoding) for stream in process.communicate())
        assert (process.returncode, err.count("\n")) == (status, 1 if error else 0), (script, err)
        assert error in err and (out.splitlines() or [""])[-1].startswith(last_line), (script, out, err)
        assert (folder / file).stat().st_size > 5000
    assert {f.name for f in folder.iterdir()} == {"support", *(row[3] for row in terminals.values())}
    assert CHECKPOINT.read_bytes() == committed
    return folder


@pytest.mark.parametrize(
    "module, encoding",
    [
        *((module, "ascii") for module in SCRIPTS),
        (hnn_training, "cp1252"),
        pytest.param(rigid_simulator_implicit, "cp1252", marks=pytest.mark.slow),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_console_that_lacks_a_sign_shows_another_and_the_work_is_done(module, encoding, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments, file = SCRIPTS[module]
    streams = [partial(console, encoding)] * 2
    outcome = run_script(module.main, "--help", *streams)
    assert (outcome.status, outcome.err) == (0, "") and "--output" in outcome.out
    outcome = run_script(module.main, arguments, *streams)
    assert (outcome.status, outcome.err) == (0, "") and f"Wrote {file}\n" in outcome.out
    assert [file.name for file in tmp_path.iterdir()] == [file]


def full_disk():
    return Path("/dev/full").open("w")


def reader_has_left():
    reader, writer = os.pipe()
    os.close(reader)
    return os.fdopen(writer, "w")


def is_none():
    """What Python makes of a stream that the shell has closed."""


@pytest.mark.parametrize(
    "stream, status, message",
    [
        (full_disk, 1, "Error: the work is done, but not all of the output could be shown ([Errno 28] No space left"),
        (reader_has_left, 1, ""),
        (is_none, 0, ""),
    ],
)
def test_weights_are_written_though_their_output_cannot_be_shown(stream, status, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    outcome = run_script(hnn_training.main, "--epochs 1 --points 50", out=stream)
    assert outcome.status == status and load_hnn("hamiltonian_nn_1.pth")
    assert outcome.err.startswith(message) and outcome.err.count("\n") == bool(message)
    Path("hamiltonian_nn_1.pth").unlink()
    assert run_script(hnn_training.main, "--epochs 1 --points 50", err=stream).status == 0
    assert load_hnn("hamiltonian_nn_1.pth")
    assert run_script(hnn_training.main, "--epochs 0", err=stream).status == 1
    assert run_script(hnn_training.main, "--epochs none", err=stream).status == 2


def test_importing_does_nothing(tmp_path):
    (tmp_path / "importing.py").write_text(IMPORTING)
    (tmp_path / "empty").mkdir()
    importing = start(tmp_path / "empty", tmp_path / "importing.py")
    out, err = importing.communicate()
    assert (importing.returncode, err.decode()) == (0, "")
    assert out.startswith(b"imported\nEpoch: 0 Loss")  # nothing is printed before


@pytest.mark.slow
def test_scripts_run_in_a_foreign_folder_on_what_is_left_of_a_terminal(foreign):
    assert load_hnn(run_on(TERMINALS, foreign) / "new.pth")


@pytest.mark.slow
def test_signals_in_training_keep_the_old_weights(tmp_path):
    endings = {"SIGINT": (130, "Interrupted."), "SIGTERM": (143, "Stopped."), "SIGHUP": (129, "Stopped.")}
    weights = tmp_path / "hamiltonian_nn_1.pth"
    weights.write_bytes(b"old")
    processes = {name: start(tmp_path, "hnn_training.py", "--epochs 100000", PYTHONUNBUFFERED="1") for name in endings}
    for name, process in processes.items():
        process.stdout.readline()  # the first epoch's
        process.send_signal(getattr(signal, name))
        process.send_signal(getattr(signal, name))
    for name, process in processes.items():
        _, errors = process.communicate()
        assert (process.returncode, errors.decode()) == (endings[name][0], f"\n{endings[name][1]}\n")
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
    command = f"ulimit -v 12000000; exec {sys.executable} {ROOT / 'rigid_simulator_implicit.py'} --steps 200000"
    result = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "FIG3.png").stat().st_size < 1e6
    assert "…" in result.stdout


SHORT_OF_MEMORY = f"""
import resource, sys
sys.path.insert(0, {str(ROOT)!r})
import torch._dynamo  # as Adam does
import hnn_training
from support.command_line import run
pages = int(open("/proc/self/statm").read().split()[0])
resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + 400 * 2**20,) * 2)
run(hnn_training.main)
"""


@pytest.mark.slow
def test_training_that_needs_more_memory_than_there_is_ends_in_one_sentence(tmp_path):
    arguments = ["--recipe", "post", "--epochs", "1", "--points", "100000"]
    command = [sys.executable, "-c", SHORT_OF_MEMORY, *arguments]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == "Error: this needs more memory than there is; ask for fewer steps, points or states.\n"
    assert list(tmp_path.iterdir()) == []
