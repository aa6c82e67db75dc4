"""The units in which data of any system are of size 1, so that one fit serves all."""

import torch


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
