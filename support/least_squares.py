"""Least squares: the w that best solves A w = y, with a ridge, which keeps w small so that it does not follow noise."""

import math

import torch

from support.torch_state import one_thread

RIDGES = [10 ** (k / 2) for k in range(-18, -1)]  # times |A|: from 1e-9 to 1e-1


def solve(A, y, ridge, zero_rows=None):
    """The w, (K, outputs), that minimises |A w − y|² + ridge² |w|² + |zero_rows w|², for A (rows, K).

    Raises ArithmeticError where A is not finite.
    """
    if not A.isfinite().all():
        raise ArithmeticError("the hidden layers' weights are not finite; try fewer epochs or rescale the data")
    below = [ridge * torch.eye(A.shape[1], dtype=A.dtype, device=A.device), *([] if zero_rows is None else [zero_rows])]
    A, y = torch.cat([A, *below]), torch.cat([y, *(y.new_zeros(len(rows), y.shape[1]) for rows in below)])
    Q, R = torch.linalg.qr(A)
    w = torch.zeros_like(y[: A.shape[1]])
    for _ in range(2):  # the second solution is of what rounding left over from the first (Björck 1967)
        w = w + torch.linalg.solve_triangular(R, Q.T @ (y - A @ w), upper=True)
    return w


def solve_by_blocks(blocks, ridge, zero_rows=None):
    """solve() for all the rows of the `blocks` (A, y) together, of which one at a time is in memory.

    Each block is stacked under the triangle R of the QR decomposition of those before it, which has the same solutions
    (Golub & Van Loan 5.3). y holds as many numbers for each row of A as there are outputs.
    """
    R, outputs = None, 0
    for A, y in blocks:
        y = y.reshape(len(A), -1)
        rows, outputs = torch.cat([A, y], dim=1), y.shape[1]
        R = torch.linalg.qr(rows if R is None else torch.cat([R, rows]), mode="r").R
    return solve(R[:, :-outputs], R[:, -outputs:], ridge, zero_rows)


@one_thread()
@torch.no_grad()
def choose_ridge(A, y):
    """The ridge, over |A|, for the output weights of y = A w, (N, 2) of N states: small for clean data, else larger.

    Of RIDGES it is the largest whose left_out_errors are no worse than the best but for chance.
    """
    norm = torch.linalg.matrix_norm(A)
    return RIDGES[simplest(left_out_errors(A, y, [norm * ridge for ridge in RIDGES]))]


def simplest(errors):
    """The number of the largest ridge that is no worse than the best by more than chance, from errors (ridges, N).

    Chance is one standard error (Breiman, Friedman, Olshen, Stone 1984) of the difference from the best, state by
    state, or part by part, since the same ones are hard for all ridges.
    """
    excess = errors - errors[errors.mean(1).argmin()]
    return torch.nonzero(excess.mean(1) <= excess.std(1) / math.sqrt(errors.shape[1])).max().item()


def left_out_errors(A, y, ridges):
    """The squared error at each of N states of the fit without it, for each ridge, (ridges, N).

    With the residual r of the whole fit, two numbers, and the 2 × 2 block L of the leverages A (AᵀA + ridge² I)⁻¹ Aᵀ,
    it is |(I − L)⁻¹ r|² (Allen 1974). Both numbers are left out together, since they share the state's noise.
    """
    U, S, _ = torch.linalg.svd(A, full_matrices=False)
    by_state = U.reshape(len(y), 2, -1)  # (N, 2, K)
    one = torch.eye(2, dtype=y.dtype, device=y.device)
    errors = []
    for ridge in ridges:
        kept = S**2 / (S**2 + ridge**2)  # of each singular direction
        residual = y - (U @ (kept * (U.T @ y.reshape(-1)))).reshape(y.shape)  # (N, 2)
        leverage = (by_state * kept) @ by_state.mT  # (N, 2, 2)
        left_out, _ = torch.linalg.solve_ex(one - leverage, residual[:, :, None])
        errors.append(left_out.square().sum((1, 2)).nan_to_num(nan=math.inf))  # (N,)
    return torch.stack(errors)
