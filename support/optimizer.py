"""torch's L-BFGS for a loss without arguments, without the seconds that its first use takes."""

import inspect

import torch


class LBFGSMinimizer(torch.optim.LBFGS):
    """torch's L-BFGS with a strong Wolfe line search; step(loss) takes so many `iterations` towards the least loss().

    The loss is divided by its first value, since torch's L-BFGS takes no notice of curvatures below 1e-10. Any torch
    optimizer imports torch's compiler when it is made, which takes longer than the whole training here and is not
    used. So this one does not; nor may its zero_grad() be called.
    """

    add_param_group = inspect.unwrap(torch.optim.LBFGS.add_param_group)

    def __init__(self, layers, iterations):
        options = {"history_size": 50, "line_search_fn": "strong_wolfe", "tolerance_grad": 0, "tolerance_change": 0}
        super().__init__(layers.parameters(), max_iter=iterations, **options)
        self.layers, self.first_loss = layers, None

    def step(self, loss):
        self.first_loss = self.first_loss or loss().item() or 1.0

        def closure():
            self.layers.zero_grad()
            part = loss() / self.first_loss
            part.backward()
            return part

        super().step(closure)
