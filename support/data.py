"""The data of a training: checked, in units in which they are of size 1, and how much of them a model explains."""

import numpy as np
import torch

from pendulum_nonlinear import wrap_angle
from support.inputs import as_float64, check_count, check_period, check_seed
from support.notes import note
from support.torch_state import usable_device

FEWEST_STATES = 10
VALIDATION_PART = 0.2  # of the states: they tell which epoch is best; only the last solve fits them too
ENOUGH_STATES = 1000  # to move the hidden layers by, to choose the ridge, and to validate; the last solve takes all
MISFIT = 0.1  # of the derivatives' mean square: a model that leaves more unexplained is warned of


def prepare(states, true_derivatives, epochs, seed, device, dtype, period=None):
    """The data as tensors (N, 2), q in one period, once everything that a training is given has been checked.

    Rows that are masked or not finite are left out, with a note. Raises ValueError where what is left are no data that
    a fit can use.
    """
    check_count("the number of epochs", epochs, least=0)
    check_seed(seed)
    check_period(period)
    device = usable_device(device)
    x, y = as_float64("states", states), as_float64("true_derivatives", true_derivatives)
    if x.ndim != 2 or x.shape[-1] != 2 or y.shape != x.shape:
        raise ValueError(f"states and true_derivatives must both have the shape (N, 2), not {x.shape} and {y.shape}")
    is_whole = np.isfinite(x).all(axis=1) & np.isfinite(y).all(axis=1)
    if is_whole.sum() < FEWEST_STATES:
        raise ValueError(f"the fit needs at least {FEWEST_STATES} finite states, not {is_whole.sum()}")
    if not is_whole.all():
        note(f"{(~is_whole).sum():,} of {len(x):,} rows are masked or not finite, and are left out")
    x, y = x[is_whole], y[is_whole]
    x[:, 0] = wrap_angle(x[:, 0], period)
    return (torch.tensor(data, dtype=dtype, device=device) for data in (x, y))


class Units:
    """Units of states and of energies that follow from the states x and their derivatives y, (N, 2) each.

    States are measured from their mean in their deviations, x' = (x − mean) / deviation, and energies in E, so that
    Hamilton's equations keep their form with y' = [dq/dt, dp/dt] · [deviation of p, deviation of q] / E. E is chosen
    to make the mean square of y' 1. Raises ValueError for states that are all alike.
    """

    def __init__(self, x, y):
        self.mean, self.deviation = x.mean(0), x.std(0)
        if (self.deviation == 0).any():
            raise ValueError("the states are all alike in q or in p; give states that differ in both")
        self.energy = (y * self.deviation.flip(0)).square().mean().sqrt()
        if self.energy == 0:  # a system at rest
            self.energy = torch.ones_like(self.energy)

    def of_states(self, x):
        return (x - self.mean) / self.deviation

    def of_derivatives(self, y):
        return y * self.deviation.flip(0) / self.energy

    def undo(self, model):
        """The model, which maps x' to H / E, made one that maps x to H, with H(0, 0) = 0: its outer layers change."""
        first, last = model.linear_block[0], model.linear_block[-1]
        with torch.no_grad():
            first.weight /= self.deviation
            first.bias -= first.weight @ self.mean
            last.weight *= self.energy
            last.bias *= self.energy
            last.bias -= model.linear_block(torch.zeros_like(self.mean))
        return model


def split(n, seed):
    """The numbers of the states to fit, and of those kept for validation, at most ENOUGH_STATES each, at random."""
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed), device="cpu")
    n_validation = round(VALIDATION_PART * n)
    return order[n_validation:][:ENOUGH_STATES], order[:n_validation][:ENOUGH_STATES]


def ranges(states):
    """The least and the greatest q and p of the states (N, 2), as a model knows them."""
    least, greatest = states.min(0).values.tolist(), states.max(0).values.tolist()
    return {"q_range": (least[0], greatest[0]), "p_range": (least[1], greatest[1])}


def explained(predicted, states, derivatives, units):
    """The part of the derivatives' mean square that the `predicted` ones explain; a note where it is small.

    All three are (N, 2). dq/dt and dp/dt count alike, in their `units`.
    """
    errors = predicted - derivatives
    squares, of_errors = (units.of_derivatives(y).square().sum(1) for y in (derivatives, errors))  # (N,)
    unexplained = (of_errors.mean() / squares.mean().clamp(min=1e-300)).item()
    if unexplained > MISFIT:
        worst = of_errors.argmax()
        state, given = ([float(f"{value:.6g}") for value in rows[worst].tolist()] for rows in (states, derivatives))
        note(
            f"the model explains only {max(0, 1 - unexplained):.0%} of the derivatives: is there friction, noise, or a "
            f"wrong row in the data? The worst is the state {state} with the derivatives {given}"
        )
    return 1 - unexplained
