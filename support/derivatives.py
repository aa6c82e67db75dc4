"""A model's derivatives as an integrator asks for them: fast, of numbers and arrays, without a graph."""

import copy

import numpy as np
import torch
from torch import nn

from pendulum_tensor import TEST_BOX, sample_states
from support.torch_state import gradients_on, threads_for


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


def on_arrays(model, by_autograd, by_hand):
    """derivatives(q, p) -> [dq_dt, dp_dt] for numbers or arrays of one shape, of the model as it is now.

    They are those of by_autograd(model, x), x (B, 2), in float64 and without a graph, or of by_hand(model)(x), which is
    faster, where that gives the same.
    """
    model = frozen_model(model)
    of_batch = faster(model, torch.no_grad()(lambda x: by_autograd(model, x)), by_hand)

    def derivatives(q, p):
        x = torch.from_numpy(np.stack([q, p], axis=-1).astype(float).reshape(-1, 2)).to(model_device(model))
        with threads_for(len(x)):
            dq_dt, dp_dt = of_batch(x).cpu().numpy().T
        return [dq_dt.reshape(np.shape(q)), dp_dt.reshape(np.shape(q))]

    return derivatives


def faster(model, by_autograd, by_hand):
    """by_hand(model) where it gives what by_autograd(x) does at a few states x, (B, 2), else by_autograd.

    So a network with another activation, or a hook, keeps autograd. Raises ValueError for what is no model of H.
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
    try:
        derivatives = by_hand(model)
        found = derivatives(few)
    except Exception:  # whatever another network may raise
        return by_autograd
    is_same = torch.allclose(found, expected, rtol=1e-9, atol=1e-9 * expected.abs().max().item())
    return derivatives if is_same else by_autograd
