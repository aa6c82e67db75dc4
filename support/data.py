"""The data of a training: checked, in units in which they are of size 1, a part of them kept aside."""

import numpy as np
import torch

from pendulum_nonlinear import wrap_angle
from support.inputs import as_float64, check_period, check_seed
from support.notes import note
from support.torch_state import usable_device

FEWEST_STATES = 10
MISFIT = 0.1  # of the derivatives' mean square: a model that leaves more unexplained is warned of


class TrainingData:
    """Tensors (N, 2) in float64 on `device`, made of what a training is given, q in one turn where it has a `period`.

    states, derivatives    in the units of whoever gives them
    x, y                   the same in units of size 1

    States are measured from their mean in their deviations, x = (states − mean) / deviation, and energies in E, so that
    Hamilton's equations keep their form with y = [dq/dt, dp/dt] · [deviation of p, deviation of q] / E. E is chosen to
    make the mean square of y 1. Rows that are masked or not finite are left out, with a note. Raises ValueError where
    what is left are no data that a fit can use.
    """

    def __init__(self, states, derivatives, period=None, device="cpu"):
        self.period = check_period(period)
        states, derivatives = finite_rows(states, derivatives)
        states[:, 0] = wrap_angle(states[:, 0], period)
        device = usable_device(device)
        self.states, self.derivatives = (torch.tensor(rows, device=device) for rows in (states, derivatives))
        self.mean, self.deviation = self.states.mean(0), self.states.std(0)
        if (self.deviation == 0).any():
            raise ValueError("the states are all alike in q or in p; give states that differ in both")
        self.energy = (self.derivatives * self.deviation.flip(0)).square().mean().sqrt()
        if self.energy == 0:  # a system at rest
            self.energy = torch.ones_like(self.energy)
        self.x, self.y = self.in_units(self.states), self.derivatives_in_units(self.derivatives)

    def split(self, part, most, seed):
        """The numbers of states to fit, and of the `part` of all that is kept aside, at random; `most` of either."""
        order = torch.randperm(len(self.x), generator=torch.Generator().manual_seed(check_seed(seed)), device="cpu")
        n_aside = round(part * len(self.x))
        return order[n_aside:][:most], order[:n_aside][:most]

    def in_units(self, states):
        return (states - self.mean) / self.deviation

    def derivatives_in_units(self, derivatives):
        return derivatives * self.deviation.flip(0) / self.energy

    def out_of_units(self, model):
        """The model, of H / E at x, made one of H at the states, with H(0, 0) = 0: its outer layers change."""
        first, last = model.linear_block[0], model.linear_block[-1]
        with torch.no_grad():
            first.weight /= self.deviation
            first.bias -= first.weight @ self.mean
            last.weight *= self.energy
            last.bias *= self.energy
            last.bias -= model.linear_block(torch.zeros_like(self.mean))
        return model

    def known(self):
        """What a model knows of these data: the period of q, and the least and the greatest q and p."""
        least, greatest = self.states.min(0).values.tolist(), self.states.max(0).values.tolist()
        return {"period": self.period, "q_range": (least[0], greatest[0]), "p_range": (least[1], greatest[1])}

    def explained_part(self, predict, of):
        """The part of the derivatives' mean square that predict(states) explains, `of` these states; a note if little.

        Both are counted in the units of y.
        """
        states, derivatives = self.states[of], self.derivatives[of]
        errors = predict(states).detach() - derivatives
        squares, of_errors = (self.derivatives_in_units(rows).square().sum(1) for rows in (derivatives, errors))  # (n,)
        unexplained = (of_errors.mean() / squares.mean().clamp(min=1e-300)).item()
        if unexplained > MISFIT:
            worst = of_errors.argmax()
            state, given = ([float(f"{value:.6g}") for value in rows[worst].tolist()] for rows in (states, derivatives))
            note(
                f"the model explains only {max(0, 1 - unexplained):.0%} of the derivatives: does the system lose "
                f"energy, or has it noise or a wrong row? The worst is the state {state} with the derivatives {given}"
            )
        return 1 - unexplained


def finite_rows(states, derivatives):
    """Both as float64 arrays (N, 2), without the rows that are masked or not finite in either."""
    x, y = as_float64("states", states), as_float64("true_derivatives", derivatives)
    if x.ndim != 2 or x.shape[-1] != 2 or y.shape != x.shape:
        raise ValueError(f"states and true_derivatives must both have the shape (N, 2), not {x.shape} and {y.shape}")
    is_whole = np.isfinite(x).all(axis=1) & np.isfinite(y).all(axis=1)
    if is_whole.sum() < FEWEST_STATES:
        raise ValueError(f"the fit needs at least {FEWEST_STATES} finite states, not {is_whole.sum()}")
    if not is_whole.all():
        note(f"{(~is_whole).sum():,} of {len(x):,} rows are masked or not finite, and are left out")
    return x[is_whole], y[is_whole]
