"""A model's derivatives, fast and without a graph, as an integrator asks for them."""

import copy

import numpy as np
import torch
from torch import nn

from pendulum_tensor import TEST_BOX, sample_states
from support.torch_state import gradients_on, threads_for

LAYERS = [nn.Linear, nn.Tanh, nn.Linear, nn.Tanh, nn.Linear]


def frozen_model(model):
    """`model` as it is now: a copy in float64 and in evaluation mode, which later training does not change."""
    if not callable(model):
        raise ValueError(f"a model of H maps states (B, 2) to energies (B, 1); {model!r:.60} is none")
    with gradients_on():  # what was made under torch.inference_mode() takes part in autograd once it is copied
        return copy.deepcopy(model).double().eval() if isinstance(model, nn.Module) else model


def model_device(model):
    """Where the model's weights are; the CPU for a model without any."""
    weights = model.parameters() if isinstance(model, nn.Module) else ()
    return next((weight.device for weight in weights), torch.device("cpu"))


def on_arrays(model, time_derivatives):
    """derivatives(q, p) -> [dq_dt, dp_dt] for numbers or arrays of one shape, of the model as it is now.

    They are those of time_derivatives(model, x), x (B, 2), in float64 and without a graph; for an HNN closed_form gives
    the same, faster.
    """
    model = frozen_model(model)
    of_batch = fastest(model, torch.no_grad()(lambda x: time_derivatives(model, x)))

    def derivatives(q, p):
        x = batch(q, p).to(model_device(model))
        with threads_for(len(x)):
            dq_dt, dp_dt = of_batch(x).cpu().numpy().T
        return [dq_dt.reshape(np.shape(q)), dp_dt.reshape(np.shape(q))]

    return derivatives


def fastest(model, by_autograd):
    """by_autograd(x), the model's time derivatives at states x, (B, 2), or the same by closed_form where that is right.

    Both are compared at a few states, so that a network with another activation, or a hook, keeps autograd. Raises
    ValueError for what is no model of H.
    """
    few = sample_states(6, TEST_BOX).to(model_device(model))
    try:
        with torch.no_grad():
            H = model(few)
        expected = by_autograd(few)
    except Exception as error:  # whatever a model from outside may raise
        raise ValueError(f"the model cannot be used: it fails on float64 states of shape (B, 2) ({error})") from None
    if H.shape not in ((6, 1), (6,)):
        raise ValueError(f"the model must give one energy H for each state, (B, 1), not {tuple(H.shape)}")
    if [type(layer) for layer in getattr(model, "linear_block", ())] == LAYERS:
        by_hand = closed_form(model.linear_block)
        if torch.allclose(by_hand(few), expected, rtol=1e-9, atol=1e-9 * expected.abs().max().item()):
            return by_hand
    return by_autograd


def closed_form(linear_block):
    """[∂H/∂p, −∂H/∂q] at states (B, 2) of H = w₃ᵀ h₂ + b₃ with h₂ = tanh(W₂ h₁ + b₂), h₁ = tanh(W₁ x + b₁), by hand.

    ∇H = W₁ᵀ [(1 − h₁²) ∘ W₂ᵀ [(1 − h₂²) ∘ w₃]]
    """
    W1, b1, W2, b2, w3, _ = (parameter.detach() for parameter in linear_block.parameters())
    swapped_W1 = torch.stack([W1[:, 1], -W1[:, 0]], dim=1)  # (200, 2): the symplectic swap

    def derivatives(x):
        h1 = torch.tanh(x @ W1.T + b1)  # (B, 200)
        h2 = torch.tanh(h1 @ W2.T + b2)  # (B, 200)
        return ((1 - h2**2) * w3) @ W2 * (1 - h1**2) @ swapped_W1  # (B, 2)

    return derivatives


def batch(q, p):
    """Numbers or arrays q and p of one shape as float64 states (B, 2)."""
    return torch.from_numpy(np.stack([q, p], axis=-1).astype(float).reshape(-1, 2))
