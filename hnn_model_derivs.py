"""From the learned energy to the motion: Hamilton's equations by autograd and the symplectic swap.

dx/dt = J ∇H,  J = [[0, 1], [−1, 0]]:   dq/dt = ∂H/∂p,  dp/dt = −∂H/∂q
"""

import torch


def get_model_time_derivatives(model, x):
    """[∂H/∂p, −∂H/∂q], (B, 2), of the scalar H = model(x) at the states x = [q, p], (B, 2).

    Where gradients are on, the result carries the graph that a loss needs; under torch.no_grad() it carries none.
    Whether x requires grad does not matter, and x is left as it was. Raises ValueError for another shape of x.
    """
    if x.shape[-1:] != (2,):
        raise ValueError(f"x must hold states [q, p] on its last axis, (B, 2), not {tuple(x.shape)}")
    keep_graph = torch.is_grad_enabled()
    with torch.inference_mode(False), torch.enable_grad():
        if not (keep_graph and x.requires_grad):
            x = x.detach().clone().requires_grad_()
        H = model(x).sum()  # each H depends on its own state alone, so the sum's gradient is every state's gradient
        (dH_dx,) = torch.autograd.grad(H, x, create_graph=keep_graph)  # (B, 2)
    dH_dq, dH_dp = dH_dx[..., 0], dH_dx[..., 1]
    return torch.stack([dH_dp, -dH_dq], dim=-1)  # (B, 2)


def closed_form_derivatives(model, xp):
    """The same derivatives of an HNN for long rollouts, written out by hand: no graph, weights frozen now.

    H = w₃ᵀ h₂ + b₃, h₂ = tanh(W₂ h₁ + b₂), h₁ = tanh(W₁ x + b₁), so
    ∇H = W₁ᵀ [(1 − h₁²) ∘ W₂ᵀ [(1 − h₂²) ∘ w₃]].

    Returns f(x), from (B, 2) to (B, 2) in float64: arrays where `xp` is numpy, several times as fast on a CPU as
    autograd, or tensors on the model's device where `xp` is torch.
    """
    weights = [parameter.detach().double().clone() for parameter in model.linear_block.parameters()]
    if xp is not torch:
        weights = [weight.cpu().numpy() for weight in weights]
    W1, b1, W2, b2, w3, _ = weights
    w3 = w3[0]  # (200,)
    swapped_W1 = xp.stack([W1[:, 1], -W1[:, 0]], 1)  # (200, 2): the symplectic swap, done once

    def derivatives(x):
        h1 = x @ W1.T  # (B, 200)
        h1 += b1
        xp.tanh(h1, out=h1)
        h2 = _matrix_product(W2, h1)  # (B, 200)
        h2 += b2
        xp.tanh(h2, out=h2)
        h2 *= h2  # from here on h2 becomes (1 − h₂²) ∘ w₃, in place: memory is what a large batch waits for
        h2 *= -w3
        h2 += w3
        back = _matrix_product(W2.T, h2)  # (B, 200)
        h1 *= h1
        h1 *= back
        back -= h1  # (1 − h₁²) ∘ W₂ᵀ […]
        return back @ swapped_W1  # (B, 2)

    return derivatives


def _matrix_product(W, h):
    """W h for each row h of a batch. For a few rows, one product with a vector each is twice as fast as a matrix's."""
    return (W @ h[:, :, None])[:, :, 0] if len(h) <= 4 else h @ W.T
