"""Liouville's ensemble: areas are measured rightly, carried rightly, and shown as they were computed."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from in_process import run_script
from matplotlib.collections import QuadMesh
from systems import SHORT_DT, UNIT_P

import dist_dynamic
from dist_dynamic import CENTRE, SIGMA, boundary, carry, polygon_area, sample_cloud
from HNN import load_hnn
from hnn_model_derivs import learned_dynamics
from pendulum_nonlinear import GRAVITY, LENGTH, pendulum_dynamics, pendulum_hamiltonian
from pendulum_tensor import tensor_pair_dynamics
from rigid_simulator_implicit import DT, explicit_euler_step, symplectic_euler_step
from support.drawing import draw_cloud, draw_ensembles
from support.ensembles import Ensemble, resolve

ANGLES = np.linspace(0, 2 * np.pi, 2000, endpoint=False)
CIRCLE = np.pi * (3 * SIGMA) ** 2


def test_polygon_area_is_the_area():
    assert polygon_area(np.array([[0.0, 0.0], [2.0, 0.0], [2.0, 3.0], [0.0, 3.0]]) + 1e3) == 6
    np.testing.assert_allclose(polygon_area(boundary(ANGLES)), CIRCLE, rtol=1e-5)


def test_a_cloud_has_its_centre_and_its_spread_and_follows_its_seed():
    cloud = sample_cloud(20_000, seed=1)
    np.testing.assert_allclose(cloud.mean(axis=0), CENTRE, atol=4e-3)
    np.testing.assert_allclose(cloud.std(axis=0), SIGMA, rtol=0.03)
    assert not np.array_equal(sample_cloud(5, 1), sample_cloud(5, 2))


def by_hand(states, dynamics, step, n_steps, dt=DT):
    """All the states together, step by step."""
    q, p = np.transpose(states)
    for i in range(n_steps):
        q, p = step(dynamics, i * dt, q, p, dt)
    return np.stack([q, p], axis=-1)


@pytest.mark.parametrize("block", [1, 7, 333, 5000])
def test_blocks_in_any_number_carry_the_true_states_alike_bit_for_bit(monkeypatch, block):
    cloud = sample_cloud(1001)
    together = carry(cloud, tensor_pair_dynamics, n_steps=5, kind=torch.tensor)
    monkeypatch.setattr(dist_dynamic, "BLOCK", block)
    np.testing.assert_array_equal(carry(cloud, tensor_pair_dynamics, n_steps=5, kind=torch.tensor), together)
    in_numpy = carry(cloud, pendulum_dynamics, n_steps=5)
    np.testing.assert_array_equal(in_numpy, by_hand(cloud, pendulum_dynamics, symplectic_euler_step, 5))
    np.testing.assert_allclose(together, in_numpy, rtol=1e-13, atol=1e-13)


def test_the_learned_states_are_carried_alike_in_blocks(monkeypatch, model):
    monkeypatch.setattr(dist_dynamic, "BLOCK", 250)
    cloud, dynamics = sample_cloud(1001), learned_dynamics(model)
    expected = by_hand(cloud, dynamics, symplectic_euler_step, 3)
    np.testing.assert_allclose(carry(cloud, dynamics, n_steps=3), expected, rtol=0, atol=1e-12)


def test_no_steps_carry_nowhere_and_less_than_none_is_refused():
    np.testing.assert_array_equal(carry(sample_cloud(9), pendulum_dynamics, n_steps=0), sample_cloud(9))
    with pytest.raises(ValueError, match="number of steps"):
        carry(sample_cloud(9), pendulum_dynamics, n_steps=-1)


def test_true_and_learned_flows_keep_the_area(model):
    edge = boundary(ANGLES[::4]) * [1.0, UNIT_P]
    for dynamics in (pendulum_dynamics, learned_dynamics(model)):
        assert abs(polygon_area(carry(edge, dynamics, dt=SHORT_DT)) / polygon_area(edge) - 1) <= 1e-5


def test_explicit_euler_grows_by_its_determinant_in_each_step():
    centre, growth = np.array(CENTRE) * [1.0, UNIT_P], 1.0
    edge = centre + 0.01 * (boundary(ANGLES) - CENTRE)  # small: cos q is the same all over it
    q, p = centre
    for _ in range(80):
        growth *= 1 + SHORT_DT**2 * (GRAVITY / LENGTH) * np.cos(q)
        q, p = explicit_euler_step(pendulum_dynamics, 0.0, q, p, SHORT_DT)
    grown = polygon_area(carry(edge, pendulum_dynamics, explicit_euler_step, dt=SHORT_DT)) / polygon_area(edge)
    np.testing.assert_allclose(grown, growth, rtol=1e-3)
    assert grown > 2


def shear(strength):
    """A map that keeps areas and bends lines: p + strength sin 10 q."""
    return lambda x: np.stack([x[:, 0], x[:, 1] + strength * np.sin(10 * x[:, 0])], axis=-1)


@pytest.mark.parametrize("strength", [0.0, 1.0, 30.0])
def test_a_boundary_has_as_many_points_as_its_area_needs(strength):
    before, after, is_resolved = resolve(boundary, shear(strength), polygon_area)
    assert is_resolved and abs(polygon_area(after) / polygon_area(before) - 1) < 3e-6
    np.testing.assert_allclose(after, shear(strength)(before), atol=1e-12)


def test_a_boundary_that_no_points_resolve_says_so():
    def mixing(x):
        return np.random.default_rng(0).normal(size=x.shape)

    assert resolve(boundary, mixing, polygon_area)[2] is False
    ensemble = Ensemble("mixed", lambda x, n_steps: mixing(x), sample_cloud(5), boundary, polygon_area, 1)
    assert "not resolved" in ensemble.ratio() and "not resolved" in ensemble.row()


def test_the_printed_and_titled_ratio_is_that_of_the_areas():
    def doubling(x, n_steps):
        return x * [1.0, 2.0]

    ensemble = Ensemble("doubled", doubling, sample_cloud(5), boundary, polygon_area, 1)
    assert ensemble.ratio() == "area ratio 2.000000" and "ratio 2.00000000" in ensemble.row()


def shown(axes, gid):
    """The points of the one line with this id in a panel."""
    (line,) = [line for line in axes.lines if line.get_gid() == gid]
    return line.get_xydata()


def test_each_panel_shows_what_its_own_flow_carried(tmp_path, monkeypatch, other_pendulum):
    monkeypatch.chdir(tmp_path)
    arguments = ["--points", 30, "--steps", 10, "--seed", 3, "--weights", other_pendulum]
    shell = run_script(dist_dynamic.main, arguments)
    assert shell.status == 0, shell.err
    flows = {
        "true pendulum, symplectic Euler": (pendulum_dynamics, symplectic_euler_step),
        "learned pendulum, symplectic Euler": (learned_dynamics(load_hnn(other_pendulum)), symplectic_euler_step),
        "true pendulum, explicit Euler": (pendulum_dynamics, explicit_euler_step),
    }
    printed = shell.out
    cloud = sample_cloud(30, seed=3)
    for axes, (name, (dynamics, step)) in zip(plt.gcf().axes, flows.items(), strict=True):
        carried = by_hand(cloud, dynamics, step, 10)
        np.testing.assert_array_equal(shown(axes, "cloud before"), cloud)
        np.testing.assert_allclose(shown(axes, "cloud after"), carried, atol=1e-10)
        edge = shown(axes, "edge before")[:-1]
        edge_after = by_hand(edge, dynamics, step, 10)
        np.testing.assert_allclose(shown(axes, "edge after")[:-1], edge_after, atol=1e-10)
        ratio = polygon_area(edge_after) / polygon_area(edge)
        assert axes.get_title() == f"{name}\narea ratio {ratio:.6f}"
        assert f"ratio {ratio:.8f}" in next(line for line in printed.splitlines() if line.startswith(name))
    assert (tmp_path / "FIG4.png").exists() and "10 steps" in plt.gcf().get_suptitle()
    assert "t = 0.50 s" in plt.gcf().get_suptitle()


@pytest.mark.parametrize("n", [4999, 5000, 40_000])
def test_a_density_counts_every_state(n):
    _, axes = plt.subplots()
    cloud = sample_cloud(n)
    draw_cloud(axes, cloud, boundary(ANGLES))
    meshes = [artist for artist in axes.collections if isinstance(artist, QuadMesh)]
    if n < 5000:
        assert not meshes and len(shown(axes, "cloud after")) == n
    else:
        counts = meshes[0].get_array()
        assert counts.sum() == n
        corners = meshes[0].get_coordinates()  # the densest cell is near the centre, q along the width
        p_index, q_index = np.unravel_index(counts.filled(0).argmax(), counts.shape)
        assert np.hypot(*(corners[p_index, q_index] - CENTRE)) < 2 * SIGMA


@pytest.mark.parametrize("growth, is_common", [(2.0, True), (100.0, False)])
def test_panels_share_a_scale_unless_one_would_make_another_unreadable(growth, is_common):
    flows = [lambda x, n_steps: x, lambda x, n_steps: CENTRE + growth * (x - CENTRE)]
    ensembles = [Ensemble("", flow, sample_cloud(9), boundary, polygon_area, 1) for flow in flows]
    _, panels = draw_ensembles(ensembles, pendulum_hamiltonian)
    assert (panels[0].get_xlim() == panels[1].get_xlim()) == is_common
    for axes in panels:
        content = np.ptp(np.concatenate([shown(axes, "edge before"), shown(axes, "edge after")]), axis=0)
        assert content[0] > 0.2 * np.ptp(axes.get_xlim()) and content[1] > 0.2 * np.ptp(axes.get_ylim())


def test_the_film_shows_each_cloud_where_it_is_at_each_frame(tmp_path, monkeypatch, other_pendulum):
    monkeypatch.chdir(tmp_path)
    frames = []

    def watch(path, fig, draw_frame, n_frames, frame_time):
        for i in range(n_frames):
            draw_frame(i)
            clouds = [shown(axes, "cloud after").copy() for axes in fig.axes]
            frames.append((clouds, fig.get_suptitle(), [axes.get_title() for axes in fig.axes]))

    monkeypatch.setattr("support.ensembles.write_gif", watch)
    arguments = ["--points", 8, "--steps", 3, "--weights", other_pendulum, "--animate", "film.gif"]
    shell = run_script(dist_dynamic.main, arguments)
    assert shell.status == 0, shell.err
    learned, cloud = learned_dynamics(load_hnn(other_pendulum)), sample_cloud(8)
    assert len(frames) == 4
    for i, (clouds, title, titles) in enumerate(frames):
        flows = [(pendulum_dynamics, symplectic_euler_step), (learned, symplectic_euler_step)]
        flows.append((pendulum_dynamics, explicit_euler_step))
        for found, (dynamics, step) in zip(clouds, flows, strict=True):
            np.testing.assert_allclose(found, by_hand(cloud, dynamics, step, i), atol=1e-9)
        assert title == f"t = {i * DT:.2f} s, step {i}"
        assert f"area {CIRCLE:.4f}" in titles[0] and "explicit Euler" in titles[2]
