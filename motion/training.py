"""From states to the HNN whose steps repeat their motion, with the friction in it."""

import warnings

import numpy as np

from hnn_training import train
from motion.friction import find_friction, guess_friction
from motion.steps import as_arrays, pairs
from support.derivatives import learned_energy
from support.inputs import check_period, check_positive
from support.least_squares import RIDGES
from support.notes import Note


def train_on_motion(q, p, dt, period=None, friction=None, **training):
    """The HNN, in float64, with which a step of symplectic Euler repeats a recorded motion, friction included.

    `q` and `p` are one record of states dt (s) apart, (T,), or several side by side, (T, B). Each row and the next are
    an example for train(): a state [q₀, p₁], with differences as its derivatives (steps.py). The K that fits them is
    not the energy H: it is H + (dt / 2) ∂H/∂q ∂H/∂p + O(dt²), so that steps of K repeat the exact motion. The model
    is rolled out with the dt of its record only, and each step first multiplies p by e^(−γ dt).

    `friction` is γ in 1/s. By default it is found, and taken in where the record shows it; 0 leaves it out. Where q is
    an angle, a jump by its `period` between two rows is no motion. A row that is not finite splits a record. `training`
    are the other arguments of train(): epochs, seed, device, on_epoch and ridge. There are up to
    three trainings: without friction, with a first guess of it, and with what is measured by that second model.

    The model knows dt, and its friction where there is some; its `friction_error` is the standard error of γ, 0 if γ
    was given. Raises ValueError for what is no record.
    """
    q, p = as_arrays(q, p)  # (T, B) each
    check_positive("dt", dt)
    check_period(period)
    if friction:
        check_positive("the friction", friction)

    def fitted(gamma):
        states, derivatives, _ = pairs(q, p, dt, period, gamma)
        model = train(states, derivatives, period=period, **training)
        model.knows |= {"dt": float(dt)} | ({"friction": float(gamma)} if gamma else {})
        is_row = np.isfinite(q + p)
        H = learned_energy(model)([q[is_row], p[is_row]])
        model.knows["energy_range"] = H.min().item(), H.max().item()
        model.friction_error = 0.0
        return model

    model = fitted(friction or 0.0)
    if friction is not None:
        return model
    ridge = training.get("ridge") or RIDGES[0]  # the smallest, since a ridge shifts γ
    guess = guess_friction(model, q, p, ridge)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Note)  # of a model that only serves to find γ
        trial = fitted(guess) if guess > 0 else model
    gamma, error, is_sure = find_friction(trial, q, p, ridge)
    model = fitted(gamma) if is_sure else model
    model.friction_error = error
    return model
