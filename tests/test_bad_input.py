"""Whatever a user can get wrong ends in one sentence, status 1 or 2, and no file touched."""

import sys

import numpy as np
import pytest
import torch
from command_line import run

import dist_dynamic
import hnn_training
import rigid_simulator_HNN
import rigid_simulator_implicit
from HNN import HNN, load_hnn
from rigid_simulator_HNN import run_simulation_HNN
from rigid_simulator_implicit import run_simulation

TRUTH, LEARNED, ENSEMBLE, TRAINING = rigid_simulator_implicit, rigid_simulator_HNN, dist_dynamic, hnn_training

SCRIPTS = [
    (TRUTH, "--steps 0", "number of steps"),
    (TRUTH, "--steps -3", "number of steps"),
    (TRUTH, "--steps 10000001", "10,000,000"),
    (TRUTH, "--steps many", "invalid int"),
    (TRUTH, "--steps 1.5", "invalid int"),
    (TRUTH, "--dt 0", "dt must be above 0"),
    (TRUTH, "--dt -1", "dt must be above 0"),
    (TRUTH, "--dt 1e9", "unstable"),
    (TRUTH, "--dt nan", "dt must be"),
    (TRUTH, "--dt inf", "dt must be"),
    (TRUTH, "--dt fast", "invalid float"),
    (TRUTH, "--state 1", "expected 2 arguments"),
    (TRUTH, "--state 1 x", "invalid float"),
    (TRUTH, "--state nan 0", "finite"),
    (TRUTH, "--state 0 inf", "finite"),
    (TRUTH, "--state 1e300 0", "finite"),
    (TRUTH, "--output figure.xyz", "figure format"),
    (TRUTH, "--output figure", "figure format"),
    (TRUTH, "--output nowhere/figure.png", "no folder"),
    (TRUTH, "--output .", "figure format"),
    (TRUTH, "--colour red", "unrecognized"),
    (LEARNED, "--steps 0", "number of steps"),
    (LEARNED, "--dt 0.7", "unstable"),
    (LEARNED, "--state 0 1e7", "at most"),
    (LEARNED, "--weights nowhere.pth", "no weights at nowhere.pth"),
    (LEARNED, "--weights .", "not a file"),
    (LEARNED, "--weights kept.pth", "kept.pth is not a checkpoint"),
    (LEARNED, "--device cuda:99", "cuda:99"),
    (LEARNED, "--device abacus", "abacus"),
    (LEARNED, "--device mps", "mps"),
    (LEARNED, "--output kept.pth", "figure format"),
    (ENSEMBLE, "--points 0", "--points must be"),
    (ENSEMBLE, "--points -5", "--points must be"),
    (ENSEMBLE, "--points 1e3", "invalid int"),
    (ENSEMBLE, "--steps 0", "--steps must be"),
    (ENSEMBLE, "--seed -1", "--seed must be"),
    (ENSEMBLE, "--seed 4294967296", "--seed must be"),
    (ENSEMBLE, "--weights kept.pth", "kept.pth is not a checkpoint"),
    (ENSEMBLE, "--output nowhere/figure.png", "no folder"),
    (ENSEMBLE, "--animate film.mp4", "GIF"),
    (ENSEMBLE, "--animate nowhere/film.gif", "no folder"),
    (TRAINING, "--epochs 0", "--epochs must be"),
    (TRAINING, "--epochs -5", "--epochs must be"),
    (TRAINING, "--epochs 10000001", "--epochs must be"),
    (TRAINING, "--recipe post --epochs 0", "--epochs must be"),
    (TRAINING, "--points 9", "--points must be"),
    (TRAINING, "--points 100001", "--points must be"),
    (TRAINING, "--seed -1", "--seed must be"),
    (TRAINING, "--seed one", "invalid int"),
    (TRAINING, "--recipe theirs", "invalid choice"),
    (TRAINING, "--device cuda:99", "cuda:99"),
    (TRAINING, "--output nowhere/weights.pth", "no folder"),
    (TRAINING, "--output .", "not a file"),
    (TRAINING, "--output /dev/null", "not a file"),
]


@pytest.mark.parametrize("module, arguments, message", SCRIPTS, ids=lambda value: getattr(value, "__name__", value))
def test_a_script_refuses(module, arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "kept.pth").write_bytes(b"what the user had")
    monkeypatch.setattr(sys, "argv", [f"{module.__name__}.py", *arguments.split()])
    with pytest.raises(SystemExit) as stop:
        run(module.main)
    output = capsys.readouterr()
    assert stop.value.code in (1, 2)
    assert message in output.err.splitlines()[-1]
    assert "Traceback" not in output.err
    assert [file.name for file in tmp_path.iterdir()] == ["kept.pth"]
    assert (tmp_path / "kept.pth").read_bytes() == b"what the user had"


@pytest.mark.parametrize("simulate", [run_simulation, run_simulation_HNN])
@pytest.mark.parametrize(
    "state, how, message",
    [
        ([1.0], {}, r"shape \(1,\)"),
        ([1.0, 2.0, 3.0], {}, r"shape \(3,\)"),
        (np.zeros((2, 3)), {}, r"shape \(2, 3\)"),
        (np.zeros((2, 2, 2)), {}, r"shape \(2, 2, 2\)"),
        (np.zeros((0, 2)), {}, r"shape \(0, 2\)"),
        (0.5, {}, r"shape \(\)"),
        ("ab", {}, "numbers"),
        (["0.5", "x"], {}, "numbers"),
        ([1j, 0], {}, "numbers"),
        (None, {}, "numbers"),
        ([[1, 2], [3]], {}, "numbers"),
        ([np.nan, 0], {}, "finite"),
        (torch.tensor([0, torch.inf]), {}, "finite"),
        ([0.5, 0], {"n_steps": 0}, "number of steps"),
        ([0.5, 0], {"n_steps": -1}, "number of steps"),
        ([0.5, 0], {"n_steps": 2.0}, "number of steps"),
        ([0.5, 0], {"n_steps": True}, "number of steps"),
        ([0.5, 0], {"n_steps": 10**12}, "number of steps"),
        ([0.5, 0], {"dt": 0}, "dt must"),
        ([0.5, 0], {"dt": -0.05}, "dt must"),
        ([0.5, 0], {"dt": 1e9}, "dt must"),
        ([0.5, 0], {"dt": np.nan}, "dt must"),
        ([0.5, 0], {"dt": "0.05"}, "dt must"),
    ],
)
def test_a_rollout_refuses(simulate, state, how, message):
    with pytest.raises(ValueError, match=message):
        simulate(state, **how)


def test_a_device_that_is_not_there_is_refused_by_name():
    for name in ("cuda:99", "abacus", "mps", ""):
        with pytest.raises(ValueError, match=f"device '{name}'"):
            load_hnn(device=name)


def test_a_model_too_wild_for_the_step_says_at_which_step_and_what_to_try():
    torch.manual_seed(0)
    model = HNN().double()
    with torch.no_grad():
        model.linear_block[4].weight *= 1e6
    with pytest.raises(ArithmeticError, match=r"step \d+ .*try a smaller dt"):
        run_simulation_HNN([0.5, 0.0], model)


def test_a_poor_fit_is_saved_with_a_visible_warning(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["hnn_training.py", "--recipe", "post", "--epochs", "1", "--points", "20"])
    run(hnn_training.main)
    assert "Warning: a poor fit" in capsys.readouterr().err
    assert load_hnn(tmp_path / "hamiltonian_nn_1.pth")
