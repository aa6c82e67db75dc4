"""From states to the HNN whose steps repeat their motion, and the friction in it.

Linear friction, dp/dt = −∂H/∂q − γ p, multiplies every area in phase space by e^(−γ dt) in a time dt. If p is scaled by
that factor first, what is left of the motion is symplectic (McLachlan & Perlmutter 2001): a step of symplectic Euler.
"""

import math

import numpy as np
import torch

from hnn_model_derivs import learned_dynamics
from hnn_training import ENOUGH_STATES, train
from pendulum_nonlinear import wrap_angle
from support.data import Units
from support.derivatives import frozen_model, learned_energy
from support.inputs import as_float64, check_period, check_positive
from support.least_squares import RIDGES, choose_ridge, solve
from support.torch_state import one_thread
from support.variable_projection import features

SURE = 5  # standard errors of γ: with fewer the record does not show it
NO_NOISE = 0.01  # standard errors of γ by energy: where noise shifts γ by steps less, that is the better one


def train_on_motion(q, p, dt, period=None, friction=None, **training):
    """The HNN, in float64, with which a step of symplectic Euler repeats a recorded motion, friction included.

    `q` and `p` are one record of states dt (s) apart, (T,), or several side by side, (T, B). Symplectic Euler says of
    a step from (q₀, p₀) to (q₁, p₁), with friction γ, that

        (q₁ − q₀) / dt            =  ∂K/∂p(q₀, p₁)
        (p₁ − e^(−γ dt) p₀) / dt  = −∂K/∂q(q₀, p₁)

    for some function K in the place of H, so that every two rows in succession are an example for train(): a state
    [q₀, p₁], and the differences in the place of its derivatives. The K that fits them is not the energy H: it is
    H + (dt / 2) ∂H/∂q ∂H/∂p + O(dt²), and what it adds undoes the error of the step. Such a K exists, because every
    symplectic map near the identity is a symplectic Euler step of some K (Hairer, Lubich, Wanner VI.5), and the exact
    motion without its friction is such a map where dt is small enough. The model is rolled out with the dt of its
    record, and with no other, and p is multiplied by e^(−γ dt) before each step.

    `friction` is γ in 1/s. By default it is found, and taken in where the record shows it by SURE standard errors; 0
    leaves it out. Where q is an angle, a jump by its `period` between two rows is no motion. A row that is not finite
    ends a record. `training` are the other arguments of train(): epochs, seed, device, on_epoch and ridge.

    The model knows dt, and its friction where there is some; its `friction_error` is the standard error of a γ that was
    found.
    """
    q, p = motion(q, p)  # (T, B) each
    check_positive("dt", dt)
    check_period(period)
    given = friction is not None and friction != 0 and check_positive("the friction", friction)

    def trained(gamma):
        states, derivatives, _ = pairs(q, p, dt, period, gamma)
        model = train(states, derivatives, period=period, **training)
        model.knows |= {"dt": float(dt)} | ({"friction": float(gamma)} if gamma else {})
        is_row = np.isfinite(q + p)
        H = learned_energy(model, learned_dynamics(model))([q[is_row], p[is_row]])
        model.knows["energy_range"] = H.min().item(), H.max().item()
        model.friction_error = 0.0
        return model

    model = trained(given or 0.0)
    if friction is not None:
        return model
    gamma, error = find_friction(model, q, p, training.get("ridge"))
    if gamma:
        gamma, error = find_friction(trained(gamma), q, p, training.get("ridge"))
        model = trained(gamma)
    model.friction_error = error
    return model


def find_friction(model, q, p, ridge=None):
    """γ and its standard error, 0 where the rows q, p, (T, B), do not show it; best for a model with nearly that γ.

    It is the γ of the steps where noise hardly shifts that, else the γ of the energy.
    """
    by_energy, error = friction_of_energy(model, q, p)
    by_steps, error_of_steps, shift = friction_of_steps(model, q, p, ridge)
    if min(by_energy, by_steps) < SURE * error:
        return 0.0, error
    return (by_steps, error_of_steps) if shift < NO_NOISE * error else (by_energy, error)


def pairs(q, p, dt, period, gamma):
    """States [q₀, p₁] and [q₁ − q₀, p₁ − e^(−γ dt) p₀] / dt, (N, 2) each, and p₀, (N,), of rows q, p, (T, B)."""
    dq, dp = wrap_angle(q[1:] - q[:-1], period), p[1:] - math.exp(-gamma * dt) * p[:-1]
    states = np.stack([q[:-1], p[1:]], axis=-1).reshape(-1, 2)
    derivatives = np.stack([dq, dp], axis=-1).reshape(-1, 2) / dt
    is_pair = np.isfinite(derivatives).all(axis=1)
    return states[is_pair], derivatives[is_pair], p[:-1].reshape(-1)[is_pair]


def with_kappa(y, p_0, units):
    """The derivatives y, (N, 2), and the column of κ, [0, p₀], (2, N, 2): the right-hand sides of the least squares."""
    return units.of_derivatives(torch.stack([y, torch.stack([0 * p_0, p_0], 1)]))


@one_thread()
@torch.no_grad()
def friction_of_steps(model, q, p, ridge=None):
    """γ from all steps together, its standard error, and by how much noise in p shifts it: exact where there is none.

    In κ, with γ = γ₀ + κ to first order in dt, the second equation is linear,

        (p₁ − e^(−γ₀ dt) p₀) / dt = −∂K/∂q − κ p₀,    e^(−γ dt) = e^(−γ₀ dt) − κ dt

    and so it is in the output weights of the model's hidden layers: κ is one more unknown of the least squares. The
    noise of p₀ stands on both sides, and looks like friction.
    """
    dt, gamma, period = model.knows["dt"], model.knows.get("friction", 0.0), model.knows["period"]
    data = [torch.from_numpy(part) for part in pairs(q, p, dt, period, gamma)]
    some = torch.linspace(0, len(data[0]) - 1, min(len(data[0]), 4 * ENOUGH_STATES)).long()
    x, y, p_0 = (part[some] for part in data)
    x[:, 0] = wrap_angle(x[:, 0], period)
    units, n = Units(x, y), min(len(x), 2 * ENOUGH_STATES)
    hidden = frozen_model(model).cpu().linear_block[:-1]
    A = units.of_derivatives(features(hidden, x).reshape(len(x), 2, -1).mT).mT.flatten(0, 1)  # (2N, 200)
    both = with_kappa(y, p_0, units).flatten(1).T  # (2N, 2)
    size = torch.linalg.matrix_norm(A)

    def fitted(ridge):
        left = both - A @ solve(A, both, ridge * size)
        return -(left[:, 0] @ both[:, 1]) / (left[:, 1] @ both[:, 1]), left

    if ridge is None:
        kappa, _ = fitted(RIDGES[0])
        ridge = choose_ridge(A[: 2 * n], (both[:, 0] + kappa * both[:, 1]).reshape(-1, 2)[:n]) / size
    kappa, left = fitted(ridge)
    noise = (left @ torch.stack([torch.ones_like(kappa), kappa])).square().sum() / 2  # of the second equation
    variance = (noise / len(x) / (left[:, 1] @ both[:, 1])).item()
    gamma = -math.log(max(math.exp(-gamma * dt) - dt * kappa.item(), 1e-9)) / dt
    return gamma, math.sqrt(variance), dt / 2 * len(x) * variance


def friction_of_energy(model, q, p, independent=1.0):
    """γ, and its standard error, by which the model's energy falls along the rows q, p, (T, B).

    H̃ = K − (dt / 2) ∂K/∂q ∂K/∂p is kept by a step of K, but for terms of dt², so that along each run of rows

        H̃ = H̃₀ − Σ [H̃(q, p) − H̃(q, e^(−γ dt) p)]

    a straight line against the sum, whose slope is found with one H̃₀ for each run. Noise in the rows does not bend it.
    Of the rows, a part `independent` has news for the standard error.
    """
    dt, period = model.knows["dt"], model.knows["period"]
    gamma = max(model.knows.get("friction", 0.0), 1e-4 / dt)
    energy = learned_energy(model, learned_dynamics(model))
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
    freedom = max(independent * (len(H) - len(n)) - 1, 1)
    return -slope, math.sqrt(((H - slope * lost) ** 2).sum() / freedom / (lost @ lost))


def motion(q, p):
    """A record as two float64 arrays (T, B), masked values as NaN; raises ValueError where it is none."""
    q, p = as_float64("q", q), as_float64("p", p)
    if q.shape != p.shape or q.ndim not in (1, 2):
        raise ValueError(f"q and p must both have the shape (T,) or (T, B), not {q.shape} and {p.shape}")
    if len(q) < 2:
        raise ValueError(f"a record must have two rows or more, not {len(q)}")
    return q.reshape(len(q), -1), p.reshape(len(p), -1)
