"""What people run into: each test is a report from the field, with what should happen."""

import contextlib
import math
import signal
import sys
import threading
import warnings

import numpy as np
import pytest
import torch
from helpers import Spring, run_script, start
from torch import nn

import hnn_training
import rigid_simulator_HNN
import rigid_simulator_implicit
from HNN import load_hnn
from hnn_model_derivs import measure
from hnn_training import train
from pendulum_tensor import sample_states
from rigid_simulator_HNN import run_simulation_HNN
from rigid_simulator_implicit import run_simulation
from support.weights import save_weights
from support.notes import CHAOTIC_DT, Note

X = np.random.default_rng(0).normal(size=(40, 2))
Y = np.stack([X[:, 1], -2 * X[:, 0]], axis=-1)


# Where it runs


def test_figures_and_films_are_drawn_whatever_the_backend_and_the_style(tmp_path):
    backend = "module://matplotlib_inline.backend_inline"  # a notebook's, in a shell that it opened
    (tmp_path / "matplotlibrc").write_text("text.usetex: True\nfigure.dpi: 20\nlines.linewidth: 30\n")
    environment = {"MPLBACKEND": backend, "MATPLOTLIBRC": str(tmp_path)}
    process = start(tmp_path, "rigid_simulator_implicit.py", "--steps 3 --animate a.gif --show", **environment)
    out, err = (stream.decode() for stream in process.communicate())
    assert (process.returncode, err) == (0, "")
    note = f"Note: matplotlib has no backend {backend!r} here; figures are drawn without it."
    assert out.splitlines().count(note) == 1
    assert out.splitlines()[-1] == "There is no display to show it on."
    assert (tmp_path / "a.gif").stat().st_size > 5000 and (tmp_path / "FIG3.png").stat().st_size > 5000


def test_a_window_that_cannot_be_opened_is_said_in_a_line(folder, monkeypatch):
    def refuse(**_):
        raise ImportError("no such toolkit")

    monkeypatch.setattr("matplotlib.pyplot.figure", refuse)
    outcome = run_script(rigid_simulator_implicit.main, "--steps 3 --show")
    assert (outcome.status, outcome.err) == (0, "") and (folder / "FIG3.png").stat().st_size > 5000
    assert outcome.out.splitlines()[0] == "Note: matplotlib cannot open a window here (no such toolkit)."


def test_a_script_may_run_twice_and_in_a_thread_and_leaves_the_process_as_it_was(folder):
    def settings():
        return signal.getsignal(signal.SIGINT), sys.stdout, sys.stderr, warnings.showwarning, torch.get_num_threads()

    before, outcomes = settings(), []
    for _ in range(2):
        outcomes.append(run_script(hnn_training.main, "--epochs 1 --points 20"))
    thread = threading.Thread(target=lambda: outcomes.append(run_script(hnn_training.main, "--epochs 1 --points 20")))
    thread.start()
    thread.join()
    assert settings() == before
    assert [outcome.status for outcome in outcomes] == [0, 0, 0] and len({outcome.out for outcome in outcomes}) == 1


@contextlib.contextmanager
def default_dtype(dtype):
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


@contextlib.contextmanager
def default_device(device):
    torch.set_default_device(device)
    try:
        yield
    finally:
        torch.set_default_device(None)


@pytest.mark.parametrize(
    "setting",
    [default_dtype(torch.float64), default_dtype(torch.float16), default_device("meta")],
    ids=["float64", "float16", "meta"],
)
def test_what_another_library_set_for_all_of_torch_changes_nothing(setting):
    def everything():
        trained = train(X, Y, epochs=1, seed=3, period=20.0)
        return [
            sample_states(50).numpy(),
            *(value.numpy() for value in trained.state_dict().values()),
            trained.validation_loss,
            *measure(load_hnn()),
            *run_simulation_HNN([[0.5, 0.0], [0.0, 5.0]], n_steps=5),
        ]

    expected = everything()
    with setting:
        found = everything()
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a, b)


# What is given


def test_masked_states_are_refused_and_masked_data_are_left_out_and_counted():
    masked = np.ma.masked_array([[0.5, 0.0], [1e5, 0.0]], mask=[[0, 0], [1, 1]])
    for simulate in (run_simulation, run_simulation_HNN):
        with pytest.raises(ValueError, match=r"finite numbers .*\(masked values are nan\)"):
            simulate(masked)
    spoiled = np.ma.masked_array(np.concatenate([X, [[1e5, 0.0]]]), mask=np.arange(41)[:, None] + [0, 0] == 40)
    with pytest.warns(Note, match="1 of 41 rows are masked or not finite, and are left out"):
        model = train(spoiled, np.concatenate([Y, [[1.0, 1.0]]]), epochs=1)
    assert model.validation_loss == train(X, Y, epochs=1).validation_loss


def test_a_table_of_objects_is_taken_where_every_entry_is_a_number():
    np.testing.assert_array_equal(run_simulation(np.array([1, 0.5], dtype=object), 3), run_simulation([1, 0.5], 3))
    with pytest.raises(ValueError, match=r"real numbers, not .*\.astype\(float\)"):
        run_simulation(np.array([1, "swing"], dtype=object), 3)


def test_degrees_are_rolled_out_with_a_note(folder):
    with pytest.warns(Note, match=r"\[170, 0\] lies 27 turns away; q is in rad, not in degrees"):
        run_simulation([[0.5, 0.0], [170.0, 0.0]], 3)
    outcome = run_script(rigid_simulator_HNN.main, "--state 170 0 --steps 3")
    assert outcome.status == 0 and outcome.err == ""
    assert outcome.out.count("Note: [170, 0] lies 27 turns away; q is in rad, not in degrees.") == 1


@pytest.mark.parametrize("simulate", [run_simulation, run_simulation_HNN])
def test_upside_down_at_rest_is_on_the_separatrix(simulate):
    with pytest.warns(Note, match=r"\[3\.14159, 0\] lies on the separatrix, where rounding decides"):
        simulate([np.pi, 0.0], n_steps=3)


@pytest.mark.parametrize("simulate", [run_simulation, run_simulation_HNN])
def test_a_time_step_beyond_the_last_barrier_is_noted(simulate):
    with pytest.warns(Note, match=r"dt = 0\.4 s is above 0\.315 s: there nothing bounds p any more"):
        simulate([0.5, 0.0], n_steps=3, dt=0.4)
    assert pytest.approx(0.3149, abs=1e-4) == CHAOTIC_DT


@pytest.mark.filterwarnings("ignore:an orbit leaves")
def test_a_learned_orbit_with_an_absurd_time_step_says_so():
    with pytest.warns(Note, match=r"dt = 2 s is above 0\.315 s"), contextlib.suppress(ArithmeticError):
        run_simulation_HNN([0.5, 0.0], n_steps=300, dt=2.0)


@pytest.mark.filterwarnings("ignore:dt = ")
def test_below_the_barrier_p_is_bounded_and_above_it_is_not():
    for dt, is_bounded in ((0.31, True), (0.4, False)):
        p_vals, _ = run_simulation([3.1, 0.0], 100_000, dt)
        assert (abs(p_vals).max() < 10) == is_bounded


def test_a_rollout_that_is_right_says_nothing(recwarn):
    states = [[0.5, 0.0], [3.1, 0.0], [0.0, 7.0], [20.5, 1.0], [-3.0, -2.0]]
    run_simulation(states, 20, 0.3)
    run_simulation_HNN(states, n_steps=20, dt=0.1)
    run_simulation_HNN([170.0, 0.0], Spring(), 3, period=None)
    assert not recwarn


def test_a_q_that_is_no_angle_is_none_after_a_reload_either(tmp_path):
    model = train(4 * X, 4 * Y, epochs=1)
    expected = run_simulation_HNN([5.0, 0.0], model, 40)
    assert abs(expected[1]).max() > 4
    save_weights(tmp_path / "spring.pth", model)
    reloaded = load_hnn(tmp_path / "spring.pth")
    np.testing.assert_array_equal(run_simulation_HNN([5.0, 0.0], reloaded, 40), expected)
    with pytest.raises(ValueError, match="the model was trained with the period None, not 6"):
        run_simulation_HNN([5.0, 0.0], reloaded, 40, period=2 * np.pi)


@pytest.mark.parametrize("wrap", [lambda model: model, nn.DataParallel])
def test_a_model_is_rolled_out_in_evaluation_mode_and_stays_in_training_mode(wrap):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 20), nn.BatchNorm1d(20), nn.Tanh(), nn.Linear(20, 1))
    model(torch.randn(30, 2))
    before = {key: value.clone() for key, value in model.state_dict().items()}
    found = run_simulation_HNN(X, wrap(model), n_steps=3)
    assert model.training and all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    np.testing.assert_array_equal(run_simulation_HNN(X, model.eval(), n_steps=3), found)


def test_the_callers_random_numbers_go_on_as_if_nothing_had_happened():
    torch.manual_seed(3)
    before = torch.get_rng_state()
    measure(load_hnn())
    run_simulation_HNN([0.5, 0.0], n_steps=2)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_poor_fit_is_saved_with_a_visible_warning(folder):
    outcome = run_script(hnn_training.main, "--epochs 1 --points 10")
    assert outcome.status == 0 and "Warning: a poor fit" in outcome.out and load_hnn("hamiltonian_nn_1.pth")


@pytest.mark.parametrize("simulate", [run_simulation, run_simulation_HNN])
def test_a_note_names_the_line_of_the_user(simulate):
    with pytest.warns(Note) as caught:
        simulate([np.pi, 0.0], n_steps=3)
    assert caught[0].filename == __file__


def test_a_note_is_a_line_on_stdout_in_a_script_and_never_a_warning_too(folder):
    outcome = run_script(rigid_simulator_implicit.main, "--state 3.141592653589793 0 --steps 3 --dt 0.4")
    assert outcome.err == "" and [line[:6] for line in outcome.out.splitlines()[:2]] == ["Note: "] * 2


def test_the_note_of_the_separatrix_names_the_state_that_lies_there():
    with pytest.warns(Note, match=r"\[3\.14159, 0\] lies on the separatrix"):
        run_simulation([[0.5, 0.0], [math.pi, 0.0]], 3)
