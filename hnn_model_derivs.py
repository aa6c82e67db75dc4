"""From the learned energy to the motion: Hamilton's equations by autograd and the symplectic swap.

dx/dt = J ∇H,  J = [[0, 1], [−1, 0]]:   dq/dt = ∂H/∂p,  dp/dt = −∂H/∂q
"""

from pathlib import Path

import numpy as np
import torch

from HNN import CHECKPOINT, HNN, load_hnn
from pendulum_nonlinear import pendulum_hamiltonian, wrap_angle
from pendulum_tensor import MEASURED_BOX, pendulum_dynamics_tensor, sample_states
from support.checks import check_period
from support.device import gradients
from support.models import check_energies, frozen_model, model_device

ROWS = 125  # of states at once in the closed form: what lies between its products then stays in the cache
CLOSED_FORM = ["0.weight", "0.bias", "2.weight", "2.bias", "4.weight", "4.bias"]  # the layers that it is written for
POOR = 3e-4  # root mean square error of the derivatives, relative to the true ones, above which a reader is warned


def get_model_time_derivatives(model, x):
    """[∂H/∂p, −∂H/∂q], (B, 2), of the scalar H = model(x) at the states x = [q, p], (B, 2).

    Where gradients are on, the result carries the graph that a loss needs; under torch.no_grad() it carries none.
    Whether x requires grad does not matter, and x is left as it was. Raises ValueError for another shape of x.
    """
    if x.shape[-1:] != (2,):
        raise ValueError(f"x must hold states [q, p] on its last axis, (B, 2), not {tuple(x.shape)}")
    keep_graph = torch.is_grad_enabled()
    with gradients():
        if not (keep_graph and x.requires_grad):
            x = x.detach().clone().requires_grad_()
        H = model(x).sum()  # each H depends on its own state alone, so the sum's gradient is every state's gradient
        (dH_dx,) = torch.autograd.grad(H, x, create_graph=keep_graph)  # (B, 2)
    dH_dq, dH_dp = dH_dx[..., 0], dH_dx[..., 1]
    return torch.stack([dH_dp, -dH_dq], dim=-1)  # (B, 2)


def learned_dynamics(model, period=2 * np.pi):
    """dynamics(t, [q, p]) -> [dq_dt, dp_dt] of a model of H, for an integrator, in float64 and without a graph.

    q and p are numbers or arrays of any one shape, as for pendulum_dynamics. The model maps states (B, 2) to energies
    (B, 1); its weights are taken as they are now. It sees q wrapped to one `period`, the only one that it was taught;
    None is for a q that is no angle. Raises ValueError for a bad period or model.
    """
    check_period(period)
    derivatives = frozen_derivatives(model)

    def dynamics(t, state):
        q, p = state
        x = np.array([wrap_angle(q, period), p], dtype=float)  # (2, …)
        return list(derivatives(x.reshape(2, -1).T).T.reshape(x.shape))

    return dynamics


def frozen_derivatives(model):
    """The model's time derivatives as they are now, as a function from arrays (B, 2) to arrays (B, 2).

    They come by autograd, and for an HNN on the CPU by the closed form, which is several times as fast. The two are
    compared at a few states first, so that an HNN with another activation, or a hook, takes the way that is right.
    """
    model = frozen_model(model)
    device = model_device(model)

    def by_autograd(x):
        with torch.no_grad():
            return get_model_time_derivatives(model, torch.tensor(x, device=device)).cpu().numpy()

    few = sample_states(6, MEASURED_BOX).numpy()
    expected = check_energies(model, by_autograd, few)
    if isinstance(model, HNN) and list(model.linear_block.state_dict()) == CLOSED_FORM and device.type == "cpu":
        closed_form = closed_form_derivatives(model)
        if np.allclose(closed_form(few), expected, rtol=1e-9, atol=1e-9 * abs(expected).max()):
            return closed_form
    return by_autograd


def closed_form_derivatives(model):
    """The derivatives of an HNN in float64, written out by hand in NumPy.

    H = w₃ᵀ h₂ + b₃, h₂ = tanh(W₂ h₁ + b₂), h₁ = tanh(W₁ x + b₁), so
    ∇H = W₁ᵀ [(1 − h₁²) ∘ W₂ᵀ [(1 − h₂²) ∘ w₃]].
    """
    W1, b1, W2, b2, w3, _ = (parameter.detach().numpy() for parameter in model.linear_block.parameters())
    swapped_W1 = np.stack([W1[:, 1], -W1[:, 0]], axis=1)  # (200, 2): the symplectic swap, done once

    def of_rows(x):
        h1 = np.tanh(x @ W1.T + b1)  # (rows, 200)
        h2 = np.tanh(h1 @ W2.T + b2)  # (rows, 200)
        return ((1 - h2**2) * w3) @ W2 * (1 - h1**2) @ swapped_W1  # (rows, 2)

    return lambda x: np.concatenate([of_rows(x[i : i + ROWS]) for i in range(0, len(x), ROWS)])


def measure(model, box=MEASURED_BOX):
    """(mean squared error of the derivatives, relative L2 error of H up to its constant) against the true pendulum.

    Both are taken at fresh states all over the box.
    """
    x, model = sample_states(5000, box, seed=1), frozen_model(model)
    on_device = x.to(model_device(model))
    with torch.no_grad():
        errors = get_model_time_derivatives(model, on_device).cpu() - pendulum_dynamics_tensor(0, x)  # (5000, 2)
        H = torch.tensor(pendulum_hamiltonian(x.numpy().T))
        H_errors = model(on_device).reshape(-1).cpu() - H
    H_errors -= H_errors.mean()
    return errors.square().mean().item(), (H_errors.norm() / H.norm()).item()


def judgement(model):
    """A line that says how far to trust the model: the errors of measure(), and a warning where they are large."""
    mse, H_error = measure(model)
    q_max, p_max = MEASURED_BOX
    line = f"on |q| ≤ {q_max:.3g}, |p| ≤ {p_max:.3g}: derivative MSE {mse:.1e}, relative L2 error of H {H_error:.1e}"
    true_derivatives = pendulum_dynamics_tensor(0, sample_states(5000, MEASURED_BOX, seed=1))
    if not mse <= POOR**2 * true_derivatives.square().mean():
        line += ". Warning: a poor fit of this pendulum, do not trust its orbits"
    return line


def load_and_judge(path=None, device="cpu"):
    """The HNN at `path`; prints which file that is and how far to trust it, and raises what load_hnn raises.

    Without a path it is the checkpoint in the folder where the user stands, if there is one, else the committed one.
    """
    if path is None:
        path = CHECKPOINT.name if Path(CHECKPOINT.name).exists() else CHECKPOINT
    model = load_hnn(path, device)
    print(f"Weights {path}, {judgement(model)}")
    return model
