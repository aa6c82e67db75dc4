"""Imports go one way, and importing a module does nothing but define."""

import ast

from helpers import ROOT, start

TOP = ["pendulum_nonlinear", "pendulum_tensor", "HNN", "hnn_model_derivs", "hnn_training"]
TOP += ["rigid_simulator_implicit", "rigid_simulator_HNN", "dist_dynamic"]  # in the order in which they are read
SUPPORT = [f"support.{file.stem}" for file in (ROOT / "support").glob("[!_]*.py")]


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


def test_importing_does_nothing(tmp_path):
    (tmp_path / "importing.py").write_text(IMPORTING)
    (tmp_path / "empty").mkdir()
    importing = start(tmp_path / "empty", tmp_path / "importing.py")
    out, err = importing.communicate()
    assert (importing.returncode, err.decode()) == (0, "")
    assert out.startswith(b"imported\nEpoch: 0 Loss")  # nothing is printed before
