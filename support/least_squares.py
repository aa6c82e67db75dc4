"""Least squares: the w that best solves A w = y, with a ridge, which keeps w small so that it does not follow noise."""

import math

import torch

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


@torch.no_grad()
def choose_ridge(A, y):
    """The ridge, over |A|, for the output weights of y = A w, two rows a state: small for clean data, else larger.

    Each ridge is judged by how well the fit predicts states that it has not seen. Generalised cross-validation (Golub,
    Heath & Wahba 1979) tells it without leaving any out: a residual of the fit to all n rows is, on average, 1 − k / n
    times that of a fit without its row, where k is the number of weights that the ridge leaves free. Of RIDGES the
    largest is taken, which gives the smoothest H, that is no worse than the best by more than chance. Chance is one
    standard error (Breiman, Friedman, Olshen, Stone 1984) of the difference from the best, state by state, since the
    same states are hard for all ridges.
    """
    U, S, _ = torch.linalg.svd(A, full_matrices=False)
    y = y.reshape(-1, 2)
    coefficients, norm = U.T @ y.reshape(-1), torch.linalg.matrix_norm(A)
    errors = []
    for ridge in RIDGES:
        free = S**2 / (S**2 + (ridge * norm) ** 2)  # how far each of them is free of the ridge; k is their sum
        residual = y - (U @ (free * coefficients)).reshape(-1, 2)
        errors.append((residual / (1 - free.sum() / y.numel())).square().sum(1))  # (N,) of N states
    errors = torch.stack(errors).nan_to_num(nan=math.inf)  # (ridges, N); 0 / 0 where k = n
    excess = errors - errors[errors.mean(1).argmin()]
    is_good = excess.mean(1) <= excess.std(1) / math.sqrt(len(y))
    return max(ridge for ridge, good in zip(RIDGES, is_good, strict=True) if good)
