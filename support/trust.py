"""How far to trust a model, in a line: what a script prints about the weights that it uses or writes."""

import math
from pathlib import Path

import numpy as np

from pendulum_nonlinear import wrap_angle
from pendulum_tensor import TEST_BOX, pendulum_dynamics_tensor, sample_states
from support.exact import exact_motion
from support.knowledge import known, p_range

POOR = 3e-4  # root mean square error, relative to what is learned, above which a reader is warned
POOR_FIT = ". Warning: a poor fit of this pendulum, do not trust its orbits"
OTHER_MOTION = ". Warning: not the exact motion of this pendulum, but of another system, or of a coarse integrator"


def weights_path(path, committed):
    """The weights to use: `path`, else those in the folder where the user stands, else the committed ones."""
    if path is not None:
        return path
    return committed.name if Path(committed.name).exists() else committed


def step_errors(step, dt, range_of_p):
    """Root mean squares of the error √(Δq² + Δp²) of one step against the exact pendulum, and of the exact step itself.

    They are taken over fresh states all over the turn, with p in the range that the model was trained on. Where the
    step has no solution, the error is infinite.
    """
    q, p = sample_states(5000, TEST_BOX, seed=1).numpy().T
    is_known = (range_of_p[0] <= p) & (p <= range_of_p[1])
    start = np.array([q, p])[:, is_known]  # (2, N)
    exact = np.concatenate(exact_motion(*start, 1, dt))
    try:
        learned = np.array(step(*start, dt))
    except ArithmeticError:
        learned = np.full_like(exact, np.inf)
    return [np.sqrt(np.square(change).sum(axis=0).mean()) for change in (learned - exact, exact - start)]


def judge_derivatives(mse, H_error):
    """The line for a model that was trained on derivatives, from what measure() gives."""
    where = "|q| ≤ {:.3g}, |p| ≤ {:.3g}".format(*TEST_BOX)
    size = pendulum_dynamics_tensor(0, sample_states(5000, TEST_BOX)).square().mean().item()
    line = f"on {where}: derivative MSE {mse:.1e}, relative L2 error of H {H_error:.1e}"
    return line if mse <= POOR**2 * size else line + POOR_FIT


def judge_motion(model, step):
    """The line for a model that was learned from motion, by its step(q, p, dt) -> (q₁, p₁)."""
    dt = known(model, "dt")
    error, size = step_errors(step, dt, p_range(model))
    line = f"learned from motion: steps of {dt:.6g} s are off the exact pendulum's, {size:.2g} long, by {error:.1e}"
    return line if error <= POOR * size else line + OTHER_MOTION


def judge_record(model, record, period):
    """The line for a model that was just learned from a record: the error of a step on the part kept for validation."""
    error = record.dt * math.sqrt(2 * model.validation_loss)
    dq, dp = wrap_angle(np.diff(record.q, axis=0), period), np.diff(record.p, axis=0)
    size = math.sqrt(np.nanmean(dq**2 + dp**2))
    where = f"√(Δq² + Δp²) in a step of {record.dt:.6g} s, on the part kept for validation"
    return f"error of {where}: {error:.1e}, {error / size:.1e} of the step itself"
