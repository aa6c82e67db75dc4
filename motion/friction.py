"""The friction γ of recorded motion, measured in two ways with a trained model.

friction_of_steps fits γ to all steps together, as one more unknown beside the output weights. It is exact where the
rows are exact, but noise looks like friction to it. friction_of_energy is the slope by which the learned energy falls
along the recording, which noise does not bend.

guess_friction gives a first γ by a model that has none. A model that is trained with this γ is better, and
find_friction measures with that one.
"""

import math

import numpy as np
import torch

from motion.steps import pairs
from pendulum_nonlinear import wrap_angle
from support.data import ENOUGH_STATES, Units
from support.derivatives import frozen_model, learned_energy
from support.least_squares import solve
from support.torch_state import one_thread
from support.variable_projection import features

SURE = 5  # standard errors of γ by energy: a γ that is less is not shown by the record
NO_NOISE = 0.01  # of the standard error of γ by energy: γ by steps is taken if noise shifts it by less
SLIGHT = 1 / 16  # of γ by steps: it is the first guess if noise shifts it by less (by thrice that in smoothed rows)
BLOCKS = 10  # of the record, for the standard error of γ by energy


def guess_friction(model, q, p, ridge):
    """A first γ of the rows q, p, (T, B), by a model without friction.

    It is γ by steps, or by energy where noise shifts that of the steps. The energy of a model without friction is wrong
    where friction is strong, and so comes second.
    """
    by_steps, _, shift = friction_of_steps(model, q, p, ridge)
    return by_steps if shift < SLIGHT * by_steps else friction_of_energy(model, q, p)[0]


def find_friction(model, q, p, ridge):
    """γ, its standard error, and whether the rows q, p, (T, B), surely show it; the model should have nearly that γ.

    It is γ by steps where noise hardly shifts that, else γ by energy.
    """
    by_energy, error = friction_of_energy(model, q, p)
    by_steps, error_of_steps, shift = friction_of_steps(model, q, p, ridge)
    is_sure = min(by_energy, by_steps) > SURE * error
    return (by_steps, error_of_steps, is_sure) if shift < NO_NOISE * error else (by_energy, error, is_sure)


@one_thread()
@torch.no_grad()
def friction_of_steps(model, q, p, ridge):
    """γ by steps, its standard error, and how far noise in p shifts it.

    With e^(−γ dt) = e^(−γ₀ dt) − κ dt, so that γ ≈ γ₀ + κ, the second equation of a step (steps.py) is linear in κ:

        (p₁ − e^(−γ₀ dt) p₀) / dt = −∂K/∂q − κ p₀

    K is linear in the output weights w of the model, so that A w = y + κ c, where y are the left sides and c = [0, p₀].
    Fits to y and to c, by themselves, leave the residuals r_y and r_c. A fit to y + κ c leaves r_y + κ r_c, which is
    smallest for κ = −(c · r_y) / (c · r_c).

    Noise of variance s² in p is in p₁ and p₀ on the left, so that κ has the variance 2 s² / dt² / (c · r_c), and in the
    p₀ of c too, which adds N s² / dt / (c · r_c) to κ for N steps: N dt / 2 times its variance. The hidden layers are
    the model's, and of many steps 4,000 are taken.
    """
    dt, gamma, period = model.knows["dt"], model.knows.get("friction", 0.0), model.knows["period"]
    data = [torch.from_numpy(part) for part in pairs(q, p, dt, period, gamma)]
    some = torch.linspace(0, len(data[0]) - 1, min(len(data[0]), 4 * ENOUGH_STATES)).long()
    x, y, p_0 = (part[some] for part in data)
    x[:, 0] = wrap_angle(x[:, 0], period)
    units = Units(x, y)
    hidden = frozen_model(model).cpu().linear_block[:-1]
    A = features(hidden, x).reshape(len(x), 2, -1).mT  # (N, 200, 2): the derivatives that each hidden unit gives
    A = units.of_derivatives(A).mT.flatten(0, 1)  # (2N, 200), with both derivatives of size 1
    c = torch.stack([0 * p_0, p_0], dim=1)
    y_and_c = units.of_derivatives(torch.stack([y, c])).flatten(1).T  # (2N, 2)
    residual = y_and_c - A @ solve(A, y_and_c, ridge * torch.linalg.matrix_norm(A))
    kappa = -(residual[:, 0] @ y_and_c[:, 1]) / (residual[:, 1] @ y_and_c[:, 1])
    noise = (residual[:, 0] + kappa * residual[:, 1]).square().sum() / 2  # of one of the two equations
    variance = (noise / len(x) / (residual[:, 1] @ y_and_c[:, 1])).item()
    gamma = -math.log(max(math.exp(-gamma * dt) - dt * kappa.item(), 1e-9)) / dt
    return gamma, math.sqrt(variance), dt / 2 * len(x) * variance


def friction_of_energy(model, q, p):
    """γ by energy, and its standard error, from the rows q, p, (T, B).

    The learned energy, H = K − (dt / 2) ∂K/∂q ∂K/∂p, is kept by a step of K, but for terms of dt², and lowered by the
    e^(−γ dt) before it. So along each run of rows, without a gap,

        H = H₀ − γ Σ [H(q, p) − H(q, e^(−γ₀ dt) p)] / γ₀

    where γ₀ is the model's or, if it has none, a small one. Least squares give the slope −γ of this line, with one H₀
    for each run. Neighbouring rows are off by the same error of the model, so that the standard error is that of blocks
    of rows which are off independently (Liang & Zeger 1986).
    """
    dt, period = model.knows["dt"], model.knows["period"]
    gamma = max(model.knows.get("friction", 0.0), 1e-4 / dt)
    energy = learned_energy(model)
    q = wrap_angle(q, period)
    is_row = np.isfinite(q + p)
    run = np.cumsum(~is_row, axis=0) + (len(q) + 1) * np.arange(q.shape[1])  # a number for each run of rows

    H, lost = np.zeros(q.shape), np.zeros(q.shape)
    H[is_row] = energy([q[is_row], p[is_row]])
    lost[is_row] = (H[is_row] - energy([q[is_row], math.exp(-gamma * dt) * p[is_row]])) / gamma
    lost = np.cumsum(lost, axis=0) - lost  # before each row
    _, run = np.unique(run[is_row], return_inverse=True)
    n = np.bincount(run)
    H, lost = (part[is_row] - (np.bincount(run, part[is_row]) / n)[run] for part in (H, lost))
    slope = (lost @ H) / (lost @ lost)
    place = np.indices(q.shape)[np.argmax(q.shape)][is_row]  # of a row in time, or its record's if these are more
    score = np.bincount(BLOCKS * place // max(q.shape), lost * (H - slope * lost), minlength=BLOCKS)
    return -slope, math.sqrt(BLOCKS / (BLOCKS - 1) * (score @ score)) / (lost @ lost)
