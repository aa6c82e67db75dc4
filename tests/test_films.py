"""Films of orbits: what hangs, moves and is said in each frame is what was computed."""

import itertools

import numpy as np
import pytest
from helpers import OPTIONS, STATES, run_script, shown, true_orbits, with_start
from matplotlib.colors import to_rgb
from PIL import Image

import rigid_simulator_HNN
import rigid_simulator_implicit
from pendulum_nonlinear import wrap_angle
from rigid_simulator_implicit import run_simulation
from support import films
from support.figures import TRUTH
from support.films import film_orbits, frames_of


@pytest.mark.parametrize("dt, every", [(0.05, 1), (0.02, 2), (0.1, 1)])
def test_the_bobs_of_a_film_hang_where_the_orbits_are(monkeypatch, learned_orbits, dt, every):
    truth, learned, seen = true_orbits(STATES, 60, dt), learned_orbits(STATES, 60, dt), []

    def watch(path, fig, draw_frame, n_frames, frame_time):
        assert n_frames == 60 // every + 1 and frame_time == pytest.approx(every * dt)
        space, phase = fig.axes
        assert phase.get_title() == "learned, over the true pendulum (grey)"
        assert "q (rad)" in phase.get_xlabel() and "p (kg" in phase.get_ylabel()
        for frame in (0, 17, 60 // every):
            draw_frame(frame)
            i = frame * every
            names = [text.get_text() for text in phase.get_legend().get_texts()]
            assert names == [f"{learned.names[k]}: H = {learned.H[i, k]:.3f} J" for k in range(2)]
            assert space.get_title() == f"t = {dt * i:.2f} s"
            for who, orbits in {"truth": truth, "learned": learned}.items():
                for k in range(2):
                    q, p = orbits.q[: i + 1, k], orbits.p[: i + 1, k]
                    x, y = shown(space, f"{who} {k}")
                    np.testing.assert_allclose((x[1], y[1]), (np.sin(q[-1]), -np.cos(q[-1])))
                    assert x[0] == y[0] == 0
                    np.testing.assert_allclose(shown(phase, f"{who} {k}"), [wrap_angle(q), p])
            seen.append(i)
        handles, rods = phase.get_legend().get_lines(), {line.get_gid(): line for line in space.lines}
        for k, line in enumerate(handles):
            assert to_rgb(line.get_color()) == to_rgb(rods[f"learned {k}"].get_color())
        assert all(rods[f"truth {k}"].get_color() == TRUTH["color"] for k in (0, 1))

    monkeypatch.setattr(films, "write_gif", watch)
    film_orbits("film.gif", learned, truth)
    assert len(seen) == 3


def test_the_script_films_the_learned_orbits_over_the_true_ones(folder, monkeypatch, slower):
    given = []
    monkeypatch.setattr("support.orbits.film_orbits", lambda *orbits: given.append(orbits) or "a film")
    for module, more in ((rigid_simulator_HNN, ["--weights", slower]), (rigid_simulator_implicit, [])):
        outcome = run_script(module.main, [*OPTIONS, *more, "--animate", "film.gif"])
        assert outcome.status == 0 and "Wrote film.gif: a film" in outcome.out, outcome.err
    (path, learned, truth), (_, alone, nothing) = given
    expected = with_start(STATES, run_simulation(STATES, 40, 0.02))
    assert path == "film.gif" and nothing is None
    np.testing.assert_array_equal((truth.q, truth.p), expected)
    np.testing.assert_array_equal((alone.q, alone.p), expected)
    assert abs(learned.q - truth.q).max() > 0.01


@pytest.mark.parametrize(
    "n_steps, dt, n_frames, frame_time",
    [
        (1_000_000, 0.05, 201, 0.05),
        (60, 0.05, 61, 0.05),
        (5000, 0.01, 201, 0.05),
        (40, 0.1, 41, 0.1),
        (90, 1 / 30, 46, 0.07),
    ],
)
def test_a_film_shows_ten_seconds_at_most_by_a_clock_of_hundredths(n_steps, dt, n_frames, frame_time):
    steps, time, speed = frames_of(n_steps, dt)
    assert (len(steps), time, speed) == (n_frames, frame_time, pytest.approx(steps[1] * dt / frame_time))
    assert steps[0] == 0 and abs(steps[1] * dt - frame_time) <= 0.005 and steps[-1] * dt <= 10.0 + 1e-9


def test_a_film_says_which_part_it_shows_and_how_fast_and_its_mark_stays_in_the_turn(monkeypatch):
    truth = true_orbits([[0.0, 9.0]], 1000, 0.05)

    def watch(path, fig, draw_frame, *_):
        draw_frame(60)
        (here,) = [line for line in fig.axes[1].lines if line.get_gid() is None]
        np.testing.assert_allclose(here.get_xydata(), [[wrap_angle(truth.q[60, 0]), truth.p[60, 0]]])

    monkeypatch.setattr(films, "write_gif", watch)
    assert film_orbits("f.gif", truth) == "the first 10 of 50 s in real time, 201 frames"
    seen = []
    monkeypatch.setattr(films, "write_gif", lambda path, fig, *_: seen.append(fig.axes[1].get_title()))
    film_orbits("f.gif", true_orbits([[0.1 * k, 0.0] for k in range(12)], 3))
    assert seen == ["the true pendulum: the first 10 of 12 orbits"]
    assert film_orbits("f.gif", true_orbits([[0.5, 0.0]], 4, 0.137)).startswith("the motion at 0.979 times")


def test_a_film_has_its_frames_its_duration_and_moves_and_is_written_whole(folder, monkeypatch):
    monkeypatch.setattr(films, "write_whole", lambda path, content: (folder / path).write_bytes(content))
    outcome = run_script(rigid_simulator_HNN.main, "--state 0 7 --steps 8 --dt 0.1 --animate film.gif")
    assert outcome.status == 0, outcome.err
    with Image.open("film.gif") as film:
        assert film.n_frames == 9 and film.info["duration"] == 100 and film.info["loop"] == 0  # for ever
        frames = []
        for k in (0, 4, 8):
            film.seek(k)
            frames.append(np.asarray(film.convert("L")).astype(float))
    assert all(abs(a - b).max() > 100 for a, b in itertools.pairwise(frames))
    assert (folder / "film.gif").stat().st_size < 500_000
    assert "Wrote film.gif: the motion in real time, 9 frames" in outcome.out
    monkeypatch.setattr(films, "write_whole", lambda path, content: None)
    (folder / "film.gif").unlink()
    run_script(rigid_simulator_HNN.main, "--state 0 7 --steps 2 --animate film.gif")
    assert not (folder / "film.gif").exists()  # nothing else writes it


def test_a_film_has_room_for_a_longer_rod_and_a_learned_orbit_that_is_faster_than_the_true_one(monkeypatch):
    seen = []
    monkeypatch.setattr(films, "LENGTH", 4.0)
    monkeypatch.setattr(films, "write_gif", lambda path, fig, *_: seen.extend(axes.axis() for axes in fig.axes))
    film_orbits("f.gif", true_orbits([[0.1, 9.0]]), true_orbits([[0.1, 0.0]]))
    assert seen[0] == pytest.approx((-5, 5, -5, 5)) and seen[1][3] == -seen[1][2] > 9


@pytest.mark.filterwarnings("error")
def test_a_pendulum_at_rest_is_filmed_too(folder):
    for module in (rigid_simulator_implicit, rigid_simulator_HNN):
        outcome = run_script(module.main, "--state 0 0 --steps 2 --animate film.gif")
        assert (outcome.status, outcome.err) == (0, "") and "Wrote film.gif" in outcome.out
