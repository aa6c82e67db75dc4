"""Models of a recording by one linear least-squares problem: with parts of it left out, their ridge and friction.

The hidden layers stay as they are drawn: noise bears no more.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch

from hnn_training import assemble, smooth_hidden_layers
from motion.learning import SURE, friction_of_energy, pairs, with_kappa
from motion.states import as_record
from pendulum_nonlinear import wrap_angle
from support.data import FEWEST_STATES, Units
from support.least_squares import simplest
from support.torch_state import one_thread
from support.variable_projection import features

PARTS = 5  # of the record, each left out in turn
RIDGES = 10 ** (torch.arange(-15, -3, dtype=torch.float64) / 2)  # times |A|, from 3e-8 to 1e-2
ENOUGH_PAIRS = 1000  # to choose by


@dataclass
class Fit:
    """What a way makes of a record: ridge (times |A|), friction γ (1/s), its standard error; the models of the parts.

    `unexplained` is what the models leave of the mean square of the derivatives of the parts that they have not seen.
    """

    ridge: float
    friction: float
    friction_error: float
    unexplained: float
    models: list


@one_thread()
@torch.no_grad()
def fit(way, of_tracks, dt, period, friction, seed):
    """The Fit of a way, or None where it gives too few states.

    With hidden layers as they are drawn, H is linear in the output weights, and so is κ in the second equation. The
    sums AᵀA and Aᵀy of each part then give every fit without a part.
    """
    q, p, part = as_record(way, of_tracks, dt)
    is_pair = np.isfinite(q[1:] + p[1:] + q[:-1] + p[:-1])
    if is_pair.sum() < PARTS * FEWEST_STATES:
        return None
    of_pair = np.minimum(PARTS * part[:-1][is_pair] / np.nanmax(part), PARTS - 1).astype(int)
    some = np.linspace(0, len(of_pair) - 1, min(len(of_pair), ENOUGH_PAIRS)).astype(int)
    of_pair, x, y, p_0 = (torch.from_numpy(a[some]) for a in (of_pair, *pairs(q, p, way.dt, period, 0.0)))
    x[:, 0] = wrap_angle(x[:, 0], period)
    units = Units(x, y)
    hidden = smooth_hidden_layers(seed).to(x)
    A = features(hidden, units.of_states(x)).reshape(len(x), 2, -1)
    y = with_kappa(y, p_0, units)  # (2, N, 2)
    of_part = [of_pair == j for j in range(PARTS)]
    parts = [(A[of].flatten(0, 1), y[:, of].flatten(1).T) for of in of_part]  # (2n, 200) and (2n, 2) each
    sums = [torch.stack(s) for s in zip(*[(a.T @ a, a.T @ b, b.T @ b) for a, b in parts], strict=True)]
    whole, size = [s.sum(0) for s in sums], sums[0].sum(0).trace().sqrt()
    without = [solutions(*(w - s[j] for w, s in zip(whole, sums, strict=True)), size) for j in range(PARTS)]
    best, error = best_ridge(parts, without)
    unexplained = error / (whole[2][0, 0].item() / (2 * len(x)))

    def model(w, kappa):
        model = assemble(hidden, w[best] @ torch.tensor([[1.0], [kappa]], dtype=w.dtype), units)
        gamma = -math.log(max(1 - way.dt * kappa, 1e-9)) / way.dt
        p_range = p_0.min().item(), p_0.max().item()
        model.knows = {"period": period, "p_range": p_range, "dt": way.dt, "friction": gamma}
        return model

    w, kappa = solutions(*whole, size)
    kappa, error = kappa[best].item(), 0.0
    independent = 1.0 if way.half is None else 1 / (4 * way.starts)
    for _ in range(2 if friction is None else 0):
        gamma, error = friction_of_energy(model(w, kappa), q, p, independent)
        gamma = gamma if gamma > SURE * error else 0.0
        kappa = (1 - math.exp(-gamma * way.dt)) / way.dt
    if friction is not None:
        gamma, kappa = friction, (1 - math.exp(-friction * way.dt)) / way.dt
    models = [model(w, kappa) for w, _ in without]
    return Fit(RIDGES[best].item(), gamma, error, unexplained, models)


def best_ridge(parts, without):
    """The number of the simplest ridge by the errors of the parts, and its error.

    `parts` are (A, y) of each, and `without` the solutions() that have not seen it. The error is the median of the
    parts' squared errors, per state.
    """
    errors = torch.zeros(len(RIDGES), PARTS, dtype=RIDGES.dtype)
    for j, ((A, y), (w, kappa)) in enumerate(zip(parts, without, strict=True)):
        one_kappa = torch.stack([torch.ones_like(kappa), kappa])  # (2, ridges)
        misses = A @ torch.einsum("rko,or->kr", w, one_kappa) - y @ one_kappa
        errors[:, j] = misses.square().sum(0) / max(len(y), 1)
    best = simplest(errors)
    return best, errors[best].median().item()


def solutions(gram, right, squares, size):
    """Output weights for the two columns of y, (ridges, 200, 2), and the best κ, (ridges,), from AᵀA, Aᵀy and yᵀy.

    The weights for κ are w₀ + κ w₁, and κ = −c·r₀ / c·r₁ with the column c and what the fits of y and c leave, r.
    """
    S2, V = torch.linalg.eigh(gram)
    w = V @ ((V.T @ right) / (S2.clamp(min=0) + (RIDGES[:, None] * size) ** 2)[:, :, None])
    left = squares - right.T @ w  # (ridges, 2, 2)
    return w, -left[:, 1, 0] / left[:, 1, 1]
