"""How far to trust a model: the line that a script prints about its weights, and a note where an orbit leaves them."""

import math

from pendulum_nonlinear import wrap_angle
from pendulum_tensor import TEST_BOX, pendulum_dynamics_tensor, sample_states
from support.notes import note

POOR = 3e-4  # root mean square error, relative to what is learned, above which a reader is warned
BEYOND = 0.05  # of the range of the data: an orbit that leaves it by more is noted


def judge_derivatives(mse, H_error):
    """The line for a model that was trained on derivatives, from what measure() gives."""
    where = "|q| ≤ {:.3g}, |p| ≤ {:.3g}".format(*TEST_BOX)
    size = pendulum_dynamics_tensor(0, sample_states(5000, TEST_BOX)).square().mean().item()
    line = f"on {where}: derivative MSE {mse:.1e}, relative L2 error of H {H_error:.1e}"
    return line if mse <= POOR**2 * size else f"{line}. Warning: a poor fit of this pendulum; do not trust its orbits"


def check_is_of_energy(path, model):
    """Raise ValueError for weights that know a dt: their steps are right, but they have no energy H to be shown."""
    if "dt" in model.knows:
        raise ValueError(
            f"{path} was trained on steps of {model.knows['dt']:g} s, and gives no energy H; roll it out in Python, by "
            "run_simulation_HNN, or name another file"
        )


def note_of_range(model, q_vals, p_vals):
    """Say so where orbits leave what the data of a model cover, in q or in p."""
    knows = getattr(model, "knows", {})
    for name, values in {"q": wrap_angle(q_vals, knows.get("period")), "p": p_vals}.items():
        least, greatest = knows.get(f"{name}_range", (-math.inf, math.inf))
        margin = BEYOND * (greatest - least) if greatest < math.inf else 0
        if values.min() < least - margin or values.max() > greatest + margin:
            where = f"{least:.3g} ≤ {name} ≤ {greatest:.3g}"
            note(f"an orbit leaves {where}, where the model was trained; do not trust it there")
