"""The truth: Hamilton's equations of the pendulum's energy, its exact motion, and where states are drawn."""

import importlib
import shutil
import sys
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
import torch
from helpers import ROOT

from benchmarks.exact import exact_motion
from pendulum_nonlinear import pendulum_dynamics, pendulum_hamiltonian, wrap_angle
from pendulum_tensor import POST_BOX, SEPARATRIX_P, TEST_BOX, TRAINING_BOX, pendulum_dynamics_tensor, sample_states

CONSTANTS = [(1.0, 1.0, 9.8), (2.5, 0.3, 1.62), (0.1, 4.0, 24.8)]


@pytest.mark.parametrize("m, l, g", CONSTANTS)
def test_dynamics_are_the_derivatives_of_the_hamiltonian(states, m, l, g):
    (q, p), eps = states.T, 1e-5

    def H(q, p):
        return pendulum_hamiltonian([q, p], m=m, l=l, g=g)

    dH_dq = (H(q + eps, p) - H(q - eps, p)) / (2 * eps)
    dH_dp = (H(q, p + eps) - H(q, p - eps)) / (2 * eps)
    dq_dt, dp_dt = pendulum_dynamics(0.0, [q, p], m, l, g)
    scale = abs(H(q, p)).max()
    np.testing.assert_allclose(dq_dt, dH_dp, rtol=1e-6, atol=1e-9 * scale)
    np.testing.assert_allclose(dp_dt, -dH_dq, rtol=1e-6, atol=1e-9 * scale)


@pytest.mark.parametrize("m, l, g", CONSTANTS)
def test_numpy_and_torch_agree(states, m, l, g):
    in_numpy = np.stack(pendulum_dynamics(t=0.0, state=states.T, m=m, l=l, g=g), axis=-1)
    in_torch = pendulum_dynamics_tensor(t=0.0, state=torch.tensor(states), m=m, l=l, g=g)
    np.testing.assert_allclose(in_torch.numpy(), in_numpy, rtol=1e-14, atol=1e-14)
    several = pendulum_dynamics_tensor(t=0.0, state=torch.tensor(states).reshape(2, -1, 1, 2), m=m, l=l, g=g)
    assert torch.equal(several.reshape(-1, 2), in_torch)  # of any shape (..., 2)


def test_the_energy_is_0_at_rest_and_2mgl_on_top():
    assert pendulum_hamiltonian([0.0, 0.0]) == 0
    assert pendulum_hamiltonian([np.pi, 0.0]) == pytest.approx(2 * 9.8)
    assert pendulum_hamiltonian([0.0, 3.0]) == 4.5
    assert [np.shape(rate) for rate in pendulum_dynamics(0.0, np.ones((2, 3, 4)))] == [(3, 4), (3, 4)]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_tensor_dynamics_keep_the_dtype_and_are_differentiable(dtype):
    state = torch.zeros(4, 2, dtype=dtype, requires_grad=True)
    derivatives = pendulum_dynamics_tensor(0.0, state)
    assert derivatives.shape == (4, 2) and derivatives.dtype == dtype
    derivatives[:, 1].sum().backward()
    assert torch.allclose(state.grad[:, 0], torch.tensor(-9.8, dtype=dtype))  # ∂(dp/dt)/∂q = −m g l cos 0


def test_an_angle_is_wrapped_to_one_period_and_what_is_no_angle_is_left_alone():
    q = np.array([-np.pi, 0.0, 3.0, 4.0, -40.0])
    wrapped = wrap_angle(q)
    assert (wrapped >= -np.pi).all() and (wrapped < np.pi).all()
    np.testing.assert_allclose(np.exp(1j * wrapped), np.exp(1j * q), atol=1e-12)
    np.testing.assert_allclose(wrap_angle(q, period=1.0), [-0.14159265, 0.0, 0.0, 0.0, 0.0], atol=1e-8)
    assert wrap_angle(q, period=None) is q


def test_the_exact_motion_keeps_its_energy_and_its_period():
    start = np.array([[0.5, 0.0], [3.1, 0.0], [0.0, 5.0], [0.0, 7.0], [0.001, 0.0]])
    q_vals, p_vals = exact_motion(*start.T, n_steps=400, dt=0.05)
    H = pendulum_hamiltonian([q_vals, p_vals])
    np.testing.assert_allclose(H, np.broadcast_to(pendulum_hamiltonian(start.T), H.shape), rtol=0, atol=1e-9)
    t = 0.05 * np.arange(1, 401)
    np.testing.assert_allclose(q_vals[:, 4], 0.001 * np.cos(np.sqrt(9.8) * t), rtol=0, atol=1e-8)  # a small swing
    short, long = exact_motion(*start.T, 100, 0.001), exact_motion(*start.T, 1, 0.1)
    np.testing.assert_allclose([v[-1] for v in short], [v[-1] for v in long], rtol=0, atol=1e-12)


def test_the_boxes_follow_from_the_separatrix():
    assert pendulum_hamiltonian([0.0, SEPARATRIX_P]) == pytest.approx(pendulum_hamiltonian([np.pi, 0.0]))
    np.testing.assert_allclose(TRAINING_BOX, (1.05 * np.pi, 7.513188404399293), rtol=1e-12)
    np.testing.assert_allclose(TEST_BOX, (np.pi, 7.0), rtol=1e-12)
    assert POST_BOX == (3.0, 3.0)


@pytest.mark.parametrize("box", [TRAINING_BOX, TEST_BOX, POST_BOX])
def test_states_fill_their_box_evenly(box):
    states = (sample_states(4000, box, seed=3) / torch.tensor(box)).numpy()  # in [−1, 1]²
    counts, _, _ = np.histogram2d(*states.T, bins=4, range=[[-1, 1], [-1, 1]])
    assert counts.sum() == 4000 and abs(counts - 250).max() < 25
    np.testing.assert_allclose(np.ptp(states, axis=0), 2, atol=0.01)
    assert not torch.equal(sample_states(50, box, seed=1), sample_states(50, box, seed=2))


def test_everything_follows_from_the_constants_of_another_pendulum(tmp_path, monkeypatch):
    m, l, g = 2.0, 0.5, 1.6
    for file in ("pendulum_nonlinear.py", "pendulum_tensor.py"):
        shutil.copy(ROOT / file, tmp_path)
    for room in ("support", "benchmarks"):
        shutil.copytree(ROOT / room, tmp_path / room)
    constants = tmp_path / "pendulum_nonlinear.py"
    text = constants.read_text(encoding="utf-8")
    for name, old, new in (("MASS", 1.0, m), ("LENGTH", 1.0, l), ("GRAVITY", 9.8, g)):
        assert f"{name} = {old}" in text
        text = text.replace(f"{name} = {old}", f"{name} = {new}")
    constants.write_text(text, encoding="utf-8")
    with patch.dict(sys.modules):
        for name in [name for name in sys.modules if name.startswith(("pendulum_", "support", "benchmarks"))]:
            del sys.modules[name]
        monkeypatch.syspath_prepend(tmp_path)
        names = (
            "pendulum_nonlinear",
            "pendulum_tensor",
            "benchmarks.exact",
            "support.inputs",
            "support.notes",
            "support.films",
        )
        pendulum, tensor, exact, inputs, notes, films = map(importlib.import_module, names)
    energy, separatrix = pendulum.pendulum_hamiltonian, tensor.SEPARATRIX_P
    assert Path(films.__file__).is_relative_to(tmp_path) and l == films.LENGTH
    assert energy([0.3, 1.0]) == pytest.approx(1.0 / (2 * m * l**2) + m * g * l * (1 - np.cos(0.3)))
    assert energy([0.0, separatrix]) == pytest.approx(energy([np.pi, 0.0]))
    assert pytest.approx([2 * (l / g) ** 0.5, (0.971635 * l / g) ** 0.5]) == [inputs.LARGEST_DT, notes.CHAOTIC_DT]
    q, p = exact.exact_motion(np.array([1.0]), np.array([0.5]), 100, 0.1)
    np.testing.assert_allclose(energy([q, p]), energy([1.0, 0.5]), rtol=0, atol=1e-10)
