"""What variable projection (Golub & Pereyra 1973) needs besides its loss: A(θ), the network of the best w, L-BFGS.

The hidden layers are h₁ = tanh(W₁ x + b₁) and h₂ = tanh(W₂ h₁ + b₂), with the parameters θ, and H = h₂ · w.
"""

import inspect

import torch

from support.least_squares import solve_by_blocks
from support.torch_state import new_network

ITERATIONS = 5  # of L-BFGS, in an epoch
BLOCK = 4000  # states whose A is in memory at once
CIRCLE_POINTS = 61  # momenta at which H is compared one turn apart
CIRCLE_WEIGHT = 1e4  # of such an equation, where one of the data has 1: the gap closes to rounding


def features(hidden, x):
    """A(θ), (2N, 200), of A w = [∂H/∂p, −∂H/∂q] at the states x, (N, 2): two rows for each, ∂h₂/∂p and −∂h₂/∂q.

    The chain rule goes forwards here, since closed_form (hnn_model_derivs.py), which goes backwards from H, adds up the
    200 units that A keeps apart.
    """
    first, _, second, _ = hidden
    h1 = torch.tanh(first(x))  # (N, 200)
    h2 = torch.tanh(second(h1))  # (N, 200)
    dh2_dq = (1 - h2**2) * (((1 - h1**2) * first.weight[:, 0]) @ second.weight.T)  # tanh' = 1 − tanh²
    dh2_dp = (1 - h2**2) * (((1 - h1**2) * first.weight[:, 1]) @ second.weight.T)
    return torch.stack([dh2_dp, -dh2_dq], dim=1).reshape(2 * len(x), -1)


@torch.no_grad()
def output_weights(hidden, x, y, ridge, zero_rows=None):
    """w*(θ) = argmin |A(θ) w − y|² + ridge² |w|² + |zero_rows w|², (200, 1), with a block of A in memory at a time."""
    blocks = zip(x.split(BLOCK), y.split(BLOCK), strict=True)
    return solve_by_blocks(((features(hidden, x_block), y_block) for x_block, y_block in blocks), ridge, zero_rows)


@torch.no_grad()
def best_network(make, hidden, data, ridge, of=slice(None), on_circle=False):
    """The network make() of these hidden layers and the w*(θ) of the states `of` the data, in the units of the data.

    Where q is `on_circle`, w also solves the equations of circle_rows, and H is the same one period later.
    """
    w = output_weights(hidden, data.x[of], data.y[of], ridge, circle_rows(hidden, data) if on_circle else None)
    model = new_network(make).to(w)
    model.linear_block[:-1].load_state_dict(hidden.state_dict())
    model.linear_block[-1].weight.copy_(w.T)
    model.linear_block[-1].bias.zero_()
    return data.out_of_units(model)  # its first and last layers take in the units, and the bias is set


def circle_rows(hidden, data):
    """Rows h₂(period / 2, p) − h₂(−period / 2, p), weighted, for momenta all over the range of p, (CIRCLE_POINTS, 200).

    Where rows · w = 0, H is the same one turn later. A gap in H would be gained or lost in every turn.
    """
    p = data.states[:, 1]
    p = torch.linspace(p.min().item(), p.max().item(), CIRCLE_POINTS, dtype=p.dtype, device=p.device)
    right, left = (torch.stack([torch.full_like(p, q), p], dim=-1) for q in (data.period / 2, -data.period / 2))
    return CIRCLE_WEIGHT * (hidden(data.in_units(right)) - hidden(data.in_units(left)))


class LBFGS(torch.optim.LBFGS):
    """torch's L-BFGS with a strong Wolfe line search; step(loss) takes so many `iterations` towards the least loss().

    The loss is divided by its first value, since torch learns nothing of the curvature from a step s that changes the
    gradient by y where y · s is below 1e-10. zero_grad() of this optimizer may not be called.
    """

    # Any torch optimizer imports torch's compiler when it is made, which is not used and takes longer than the whole
    # training here. It does so in the decorator of this method, which is left out.
    add_param_group = inspect.unwrap(torch.optim.LBFGS.add_param_group)

    def __init__(self, layers, iterations=ITERATIONS):
        options = {"history_size": 50, "line_search_fn": "strong_wolfe", "tolerance_grad": 0, "tolerance_change": 0}
        super().__init__(layers.parameters(), max_iter=iterations, **options)
        self.layers, self.first_loss = layers, None

    def step(self, loss):
        self.first_loss = self.first_loss or loss().item() or 1.0

        def closure():
            self.layers.zero_grad()
            part = loss() / self.first_loss
            part.backward()
            return part

        super().step(closure)
