"""What a reader of the simulators is shown is what was computed: figures, tables, films and files of numbers."""

import itertools

import matplotlib.pyplot as plt
import numpy as np
import pytest
from in_process import run_script
from PIL import Image

import hnn_training
import rigid_simulator_HNN
import rigid_simulator_implicit
from HNN import CHECKPOINT, load_hnn
from pendulum_nonlinear import LENGTH, pendulum_hamiltonian, wrap_angle
from pendulum_tensor import POST_BOX, TRAINING_BOX
from rigid_simulator_HNN import run_simulation_HNN
from rigid_simulator_implicit import run_simulation
from support.drawing import NAMED, draw_orbits
from support.films import film_orbits, frames_of
from support.orbits import Orbits, table

STATES = [[0.5, 0.3], [1.0, -2.0]]
OPTIONS = ["--state", 0.5, 0.3, "--state", 1.0, -2.0, "--steps", 40, "--dt", 0.02]


def orbits_of(states, n_steps=40, dt=0.02, simulate=run_simulation):
    return Orbits(states, *simulate(states, n_steps=n_steps, dt=dt), dt, pendulum_hamiltonian)


def with_start(states, values):
    """A rollout's q_vals and p_vals, (n + 1, B) each, with the start in front."""
    p_vals, q_vals = values
    q, p = np.transpose(states)
    return np.concatenate([[q], q_vals]), np.concatenate([[p], p_vals])


def shown(axes, gid):
    """The points of the one line with this id in a panel."""
    (line,) = [line for line in axes.lines if line.get_gid() == gid]
    return line.get_xydata().T


@pytest.fixture
def slower(other_pendulum):
    return load_hnn(other_pendulum)


def test_the_figure_shows_the_learned_orbits_over_the_true_ones(tmp_path, monkeypatch, other_pendulum, slower):
    monkeypatch.chdir(tmp_path)
    shell = run_script(rigid_simulator_HNN.main, [*OPTIONS, "--weights", other_pendulum])
    assert shell.status == 0, shell.err
    phase, energy, distance = plt.gcf().axes
    truth = with_start(STATES, run_simulation(STATES, 40, 0.02))
    learned = with_start(STATES, run_simulation_HNN(STATES, slower, 40, 0.02))
    t = 0.02 * np.arange(41)
    for who, (q, p) in {"truth": truth, "learned": learned}.items():
        for k in range(2):
            np.testing.assert_allclose(shown(phase, f"{who} {k}"), [q[:, k], p[:, k]])
            H = pendulum_hamiltonian([q[:, k], p[:, k]])
            np.testing.assert_allclose(shown(energy, f"{who} {k}"), [t, H])
    for k in range(2):
        apart = np.hypot(truth[0] - learned[0], truth[1] - learned[1])[1:, k]
        np.testing.assert_allclose(shown(distance, f"learned {k}"), [t[1:], apart])
    assert apart.max() > 0.05 and (tmp_path / "FIG5.png").exists()


def test_the_true_simulator_shows_the_truth(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shell = run_script(rigid_simulator_implicit.main, OPTIONS)
    assert shell.status == 0, shell.err
    phase, energy = plt.gcf().axes
    q, p = with_start(STATES, run_simulation(STATES, 40, 0.02))
    np.testing.assert_allclose(shown(phase, "truth 1"), [q[:, 1], p[:, 1]])
    np.testing.assert_allclose(shown(energy, "truth 1")[1], pendulum_hamiltonian([q[:, 1], p[:, 1]]))
    assert (tmp_path / "FIG3.png").exists() and "Wrote FIG3.png" in shell.out


def test_the_table_has_the_energies_and_the_distances(slower):
    truth = orbits_of(STATES)
    learned = orbits_of(STATES, simulate=lambda states, **how: run_simulation_HNN(states, slower, **how))
    header, *rows = table(truth, learned).splitlines()
    assert header.split("  ")[0] == "orbit [q, p]" and len(rows) == 2
    for k, row in enumerate(rows):
        cells = [cell.strip() for cell in row.split("   ") if cell.strip()]
        expected = []
        for orbits in (truth, learned):
            H = pendulum_hamiltonian([orbits.q[:, k], orbits.p[:, k]])
            expected.append(f"{H.min():.4f} … {H.max():.4f}")
        apart = np.hypot(truth.q[:, k] - learned.q[:, k], truth.p[:, k] - learned.p[:, k]).max()
        assert cells == [truth.names[k], *expected, f"{apart:.1e}"]


def test_an_orbit_that_goes_round_is_drawn_without_a_line_across(exact_model):
    truth = orbits_of([[0.0, 2.5 * TRAINING_BOX[1] / 2]], 100)
    draw_orbits(truth)
    q, p = shown(plt.gcf().axes[0], "truth 0")
    np.testing.assert_allclose(q, wrap_angle(truth.q[:, 0]))
    jumps = np.flatnonzero(abs(np.diff(q)) > np.pi)
    assert len(jumps) > 0 and np.isnan(p[jumps + 1]).all() and np.isnan(p).sum() == len(jumps)


def test_a_long_run_shows_the_least_and_greatest_energy_of_each_window():
    truth = orbits_of([[1.0, 0.0]], 30_000, 0.05)
    draw_orbits(truth)
    bounds = [line.get_ydata() for line in plt.gcf().axes[1].lines if line.get_gid() == "truth 0"]
    assert len(bounds) == 2 and all(len(bound) <= 500 for bound in bounds)
    H = truth.H[:, 0]
    np.testing.assert_allclose((min(bounds[0]), max(bounds[1])), (H.min(), H.max()))
    assert min(bounds[1]) > max(bounds[0])  # each window sees the whole oscillation


def legend_of(n):
    states = np.stack([np.linspace(0.1, 3.0, n), np.zeros(n)], axis=-1)
    draw_orbits(orbits_of(states, 5))
    (legend,) = plt.gcf().legends
    return legend.get_title().get_text(), [text.get_text() for text in legend.get_texts()]


def test_the_legend_names_ten_orbits_and_counts_more():
    title, names = legend_of(NAMED)
    assert len(names) == NAMED and "first" not in title
    title, names = legend_of(NAMED + 1)
    assert len(names) == NAMED and "11 orbits, the first 10 are named" in title
    lines = [line for line in plt.gcf().axes[0].lines if str(line.get_gid()).startswith("truth")]
    assert len({(tuple(line.get_color()), line.get_linestyle()) for line in lines[:NAMED]}) == NAMED


def test_the_first_line_names_the_weights_and_their_error(tmp_path, monkeypatch, other_pendulum):
    monkeypatch.chdir(tmp_path)
    shell = run_script(rigid_simulator_HNN.main, OPTIONS)
    assert shell.status == 0, shell.err
    first = shell.out.splitlines()[0]
    assert first.startswith(f"Weights {CHECKPOINT}, ") and "derivative MSE" in first and "Warning" not in first
    (tmp_path / CHECKPOINT.name).write_bytes(other_pendulum.read_bytes())
    shell = run_script(rigid_simulator_HNN.main, OPTIONS)
    assert shell.status == 0, shell.err
    first = shell.out.splitlines()[0]
    assert first.startswith(f"Weights {CHECKPOINT.name}, ") and "Warning: a poor fit" in first


@pytest.mark.parametrize("part, is_noted", [(0.9, False), (1.1, True)])
def test_an_orbit_that_leaves_the_training_box_is_noted(tmp_path, monkeypatch, part, is_noted):
    monkeypatch.chdir(tmp_path)
    arguments = ["--state", 0, part * TRAINING_BOX[1], "--steps", 2, "--dt", 0.001]
    shell = run_script(rigid_simulator_HNN.main, arguments)
    assert shell.status == 0, shell.err
    assert ("Note: an orbit leaves" in shell.out) == is_noted


def test_saved_numbers_read_back_to_the_orbits(tmp_path, monkeypatch, slower, other_pendulum):
    monkeypatch.chdir(tmp_path)
    for module, more, simulate in (
        (rigid_simulator_implicit, [], run_simulation),
        (rigid_simulator_HNN, ["--weights", other_pendulum], lambda *how: run_simulation_HNN(how[0], slower, *how[1:])),
    ):
        shell = run_script(module.main, [*OPTIONS, *more, "--save", "orbits.csv"])
        assert shell.status == 0, shell.err
        header = (tmp_path / "orbits.csv").read_text(encoding="utf-8").splitlines()[0]
        assert header == "t (s),q_1 (rad),p_1 (kg m^2/s),q_2 (rad),p_2 (kg m^2/s)"
        t, q_1, p_1, q_2, p_2 = np.loadtxt("orbits.csv", delimiter=",", skiprows=1).T
        q, p = with_start(STATES, simulate(STATES, 40, 0.02))
        np.testing.assert_array_equal([q_1, q_2, p_1, p_2], [*q.T, *p.T])
        np.testing.assert_allclose(t, 0.02 * np.arange(41))


def test_the_bobs_of_a_film_hang_where_the_orbits_are(monkeypatch, slower):
    truth = orbits_of(STATES, 60, 0.05)
    learned = orbits_of(STATES, 60, 0.05, lambda states, **how: run_simulation_HNN(states, slower, **how))
    seen = []

    def watch(path, fig, draw_frame, n_frames, frame_time):
        assert (n_frames, frame_time) == (61, 0.05)
        space, phase = fig.axes
        for i in (0, 17, 60):
            draw_frame(i)
            names = [text.get_text() for text in phase.get_legend().get_texts()]
            assert names == [f"{learned.names[k]}: H = {learned.H[i, k]:.3f} J" for k in range(2)]
            assert space.get_title() == f"t = {0.05 * i:.2f} s"
            for who, orbits in {"truth": truth, "learned": learned}.items():
                for k in range(2):
                    q, p = orbits.q[: i + 1, k], orbits.p[: i + 1, k]
                    x, y = shown(space, f"{who} {k}")
                    np.testing.assert_allclose((x[1], y[1]), (LENGTH * np.sin(q[-1]), -LENGTH * np.cos(q[-1])))
                    assert x[0] == y[0] == 0
                    np.testing.assert_allclose(shown(phase, f"{who} {k}"), [wrap_angle(q), p])
            seen.append(i)

    monkeypatch.setattr("support.films.write_gif", watch)
    film_orbits("film.gif", LENGTH, truth, learned)
    assert seen == [0, 17, 60]


def test_a_film_of_many_orbits_says_how_many_it_shows(monkeypatch):
    def watch(path, fig, draw_frame, n_frames, frame_time):
        space, phase = fig.axes
        assert len([line for line in space.lines if line.get_gid()]) == 10
        assert phase.get_title() == "the true pendulum: the first 10 of 12 orbits"

    monkeypatch.setattr("support.films.write_gif", watch)
    film_orbits("film.gif", LENGTH, orbits_of([[0.1 * k, 0.0] for k in range(12)], 3, 0.05))


@pytest.mark.parametrize(
    "n_steps, dt, n_frames, frame_time",
    [(1000, 0.05, 201, 0.05), (1_000_000, 0.05, 201, 0.05), (60, 0.05, 61, 0.05), (5000, 0.01, 201, 0.05)],
)
def test_a_film_runs_in_real_time_for_ten_seconds_at_most(n_steps, dt, n_frames, frame_time):
    steps, time = frames_of(n_steps, dt)
    assert len(steps) == n_frames and time == pytest.approx(frame_time)
    assert steps[0] == 0 and steps[-1] * dt <= 10.0 + 1e-9


def test_a_short_film_has_its_frames_its_duration_and_its_size(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments = ["--state", 0, 7, "--steps", 8, "--animate", "film.gif"]
    shell = run_script(rigid_simulator_HNN.main, arguments)
    assert shell.status == 0, shell.err
    with Image.open("film.gif") as film:
        assert film.n_frames == 9 and film.info["duration"] == 50
        frames = []
        for k in (0, 4, 8):
            film.seek(k)
            frames.append(np.asarray(film.convert("L")).astype(float))
    assert all(abs(a - b).max() > 100 for a, b in itertools.pairwise(frames))  # it moves
    assert (tmp_path / "film.gif").stat().st_size < 500_000
    assert "Wrote film.gif: the motion in real time, 9 frames" in shell.out


@pytest.mark.parametrize("recipe, box, n", [("default", TRAINING_BOX, 125), ("post", POST_BOX, 100)])
def test_each_recipe_trains_in_its_own_box_and_says_how_well(tmp_path, monkeypatch, recipe, box, n):
    monkeypatch.chdir(tmp_path)
    given = []

    def fit(states, true_derivatives, epochs, seed, device, on_epoch, **more):
        given.append((states, epochs, seed, more))
        for epoch in range(epochs + 1):
            on_epoch(epoch, 0.5, None if recipe == "post" else 0.25, None)
        return load_hnn()

    monkeypatch.setattr(hnn_training, "train_as_post" if recipe == "post" else "train", fit)
    arguments = ["--recipe", recipe, "--points", 100, "--epochs", 200, "--seed", 4, "--output", "w.pth"]
    shell = run_script(hnn_training.main, arguments)
    assert shell.status == 0, shell.err
    ((states, epochs, seed, more),) = given
    assert (len(states), epochs, seed) == (n, 200, 4)
    np.testing.assert_allclose(abs(states).max(0).values, box, rtol=0.05)
    assert more == ({} if recipe == "post" else {"period": 2 * np.pi})
    lines = shell.out.splitlines()
    if recipe == "post":
        assert lines[:3] == [f"Epoch: {epoch} Loss: 5.000e-01" for epoch in (0, 100, 200)]
    else:
        assert lines[0] == "Epoch: 0 Loss: 5.000e-01 Test loss: 2.500e-01" and len(lines) == 203
    assert lines[-2] == "Wrote w.pth" and "derivative MSE" in lines[-1]
    assert load_hnn("w.pth")


def test_another_seed_gives_other_data_and_another_network(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given = []
    train = hnn_training.train
    monkeypatch.setattr(hnn_training, "train", lambda *data, **how: given.append(data) or train(*data, **how))
    for seed in (1, 2):
        arguments = ["--epochs", 1, "--points", 40, "--seed", seed, "--output", f"{seed}.pth"]
        shell = run_script(hnn_training.main, arguments)
        assert shell.status == 0, shell.err
    assert not np.array_equal(given[0][0], given[1][0])
    weights = [load_hnn(f"{seed}.pth").linear_block[2].weight for seed in (1, 2)]
    assert not np.allclose(*(weight.detach() for weight in weights))
