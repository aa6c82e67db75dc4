"""The truth: Hamilton's equations of the pendulum's energy, its exact motion, and where states are drawn."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from helpers import ROOT

from pendulum_nonlinear import pendulum_dynamics, pendulum_hamiltonian, wrap_angle
from pendulum_tensor import POST_BOX, SEPARATRIX_P, TEST_BOX, TRAINING_BOX, pendulum_dynamics_tensor, sample_states
from support.exact import exact_motion

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


def test_the_energy_is_0_at_rest_and_2mgl_on_top():
    assert pendulum_hamiltonian([0.0, 0.0]) == 0
    assert pendulum_hamiltonian([np.pi, 0.0]) == pytest.approx(2 * 9.8)
    assert pendulum_hamiltonian([0.0, 3.0]) == 4.5


@pytest.mark.parametrize("shape", [(), (5,), (2, 3)])
def test_dynamics_take_numbers_and_arrays_of_any_shape(shape):
    dq_dt, dp_dt = pendulum_dynamics(0.0, [np.full(shape, 0.3), np.full(shape, 2.0)])
    assert np.shape(dq_dt) == np.shape(dp_dt) == shape


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


def test_another_seed_draws_other_states():
    assert torch.equal(sample_states(50, seed=1), sample_states(50, seed=1))
    assert not torch.equal(sample_states(50, seed=1), sample_states(50, seed=2))


ANOTHER = """
import json, sys
import numpy as np
import pendulum_tensor as tensor, rigid_simulator_implicit as simulator
from pendulum_nonlinear import pendulum_hamiltonian
from support import checks, exact, films, notes
from support.orbits import Orbits
q, p = exact.exact_motion(np.array([1.0]), np.array([0.5]), 100, 0.1)
H = pendulum_hamiltonian([q, p])
bobs = []

def watch(path, fig, draw_frame, n_frames, frame_time):
    draw_frame(1)
    bobs.append(fig.axes[0].lines[-1].get_xydata()[1].tolist())

films.write_gif = watch
orbits = Orbits("truth", [[1.0, 0.5]], *simulator.run_simulation([[1.0, 0.5]], 2, 0.1), 0.1)
films.film_orbits("film.gif", orbits)
json.dump({
    "separatrix": tensor.SEPARATRIX_P, "training": tensor.TRAINING_BOX, "test": tensor.TEST_BOX,
    "largest": checks.LARGEST_DT, "chaotic": notes.CHAOTIC_DT,
    "drift": float(abs(H - pendulum_hamiltonian([1.0, 0.5])).max()),
    "bob": bobs[0], "q": float(orbits.q[1, 0]), "H": float(orbits.H[0, 0]),
}, sys.stdout)
"""


def test_everything_follows_from_the_constants_of_another_pendulum(tmp_path):
    m, l, g = 2.0, 0.5, 1.6
    for file in ("pendulum_nonlinear.py", "pendulum_tensor.py", "rigid_simulator_implicit.py"):
        shutil.copy(ROOT / file, tmp_path)
    shutil.copytree(ROOT / "support", tmp_path / "support")
    constants = tmp_path / "pendulum_nonlinear.py"
    text = constants.read_text(encoding="utf-8")
    for name, old, new in (("MASS", 1.0, m), ("LENGTH", 1.0, l), ("GRAVITY", 9.8, g)):
        assert f"{name} = {old}" in text
        text = text.replace(f"{name} = {old}", f"{name} = {new}")
    constants.write_text(text, encoding="utf-8")
    result = subprocess.run([sys.executable, "-c", ANOTHER], cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    separatrix = 2 * m * l * (g * l) ** 0.5
    assert found["separatrix"] == pytest.approx(separatrix)
    assert found["training"] == pytest.approx([1.05 * np.pi, 1.2 * separatrix])
    assert found["test"] == pytest.approx([np.pi, 1.25**0.5 * separatrix])
    assert found["largest"] == pytest.approx(2 * (l / g) ** 0.5)
    assert found["chaotic"] == pytest.approx((0.971635 * l / g) ** 0.5)
    assert found["H"] == pytest.approx(0.5**2 / (2 * m * l**2) + m * g * l * (1 - np.cos(1.0)))
    assert found["drift"] < 1e-10
    assert found["bob"] == pytest.approx([l * np.sin(found["q"]), -l * np.cos(found["q"])])


def test_the_exact_motion_moves_in_a_short_time_too():
    start = np.array([1.0, 3.0]), np.array([0.5, -2.0])
    short, long = exact_motion(*start, 100, 0.001), exact_motion(*start, 1, 0.1)
    np.testing.assert_allclose([v[-1] for v in short], [v[-1] for v in long], rtol=0, atol=1e-12)
