"""How far to trust a model: the line that a script prints about its weights, and a note where an orbit leaves them."""

import math

import numpy as np

from pendulum_nonlinear import wrap_angle
from pendulum_tensor import TEST_BOX, pendulum_dynamics_tensor, sample_states
from support.derivatives import learned_energy
from support.exact import exact_motion
from support.inputs import LARGEST_DT
from support.notes import note

POOR = 3e-4  # root mean square error, relative to what is learned, above which a reader is warned
BEYOND = 0.05  # of the range of the data: an orbit that leaves it by more is noted


def judge_derivatives(mse, H_error):
    """The line for a model that was trained on derivatives, from what measure() gives."""
    where = "|q| ≤ {:.3g}, |p| ≤ {:.3g}".format(*TEST_BOX)
    size = pendulum_dynamics_tensor(0, sample_states(5000, TEST_BOX)).square().mean().item()
    line = f"on {where}: derivative MSE {mse:.1e}, relative L2 error of H {H_error:.1e}"
    return line if mse <= POOR**2 * size else f"{line}. Warning: a poor fit of this pendulum; do not trust its orbits"


def judge_motion(knows, step):
    """The line for a model of motion that `knows` its dt: the error of its step(t, q, p, dt) for the exact pendulum."""
    friction = f", friction {knows['friction']:.4g} 1/s" if "friction" in knows else ""
    line = f"learned from motion in steps of {knows['dt']:.6g} s{friction}"
    if knows["dt"] > LARGEST_DT:
        return f"{line}, which are too long for this pendulum: it is of another system"
    q, p = known_states(knows)
    if len(q) == 0:
        return f"{line}, with q and p nowhere in |q| ≤ {TEST_BOX[0]:.3g}, |p| ≤ {TEST_BOX[1]:.3g}: of another system"
    error, size = step_errors(step, q, p, knows["dt"])
    line += f": off the exact pendulum's, which are {size:.2g} long, by {error:.1e}"
    return line if error <= POOR * size else f"{line}: it is of another system, or not exact"


def known_states(knows):
    """States [q, p] of the box of judgement, as two arrays, where the model has data."""
    q, p = sample_states(5000, TEST_BOX, seed=1).numpy().T
    (q_0, q_1), (p_0, p_1) = (knows.get(name, (-math.inf, math.inf)) for name in ("q_range", "p_range"))
    is_known = (q_0 <= q) & (q <= q_1) & (p_0 <= p) & (p <= p_1)
    return q[is_known], p[is_known]


def step_errors(step, q, p, dt):
    """Root mean squares of the error √(Δq² + Δp²) of one step against the exact pendulum, and of the exact step itself.

    Where the step has no solution, the error is infinite.
    """
    exact = np.concatenate(exact_motion(q, p, 1, dt))
    try:
        learned = np.array(step(0.0, q, p, dt))
    except ArithmeticError:
        learned = np.full_like(exact, math.inf)
    return [np.sqrt(np.square(change).sum(axis=0).mean()) for change in (learned - exact, exact - [q, p])]


def note_of_range(model, q_vals, p_vals):
    """Say so where orbits leave what the data of a model cover: their q, p or, for a model of motion, their energy."""
    knows = getattr(model, "knows", {})
    orbits = {"q": wrap_angle(q_vals, knows.get("period")), "p": p_vals}
    if "energy_range" in knows:
        orbits["energy"] = learned_energy(model)([q_vals, p_vals])
    for name, values in orbits.items():
        least, greatest = knows.get(f"{name}_range", (-math.inf, math.inf))
        margin = BEYOND * (greatest - least) if greatest < math.inf else 0
        if name == "energy" and "friction" in knows:  # which takes every orbit below the least energy in the end
            values = values.max(axis=0)
        if values.min() < least - margin or values.max() > greatest + margin:
            where = f"{least:.3g} ≤ {name} ≤ {greatest:.3g}"
            note(f"an orbit leaves {where}, where the model was trained; do not trust it there")
