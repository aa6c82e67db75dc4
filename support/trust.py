"""How far to trust a model: its errors, a line about them for a script, and a note where an orbit leaves its data."""

import math

import torch

from pendulum_nonlinear import pendulum_hamiltonian, wrap_angle
from pendulum_tensor import TEST_BOX, pendulum_dynamics_tensor, sample_states
from support.derivatives import frozen_model, model_device
from support.notes import note

POOR = 3e-4  # root mean square error, relative to the derivatives, above which a reader is warned
BEYOND = 0.05  # of the range of the data: an orbit that leaves it by more is noted


def errors_on_test_box(model, time_derivatives):
    """(mean squared error of time_derivatives(model, x), relative L2 error of H) against the true pendulum.

    Both are taken at 5,000 states spread evenly over TEST_BOX. H is compared up to its constant, which is free.
    """
    model, x = frozen_model(model), sample_states(5000, TEST_BOX, seed=1)
    on_device = x.to(model_device(model))
    H = torch.from_numpy(pendulum_hamiltonian(x.numpy().T))
    with torch.no_grad():
        H_errors = model(on_device).reshape(-1).cpu() - H
        errors = time_derivatives(model, on_device) - pendulum_dynamics_tensor(0, on_device)
    H_errors -= H_errors.mean()
    return errors.square().mean().item(), (H_errors.norm() / H.norm()).item()


def verdict(path, model, mse, H_error):
    """The line about the weights in a file: how far their model is from the true pendulum.

    Raises ValueError where the model knows a dt: its steps may be right, but what it gives is no energy H.
    """
    if "dt" in model.knows:
        raise ValueError(
            f"{path} was trained on steps of {model.knows['dt']:g} s, and gives no energy H; roll it out in Python, by "
            "run_simulation_HNN, or name another file"
        )
    where = "|q| ≤ {:.3g}, |p| ≤ {:.3g}".format(*TEST_BOX)
    size = pendulum_dynamics_tensor(0, sample_states(5000, TEST_BOX)).square().mean().item()
    line = f"Weights {path}, on {where}: derivative MSE {mse:.1e}, relative L2 error of H {H_error:.1e}"
    return line if mse <= POOR**2 * size else f"{line}. Warning: a poor fit of this pendulum; do not trust its orbits"


def note_of_range(model, q_vals, p_vals):
    """Say so where orbits leave what the data of a model cover, in q or in p."""
    knows = getattr(model, "knows", {})
    for name, values in {"q": wrap_angle(q_vals, knows.get("period")), "p": p_vals}.items():
        least, greatest = knows.get(f"{name}_range", (-math.inf, math.inf))
        margin = BEYOND * (greatest - least) if greatest < math.inf else 0
        if values.min() < least - margin or values.max() > greatest + margin:
            where = f"{least:.3g} ≤ {name} ≤ {greatest:.3g}"
            note(f"an orbit leaves {where}, where the model was trained; do not trust it there")
