"""Models of a noisy recording, of all of it and of all but each of five parts, by one linear least-squares problem.

The hidden layers stay as they are drawn, since noise bears no more. The derivatives are then linear in the output
weights and in κ, by which friction enters: A w = y + κ c (friction.py). The sums AᵀA, AᵀY and YᵀY over each part, with
Y = [y, c], are all that every fit needs, with any part left out and for any ridge.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch

from hnn_training import assemble, smooth_hidden_layers
from motion.friction import SURE, friction_of_energy, with_kappa
from motion.states import as_record
from motion.steps import pairs
from pendulum_nonlinear import wrap_angle
from support.data import FEWEST_STATES, Units
from support.least_squares import simplest
from support.torch_state import one_thread
from support.variable_projection import features

PARTS = 5  # of the record, each left out in turn
RIDGES = 10 ** (torch.arange(-15, -3, dtype=torch.float64) / 2)  # times |A|, from 3e-8 to 1e-2
ENOUGH_PAIRS = 1000  # to choose by
INDEPENDENT = 1 / 4  # of the smoothed states a step apart: they share rows


@dataclass
class Fit:
    """What a Sampling makes of a record: ridge (times |A|), friction γ (1/s), its standard error; the parts' models.

    `models[j]` has not seen part j. `unexplained` is what they leave of the derivatives' mean square there, the median.
    """

    ridge: float
    friction: float
    friction_error: float
    unexplained: float
    models: list


@one_thread()
@torch.no_grad()
def fit(sampling, tracks, period, friction, seed, ridge=None):
    """The Fit of a Sampling, or None where it gives too few states. Friction or ridge is found if it is None."""
    q, p, position = as_record(sampling, tracks)
    is_pair = np.isfinite(q[1:] + p[1:] + q[:-1] + p[:-1])
    if is_pair.sum() < PARTS * FEWEST_STATES:
        return None
    part = np.minimum(PARTS * position[:-1][is_pair] / np.nanmax(position), PARTS - 1).astype(int)
    some = np.linspace(0, len(part) - 1, min(len(part), ENOUGH_PAIRS)).astype(int)
    part, x, y, p_0 = (torch.from_numpy(a[some]) for a in (part, *pairs(q, p, sampling.dt, period, 0.0)))
    x[:, 0] = wrap_angle(x[:, 0], period)
    units = Units(x, y)
    hidden = smooth_hidden_layers(seed).to(x)
    A, Y = features(hidden, units.of_states(x)).reshape(len(x), 2, -1), with_kappa(y, p_0, units)
    parts = [(A[part == j].flatten(0, 1), Y[:, part == j].flatten(1).T) for j in range(PARTS)]  # (2n, 200), (2n, 2)
    sums = [(A.T @ A, A.T @ Y, Y.T @ Y) for A, Y in parts]
    of_all = [torch.stack(of_parts).sum(0) for of_parts in zip(*sums, strict=True)]
    size = of_all[0].trace().sqrt()  # |A|
    left_out = [solutions(*(s - s_j for s, s_j in zip(of_all, sums_j, strict=True)), size) for sums_j in sums]
    errors = part_errors(parts, left_out)
    best = simplest(errors) if ridge is None else RIDGES.tolist().index(ridge)

    def model(w, kappa):
        model = assemble(hidden, w[best] @ torch.tensor([[1.0], [kappa]], dtype=w.dtype), units)
        gamma = -math.log(max(1 - sampling.dt * kappa, 1e-9)) / sampling.dt
        p_range = p_0.min().item(), p_0.max().item()
        model.knows = {"period": period, "p_range": p_range, "dt": sampling.dt, "friction": gamma}
        return model

    def kappa_of(gamma):
        return (1 - math.exp(-gamma * sampling.dt)) / sampling.dt

    gamma, error_of_gamma = friction, 0.0
    if friction is None:  # found by its energy, twice, since that is best for a model with nearly that friction
        w, kappas = solutions(*of_all, size)
        kappa = kappas[best].item()
        for _ in range(2):
            gamma, error_of_gamma = friction_of_energy(model(w, kappa), q, p, INDEPENDENT / sampling.per_step)
            gamma = gamma if gamma > SURE * error_of_gamma else 0.0
            kappa = kappa_of(gamma)
    models = [model(w, kappa_of(gamma)) for w, _ in left_out]
    unexplained = errors[best].median().item() / (of_all[2][0, 0].item() / (2 * len(x)))
    return Fit(RIDGES[best].item(), gamma, error_of_gamma, unexplained, models)


def part_errors(parts, left_out):
    """The squared error per state in each part of the solutions that have not seen it, (ridges, PARTS).

    `parts` are (A, Y) of each, and `left_out` the solutions() without it.
    """
    errors = torch.zeros(len(RIDGES), PARTS, dtype=RIDGES.dtype)
    for j, ((A, Y), (w, kappa)) in enumerate(zip(parts, left_out, strict=True)):
        one_kappa = torch.stack([torch.ones_like(kappa), kappa])  # (2, ridges)
        misses = A @ torch.einsum("rko,or->kr", w, one_kappa) - Y @ one_kappa
        errors[:, j] = misses.square().sum(0) / max(len(Y), 1)
    return errors


def solutions(AA, AY, YY, size):
    """For each ridge the output weights [w_y, w_c], (ridges, 200, 2), and κ, (ridges,), from AᵀA, AᵀY and YᵀY."""
    S2, V = torch.linalg.eigh(AA)
    w = V @ ((V.T @ AY) / (S2.clamp(min=0) + (RIDGES[:, None] * size) ** 2)[:, :, None])
    left = YY - AY.T @ w  # (ridges, 2, 2): products of y and c with what the solutions leave of them
    return w, -left[:, 1, 0] / left[:, 1, 1]
