"""Liouville's ensemble: areas are measured rightly, carried rightly, and shown as they were computed."""

import matplotlib
import numpy as np
import pytest
import torch
from helpers import run_script, shown
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure

import dist_dynamic
from dist_dynamic import CENTRE, boundary, carry, carry_and_measure, sample_cloud
from HNN import load_hnn
from hnn_model_derivs import learned_dynamics
from pendulum_nonlinear import pendulum_dynamics
from rigid_simulator_implicit import explicit_euler_step, symplectic_euler_step, two_line_step
from support.liouville import carried_boundary, enclosed_area, is_resolved
from support.figures import P_LABEL, Q_LABEL
from support.liouville import draw_cloud, draw_ensembles

CIRCLE = np.pi * 0.3**2


def test_the_enclosed_area_is_the_area():
    angle = 2 * np.pi * np.arange(256) / 256
    ellipse = np.stack([1e3 + 2 * np.cos(angle), -7 + 3 * np.sin(angle)], axis=-1)
    assert enclosed_area(ellipse) == pytest.approx(6 * np.pi, rel=1e-12)
    assert enclosed_area(ellipse[::-1]) == pytest.approx(-6 * np.pi, rel=1e-12)
    bent = ellipse + np.stack([0 * angle, ellipse[:, 0] ** 2], axis=-1) - [1e3, 1e6]  # a shear keeps the area
    assert enclosed_area(bent) == pytest.approx(6 * np.pi, rel=1e-9)
    assert enclosed_area(boundary(100)) == pytest.approx(CIRCLE, rel=1e-12)


def test_a_cloud_has_its_centre_and_its_spread_and_follows_its_seed():
    cloud = sample_cloud(20_000, seed=1).numpy()
    np.testing.assert_allclose(cloud.mean(axis=0), [0.0, 2.0], atol=4e-3)
    np.testing.assert_allclose(cloud.std(axis=0), 0.1, rtol=0.03)
    assert not torch.equal(sample_cloud(5, 1), sample_cloud(5, 2))


def by_hand(states, step, dynamics, n_steps, dt=0.05):
    """All the states together, in NumPy, step by step."""
    q, p = np.asarray(states).T
    for i in range(n_steps):
        q, p = step(dynamics, i * dt, q, p, dt)
    return np.stack([q, p], axis=-1)


def in_torch(t, state):
    return pendulum_dynamics(t, state, sin=torch.sin)


@pytest.mark.parametrize("block", [1, 7, 333, 5000])
@pytest.mark.parametrize("dt", [0.05, 0.02])
def test_blocks_in_any_number_carry_the_states_alike(monkeypatch, model, block, dt):
    monkeypatch.setattr(dist_dynamic, "BLOCK", block)
    cloud = sample_cloud(101)
    carried = carry(cloud, two_line_step, in_torch, n_steps=5, dt=dt)
    np.testing.assert_allclose(carried, by_hand(cloud, two_line_step, pendulum_dynamics, 5, dt), rtol=0, atol=1e-13)
    dynamics = learned_dynamics(model)
    carried = carry(cloud, symplectic_euler_step, dynamics, n_steps=3, dt=dt)
    expected = by_hand(cloud, symplectic_euler_step, dynamics, 3, dt)
    np.testing.assert_allclose(carried, expected, rtol=0, atol=1e-12)


def test_a_state_that_is_not_finite_ends_the_ensemble():
    with pytest.raises(ArithmeticError, match=r"carried state 3 is not finite"):
        carry(torch.tensor([[0.0, 0.0], [1.0, 1.0], [torch.nan, 1.0]]), two_line_step, in_torch, 1)


def test_true_and_learned_flows_keep_the_area_and_explicit_euler_does_not(model):
    edge = boundary(512)
    for step, dynamics in ((two_line_step, in_torch), (symplectic_euler_step, learned_dynamics(model))):
        assert enclosed_area(carry(edge, step, dynamics)) / enclosed_area(edge) == pytest.approx(1, abs=1e-9)
    small = torch.tensor(CENTRE) + 0.01 * (edge - torch.tensor(CENTRE))  # cos q is the same all over it
    (q, p), growth = CENTRE, 1.0
    for _ in range(80):
        growth *= 1 + 0.05**2 * 9.8 * np.cos(q)
        q, p = explicit_euler_step(pendulum_dynamics, 0.0, q, p, 0.05)
    grown = enclosed_area(carry(small, explicit_euler_step, in_torch)) / enclosed_area(small)
    assert grown == pytest.approx(growth, rel=1e-3) and grown > 2


def shear(strength):
    """A map that keeps areas and bends lines: p + strength sin 10 q."""
    return lambda x: torch.stack([x[:, 0], x[:, 1] + strength * torch.sin(10 * x[:, 0])], dim=-1)


@pytest.mark.parametrize("strength", [0.0, 1.0, 30.0])
def test_a_boundary_has_as_many_points_as_its_area_needs(strength):
    before, after = carried_boundary(boundary, shear(strength))
    assert is_resolved(after) and enclosed_area(after) / enclosed_area(before) == pytest.approx(1, abs=1e-8)
    torch.testing.assert_close(after, shear(strength)(before))
    stretched = carried_boundary(boundary, lambda x: torch.stack([x[:, 0], torch.sin(300 * x[:, 1])], dim=-1))
    assert is_resolved(stretched[1]) and len(stretched[0]) > 256


def test_an_area_is_resolved_where_half_of_the_points_agree_to_nine_digits():
    circle = boundary(256)
    bent = circle.clone()
    bent[::2] = torch.tensor(CENTRE) + (1 + 1e-8) * (circle[::2] - torch.tensor(CENTRE))
    assert is_resolved(circle) and not is_resolved(bent)


def test_a_boundary_that_no_points_resolve_says_so():
    def mixing(x, n_steps=1):
        return torch.tensor(np.random.default_rng(0).normal(size=x.shape))

    assert not is_resolved(carried_boundary(boundary, mixing)[1])
    ensemble = carry_and_measure("mixed", mixing, sample_cloud(5), 1)
    assert "not resolved" in ensemble.ratio() and "do not resolve it" in ensemble.row()


def test_the_printed_and_titled_ratio_is_that_of_the_areas():
    def doubling(x, n_steps):
        return x * torch.tensor([1.0, 2.0])

    ensemble = carry_and_measure("doubled", doubling, sample_cloud(5), 1)
    assert ensemble.ratio() == "area ratio 2.000000"
    assert "area 0.282743 → 0.565487 J s, ratio 2.0000000000, 256 points" in ensemble.row()


FLOWS = {
    "true pendulum, symplectic Euler": (two_line_step, pendulum_dynamics),
    "learned pendulum, symplectic Euler": (symplectic_euler_step, None),
    "true pendulum, explicit Euler": (explicit_euler_step, pendulum_dynamics),
}


def test_each_panel_shows_what_its_own_flow_carried(folder, figures, slower):
    outcome = run_script(dist_dynamic.main, ["--points", 30, "--steps", 10, "--seed", 3, "--weights", slower])
    assert outcome.status == 0, outcome.err
    learned, cloud = learned_dynamics(load_hnn(slower)), sample_cloud(30, seed=3)
    for axes, (name, (step, dynamics)) in zip(figures[0].axes, FLOWS.items(), strict=True):
        carried = by_hand(cloud, step, dynamics or learned, 10)
        np.testing.assert_array_equal(shown(axes, "cloud before").T, cloud)
        np.testing.assert_allclose(shown(axes, "cloud after").T, carried, atol=1e-10)
        edge = shown(axes, "edge before").T[:-1]
        edge_after = by_hand(edge, step, dynamics or learned, 10)
        np.testing.assert_allclose(shown(axes, "edge after").T[:-1], edge_after, atol=1e-10)
        ratio = enclosed_area(edge_after) / enclosed_area(edge)
        assert axes.get_title() == f"{name}\narea ratio {ratio:.6f}"
        assert f"ratio {ratio:.10f}" in next(line for line in outcome.out.splitlines() if line.startswith(name))
    assert figures[0].get_suptitle() == "30 states after 10 steps of 0.05 s, t = 0.50 s"
    assert (folder / "FIG4.png").exists() and "Warning: a poor fit" in outcome.out.splitlines()[0]


def test_the_script_as_typed_draws_the_posts_ensemble_in_its_own_style(folder, figures):
    with matplotlib.rc_context({"font.size": 33.0}):
        outcome = run_script(dist_dynamic.main)
    assert figures[0].get_suptitle() == "100 states after 80 steps of 0.05 s, t = 4.00 s"
    assert "ratio 3.868" in outcome.out
    first = figures[0].axes[0]
    assert (first.get_xlabel(), first.get_ylabel(), first.xaxis.label.get_size()) == (Q_LABEL, P_LABEL, 10)


def test_a_large_cloud_says_that_the_learned_flow_carries_fewer(folder, monkeypatch, figures):
    monkeypatch.setattr(dist_dynamic, "LEARNED_POINTS", 20)
    outcome = run_script(dist_dynamic.main, "--points 30 --steps 1")
    rows = outcome.out.splitlines()
    note = rows.index("  (it carries the first 20 states only)")
    assert rows[note - 1].startswith("learned pendulum") and outcome.out.count("it carries") == 1
    assert [shown(axes, "cloud after").shape[1] for axes in figures[0].axes] == [30, 20, 30]
    np.testing.assert_array_equal(shown(figures[0].axes[1], "cloud before").T, sample_cloud(30)[:20])
    assert [", 20 of the states\n" in axes.get_title() for axes in figures[0].axes] == [False, True, False]
    assert "it carries" not in run_script(dist_dynamic.main, "--points 20 --steps 1").out


def test_an_ensemble_is_carried_by_the_dt_of_a_model_of_motion(folder, figures):
    weights = load_hnn()
    weights.knows["dt"] = 0.1
    torch.save(weights.state_dict(), "motion.pth")
    outcome = run_script(dist_dynamic.main, "--points 10 --steps 5 --weights motion.pth")
    assert outcome.status == 0 and "t = 0.50 s" in figures[0].get_suptitle(), outcome.err
    for axes, (step, dynamics) in zip(figures[0].axes, FLOWS.values(), strict=True):
        expected = by_hand(sample_cloud(10), step, dynamics or learned_dynamics(weights), 5, 0.1)
        np.testing.assert_allclose(shown(axes, "cloud after").T, expected, atol=1e-10)


@pytest.mark.parametrize("n", [4999, 5000, 40_000])
def test_a_density_counts_every_state(n):
    axes = Figure().subplots()
    cloud = sample_cloud(n).numpy()
    cloud[:, 0] = (5 * cloud[:, 0]) ** 2  # no symmetry of q and p, nor of left and right
    draw_cloud(axes, cloud, boundary(100))
    meshes = [artist for artist in axes.collections if isinstance(artist, QuadMesh)]
    if n < 5000:
        assert not meshes and shown(axes, "cloud after").shape == (2, n)
    else:
        counts = meshes[0].get_array()
        assert counts.sum() == n
        corners = meshes[0].get_coordinates()  # the densest cell holds as many states as it says
        i, j = np.unravel_index(counts.filled(0).argmax(), counts.shape)
        is_inside = (cloud >= corners[i, j]) & (cloud < corners[i + 1, j + 1])
        assert is_inside.all(axis=1).sum() == counts.max()
        before = draw_cloud(axes, cloud, boundary(100), after=False)[-1]
        assert (before.cmap.name, meshes[0].cmap.name) == ("Greys", "Blues")  # as the legend has it


def test_lines_of_equal_energy_are_drawn_all_over_each_panel():
    for axes in draw_ensembles([carry_and_measure("", lambda x, n_steps: x, sample_cloud(9), 1)] * 2).axes:
        paths = [path.vertices for lines in axes.collections for path in lines.get_paths() if len(path.vertices)]
        for values, limits in zip(np.concatenate(paths).T, (axes.get_xlim(), axes.get_ylim()), strict=True):
            assert limits[0] <= values.min() + 1e-9 and values.max() <= limits[1] + 1e-9
            assert np.ptp(values) > 0.9 * np.ptp(limits)


def test_a_window_is_opened_where_it_is_asked_for(folder, monkeypatch):
    asked = []
    monkeypatch.setattr("support.liouville.new_figure", lambda show, **size: asked.append(show) or Figure(**size))
    run_script(dist_dynamic.main, "--points 9 --steps 1 --show")
    assert asked == [True]


@pytest.mark.parametrize("growth, is_common", [(2.0, True), (100.0, False)])
def test_panels_share_a_scale_unless_one_would_make_another_unreadable(growth, is_common):
    centre = torch.tensor(CENTRE)
    flows = [lambda x, n_steps: x, lambda x, n_steps: centre + growth * (x - centre)]
    fig = draw_ensembles([carry_and_measure("", flow, sample_cloud(9), 1) for flow in flows])
    assert (fig.axes[0].get_xlim() == fig.axes[1].get_xlim()) == is_common
    for axes in fig.axes:
        content = np.concatenate([shown(axes, "edge before"), shown(axes, "edge after")], axis=1)
        for (low, high), values in zip((axes.get_xlim(), axes.get_ylim()), content, strict=True):
            assert low < values.min() and values.max() < high
        content = np.ptp(content, axis=1)
        assert content[0] > 0.2 * np.ptp(axes.get_xlim()) and content[1] > 0.2 * np.ptp(axes.get_ylim())


def test_the_film_shows_each_cloud_boundary_and_area_where_it_is_at_each_frame(folder, monkeypatch, slower):
    frames = []

    def watch(path, fig, draw_frame, n_frames, frame_time):
        assert path == "film.gif" and frame_time == pytest.approx(0.05)
        for i in range(n_frames):
            draw_frame(i)
            shapes = [[shown(axes, gid).T.copy() for gid in ("cloud after", "edge after")] for axes in fig.axes]
            frames.append((shapes, fig.get_suptitle(), [axes.get_title() for axes in fig.axes]))

    monkeypatch.setattr("support.liouville.write_gif", watch)
    arguments = ["--points", 8, "--steps", 3, "--weights", slower, "--animate", "film.gif"]
    outcome = run_script(dist_dynamic.main, arguments)
    assert outcome.status == 0, outcome.err
    learned, cloud, edge = learned_dynamics(load_hnn(slower)), sample_cloud(8), boundary(256)
    assert len(frames) == 4
    for i, (shapes, title, titles) in enumerate(frames):
        assert title == f"t = {i * 0.05:.2f} s, step {i}"
        for (clouds, edges), panel_title, (name, (step, dynamics)) in zip(shapes, titles, FLOWS.items(), strict=True):
            np.testing.assert_allclose(clouds, by_hand(cloud, step, dynamics or learned, i), atol=1e-9)
            carried = by_hand(edge, step, dynamics or learned, i)
            np.testing.assert_allclose(edges[:-1], carried, atol=1e-9)
            assert panel_title == f"{name}\narea {enclosed_area(carried):.6f} J s"
    assert frames[3][2][2] != frames[3][2][0].replace("symplectic", "explicit")  # explicit Euler's area has grown


def test_a_film_of_a_model_of_motion_has_its_clock_and_carries_the_cloud_by_all_steps_of_a_frame(folder, monkeypatch):
    weights, seen = load_hnn(), []
    weights.knows["dt"] = 0.02
    torch.save(weights.state_dict(), "motion.pth")

    def watch(path, fig, draw_frame, n_frames, frame_time):
        draw_frame(0)
        draw_frame(1)
        seen.extend([fig.get_suptitle(), shown(fig.axes[0], "cloud after").T])

    monkeypatch.setattr("support.liouville.write_gif", watch)
    outcome = run_script(dist_dynamic.main, "--points 8 --steps 5 --weights motion.pth --animate film.gif")
    assert outcome.status == 0 and seen[0] == "t = 0.04 s, step 2", outcome.err
    assert "Wrote film.gif: steps 0 to 4 of 5 in real time, 3 frames" in outcome.out
    np.testing.assert_allclose(seen[1], by_hand(sample_cloud(8), two_line_step, pendulum_dynamics, 2, 0.02), atol=1e-9)


def test_a_boundary_of_any_size_takes_as_many_points():
    def points_of(size):
        def bent(states):  # two shears, which keep the area
            q, p = states.T / size
            p = p + 0.02 * torch.sin(100 * q + 1)
            return size * torch.stack([q + 0.02 * torch.sin(100 * p + 1), p], dim=-1)

        return len(carried_boundary(lambda n: size * boundary(n), bent)[0])

    assert points_of(1e-5) == points_of(1.0) > 256
