"""torch's L-BFGS, without the seconds that its first use takes."""

import inspect

import torch


class LBFGS(torch.optim.LBFGS):
    """torch's L-BFGS with a strong Wolfe line search and so many `iterations` a step.

    Any torch optimizer imports torch's compiler when it is made, which takes longer than the whole training here and
    is not used. So this one does not; nor may its zero_grad() be called.
    """

    add_param_group = inspect.unwrap(torch.optim.LBFGS.add_param_group)

    def __init__(self, parameters, iterations):
        options = {"history_size": 50, "line_search_fn": "strong_wolfe", "tolerance_grad": 0, "tolerance_change": 0}
        super().__init__(parameters, max_iter=iterations, **options)
