"""Every script works from a foreign folder, on any terminal or on none, and imports go one way."""

import ast
import re
import signal
import sys
import threading
import warnings

import torch
from helpers import ROOT, run_script, start

import hnn_training
from HNN import CHECKPOINT

TOP = ["pendulum_nonlinear", "pendulum_tensor", "HNN", "hnn_model_derivs", "hnn_training"]
TOP += ["rigid_simulator_implicit", "rigid_simulator_HNN", "dist_dynamic"]  # in the order in which they are read
ROOMS = [f"{room}.{file.stem}" for room in ("support", "motion") for file in (ROOT / room).glob("[!_]*.py")]


def imports_of(name):
    """The modules that a module imports, anywhere in it."""
    for node in ast.walk(ast.parse((ROOT / f"{name.replace('.', '/')}.py").read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


def test_imports_go_one_way():
    assert sorted(file.stem for file in ROOT.glob("*.py")) == sorted(TOP)
    for i, name in enumerate(TOP):
        imported = set(imports_of(name))
        assert imported & set(TOP) <= set(TOP[:i]) and not any(module.startswith("motion") for module in imported), name
    for name in ROOMS:
        imported = set(imports_of(name))
        assert not any(module.startswith(".") for module in imported), name
        if name.startswith("support"):
            assert imported & set(TOP) <= {"pendulum_nonlinear", "pendulum_tensor"}, name
            assert not any(module.startswith("motion") for module in imported), name


IMPORTING = f"""
import os, random, signal, sys, threading
sys.path.insert(0, {str(ROOT)!r})
import numpy, torch

def state():
    found = [torch.get_rng_state().tolist(), str(numpy.random.get_state()), random.getstate(), dict(os.environ)]
    return found + [signal.getsignal(signal.SIGINT), threading.active_count(), sys.stdout, torch.get_default_dtype()]

torch.manual_seed(7)
before, come_with_torch = state(), set(sys.modules)
import {", ".join(TOP + ROOMS)}
assert state() == before
assert not os.listdir()
assert "matplotlib.pyplot" not in sys.modules
print("imported")
sys.argv[1:] = ["--epochs", "1", "--points", "50"]
hnn_training.main()
loaded = {{name for name in set(sys.modules) - come_with_torch if name.startswith(("torch._dynamo", "sympy"))}}
assert not loaded, f"training has imported torch's compiler, which takes longer than the training: {{loaded}}"
"""


def test_importing_does_nothing(tmp_path):
    (tmp_path / "importing.py").write_text(IMPORTING)
    (tmp_path / "empty").mkdir()
    importing = start(tmp_path / "empty", tmp_path / "importing.py", MPLBACKEND="no")
    out, err = importing.communicate()
    assert (importing.returncode, err.decode()) == (0, "")
    assert out.startswith(b"imported\nEpoch: 0 Loss")  # nothing is printed before


NOTEBOOK = {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}  # of a shell that a notebook opened
TERMINALS = {  # arguments, redirection, encoding of the terminal, file, all that is seen of stdout, environment
    "rigid_simulator_implicit.py": ("--steps 3 --animate a.gif --show", ">&- 2>&-", "utf-8", "FIG3.png", "", {}),
    "dist_dynamic.py": (
        "--steps 2 --points 9 --show",
        "| head -1",
        "ascii",
        "FIG4.png",
        "Weights .*q. [?] 3",
        NOTEBOOK,
    ),
}


def test_scripts_run_in_a_foreign_folder_on_what_is_left_of_a_terminal(tmp_path):
    folder, foreign, committed = tmp_path / "a folder, größer", tmp_path / "foreign", CHECKPOINT.read_bytes()
    for place in (folder, foreign):  # both hold another package of the name
        (place / "support").mkdir(parents=True)
        (place / "support" / "__init__.py").write_text("raise ImportError('this is another package of the name')")
    (folder / "matplotlibrc").write_text("text.usetex: True\nfigure.dpi: 20\n")
    processes = [
        start(folder, script, arguments, redirect, PYTHONIOENCODING=encoding, PYTHONPATH=str(foreign), **environment)
        for script, (arguments, redirect, encoding, *_, environment) in TERMINALS.items()
    ]
    for process, (script, (_, _, encoding, file, seen, _)) in zip(processes, TERMINALS.items(), strict=True):
        out, err = (stream.decode(encoding) for stream in process.communicate())
        assert (process.returncode, err) == (0, ""), (script, err)
        assert re.match(seen, out) and out.count("\n") == bool(seen), (script, out)
        assert (folder / file).stat().st_size > 5000
    written = {row[3] for row in TERMINALS.values()}
    assert {f.name for f in folder.iterdir()} == {"support", "matplotlibrc", "a.gif", *written}
    assert CHECKPOINT.read_bytes() == committed


def test_a_script_may_run_twice_and_in_a_thread_and_leaves_the_process_as_it_was(folder, two_threads):
    def settings():
        return signal.getsignal(signal.SIGINT), sys.stdout, sys.stderr, warnings.showwarning, torch.get_num_threads()

    def work():
        outcomes.append(run_script(hnn_training.main, "--epochs 1 --points 20 --output w.pth"))

    before, outcomes, thread = settings(), [], threading.Thread(target=work)
    work()
    work()
    thread.start()
    thread.join()
    assert settings() == before and before[-1] == 2
    assert [outcome.status for outcome in outcomes] == [0, 0, 0]
    first, *others = (outcome.out.replace(", in the place of the weights that were there", "") for outcome in outcomes)
    assert others == [first, first]
