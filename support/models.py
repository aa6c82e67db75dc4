"""Models of H from outside: their derivatives as they are now, by autograd or by the closed form."""

import copy

import numpy as np
import torch
from torch import nn

from pendulum_tensor import TEST_BOX, sample_states
from support.device import enable_grad


def frozen_model(model):
    """`model` as it is now: a copy in float64 and in evaluation mode, which later training does not change."""
    if not callable(model):
        raise ValueError(f"a model of H maps states (B, 2) to energies (B, 1); {model!r:.60} is none")
    with enable_grad():  # what was made under torch.inference_mode() takes part in autograd once it is copied
        return copy.deepcopy(model).double().eval() if isinstance(model, nn.Module) else model


def model_device(model):
    """Where the model's weights are; the CPU for a model without any."""
    weights = model.parameters() if isinstance(model, nn.Module) else ()
    return next((weight.device for weight in weights), torch.device("cpu"))


def fast_derivatives(model, time_derivatives):
    """The model's time derivatives as they are now: a function of q and p, numbers, arrays or tensors of one shape.

    They come by autograd, time_derivatives(model, x), or by the closed form, which is faster, where it is right: both
    are compared at a few states, so that a network with another activation, or a hook, takes autograd. Raises
    ValueError for what is no model of H.
    """
    model = frozen_model(model)
    device = model_device(model)
    few = sample_states(6, TEST_BOX).to(device)

    def by_autograd(x):
        with torch.no_grad():
            return time_derivatives(model, x)

    try:
        with torch.no_grad():
            H = model(few)
        expected = by_autograd(few)
    except Exception as error:  # whatever a model from outside may raise
        raise ValueError(f"the model cannot be used: it fails on float64 states of shape (B, 2) ({error})") from None
    if H.shape not in ((6, 1), (6,)):
        raise ValueError(f"the model must give one energy H for each state, (B, 1), not {tuple(H.shape)}")
    derivatives = by_autograd
    if is_two_tanh_layers(model):
        closed_form = closed_form_derivatives(model.linear_block)
        if torch.allclose(closed_form(few), expected, rtol=1e-9, atol=1e-9 * expected.abs().max().item()):
            derivatives = closed_form

    def of_q_and_p(q, p):
        x, like_q = as_tensor(q, p)  # (..., 2)
        dx_dt = derivatives(x.reshape(-1, 2).to(device)).to(x.device).reshape(x.shape)
        return [like_q(dx_dt[..., 0]), like_q(dx_dt[..., 1])]

    return of_q_and_p


def is_two_tanh_layers(model):
    """Whether the model has a `linear_block` of the HNN's layers."""
    layers = [type(layer) for layer in getattr(model, "linear_block", ())]
    return layers == [nn.Linear, nn.Tanh, nn.Linear, nn.Tanh, nn.Linear]


def closed_form_derivatives(linear_block):
    """[∂H/∂p, −∂H/∂q] of H = w₃ᵀ h₂ + b₃ with h₂ = tanh(W₂ h₁ + b₂), h₁ = tanh(W₁ x + b₁), by hand, in float64.

    ∇H = W₁ᵀ [(1 − h₁²) ∘ W₂ᵀ [(1 − h₂²) ∘ w₃]]; it is autograd's result, without a graph.
    """
    W1, b1, W2, b2, w3, _ = (parameter.detach() for parameter in linear_block.parameters())
    W1_T, W2_T = W1.T.contiguous(), W2.T.contiguous()
    weighted_W2 = w3.T * W2  # (200, 200): w₃ ∘ W₂, done once
    swapped_W1 = torch.stack([W1[:, 1], -W1[:, 0]], dim=1)  # (200, 2): the symplectic swap
    one = torch.ones_like(w3[0, 0])
    # glibc keeps the memory of an array that is freed, for the next one of its size, once it has freed one as large.
    # Otherwise each h of a thousand states is fetched from the system anew, which takes as long as the work itself.
    torch.empty(31 * 2**20, dtype=torch.uint8)  # 31 MB, which are not touched, and freed at once

    def derivatives(x):
        h1 = torch.addmm(b1, x, W1_T).tanh_()  # (B, 200)
        h2 = torch.addmm(b2, h1, W2_T).tanh_()  # (B, 200)
        slope1 = torch.addcmul(one, h1, h1, value=-1)  # 1 − h₁²
        slope2 = torch.addcmul(one, h2, h2, value=-1)
        return slope2 @ weighted_W2 * slope1 @ swapped_W1  # (B, 2)

    return derivatives


def as_tensor(q, p):
    """[q, p] as one float64 tensor (..., 2), and a function that makes a tensor what q was: an array or a tensor."""
    if isinstance(q, torch.Tensor):
        dtype = q.dtype if q.is_floating_point() else torch.float64
        return torch.stack([q.detach(), p.detach()], dim=-1).double(), lambda tensor: tensor.to(q.device, dtype)
    return torch.from_numpy(np.stack([q, p], axis=-1).astype(float)), lambda tensor: tensor.numpy()
