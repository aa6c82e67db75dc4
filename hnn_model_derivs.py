"""From the learned energy to the motion: Hamilton's equations by autograd and the symplectic swap.

dx/dt = J ∇H,  J = [[0, 1], [−1, 0]]:   dq/dt = ∂H/∂p,  dp/dt = −∂H/∂q
"""

from pathlib import Path

import numpy as np
import torch

from HNN import CHECKPOINT, HNN, load_hnn
from pendulum_nonlinear import pendulum_hamiltonian, wrap_angle
from pendulum_tensor import MEASURED_BOX, pendulum_dynamics_tensor, sample_states
from support.checks import check_rollout_period
from support.device import gradients
from support.models import frozen_derivatives, frozen_model, model_device

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
    None is for a q that is no angle. For an HNN on the CPU the gradient is written out by hand, which is faster. Raises
    ValueError for a bad model, a bad period, or another than train() had.
    """
    check_rollout_period(period, model)
    few = sample_states(6, MEASURED_BOX)
    derivatives = frozen_derivatives(model, get_model_time_derivatives, few, has_closed_form=type(model) is HNN)

    def dynamics(t, state):
        q, p = state
        x = np.array([wrap_angle(q, period), p], dtype=float)  # (2, …)
        return list(derivatives(x.reshape(2, -1).T).T.reshape(x.shape))

    return dynamics


def fresh_states(box=MEASURED_BOX):
    """The states at which a model is judged, (5000, 2), evenly spread over the box."""
    return sample_states(5000, box, seed=1)


def measure(model, box=MEASURED_BOX):
    """(mean squared error of the derivatives, relative L2 error of H up to its constant) against the true pendulum.

    Both are taken at fresh_states(box).
    """
    x, model = fresh_states(box), frozen_model(model)
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
    true_derivatives = pendulum_dynamics_tensor(0, fresh_states())
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
