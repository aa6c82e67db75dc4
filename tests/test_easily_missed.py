"""Mistakes that a suite easily misses: they show only with noise, a gap, several orbits, or a step that is not DT."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from helpers import Spring, run_script, step_error
from matplotlib.colors import to_rgb

import hnn_training
from HNN import load_hnn
from hnn_training import EPOCHS, POST_EPOCHS, split, train
from pendulum_nonlinear import wrap_angle
from pendulum_tensor import POST_BOX, TEST_BOX, pendulum_dynamics_tensor, sample_states
from rigid_simulator_HNN import run_simulation_HNN
from rigid_simulator_implicit import run_simulation
from support import films
from support.drawing import NAMED, TRUTH, draw_orbits, styles
from support.exact import exact_motion
from support.notes import Note
from support.orbits import Orbits, table
from support.records import read_record
from support.trust import judge_record


def true_orbits(state, n_steps, dt=0.05):
    return Orbits("true pendulum", [state], *run_simulation([state], n_steps, dt), dt)


def write_record(path, *columns):
    np.savetxt(path, np.column_stack(columns), "%.12g", ",")


def test_noisy_data_close_the_circle_too():
    clean, noise = sample_states(300), torch.Generator().manual_seed(1)
    x = clean + 0.03 * torch.randn(300, 2, generator=noise, dtype=torch.float64)
    model = train(x, pendulum_dynamics_tensor(0, clean), epochs=3, period=2 * math.pi)
    p = torch.linspace(-7, 7, 30, dtype=torch.float64)
    right, left = (torch.stack([torch.full_like(p, q), p], dim=-1) for q in (math.pi, -math.pi))
    with torch.no_grad():
        assert (model(right) - model(left)).abs().max() < 1e-4


@pytest.mark.filterwarnings("ignore:the model explains")
def test_what_is_held_out_is_in_no_epoch_of_the_fit():
    states = sample_states(100)
    derivatives = pendulum_dynamics_tensor(0, states)
    _, test = split(100, seed=0)
    flipped = derivatives.clone()
    flipped[test] *= -1  # of the same size, so that the units of the data stay
    losses = [], []
    for given, of_epochs in zip((derivatives, flipped), losses, strict=True):
        train(states, given, epochs=2, on_epoch=lambda epoch, loss, *_, seen=of_epochs: seen.append(loss))
    assert losses[0] == losses[1] and len(losses[0]) == 3


@pytest.mark.parametrize(
    ("recipe", "name", "epochs"), [("default", "train", EPOCHS), ("post", "train_as_post", POST_EPOCHS)]
)
def test_each_recipe_has_its_own_epochs_and_the_seed_draws_its_states(folder, monkeypatch, recipe, name, epochs):
    given = []

    def fit(states, derivatives, **how):
        given.append((states, how["epochs"]))
        return load_hnn()

    monkeypatch.setattr(hnn_training, name, fit)
    outcome = run_script(hnn_training.main, f"--recipe {recipe} --points 100 --seed 4 --output w.pth")
    assert outcome.status == 0, outcome.err
    ((states, n),) = given
    assert (n, epochs) in [(9, 9), (1200, 1200)]
    if recipe == "post":
        assert torch.equal(states, sample_states(100, POST_BOX, 4))


def test_a_wrapped_record_of_angles_alone_has_no_jumps_in_p(folder, monkeypatch):
    q, _ = exact_motion(np.array([0.0]), np.array([7.0]), 200, 0.05)
    write_record("r.csv", 0.05 * np.arange(200), wrap_angle(q[:, 0]))
    given, model = [], load_hnn()
    model.validation_loss = 1.0
    monkeypatch.setattr(hnn_training, "train_on_motion", lambda q, p, *_, **how: given.append(p) or model)
    run_script(hnn_training.main, "--data r.csv --period 2pi --output w.pth")
    assert np.nanmin(given[0]) > 2  # it always goes round the same way


def test_the_polynomial_does_not_reach_over_a_gap(folder):
    t = 0.05 * np.arange(200)
    t = t[(t < 4) | (t > 6)]
    write_record(folder / "r.csv", t, np.sin(t))
    record = read_record(folder / "r.csv")
    seen = np.isfinite(record.p)
    np.testing.assert_allclose(record.q[seen] ** 2 + record.p[seen] ** 2, 1, atol=1e-3)


def test_each_orbit_has_a_record_in_each_piece(folder):
    t = np.delete(0.1 * np.arange(41), [20])
    write_record(folder / "r.csv", t, t, t, t, t)
    assert ": 4 records with" in read_record(folder / "r.csv").summary


def test_another_dt_by_a_few_parts_in_a_hundred_is_another_dt():
    model = load_hnn()
    model.knows["dt"] = 0.05
    with pytest.raises(ValueError, match="no other dt"):
        run_simulation_HNN([0.5, 0.0], model, 3, dt=0.052)


def test_a_model_of_motion_is_judged_where_it_has_data():
    spring = Spring()
    spring.knows = {"dt": 0.1, "p_range": (-1.0, 1.0), "period": None}
    q, p = sample_states(5000, TEST_BOX, seed=1).numpy().T
    q, p = q[abs(p) <= 1], p[abs(p) <= 1]
    (q_1,), (p_1,) = exact_motion(q, p, 1, 0.1)
    assert step_error(spring)[1] == pytest.approx(np.sqrt(np.mean((q_1 - q) ** 2 + (p_1 - p) ** 2)))


def test_the_size_of_a_step_is_that_of_the_angle():
    q, p = exact_motion(np.array([0.0]), np.array([7.0]), 60, 0.05)
    records = (SimpleNamespace(q=angle, p=p, dt=0.05) for angle in (q, wrap_angle(q)))
    whole, wrapped = (judge_record(SimpleNamespace(validation_loss=1.0), record, 2 * math.pi) for record in records)
    assert whole == wrapped


def test_the_greatest_distance_is_not_the_last():
    truth, learned = true_orbits([0.5, 0.3], 40), true_orbits([0.5, 0.3], 40)
    learned.q[20] += 0.7
    assert table(truth, learned).splitlines()[1].endswith("7.0e-01")


def test_the_note_of_the_separatrix_names_the_state_that_lies_there():
    with pytest.warns(Note, match=r"\[3\.14159, 0\] lies on the separatrix"):
        run_simulation([[0.5, 0.0], [math.pi, 0.0]], 3)


def test_a_long_run_is_drawn_over_seconds_and_over_lines_of_equal_energy():
    phase, energy = draw_orbits(true_orbits([1.0, 0.0], 30_000)).axes
    assert len(phase.collections) == 1
    of_orbits = [line for line in energy.lines if line.get_gid() != "exact"]
    assert len(of_orbits) == 2 and all(1400 < max(line.get_xdata()) <= 1500 for line in of_orbits)


def test_learned_orbits_are_darker_than_the_band_of_the_truth():
    def lightness(colour):
        return np.dot(to_rgb(colour), [0.3, 0.59, 0.11])

    assert all(lightness(style["color"]) < lightness(TRUTH["color"]) - 0.3 for style in styles(NAMED))


def test_a_film_says_which_part_of_the_motion_it_shows_and_its_mark_stays_in_the_turn(monkeypatch):
    truth = true_orbits([0.0, 9.0], 1000)

    def watch(path, fig, draw_frame, *_):
        draw_frame(60)
        (here,) = [line for line in fig.axes[1].lines if line.get_gid() is None]
        np.testing.assert_allclose(here.get_xydata(), [[wrap_angle(truth.q[60, 0]), truth.p[60, 0]]])

    monkeypatch.setattr(films, "write_gif", watch)
    assert films.film_orbits("f.gif", truth) == "the first 10 of 50 s in real time, 201 frames"


def test_the_legend_of_a_film_has_the_colours_of_its_rods(monkeypatch):
    truth = true_orbits([0.5, 0.3], 4)

    def watch(path, fig, *_):
        drawn = {line.get_gid(): line.get_color() for line in fig.axes[0].lines}
        (handle,) = fig.axes[1].get_legend().get_lines()
        assert to_rgb(handle.get_color()) == to_rgb(drawn["learned 0"]) != to_rgb(drawn["truth 0"])

    monkeypatch.setattr(films, "write_gif", watch)
    films.film_orbits("f.gif", truth, Orbits("learned", [[0.5, 0.3]], *run_simulation([[0.5, 0.3]], 4), 0.05))


def test_a_gap_in_a_record_of_milliseconds_is_a_gap(folder):
    t = np.delete(0.002 * np.arange(60), [20, 21])
    write_record("r.csv", t, np.sin(t), np.cos(t))
    record = read_record(folder / "r.csv")
    assert "2 records with 56 pairs" in record.summary and record.dt == pytest.approx(0.002)


def test_the_exact_motion_moves_in_a_short_time_too():
    start = np.array([1.0, 3.0]), np.array([0.5, -2.0])
    short, long = exact_motion(*start, 100, 0.001), exact_motion(*start, 1, 0.1)
    np.testing.assert_allclose([v[-1] for v in short], [v[-1] for v in long], rtol=0, atol=1e-12)
