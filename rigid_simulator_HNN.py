"""The learned pendulum, rolled out with the integrator of the truth, and drawn over it.

The network's H is not separable: ∂H/∂q depends on p, so the post's two-line update is not symplectic for it. The
solved update of rigid_simulator_implicit.py is.

uv run python rigid_simulator_HNN.py            writes FIG5.png
"""

if __name__ == "__main__":  # first, because the imports below take seconds, in which Ctrl-C may come
    from command_line import expect_interrupts

    expect_interrupts()

import argparse
import copy

import numpy as np
import torch
from torch import nn

from command_line import add_rollout_options, check_figure, check_rollout, finish_figure, run
from HNN import CHECKPOINT, HNN, load_hnn
from hnn_model_derivs import closed_form_derivatives, get_model_time_derivatives
from hnn_training import TRAINING_BOX
from pendulum_nonlinear import wrap_angle
from rigid_simulator_implicit import (
    DT,
    INITIAL_STATES,
    LARGEST_DT,
    N_STEPS,
    draw_orbits,
    print_energies,
    rollout,
    run_simulation,
)


def array_library(model):
    """numpy for a model on the CPU, where it is the faster one for this network, torch for one on another device."""
    return np if model_device(model).type == "cpu" else torch


def model_device(model):
    """Where the model's weights are; the CPU for a model without any."""
    parameters = model.parameters() if isinstance(model, nn.Module) else iter(())
    return next(parameters, torch.empty(0)).device


def learned_dynamics(model):
    """dynamics(t, [q, p]) -> [dq_dt, dp_dt] of a model of H, for the integrator, in float64 and without a graph.

    The model may be an HNN or any other that maps (B, 2) to one H each; its weights are taken as they are now. It
    sees q wrapped to one turn, the only one that it was taught. q and p belong to array_library(model).
    """
    xp = array_library(model)
    if type(model) is HNN:
        derivatives = closed_form_derivatives(model, xp)
    else:
        frozen = copy.deepcopy(model).double() if isinstance(model, nn.Module) else model

        def derivatives(x):
            with torch.no_grad():
                dx_dt = get_model_time_derivatives(frozen, torch.as_tensor(x))
            return dx_dt.numpy() if xp is np else dx_dt

    def dynamics(t, state):
        q, p = state
        wrapped = wrap_angle(q)
        x = np.array([wrapped, p]).T if xp is np else torch.stack([wrapped, p], dim=-1)  # (B, 2)
        dx_dt = derivatives(x)
        return [dx_dt[:, 0], dx_dt[:, 1]]

    return dynamics


def run_simulation_HNN(init_state, model=None, n_steps=N_STEPS, dt=DT):
    """The learned pendulum's (p_vals, q_vals) after each step: NumPy arrays shaped as those of run_simulation.

    `init_state` is one state [q, p] or a batch (B, 2): a list, an array or a tensor. Without a `model`, the committed
    weights are loaded. Raises what run_simulation raises, and what load_hnn raises.
    """
    state = check_rollout(init_state, n_steps, dt, LARGEST_DT)
    model = load_hnn() if model is None else model
    q, p = np.atleast_2d(state).T  # (B,), (B,)
    to_numpy = np.asarray
    if array_library(model) is torch:
        q, p = (torch.tensor(x, device=model_device(model)) for x in (q, p))
        to_numpy = torch.Tensor.cpu
    p_vals, q_vals = rollout(learned_dynamics(model), q, p, n_steps, dt, to_numpy)  # (n_steps, B)
    return (p_vals[:, 0], q_vals[:, 0]) if state.ndim == 1 else (p_vals, q_vals)


def main():
    parser = argparse.ArgumentParser(description="Roll out the learned pendulum; draw its orbits over the true ones.")
    add_rollout_options(parser, N_STEPS, DT, "FIG5.png")
    parser.add_argument("--weights", default=CHECKPOINT, help="checkpoint to use (default: the one beside this file)")
    parser.add_argument("--device", default="cpu", help="torch device (default: %(default)s)")
    args = parser.parse_args()
    check_figure(args.output)
    states = args.state or INITIAL_STATES
    model = load_hnn(args.weights, args.device)
    truth = run_simulation(states, args.steps, args.dt)
    learned = run_simulation_HNN(states, model, args.steps, args.dt)
    print_energies(states, truth, learned)
    if abs(learned[0]).max() > TRAINING_BOX[1]:
        print(f"Note: an orbit leaves |p| ≤ {TRAINING_BOX[1]}, where our network was trained: do not trust it there.")
    finish_figure(draw_orbits(states, args.dt, truth, learned), args.output, args.show)


if __name__ == "__main__":
    run(main)
