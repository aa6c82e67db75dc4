"""From the learned energy to the motion: Hamilton's equations by autograd and the symplectic swap.

dx/dt = J ∇H,  J = [[0, 1], [−1, 0]]:   dq/dt = ∂H/∂p,  dp/dt = −∂H/∂q
"""

import math

import torch

from pendulum_nonlinear import pendulum_hamiltonian, wrap_angle
from pendulum_tensor import TEST_BOX, pendulum_dynamics_tensor, sample_states
from support.derivatives import frozen_model, model_device, on_arrays
from support.torch_state import gradients_on
from support.weights import own_period


def get_model_time_derivatives(model, x):
    """[∂H/∂p, −∂H/∂q], (B, 2), of the scalar H = model(x) at the states x = [q, p], (B, 2).

    Where gradients are on, the result carries the graph that a loss needs; under torch.no_grad() it carries none.
    Raises ValueError unless x has the shape (..., 2).
    """
    if x.shape[-1:] != (2,):
        raise ValueError(f"x must hold states [q, p] on its last axis, (B, 2), not {tuple(x.shape)}")
    keep_graph = torch.is_grad_enabled()
    with gradients_on():  # ∂H/∂x needs gradients, even where the caller has switched them off
        if not x.requires_grad:
            x = x.detach().clone().requires_grad_()
        H = model(x).sum()  # each H depends on its own state alone, so the sum's gradient is every state's gradient
        (dH_dx,) = torch.autograd.grad(H, x, create_graph=keep_graph)  # (B, 2)
    dH_dq, dH_dp = dH_dx[..., 0], dH_dx[..., 1]
    return torch.stack([dH_dp, -dH_dq], dim=-1)  # (B, 2)


def learned_dynamics(model, period=2 * math.pi):
    """dynamics(t, [q, p]) -> [dq_dt, dp_dt] of a model of H, for an integrator, without a graph.

    q and p are numbers or arrays of any one shape, and so are dq_dt and dp_dt; the work is done in float64. q is
    wrapped before the model sees it, by the period that the model says in `knows` or, where it says none, by `period`;
    None stands for a q that is no angle. Later training of the model does not change these dynamics. Raises ValueError
    for a bad model, or for a period, other than 2π, that is not the model's own.
    """
    period = own_period(model, period)
    derivatives = on_arrays(model, get_model_time_derivatives)  # for numbers and arrays in the place of a batch

    def dynamics(t, state):
        q, p = state
        return derivatives(wrap_angle(q, period), p)

    return dynamics


def derivative_error(model, x, true_derivatives):
    """The mean squared error of the model's derivatives at the states x, over states and both components."""
    with torch.no_grad():
        return (get_model_time_derivatives(model, x) - true_derivatives).square().mean().item()


def measure(model):
    """(mean squared error of the derivatives, relative L2 error of H) against the true pendulum.

    Both are taken at 5,000 states spread evenly over TEST_BOX. H is compared up to its constant, which is free.
    """
    model, x = frozen_model(model), sample_states(5000, TEST_BOX, seed=1)
    on_device = x.to(model_device(model))
    H = torch.from_numpy(pendulum_hamiltonian(x.numpy().T))
    with torch.no_grad():
        H_errors = model(on_device).reshape(-1).cpu() - H
    H_errors -= H_errors.mean()
    mse = derivative_error(model, on_device, pendulum_dynamics_tensor(0, on_device))
    return mse, (H_errors.norm() / H.norm()).item()
