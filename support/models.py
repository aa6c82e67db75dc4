"""Models of H from outside: whatever maps states to energies is made ready for a rollout, or refused in a sentence."""

import copy

import numpy as np
import torch
from torch import nn

from support.closed_form import LAYERS, closed_form_derivatives
from support.device import gradients


def frozen_model(model):
    """`model` as it is now: a copy in float64 and in evaluation mode, which later training does not change."""
    if not callable(model):
        raise ValueError(f"a model of H maps states (B, 2) to energies (B, 1); {model!r:.60} is none")
    with gradients():  # what was made under torch.inference_mode() takes part in autograd once it is copied
        return copy.deepcopy(model).double().eval() if isinstance(model, nn.Module) else model


def model_device(model):
    """Where the model's weights are; the CPU for a model without any."""
    weights = model.parameters() if isinstance(model, nn.Module) else ()
    return next(iter(weights), torch.empty(0)).device


def check_energies(model, derivatives, x):
    """The derivatives at the states x, (B, 2); raises ValueError unless each state has an energy of its own.

    An energy may be no finite number, for the model may be one of a part of phase space; a weight may not.
    """
    for name, weight in model.named_parameters() if isinstance(model, nn.Module) else ():
        if not weight.isfinite().all():
            raise ValueError(f"the model's {name} holds values that are not finite numbers; train anew")
    try:
        with torch.no_grad():
            H = model(torch.tensor(x, device=model_device(model)))
        together = derivatives(x)
        alone = np.concatenate([derivatives(state) for state in x[:, None]])
    except Exception as error:  # whatever a model from outside may raise
        raise ValueError(f"the model cannot be used: it fails on float64 states of shape (B, 2) ({error})") from None
    is_alone = np.allclose(together, alone, rtol=1e-6, atol=1e-9, equal_nan=True)
    if H.shape not in ((len(x), 1), (len(x),)) or not is_alone:
        raise ValueError("the model must give one energy H for each state, (B, 1), that depends on no other state")
    return together


def frozen_derivatives(model, time_derivatives, few, has_closed_form):
    """The model's time derivatives as they are now, as a function from arrays (B, 2) to arrays (B, 2), in float64.

    They come by autograd, time_derivatives(model, x); for an HNN on the CPU by its closed form, which is faster. Both
    are compared at a `few` states first, so that a network with another activation, or a hook, takes the way that is
    right. Whether the model is an HNN, `has_closed_form`, is for the caller to say.
    """
    model = frozen_model(model)
    device = model_device(model)

    def by_autograd(x):
        with torch.no_grad():
            return time_derivatives(model, torch.tensor(x, device=device)).cpu().numpy()

    few = few.numpy()
    expected = check_energies(model, by_autograd, few)
    if has_closed_form and list(model.linear_block.state_dict()) == LAYERS and device.type == "cpu":
        closed_form = closed_form_derivatives(model)
        if np.allclose(closed_form(few), expected, rtol=1e-9, atol=1e-9 * abs(expected).max()):
            return closed_form
    return by_autograd
