"""The friction γ of recorded motion: from all of its steps together where they are exact, else from its energy.

With e^(−γ dt) = e^(−γ₀ dt) − κ dt, so that γ ≈ γ₀ + κ, a step's second equation is linear in κ:

    (p₁ − e^(−γ₀ dt) p₀) / dt = −∂K/∂q − κ p₀

K is linear in the output weights w of the model, so that A w = y + κ c, where the derivatives y are the left sides and
c = [0, p₀]. The best weights for a κ are w_y + κ w_c, the solutions for y and for c. What these leave of y and c, r_y
and r_c, gives the best κ = −(c · r_y) / (c · r_c).
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

SURE = 5  # standard errors of γ: with fewer the record does not show it
NO_NOISE = 0.01  # standard errors of γ by energy: if noise shifts γ by steps less than that, take γ by steps
SLIGHT = 1 / 16  # of γ by steps: a shift by noise to be ignored, though smoothed rows make it three times as large
BLOCKS = 10  # of the record, for the standard error of γ by energy


def guess_friction(model, q, p, ridge):
    """A first γ of the rows q, p, (T, B), by a model without friction.

    It is that of the steps unless noise shifts it much: under strong friction the energy of such a model is wrong.
    """
    by_steps, _, shift = friction_of_steps(model, q, p, ridge)
    return by_steps if shift < SLIGHT * by_steps else friction_of_energy(model, q, p)[0]


def find_friction(model, q, p, ridge):
    """γ, its standard error, and whether the rows q, p, (T, B), surely show it; the model should have nearly that γ.

    It is the γ of the steps where noise hardly shifts that, else the γ of the energy.
    """
    by_energy, error = friction_of_energy(model, q, p)
    by_steps, error_of_steps, shift = friction_of_steps(model, q, p, ridge)
    is_sure = min(by_energy, by_steps) > SURE * error
    return (by_steps, error_of_steps, is_sure) if shift < NO_NOISE * error else (by_energy, error, is_sure)


@one_thread()
@torch.no_grad()
def friction_of_steps(model, q, p, ridge):
    """γ from the steps together, exact without noise; its standard error; and how far noise in p shifts it.

    The hidden layers are the model's; of many steps 4,000 are taken. The noise of p₀ stands on both sides of the
    equation, and looks like friction.
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
    """γ, and its standard error, by which the model's energy falls along the rows q, p, (T, B).

    H̃ = K − (dt / 2) ∂K/∂q ∂K/∂p is kept by a step of K, but for terms of dt². So along each run of rows

        H̃ = H̃₀ − γ Σ [H̃(q, p) − H̃(q, e^(−γ₀ dt) p)] / γ₀

    with the model's γ₀ in the sum. Least squares give the slope −γ of this line, with one H̃₀ for each run. Noise in
    the rows does not bend it. Neighbouring rows are off by the same error of the model, so that the standard error is
    that of blocks of rows which are off independently (Liang & Zeger 1986).
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
