"""Variable projection: the output layer is solved for, and L-BFGS moves the hidden layers (Golub & Pereyra 1973).

What the hidden layers contribute to the predictions, A in predictions = A w, is called their features.
"""

import inspect

import torch

from support.command_line import progress
from support.least_squares import solve_output_layer

SEAM_POINTS = 61  # momenta at which H is compared one period apart
SEAM_WEIGHT = 1e4  # W in hnn_training.py


class LBFGS(torch.optim.LBFGS):
    """torch's L-BFGS with a strong Wolfe line search, and without an import of torch's compiler.

    Any torch optimizer imports the compiler when it is made, which takes longer than the whole training here, and the
    compiler is not used.
    """

    add_param_group = inspect.unwrap(torch.optim.LBFGS.add_param_group)

    def __init__(self, parameters):
        options = {"history_size": 50, "line_search_fn": "strong_wolfe", "tolerance_grad": 0, "tolerance_change": 0}
        super().__init__(parameters, max_iter=5, **options)


def variable_projection(model, x, y, ridge, epochs, predict, features):
    """Fit predict(model, x) to y, and yield after each epoch, from 0, the output layer's solution alone, to `epochs`.

    It serves any model whose `linear_block` ends in a linear layer w: `features(hidden, x)` is the A of its predictions
    A w. L-BFGS moves the hidden layers to the minimum of reduced_loss.
    """

    def loss():
        return reduced_loss(model, x, y, ridge, predict, features)

    def closure():
        model.zero_grad()  # the optimizer's own would import torch's compiler
        relative_loss = loss() / first_loss  # torch's L-BFGS drops curvatures below 1e-10
        relative_loss.backward()
        return relative_loss

    first_loss = loss().item() or 1.0
    optimizer = LBFGS(model.linear_block[:-1].parameters())
    for epoch in progress(range(epochs + 1), desc="training", unit="epoch"):
        if epoch > 0:
            optimizer.step(closure)
            loss()  # solves for the output layer at the hidden layers that L-BFGS has come to
        yield epoch


def reduced_loss(model, x, y, ridge, predict, features):
    """(|A w − y|² + λ² |w|²) / (numbers in y), with the output layer w at its minimum, which is set in the model."""
    hidden, output = model.linear_block[:-1], model.linear_block[-1]
    solve_output_layer(output, features(hidden, x), y, ridge)
    return ((predict(model, x) - y).square().sum() + ridge**2 * output.weight.square().sum()) / y.numel()


def seam_features(hidden, units, period, p):
    """W (h(period / 2, p) − h(−period / 2, p)), (SEAM_POINTS, K): where this times w is 0, H has the period."""
    p = torch.linspace(p.min(), p.max(), SEAM_POINTS).to(p)
    right, left = (torch.stack([torch.full_like(p, q), p], dim=-1) for q in (period / 2, -period / 2))
    with torch.no_grad():
        return SEAM_WEIGHT * (hidden(units.of_states(right)) - hidden(units.of_states(left)))


def derivative_features(hidden, x):
    """A, (2N, K): the derivatives ∂h/∂p and −∂h/∂q, two rows for each of the states x, (N, 2), of all hidden units h.

    Reverse differentiation gives vᵀ ∂h/∂x, for one v at a time. This is linear in v, so that differentiating it by v
    gives ∂h/∂x for all units at once. It serves any hidden layers.
    """
    x = x.detach().requires_grad_()
    h = hidden(x)  # (N, K)
    v = torch.zeros_like(h, requires_grad=True)
    (v_dh_dx,) = torch.autograd.grad((v * h).sum(), x, create_graph=True)  # (N, 2)
    dh_dq, dh_dp = (torch.autograd.grad(v_dh_dx[:, i].sum(), v, retain_graph=True)[0] for i in (0, 1))  # (N, K)
    return torch.stack([dh_dp, -dh_dq], dim=1).reshape(2 * len(x), -1)
