"""Liouville's ensemble: areas are measured rightly, carried rightly, and shown as they were computed."""

from functools import partial

import matplotlib
import numpy as np
import pytest
from helpers import run_script, shown
from matplotlib.figure import Figure

import dist_dynamic
from dist_dynamic import CENTRE, carry, carry_and_measure, circle, sample_cloud
from HNN import load_hnn
from hnn_model_derivs import learned_dynamics
from pendulum_nonlinear import pendulum_dynamics
from rigid_simulator_implicit import explicit_euler_step, symplectic_euler_step, two_line_step
from support.figures import P_LABEL, Q_LABEL
from support.liouville import carried_edge, draw_cloud, draw_ensembles, enclosed_area, is_resolved
from support.weights import save_weights

CIRCLE = np.pi * 0.3**2
TRUE = partial(two_line_step, pendulum_dynamics)


def learned(model):
    """The step of the learned pendulum."""
    return partial(symplectic_euler_step, learned_dynamics(model))


def test_the_enclosed_area_is_the_area():
    angle = 2 * np.pi * np.arange(256) / 256
    ellipse = np.stack([1e3 + 2 * np.cos(angle), -7 + 3 * np.sin(angle)], axis=-1)
    assert enclosed_area(ellipse) == pytest.approx(6 * np.pi, rel=1e-12)
    assert enclosed_area(ellipse[::-1]) == pytest.approx(-6 * np.pi, rel=1e-12)
    bent = ellipse + np.stack([0 * angle, ellipse[:, 0] ** 2], axis=-1) - [1e3, 1e6]  # a shear keeps the area
    assert enclosed_area(bent) == pytest.approx(6 * np.pi, rel=1e-9)
    assert enclosed_area(circle(100)) == pytest.approx(CIRCLE, rel=1e-12)


def test_a_cloud_has_its_centre_and_its_spread_and_follows_its_seed():
    cloud = sample_cloud(20_000, seed=1)
    np.testing.assert_allclose(cloud.mean(axis=0), [0.0, 2.0], atol=4e-3)
    np.testing.assert_allclose(cloud.std(axis=0), 0.1, rtol=0.03)
    assert not np.array_equal(sample_cloud(5, 1), sample_cloud(5, 2))


def by_hand(states, step, dynamics, n_steps, dt=0.05):
    """All the states together, in NumPy, step by step."""
    q, p = np.asarray(states).T
    for i in range(n_steps):
        q, p = step(dynamics, i * dt, q, p, dt)
    return np.stack([q, p], axis=-1)


def test_a_cloud_is_carried_step_by_step_and_the_bar_counts_the_steps(monkeypatch, model):
    cloud, seen = sample_cloud(50), []
    monkeypatch.setattr(dist_dynamic, "progress", lambda steps, **_: seen.append(len(steps)) or steps)
    carried = carry(cloud, learned(model), n_steps=7, dt=0.02)
    expected = by_hand(cloud, symplectic_euler_step, learned_dynamics(model), 7, 0.02)
    np.testing.assert_allclose(carried, expected, rtol=0, atol=1e-12)
    assert seen == [7]
    with pytest.raises(ArithmeticError, match=r"carried state 3 is not finite"):
        carry(np.array([[0.0, 0.0], [1.0, 1.0], [np.nan, 1.0]]), TRUE, 1)


def test_true_and_learned_flows_keep_the_area_and_explicit_euler_does_not(model):
    edge = circle(512)
    for step in (TRUE, learned(model)):
        assert enclosed_area(carry(edge, step)) / enclosed_area(edge) == pytest.approx(1, abs=1e-9)
    small = CENTRE + 0.01 * (edge - CENTRE)  # cos q is the same all over it
    (q, p), growth = CENTRE, 1.0
    for _ in range(80):
        growth *= 1 + 0.05**2 * 9.8 * np.cos(q)
        q, p = explicit_euler_step(pendulum_dynamics, 0.0, q, p, 0.05)
    grown = enclosed_area(carry(small, partial(explicit_euler_step, pendulum_dynamics))) / enclosed_area(small)
    assert grown == pytest.approx(growth, rel=1e-3) and grown > 2


@pytest.mark.parametrize("strength, is_hard", [(0.0, False), (0.02, True)])
@pytest.mark.parametrize("size", [1e-5, 1.0])
def test_an_edge_of_any_size_has_as_many_points_as_its_area_needs(strength, is_hard, size):
    def flow(x):  # two shears, which keep the area
        q, p = x.T / size
        p = p + strength * np.sin(100 * q + 1)
        return size * np.stack([q + strength * np.sin(100 * p + 1), p], axis=-1)

    before, after = carried_edge(lambda n: size * circle(n), flow)
    assert is_resolved(after) and enclosed_area(after) / enclosed_area(before) == pytest.approx(1, abs=1e-8)
    assert (len(before) > 256) == is_hard
    np.testing.assert_array_equal(after, flow(before))


def test_an_area_is_resolved_where_half_of_the_points_agree_to_nine_digits():
    ring = circle(256)
    bent = ring.copy()
    bent[::2] = CENTRE + (1 + 1e-8) * (ring[::2] - CENTRE)
    assert is_resolved(ring) and not is_resolved(bent)


def test_the_printed_and_titled_ratio_is_that_of_the_areas_where_they_are_resolved():
    def doubling(t, q, p, dt):
        return q, 2 * p

    def mixing(t, q, p, dt):
        return np.random.default_rng(0).normal(size=(2, *q.shape))

    ensemble = carry_and_measure("doubled", doubling, sample_cloud(5), 1)
    assert ensemble.ratio() == "area ratio 2.000000"
    assert ensemble.ratio(10) == "area ratio 2.0000000000" and ensemble.areas[0] == pytest.approx(CIRCLE)
    ensemble = carry_and_measure("mixed", mixing, sample_cloud(5), 1)
    assert "not resolved by 32,768 points" in ensemble.ratio()


FLOWS = {
    "true pendulum, symplectic Euler": (two_line_step, pendulum_dynamics),
    "learned pendulum, symplectic Euler": (symplectic_euler_step, None),
    "true pendulum, explicit Euler": (explicit_euler_step, pendulum_dynamics),
}


def test_each_panel_shows_what_its_own_flow_carried(folder, figures, slower, monkeypatch):
    judged = []
    monkeypatch.setattr(dist_dynamic, "note_of_range", lambda model, *states: judged.append(np.transpose(states)))
    outcome = run_script(dist_dynamic.main, ["--points", 30, "--steps", 10, "--seed", 3, "--weights", slower])
    assert outcome.status == 0, outcome.err
    of_model, cloud = learned_dynamics(load_hnn(slower)), sample_cloud(30, seed=3)
    for axes, (name, (step, dynamics)) in zip(figures[0].axes, FLOWS.items(), strict=True):
        carried = by_hand(cloud, step, dynamics or of_model, 10)
        np.testing.assert_array_equal(shown(axes, "cloud before").T, cloud)
        np.testing.assert_allclose(shown(axes, "cloud after").T, carried, atol=1e-10)
        edge = shown(axes, "edge before").T[:-1]
        edge_after = by_hand(edge, step, dynamics or of_model, 10)
        np.testing.assert_allclose(shown(axes, "edge after").T[:-1], edge_after, atol=1e-10)
        if name.startswith("learned"):  # whose states must lie in the range of the weights
            np.testing.assert_allclose(judged, [np.concatenate([edge, edge_after])], atol=1e-10)
        ratio = enclosed_area(edge_after) / enclosed_area(edge)
        assert axes.get_title() == f"{name}\narea ratio {ratio:.6f}"
        assert f"ratio {ratio:.10f}, from 0.282743 J s, by 256" in next(
            line for line in outcome.out.splitlines() if line.startswith(name)
        )
    assert figures[0].get_suptitle() == "30 states after 10 steps of 0.05 s, t = 0.50 s"
    assert (folder / "FIG4.png").exists() and "Warning: a poor fit" in outcome.out.splitlines()[0]


def test_the_script_as_typed_draws_the_posts_ensemble_in_our_own_style(folder, figures):
    with matplotlib.rc_context({"font.size": 33.0}):
        outcome = run_script(dist_dynamic.main)
    assert figures[0].get_suptitle() == "100 states after 80 steps of 0.05 s, t = 4.00 s"
    assert "ratio 3.868" in outcome.out
    axes = figures[0].axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel(), axes.xaxis.label.get_size()) == (Q_LABEL, P_LABEL, 10)


def test_a_cloud_outside_the_range_of_the_weights_is_noted(folder):
    model = load_hnn()
    for name, ends, is_noted in (
        ("p", (1.9, 2.6), True),  # of a cloud around p = 2
        ("p", (-7.0, 7.0), False),
        ("q", (-0.35, 0.35), True),  # which it leaves on its way
    ):
        model.knows[f"{name}_range"] = ends
        save_weights("w.pth", model)
        outcome = run_script(dist_dynamic.main, "--points 9 --steps 2 --weights w.pth")
        assert (f"Note: an orbit leaves {ends[0]:g} ≤ {name} ≤ {ends[1]:g}" in outcome.out) == is_noted


def test_a_dense_cloud_is_drawn_by_its_first_states():
    axes, cloud = Figure().subplots(), sample_cloud(5001)
    draw_cloud(axes, cloud, circle(100), "after")
    np.testing.assert_array_equal(shown(axes, "cloud after").T, cloud[:5000])


def test_panels_share_a_scale_and_have_lines_of_equal_energy_all_over():
    flows = [lambda t, q, p, dt: (q + 2, p + 4), lambda t, q, p, dt: (5 * q + 2, 3 * p)]
    ensembles = [carry_and_measure("", flow, sample_cloud(9), 1) for flow in flows]
    fig = draw_ensembles(ensembles)
    assert fig.axes[0].axis() == fig.axes[1].axis()
    for axes in fig.axes:
        content = np.concatenate([shown(axes, "edge before"), shown(axes, "edge after")], axis=1)
        paths = [path.vertices for lines in axes.collections for path in lines.get_paths() if len(path.vertices)]
        levels, limits = np.concatenate(paths).T, (axes.get_xlim(), axes.get_ylim())
        for (low, high), values, level in zip(limits, content, levels, strict=True):
            assert low < values.min() and values.max() < high
            assert low <= level.min() + 1e-9 and level.max() <= high + 1e-9 and np.ptp(level) > 0.9 * (high - low)


def test_the_film_shows_each_cloud_edge_and_area_where_it_is_at_each_frame(folder, monkeypatch, slower):
    frames = []

    def watch(path, fig, draw_frame, n_frames, frame_time):
        assert path == "film.gif" and frame_time == 0.05
        for i in range(n_frames):
            draw_frame(i)
            shapes = [[shown(axes, gid).T.copy() for gid in ("cloud after", "edge after")] for axes in fig.axes]
            frames.append((shapes, fig.get_suptitle(), [axes.get_title() for axes in fig.axes]))

    monkeypatch.setattr("support.liouville.write_gif", watch)
    arguments = ["--points", 8, "--steps", 3, "--weights", slower, "--animate", "film.gif"]
    outcome = run_script(dist_dynamic.main, arguments)
    assert outcome.status == 0, outcome.err
    of_model, cloud, edge = learned_dynamics(load_hnn(slower)), sample_cloud(8), circle(256)
    assert len(frames) == 4
    for i, (shapes, title, titles) in enumerate(frames):
        assert title == f"t = {i * 0.05:.2f} s, step {i}"
        for (clouds, edges), panel_title, (name, (step, dynamics)) in zip(shapes, titles, FLOWS.items(), strict=True):
            np.testing.assert_allclose(clouds, by_hand(cloud, step, dynamics or of_model, i), atol=1e-9)
            carried = by_hand(edge, step, dynamics or of_model, i)
            np.testing.assert_allclose(edges[:-1], carried, atol=1e-9)
            assert panel_title == f"{name}\narea {enclosed_area(carried):.6f} J s"
