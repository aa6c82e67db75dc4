"""The learned pendulum, rolled out and drawn over the true one.

The post steps its learned orbits by explicit Euler, which gains energy, and its outer orbit drifts off. The two-line
step of its true orbits is not symplectic for a network either, since its ∂H/∂q depends on p. We take the step that
solves for the new p, symplectic_euler_step in rigid_simulator_implicit.py.

uv run python rigid_simulator_HNN.py            writes FIG5.png
"""

import math
from functools import partial

from HNN import CHECKPOINT, load_hnn
from hnn_model_derivs import learned_dynamics, measure
from rigid_simulator_implicit import DT, INITIAL_STATES, N_STEPS, rollout, run_simulation, symplectic_euler_step
from support.inputs import check_rollout
from support.knowledge import own_value
from support.options import Options
from support.orbits import show_orbits
from support.terminal import run, say
from support.trust import note_of_range, verdict
from support.weights import weights_path


def run_simulation_HNN(init_state, model=None, n_steps=N_STEPS, dt=None, period=2 * math.pi):
    """The learned system's (p_vals, q_vals), p first as in the post: NumPy arrays shaped as those of run_simulation.

    `init_state` is one state [q, p] or a batch (B, 2): a list, an array or a tensor. Without a `model`, load_hnn()
    gives one. A model that train() made knows its period, and one from motion its dt (s): these are taken. `dt` (else
    DT) and `period` (None where q is no angle) serve for other models. Raises ValueError for a bad state, count or
    model, or a dt or period that is not the model's, and ArithmeticError where a step has no solution. Warns where an
    orbit leaves the q or p that the model was trained on.
    """
    model = load_hnn() if model is None else model
    advance = partial(symplectic_euler_step, learned_dynamics(model, period))
    dt = own_value(model, "dt", dt)
    dt = DT if dt is None else dt
    state = check_rollout(init_state, n_steps, dt, own_value(model, "period", period))
    q_vals, p_vals = rollout(advance, state[..., 0], state[..., 1], n_steps, dt)
    note_of_range(model, q_vals, p_vals)
    return p_vals, q_vals


def load_and_judge(path, device="cpu"):
    """The HNN of a script's --weights, after printing which file it is and how far to trust it."""
    path = weights_path(path, CHECKPOINT)
    model = load_hnn(path, device)
    say(verdict(path, model, *measure(model)))
    return model


def main():
    options = Options("Roll out the learned pendulum; draw its orbits over the true ones.")
    options.add_rollout(N_STEPS, DT)
    options.add_weights()
    options.add_device()
    options.add_figure("FIG5.png")
    args = options.parse()
    states = args.state or INITIAL_STATES
    model = load_and_judge(args.weights, args.device)
    truth = run_simulation(states, args.steps, args.dt)
    learned = run_simulation_HNN(states, model, args.steps, args.dt)
    show_orbits(args, states, truth, learned)


if __name__ == "__main__":
    run(main)
