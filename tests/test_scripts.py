"""Every script works from a foreign folder, on any terminal or none, and importing a module does nothing."""

import ast
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import ROOT, console, run_script

import dist_dynamic
import hnn_training
import rigid_simulator_HNN
import rigid_simulator_implicit
from HNN import CHECKPOINT, load_hnn
from pendulum_tensor import POST_BOX, TRAINING_BOX

pytestmark = pytest.mark.filterwarnings("error")
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
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


def test_a_module_at_the_top_imports_only_those_above_it():
    assert sorted(file.stem for file in ROOT.glob("*.py")) == sorted(TOP)
    for i, name in enumerate(TOP):
        assert {module for module in imports_of(ROOT / f"{name}.py") if module in TOP} <= set(TOP[:i]), name


def test_support_imports_the_pendulum_and_nothing_else_from_the_top():
    for name in SUPPORT:
        imported = set(imports_of(ROOT / f"{name.replace('.', '/')}.py"))
        assert {module for module in imported if module in TOP} <= {"pendulum_nonlinear", "pendulum_tensor"}, name
        assert not any(module.startswith(".") for module in imported), name


IMPORTING = f"""
import random, signal, sys, threading
sys.path.insert(0, {str(ROOT)!r})
import numpy, torch

def state():
    found = [torch.get_rng_state().tolist(), str(numpy.random.get_state()), random.getstate()]
    return found + [signal.getsignal(signal.SIGINT), threading.active_count(), sys.stdout, torch.get_default_dtype()]

torch.manual_seed(7)
before, come_with_torch = state(), set(sys.modules)
import {", ".join(TOP + SUPPORT)}
assert state() == before
import os
assert not os.listdir()
assert "matplotlib.pyplot" not in sys.modules
print("imported")
sys.argv[1:] = ["--epochs", "1", "--points", "50"]
hnn_training.main()
loaded = {{name for name in set(sys.modules) - come_with_torch if name.startswith(("torch._dynamo", "sympy"))}}
assert not loaded, f"training has imported torch's compiler, which takes longer than the training: {{loaded}}"
"""


def start(folder, script, arguments="", redirect="", **variables):
    """A script as a process of its own, started by a shell in `folder`, where every warning is an error."""
    left_out = ("DISPLAY", "WAYLAND_DISPLAY", "MPLBACKEND", "PYTHONUNBUFFERED")
    environment = {k: v for k, v in os.environ.items() if k not in left_out}
    return subprocess.Popen(
        [
            "bash",
            "-c",
            f'exec "$@" {redirect}',
            "bash",
            sys.executable,
            "-W",
            "error",
            ROOT / script,
            *arguments.split(),
        ],
        cwd=folder,
        env=environment | {"OMP_NUM_THREADS": "1"} | variables,  # one thread, for several run side by side
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # which a shell's background job ignores
    )


def test_importing_does_nothing(tmp_path):
    (tmp_path / "importing.py").write_text(IMPORTING)
    (tmp_path / "empty").mkdir()
    importing = start(tmp_path / "empty", tmp_path / "importing.py")
    out, err = importing.communicate()
    assert (importing.returncode, err.decode()) == (0, "")
    assert out.startswith(b"imported\nEpoch: 0 Loss")  # nothing is printed before


TERMINALS = {  # arguments, redirection, encoding of the terminal, file, last line of stdout, environment
    "hnn_training.py": ("--epochs 1 --points 50 --output new.pth", ">&-", "utf-8", "new.pth", "", {}),
    "rigid_simulator_implicit.py": ("--steps 3", ">/dev/full", "utf-8", "FIG3.png", "", {"MPLBACKEND": "svg"}),
    "rigid_simulator_HNN.py": ("--steps 3 --show", "2>/dev/full", "ascii", "FIG5.png", "There is no display", {}),
    "dist_dynamic.py": (
        "--steps 2 --points 20",
        "2>&-",
        "cp1252",
        "FIG4.png",
        "Wrote FIG4.png",
        {"MPLBACKEND": "none"},
    ),
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


@pytest.mark.parametrize("module", SCRIPTS, ids=lambda module: module.__name__)
@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_a_console_that_lacks_a_sign_shows_another_and_the_work_is_done(module, encoding, folder):
    arguments, file = SCRIPTS[module]
    outcome = run_script(module.main, "--help", console(encoding), console(encoding))
    assert (outcome.status, outcome.err) == (0, "") and "--output" in outcome.out
    outcome = run_script(module.main, arguments, console(encoding), console(encoding))
    assert (outcome.status, outcome.err) == (0, "") and f"Wrote {file}\n" in outcome.out
    assert [file.name for file in folder.iterdir()] == [file]


def test_a_long_run_stays_in_bounded_memory_and_its_figure_is_light(tmp_path):
    command = f"ulimit -v 12000000; exec {sys.executable} {ROOT / 'rigid_simulator_implicit.py'} --steps 100000"
    result = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "FIG3.png").stat().st_size < 1e6


# Weights: which, and how far to trust them


def test_the_first_line_names_the_weights_and_how_far_to_trust_them(folder, slower):
    outcome = run_script(rigid_simulator_HNN.main, "--steps 3")
    first = outcome.out.splitlines()[0]
    assert first.startswith(f"Weights {CHECKPOINT}, on |q| ≤ 3.14, |p| ≤ 7: derivative MSE ")
    mse, H_error = rigid_simulator_HNN.measure(load_hnn())
    assert first.endswith(f"derivative MSE {mse:.1e}, relative L2 error of H {H_error:.1e}")
    Path(CHECKPOINT.name).write_bytes(slower.read_bytes())
    first = run_script(rigid_simulator_HNN.main, "--steps 3").out.splitlines()[0]
    assert first.startswith(f"Weights {CHECKPOINT.name}, ") and "Warning: a poor fit of this pendulum" in first
    first = run_script(dist_dynamic.main, f"--steps 1 --points 9 --weights {CHECKPOINT}").out.splitlines()[0]
    assert first.startswith(f"Weights {CHECKPOINT}, ") and "Warning" not in first


@pytest.mark.parametrize("factor, warns", [(1.0001, False), (1.001, True), (float("nan"), True)])
def test_a_poor_fit_is_warned_of_and_no_other(model, factor, warns):
    weights = model.state_dict()
    weights["linear_block.4.weight"] = factor * weights["linear_block.4.weight"]
    other = type(model)().double()
    other.load_state_dict(weights)
    from support.trust import judge_derivatives

    assert ("Warning: a poor fit" in judge_derivatives(*rigid_simulator_HNN.measure(other))) == warns


@pytest.mark.parametrize("recipe, box, n", [("default", TRAINING_BOX, 125), ("post", POST_BOX, 100)])
def test_each_recipe_trains_in_its_own_box_and_says_how_well(folder, monkeypatch, recipe, box, n):
    given = []

    def fit(states, true_derivatives, epochs, seed, device, on_epoch, **more):
        given.append((states, epochs, seed, device, more))
        for epoch in range(epochs + 1):
            on_epoch(epoch, 0.5, None if recipe == "post" else 0.25, None)
        return load_hnn()

    monkeypatch.setattr(hnn_training, "train_as_post" if recipe == "post" else "train", fit)
    arguments = [
        "--recipe",
        recipe,
        "--points",
        100,
        "--epochs",
        200,
        "--seed",
        4,
        "--output",
        "w.pth",
        "--device",
        "x",
    ]
    outcome = run_script(hnn_training.main, arguments)
    assert outcome.status == 0, outcome.err
    ((states, epochs, seed, device, more),) = given
    assert (len(states), epochs, seed, device) == (n, 200, 4, "x")
    np.testing.assert_allclose(abs(states).max(0).values, box, rtol=0.05)
    assert more == ({} if recipe == "post" else {"period": 2 * np.pi})
    lines = outcome.out.splitlines()
    if recipe == "post":
        assert lines[:3] == [f"Epoch: {epoch} Loss: 5.000e-01" for epoch in (0, 100, 200)]
    else:
        assert lines[0] == "Epoch: 0 Loss: 5.000e-01 Validation loss: 2.500e-01" and len(lines) == 203
    assert lines[-2] == "Wrote w.pth" and "derivative MSE" in lines[-1]
    weights = torch.load("w.pth", weights_only=True)
    assert all(torch.equal(value, weights[key]) for key, value in load_hnn().state_dict().items())


def test_another_seed_gives_other_data_and_another_network(folder, monkeypatch):
    given, train = [], hnn_training.train
    monkeypatch.setattr(hnn_training, "train", lambda *data, **how: given.append(data) or train(*data, **how))
    for seed in (1, 2):
        outcome = run_script(hnn_training.main, f"--epochs 1 --points 40 --seed {seed} --output {seed}.pth")
        assert outcome.status == 0, outcome.err
    assert not np.array_equal(given[0][0], given[1][0])
    weights = [load_hnn(f"{seed}.pth").linear_block[2].weight for seed in (1, 2)]
    assert not np.allclose(*(weight.detach() for weight in weights))


def test_what_is_trained_on_a_device_is_trained_there(monkeypatch):
    monkeypatch.setattr("support.data.usable_device", torch.device)
    x = torch.zeros(20, 2)
    with pytest.raises(RuntimeError, match="meta tensors"):  # no number comes from there
        hnn_training.train(x, x, device="meta")
