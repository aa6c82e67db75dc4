"""Whatever a user can get wrong ends in one sentence and with no file touched; files are whole or as they were."""

import os
import resource
import warnings

import numpy as np
import pytest
import torch
from helpers import run_script
from matplotlib.figure import Figure

import dist_dynamic
import hnn_training
import rigid_simulator_HNN
import rigid_simulator_implicit
from HNN import load_hnn
from hnn_training import train, train_as_post
from rigid_simulator_HNN import run_simulation_HNN
from rigid_simulator_implicit import run_simulation
from support import files
from support.files import FIGURES, check_output, write_figure, write_whole
from support.notes import Note

pytestmark = pytest.mark.filterwarnings("error")
TRUTH, LEARNED, ENSEMBLE, TRAINING = rigid_simulator_implicit, rigid_simulator_HNN, dist_dynamic, hnn_training

REFUSED = [
    (TRUTH, "--steps 0", "argument --steps: it must be a whole number from 1 to 1,000,000, not 0"),
    (TRUTH, "--dt 0", "dt must be a number above 0 and at most 0.639"),
    (TRUTH, "--state nan 0", "finite"),
    (TRUTH, "--state 1e300 0", "at most"),
    (TRUTH, "--colour red", "unrecognized arguments: --colour red"),
    (TRUTH, "--output figure.xyz", "--output 'figure.xyz' is not the name of a .png or .pdf or .svg"),
    (TRUTH, "--output nowhere/figure.png", "--output nowhere/figure.png cannot be written (No such file or directory)"),
    (TRUTH, "--output folder.png", "--output folder.png cannot be written (Is a directory)"),
    (TRUTH, "--output /sys/figure.png", "--output /sys/figure.png cannot be written (Permission denied)"),
    (TRUTH, f"--output {'long' * 99}.png", "cannot be written (File name too long)"),
    (TRUTH, "--save orbits.txt", "--save 'orbits.txt' is not the name of a .csv"),
    (TRUTH, "--animate film.mp4", "--animate 'film.mp4' is not the name of a .gif"),
    (LEARNED, "--weights nowhere.pth", "no weights at nowhere.pth"),
    (LEARNED, "--weights kept.pth", "kept.pth is not a checkpoint"),
    (LEARNED, "--dt 0.7", "at most 0.639"),
    (ENSEMBLE, "--points 0", "argument --points: it must be a whole number from 1 to 10,000, not 0"),
    (ENSEMBLE, "--points 10001", "argument --points: it must be a whole number from 1 to 10,000, not 10001"),
    (
        ENSEMBLE,
        "--seed 4294967296",
        "argument --seed: it must be a whole number from 0 to 4,294,967,295, not 4294967296",
    ),
    (TRAINING, "--epochs 0", "argument --epochs: it must be a whole number from 1"),
    (TRAINING, "--epochs 1.5", "argument --epochs: it must be a whole number from 1 to 1,000,000, not '1.5'"),
    (TRAINING, "--points 5", "at least 10 finite states, not 6"),
    (TRAINING, "--seed -1", "argument --seed: it must be a whole number from 0"),
    (TRAINING, "--device cuda:99", "device 'cuda:99' cannot be used"),
    (TRAINING, "--output HNN.py", "--output 'HNN.py' is not the name of a .pth or .pt"),
]


def contents(folder):
    """What is in a folder: the bytes of its files."""
    return {f.name: f.is_file() and f.read_bytes() for f in folder.iterdir()}


@pytest.fixture
def furnished(folder):
    """The folder where the user stands, with files that must not be lost."""
    for name, content in {
        "kept.pth": b"what the user had",
        "drawn.png": b"\x89PNG and more",
        "HNN.py": b"import torch\n",
    }.items():
        (folder / name).write_bytes(content)
    (folder / "folder.png").mkdir()
    return folder


@pytest.mark.parametrize("module, arguments, message", REFUSED, ids=lambda value: getattr(value, "__name__", None))
def test_a_script_refuses_in_one_sentence_and_touches_nothing(module, arguments, message, furnished, monkeypatch):
    monkeypatch.setattr(LEARNED, "run_simulation_HNN", None)  # what is refused is refused before the rollout
    before = contents(furnished)
    outcome = run_script(module.main, arguments)
    *usage, sentence = outcome.err.splitlines()
    assert message in sentence
    assert outcome.status == (2 if usage else 1)
    assert not usage or usage[0].startswith("usage: ")
    assert contents(furnished) == before


def test_a_negative_number_is_a_value_in_any_notation(folder):
    outcome = run_script(TRUTH.main, "--steps 3 --state -1e-3 -.002 --state -3E-3 -0.004 --state -0 -5")
    orbits = [line.split("]")[0] for line in outcome.out.splitlines()[1:4]]
    assert orbits == ["[-0.001, -0.002", "[-0.003, -0.004", "[-0, -5"]


@pytest.mark.parametrize("allocate", [lambda: torch.empty(2**50, dtype=torch.uint8), lambda: np.ones(2**50, np.uint8)])
def test_more_memory_than_there_is_ends_in_one_sentence(allocate):
    outcome = run_script(allocate)
    assert (outcome.status, outcome.out, outcome.err.count("\n")) == (1, "", 1)
    assert outcome.err.startswith("Error: this needs more memory than there is")


def test_a_mistake_of_ours_is_not_hidden_and_a_warning_of_another_library_is_no_note_of_ours():
    with pytest.raises(RuntimeError, match="size of tensor"):
        run_script(lambda: torch.ones(2) + torch.ones(3))
    with pytest.warns(UserWarning, match="torch says so"):
        assert run_script(lambda: warnings.warn("torch says so", stacklevel=1)).out == ""


def interrupt(*_, **__):
    raise KeyboardInterrupt


def test_a_full_disk_is_named_with_the_file_and_costs_no_old_one(folder):
    (folder / "hamiltonian_nn_1.pth").write_bytes(b"old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))  # writing stops half-way, as on a full disk
    try:
        outcome = run_script(TRAINING.main, "--epochs 1 --points 10")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert outcome.status == 1 and outcome.err.startswith("Error: hamiltonian_nn_1.pth: not written")
    assert "(File too large)" in outcome.err
    assert contents(folder) == {"hamiltonian_nn_1.pth": b"old"} and "Wrote" not in outcome.out


def test_ctrl_c_before_or_in_a_write_leaves_the_old_file_and_no_debris_and_after_it_the_new_one(folder, monkeypatch):
    (folder / "hamiltonian_nn_1.pth").write_bytes(b"old")
    for home, name, is_written in ((TRAINING, "print_epoch", False), (os, "fsync", False), (TRAINING, "measure", True)):
        with monkeypatch.context() as patch:
            patch.setattr(home, name, interrupt)
            outcome = run_script(TRAINING.main, "--epochs 1 --points 10")
        assert (outcome.status, outcome.err) == (130, "\nInterrupted.\n")
        assert (contents(folder) != {"hamiltonian_nn_1.pth": b"old"}) == is_written
    assert load_hnn("hamiltonian_nn_1.pth") and list(contents(folder)) == ["hamiltonian_nn_1.pth"]
    assert outcome.out.endswith("Wrote hamiltonian_nn_1.pth, in the place of the weights that were there\n")


def test_a_link_and_the_permissions_are_kept(tmp_path):
    target, link = tmp_path / "target.pth", tmp_path / "link.pth"
    target.write_bytes(b"old")
    target.chmod(0o640)
    link.symlink_to(target)
    write_whole(link, b"new")
    assert link.is_symlink() and target.read_bytes() == b"new" and target.stat().st_mode & 0o777 == 0o640


def test_figures_have_the_format_of_their_name_and_are_written_whole_by_one_process_each(folder, monkeypatch):
    for name, start in {"a.png": b"\x89PNG", "a.PDF": b"%PDF", "a.jpeg": b"\xff\xd8", "a.svg": b"<?xml"}.items():
        check_output("--output", name, FIGURES)
        write_figure(name, Figure())
        assert (folder / name).read_bytes().startswith(start)
    assert str(os.getpid()) in files._part_beside(folder / "a.png").name
    monkeypatch.setattr(files, "write_whole", lambda path, content: None)
    before = contents(folder)
    write_figure("b.png", Figure())
    files.write_table("a.csv", {"t": [0.0]})
    assert contents(folder) == before  # nothing else writes them


@pytest.mark.parametrize("simulate", [run_simulation, run_simulation_HNN])
@pytest.mark.parametrize(
    "state, how, message",
    [
        ([1.0], {}, r"shape \(1,\)"),
        (np.zeros((0, 2)), {}, r"shape \(0, 2\)"),
        ([1j, 0], {}, "real numbers"),
        (torch.tensor([1j, 0]), {}, "real numbers"),
        ([[1, 2], [3]], {}, r"real numbers, not \[\[1, 2\], \[3\]\]"),
        (np.array([1, "swing"], dtype=object), {}, r"real numbers, not .*swing.*\.astype\(float\)"),
        ([True, False], {}, "real numbers, not of dtype bool"),
        ([[1, 0], [0, np.nan]], {}, r"finite.*\[0.0, nan\]"),
        ([0, -1e9], {}, r"at most 1e\+06.*\[0.0, -1000000000.0\]"),
        ([0.5, 0], {"n_steps": 0}, "number of steps"),
        ([0.5, 0], {"dt": "0.05"}, "dt must"),
    ],
)
def test_a_rollout_refuses_in_one_line(simulate, state, how, message):
    with pytest.raises(ValueError, match=message) as caught:
        simulate(state, **how)
    assert "\n" not in str(caught.value)


X = np.round(8 * np.random.default_rng(0).normal(size=(50, 2))) / 8  # multiples of 1/8, which bfloat16 holds exactly
Y = np.stack([X[:, 1], -2 * X[:, 0]], axis=-1)


@pytest.mark.parametrize("form", [np.ndarray.tolist, lambda x: torch.tensor(x, requires_grad=True).bfloat16()])
def test_states_and_data_may_come_in_any_form(form):
    for simulate in (run_simulation, run_simulation_HNN):
        np.testing.assert_array_equal(simulate(form(X), n_steps=3), simulate(X, n_steps=3))
        np.testing.assert_array_equal(simulate(form(X)[0], n_steps=3), simulate(X[0], n_steps=3))
    np.testing.assert_array_equal(run_simulation(np.array([1, 2], np.uint8), 3), run_simulation([1.0, 2.0], 3))
    weights, expected = (model.state_dict().values() for model in (train(form(X), form(Y), 1), train(X, Y, 1)))
    assert all(torch.equal(a, b) for a, b in zip(weights, expected, strict=True))


def test_masked_states_are_refused_and_masked_data_are_left_out_and_counted():
    masked = np.ma.masked_array([[0.5, 0.0], [1e5, 0.0]], mask=[[0, 0], [1, 1]])
    for simulate in (run_simulation, run_simulation_HNN):
        with pytest.raises(ValueError, match=r"finite numbers .*\(masked values are nan\)"):
            simulate(masked)
    spoiled = np.ma.masked_array(np.concatenate([X, [[1e5, 0.0]]]), mask=np.arange(51)[:, None] + [0, 0] == 50)
    with pytest.warns(Note, match="1 of 51 rows are masked or not finite, and are left out"):
        model = train(spoiled, np.concatenate([Y, [[1.0, 1.0]]]), epochs=1)
    assert model.validation_loss == train(X, Y, epochs=1).validation_loss


@pytest.mark.parametrize("fit", [train, train_as_post])
@pytest.mark.parametrize(
    "states, derivatives, how, message",
    [
        (X, Y[:-1], {}, r"both have the shape \(N, 2\), not \(50, 2\) and \(49, 2\)"),
        (X[:9], Y[:9], {}, "at least 10 finite states, not 9"),
        (np.full((50, 2), np.nan), Y, {}, "at least 10 finite states, not 0"),
        (X, Y, {"seed": -1}, "the seed must be a whole number from 0 to 4,294,967,295"),
        (X, Y, {"epochs": -1}, "the number of epochs must be a whole number from 0"),
        (X, Y, {"device": "cuda:99"}, "device 'cuda:99' cannot be used"),
    ],
)
def test_a_training_refuses_what_cannot_be_fitted(fit, states, derivatives, how, message):
    with pytest.raises(ValueError, match=message):
        fit(states, derivatives, **how)


def test_states_that_are_all_alike_are_refused():
    with pytest.raises(ValueError, match="all alike in q or in p"):
        train(X * [1.0, 0.0], Y)
