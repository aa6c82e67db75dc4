"""The least squares behind the training: units, the solve for the output layer, and the choice of its ridge.

The network is hidden layers h(x) and a linear output w, so that its derivatives are A w, where A holds the derivatives
of the hidden units. For fixed hidden layers the best w solves a linear problem; see hnn_training.py.
"""

import math

import torch

RIDGES = [10 ** (k / 2) for k in range(-18, -1)]  # times |A|: from 1e-9 to 1e-1


class Units:
    """The units in which the data are of size 1, so that the fit is the same in whatever units they come.

    States are measured from their mean in their deviations, x' = (x − mean) / deviation, and energies in E, so that
    the derivatives, q' by p' and p' by q', become y' = [dq/dt, dp/dt] · [deviation of p, deviation of q] / E. E is
    chosen to make the mean square of y' 1. Raises ValueError for states that are all alike.
    """

    def __init__(self, x, y):
        self.mean, self.deviation = x.mean(0), x.std(0)
        if (self.deviation == 0).any():
            raise ValueError("the states are all alike in q or in p; give states that differ in both")
        self.energy = (y * self.deviation.flip(0)).square().mean().sqrt()
        if self.energy == 0:  # a system at rest
            self.energy = torch.ones_like(self.energy)

    def of_states(self, x):
        return (x - self.mean) / self.deviation

    def of_derivatives(self, y):
        return y * self.deviation.flip(0) / self.energy

    def undo(self, model):
        """The model, which maps x' to H / E, made one that maps x to H, with H(0, 0) = 0: its outer layers change."""
        first, last = model.linear_block[0], model.linear_block[-1]
        with torch.no_grad():
            first.weight /= self.deviation
            first.bias -= first.weight @ self.mean
            last.weight *= self.energy
            last.bias *= self.energy
            last.bias -= model.linear_block(torch.zeros_like(self.mean))
        return model


def solve_output_layer(output, A, y, ridge, zero_rows=None):
    """Set the output layer's weights w to the minimum of |A w − y|² + ridge² |w|² + |zero_rows w|².

    A is (rows, K), and y holds as many numbers for each output. Raises ArithmeticError where A is not finite.
    """
    if not A.isfinite().all():
        raise ArithmeticError("the hidden layers' weights are not finite; try fewer epochs or rescale the data")
    y = y.reshape(len(A), -1)
    A = torch.cat([A, ridge * torch.eye(A.shape[1]).to(A), *([] if zero_rows is None else [zero_rows])])
    y = torch.cat([y, torch.zeros(len(A) - len(y), y.shape[1]).to(y)])
    w = torch.zeros(A.shape[1], y.shape[1]).to(y)
    for _ in range(2):  # the second solution is of what rounding left over from the first (Björck 1967)
        w += torch.linalg.lstsq(A, y - A @ w, driver="gels").solution
    with torch.no_grad():
        output.weight.copy_(w.T)
        if output.bias is not None:
            output.bias.zero_()


def choose_ridge(A, y):
    """The ridge for the output weights of y = A w, (N, 2) of N states: small for clean data, larger for noisy data.

    Among the RIDGES that are no worse than the best by more than chance, the largest is chosen, which is the simplest
    fit. Their errors are those of left_out_errors, and chance is one standard error (Breiman, Friedman, Olshen, Stone
    1984) of the difference from the best, state by state, since the same states are hard for all ridges.
    """
    ridges = torch.linalg.matrix_norm(A) * torch.tensor(RIDGES, dtype=A.dtype, device=A.device)
    errors = left_out_errors(A, y, ridges)  # (ridges, N)
    excess = errors - errors[errors.mean(1).argmin()]
    return ridges[excess.mean(1) <= excess.std(1) / math.sqrt(len(y))].max()


def left_out_errors(A, y, ridges):
    """The squared error at each of N states of the fit without it, for each ridge, (ridges, N).

    With the residual r of the whole fit, two numbers, and the 2 × 2 block L of the leverages A (AᵀA + ridge² I)⁻¹ Aᵀ,
    it is |(I − L)⁻¹ r|² (Allen 1974). Both numbers are left out together, since they share the state's noise.
    """
    U, S, _ = torch.linalg.svd(A, full_matrices=False)
    by_state = U.reshape(len(y), 2, -1)  # (N, 2, K)
    errors = []
    for ridge in ridges:
        kept = S**2 / (S**2 + ridge**2)  # of each singular direction
        residual = y - (U @ (kept * (U.T @ y.reshape(-1)))).reshape(y.shape)  # (N, 2)
        leverage = (by_state * kept) @ by_state.mT  # (N, 2, 2)
        left_out, _ = torch.linalg.solve_ex(torch.eye(2).to(y) - leverage, residual[:, :, None])
        errors.append(left_out.square().sum((1, 2)).nan_to_num(nan=math.inf))  # (N,)
    return torch.stack(errors)
