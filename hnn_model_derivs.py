"""From the learned energy to the motion: Hamilton's equations by the symplectic swap, by autograd and by hand.

dx/dt = J ∇H,  J = [[0, 1], [−1, 0]]:   dq/dt = ∂H/∂p,  dp/dt = −∂H/∂q
"""

import math

import torch

from pendulum_nonlinear import wrap_angle
from support.derivatives import on_arrays
from support.knowledge import own_value
from support.torch_state import gradients_on
from support.trust import errors_on_test_box


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


def closed_form(model):
    """derivatives(x): the same for an HNN as it is now, with the chain rule written out by hand and without a graph.

    H = w₃ᵀ h₂ + b₃ with h₂ = tanh(W₂ h₁ + b₂) and h₁ = tanh(W₁ x + b₁), so that, with tanh' = 1 − tanh²,

        ∇H = W₁ᵀ [(1 − h₁²) ∘ W₂ᵀ [(1 − h₂²) ∘ w₃]]

    Rollouts take it: three orbits need a third of autograd's time, and a thousand the same (benchmarks.speed).
    """
    W1, b1, W2, b2, w3, _ = (parameter.detach() for parameter in model.linear_block.parameters())
    swapped_W1 = torch.stack([W1[:, 1], -W1[:, 0]], dim=1)  # (200, 2): the symplectic swap

    def derivatives(x):
        h1 = torch.tanh(x @ W1.T + b1)  # (B, 200)
        h2 = torch.tanh(h1 @ W2.T + b2)  # (B, 200)
        return ((1 - h2**2) * w3) @ W2 * (1 - h1**2) @ swapped_W1  # (B, 2)

    return derivatives


def learned_dynamics(model, period=2 * math.pi):
    """dynamics(t, [q, p]) -> [dq_dt, dp_dt] of a model of H, for an integrator, without a graph.

    q and p are numbers or arrays of any one shape, and so are dq_dt and dp_dt; the work is done in float64. q is
    wrapped to one turn before the model sees it. A model that train() made knows its period, or that q is no angle;
    `period`, None for no angle, serves for other models. Later training of the model does not change these dynamics.
    Raises ValueError for a bad model, or a period, other than 2π, that is not the one the model knows.
    """
    period = own_value(model, "period", period)
    # derivatives(q, p) of numbers or arrays: closed_form's for an HNN, autograd's where a trial shows that these differ
    derivatives = on_arrays(model, get_model_time_derivatives, closed_form)

    def dynamics(t, state):
        q, p = state
        return derivatives(wrap_angle(q, period), p)

    return dynamics


def measure(model):
    """(mean squared error of the derivatives, relative L2 error of H) against the true pendulum, on fresh states."""
    return errors_on_test_box(model, get_model_time_derivatives)
