"""What a reader of the simulators is shown is what was computed: figures, tables, films and files of numbers."""

from types import SimpleNamespace

import numpy as np
import pytest
from helpers import OPTIONS, STATES, run_script, shown, true_orbits, with_start
from matplotlib.colors import to_rgba
from PIL import Image

import rigid_simulator_HNN
import rigid_simulator_implicit
from HNN import load_hnn
from pendulum_nonlinear import pendulum_hamiltonian, wrap_angle
from rigid_simulator_HNN import run_simulation_HNN
from rigid_simulator_implicit import run_simulation
from support.figures import NAMED, T_LABEL, TRUTH, draw_energy_levels, draw_orbits, new_figure, show_figure
from support.orbits import table


def test_the_figure_shows_the_learned_orbits_over_the_true_ones(folder, figures, slower):
    outcome = run_script(rigid_simulator_HNN.main, [*OPTIONS, "--weights", slower])
    assert outcome.status == 0, outcome.err
    phase, energy, distance = figures[0].axes
    truth = with_start(STATES, run_simulation(STATES, 40, 0.02))
    learned = with_start(STATES, run_simulation_HNN(STATES, load_hnn(slower), 40, 0.02))
    t = 0.02 * np.arange(41)
    for who, (q, p) in {"truth": truth, "learned": learned}.items():
        for k in range(2):
            np.testing.assert_allclose(shown(phase, f"{who} {k}"), [q[:, k], p[:, k]])
            np.testing.assert_allclose(shown(energy, f"{who} {k}"), [t, pendulum_hamiltonian([q[:, k], p[:, k]])])
    for k in range(2):
        apart = np.hypot(truth[0] - learned[0], truth[1] - learned[1])[1:, k]
        np.testing.assert_allclose(shown(distance, f"learned {k}"), [t[1:], apart])
    assert apart.max() > 0.05 and (folder / "FIG5.png").exists()
    exact = [line.get_ydata()[0] for line in energy.lines if line.get_gid() == "start"]
    np.testing.assert_allclose(exact, pendulum_hamiltonian(np.transpose(STATES)))
    assert (energy.get_yscale(), distance.get_yscale(), distance.get_xlabel()) == ("linear", "log", T_LABEL)
    assert energy.get_ylim()[0] == 0
    assert energy.get_title() == "steps of 0.02 s make H swing (dotted: exact H)"
    with Image.open("FIG5.png") as image:
        assert image.size == (1650, 930)  # 11 by 6.2 inches, at 150 dots an inch


def test_the_true_simulator_shows_the_truth(folder, figures):
    outcome = run_script(rigid_simulator_implicit.main, OPTIONS)
    assert outcome.status == 0, outcome.err
    phase, energy = figures[0].axes
    q, p = with_start(STATES, run_simulation(STATES, 40, 0.02))
    np.testing.assert_allclose(shown(phase, "truth 1"), [q[:, 1], p[:, 1]])
    np.testing.assert_allclose(shown(energy, "truth 1")[1], pendulum_hamiltonian([q[:, 1], p[:, 1]]))
    assert (folder / "FIG3.png").exists() and "Wrote FIG3.png" in outcome.out
    for axes, (x, y) in ((phase, ("angle q (rad)", "angular momentum p")), (energy, ("time t (s)", "H(q, p) (J)"))):
        assert x in axes.get_xlabel() and y in axes.get_ylabel()


def test_a_run_without_options_takes_the_posts_states_and_times(folder, figures):
    for module in (rigid_simulator_implicit, rigid_simulator_HNN):
        assert run_script(module.main).status == 0
    for fig, who in zip(figures, ("truth", "learned"), strict=True):
        for k, state in enumerate([[0.5, 0.0], [3.1, 0.0], [0.0, 5.0]]):
            t, _ = shown(fig.axes[1], f"{who} {k}")
            assert len(t) == 1001 and t[-1] == pytest.approx(50.0)
            assert shown(fig.axes[0], f"{who} {k}")[:, 0] == pytest.approx(state)


def test_level_lines_are_lines_of_equal_energy():
    axes = new_figure().subplots()
    axes.set(xlim=(-3, 3), ylim=(-7, 7))
    draw_energy_levels(axes, pendulum_hamiltonian)
    (levels,) = axes.collections
    assert len(levels.levels) > 5
    for level, path in zip(levels.levels, levels.get_paths(), strict=True):
        if len(path.vertices):
            H = pendulum_hamiltonian(path.vertices.T)
            np.testing.assert_allclose(H, level, rtol=0, atol=0.05)


def test_an_arrow_points_the_way_the_orbit_runs_and_a_dot_marks_its_start():
    truth = true_orbits([[0.5, 0.0], [0.0, 5.0]], 100, 0.05)
    phase = draw_orbits(truth).axes[0]
    arrows = [child for child in phase.texts if getattr(child, "arrow_patch", None)]
    assert len(arrows) == 2
    for k, arrow in enumerate(arrows):
        (q_0, p_0), (q_1, p_1) = arrow.xyann, arrow.xy
        (i,) = np.flatnonzero((abs(truth.q[:, k] - q_0) < 1e-12) & (truth.p[:, k] == p_0))
        assert (truth.q[i + 1, k], truth.p[i + 1, k]) == pytest.approx((q_1, p_1))
    starts = [line.get_xydata()[0].tolist() for line in phase.lines if line.get_marker() == "o"]
    np.testing.assert_allclose(starts, [[0.5, 0.0], [0.0, 5.0]], atol=1e-12)
    names = {text.get_text(): text.xy for text in phase.texts if text.get_text()}
    assert names == {"[0.5, 0]": (0.5, 0.0), "[0, 5]": (0.0, 5.0)}
    phase = draw_orbits(true_orbits([[4.0, 0.0]])).axes[0]  # beyond the turn, so that its orbit is drawn one turn back
    (dot,) = [line for line in phase.lines if line.get_marker() == "o"]
    np.testing.assert_allclose(dot.get_xydata(), [[4.0 - 2 * np.pi, 0.0]])
    np.testing.assert_allclose(dot.get_xydata()[0], shown(phase, "truth 0")[:, 0])


def test_the_legend_has_the_lines_that_are_drawn(learned_orbits):
    fig = draw_orbits(learned_orbits(STATES), true_orbits(STATES))
    (legend,) = fig.legends
    drawn = {line.get_gid(): line for line in fig.axes[0].lines if line.get_gid()}
    entries = dict(zip([text.get_text() for text in legend.get_texts()], legend.get_lines(), strict=True))
    assert list(entries) == ["[0.5, 0.3]", "[1, -2]", "true pendulum, same steps"]
    for entry, gid in zip(entries.values(), ("learned 0", "learned 1", "truth 0"), strict=True):
        assert to_rgba(entry.get_color()) == to_rgba(drawn[gid].get_color())
        assert entry.get_linestyle() == drawn[gid].get_linestyle()
        assert entry.get_linewidth() == drawn[gid].get_linewidth()
    assert legend.get_title().get_text() == "learned orbits, from [q, p]"
    assert drawn["truth 0"].get_zorder() < drawn["learned 0"].get_zorder()
    assert drawn["truth 0"].get_linewidth() == TRUTH["linewidth"] > 2 * drawn["learned 0"].get_linewidth()


def test_the_legend_names_ten_orbits_and_counts_more():
    for n, title in ((NAMED, "true orbits, from [q, p]"), (NAMED + 1, "true 11 orbits, the first 10 are named, from")):
        states = np.stack([np.linspace(0.1, 3.0, n), np.zeros(n)], axis=-1)
        fig = draw_orbits(true_orbits(states, 5))
        assert fig.legends[0].get_title().get_text().startswith(title)
        assert len(fig.legends[0].get_texts()) == NAMED
    lines = [line for line in fig.axes[0].lines if str(line.get_gid()).startswith("truth")]
    assert len({(tuple(line.get_color()), line.get_linestyle()) for line in lines[:NAMED]}) == NAMED


def test_an_orbit_that_goes_round_is_drawn_without_a_line_across():
    truth, same = true_orbits([[0.0, 9.0]], 100), true_orbits([[0.0, 9.0]], 100)
    q, p = shown(draw_orbits(truth).axes[0], "truth 0")
    np.testing.assert_allclose(q, wrap_angle(truth.q[:, 0]))
    np.testing.assert_array_equal((truth.q, truth.p), (same.q, same.p))  # the orbit itself stays as it was
    jumps = np.flatnonzero(abs(np.diff(q)) > np.pi)
    assert len(jumps) > 0 and np.isnan(p[jumps + 1]).all() and np.isnan(p).sum() == len(jumps)


def test_a_window_stays_open_where_there_is_a_display_and_else_a_line_says_why(folder, monkeypatch):
    seen = []
    monkeypatch.setattr("matplotlib.pyplot.show", lambda: seen.append("pyplot"))  # fig.show() would close at once
    show_figure(SimpleNamespace(canvas=SimpleNamespace(required_interactive_framework="qt"), show=seen.append))
    assert seen == ["pyplot"]
    monkeypatch.setattr("matplotlib.pyplot.figure", lambda **_: 1 / 0)
    outcome = run_script(rigid_simulator_implicit.main, "--steps 3 --show")
    assert (outcome.status, outcome.err) == (0, "") and (folder / "FIG3.png").stat().st_size > 5000
    assert outcome.out.startswith("Note: matplotlib cannot open a window here (division by zero)")
    assert outcome.out.endswith("Note: there is no display to show the figure on.\n") and seen == ["pyplot"]


def test_the_table_has_the_energies_under_their_headings_and_the_greatest_distance(learned_orbits):
    truth, learned = true_orbits(STATES), learned_orbits(STATES)
    learned.q[20] += 5.0  # the greatest distance is not the last
    header, *rows = table(learned, truth).splitlines()
    columns = ["orbit [q, p]", "H of the true pendulum (J)", "H of the learned one (J)", "greatest distance"]
    assert [cell.strip() for cell in header.split("   ") if cell.strip()] == columns and len(rows) == 2
    for k, row in enumerate(rows):
        cells = [cell.strip() for cell in row.split("   ") if cell.strip()]
        ranges = [f"{orbits.H[:, k].min():.4f} … {orbits.H[:, k].max():.4f}" for orbits in (truth, learned)]
        apart = np.hypot(truth.q[:, k] - learned.q[:, k], truth.p[:, k] - learned.p[:, k])
        assert cells == [truth.names[k], *ranges, f"{apart.max():.1e}"] and apart.argmax() == 20


def test_saved_numbers_read_back_to_the_orbits(folder, slower):
    for module, more, simulate in (
        (rigid_simulator_implicit, [], run_simulation),
        (rigid_simulator_HNN, ["--weights", slower], lambda s, *how: run_simulation_HNN(s, load_hnn(slower), *how)),
    ):
        outcome = run_script(module.main, [*OPTIONS, *more, "--save", "orbits.csv"])
        assert outcome.status == 0, outcome.err
        header = (folder / "orbits.csv").read_text(encoding="utf-8").splitlines()[0]
        assert header == "t (s),q_1 (rad),p_1 (kg m^2/s),q_2 (rad),p_2 (kg m^2/s)"
        t, q_1, p_1, q_2, p_2 = np.loadtxt("orbits.csv", delimiter=",", skiprows=1).T
        q, p = with_start(STATES, simulate(STATES, 40, 0.02))
        np.testing.assert_array_equal([q_1, q_2, p_1, p_2], [*q.T, *p.T])
        np.testing.assert_allclose(t, 0.02 * np.arange(41))
