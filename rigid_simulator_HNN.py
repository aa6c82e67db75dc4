"""The learned pendulum, rolled out and drawn over the true one.

The post steps its learned orbits by explicit Euler, which gains energy, and its outer orbit drifts off. The two-line
step of its truth would not be symplectic for a network either, whose ∂H/∂q depends on p. We take the step that solves
for p₁, symplectic_euler_step in rigid_simulator_implicit.py.

uv run python rigid_simulator_HNN.py            writes FIG5.png
"""

from functools import partial

import numpy as np

from HNN import CHECKPOINT, load_hnn
from hnn_model_derivs import learned_dynamics, measure
from rigid_simulator_implicit import DT, INITIAL_STATES, N_STEPS, rollout, run_simulation, symplectic_euler_step
from support.checks import check_rollout
from support.command_line import Options, run, say
from support.device import threads_for
from support.exact import exact_motion
from support.knowledge import known, note_of_range, rollout_dt, rollout_period
from support.notes import note_of_angles
from support.orbits import Orbits, show_orbits
from support.trust import judge_derivatives, judge_motion, weights_path


def run_simulation_HNN(init_state, model=None, n_steps=N_STEPS, dt=None, period="own"):
    """The learned system's (p_vals, q_vals), p first as in the post: NumPy arrays shaped as those of run_simulation.

    `init_state` is one state [q, p] or a batch (B, 2): a list, an array or a tensor. Without a `model`, the committed
    weights are used. dt (s) is the model's own where it was learned from motion, else DT; for the `period` see
    learned_dynamics. Raises ValueError for a bad state, count, dt, period or model, and ArithmeticError where a step
    has no solution; warns where an orbit leaves the range of p that the model was trained on.
    """
    model = load_hnn() if model is None else model
    period, dt = rollout_period(model, period), rollout_dt(model, dt, default=DT)
    state = check_rollout(init_state, n_steps, dt)
    note_of_angles(state, dt, period)
    dynamics = learned_dynamics(model, period)
    with threads_for(state.size // 2):
        q_vals, p_vals = rollout(symplectic_euler_step, dynamics, state[..., 0], state[..., 1], n_steps, dt)
    note_of_range(model, p_vals)
    return p_vals, q_vals


def load_and_judge(path, device="cpu"):
    """The HNN of a script's --weights, after a line that says which file it is and how far to trust it."""
    path = weights_path(path, CHECKPOINT)
    model = load_hnn(path, device)
    if known(model, "dt") is None:
        trust = judge_derivatives(*measure(model))
    else:  # learned from motion: by its step(q, p, dt), against the exact pendulum
        trust = judge_motion(model, partial(symplectic_euler_step, learned_dynamics(model), 0.0))  # at t = 0
    say(f"Weights {path}, {trust}")
    return model


def main():
    options = Options("Roll out the learned pendulum; draw its orbits over the true ones.")
    options.add_rollout(N_STEPS, DT, ", or that of the record that the weights were learned from")
    options.add_weights()
    options.add_device()
    options.add_figure("FIG5.png")
    args = options.parse()
    states = args.state or INITIAL_STATES
    model = load_and_judge(args.weights, args.device)
    dt = rollout_dt(model, args.dt, default=DT)
    learned = Orbits("learned", states, *run_simulation_HNN(states, model, args.steps, dt), dt)
    if known(model, "dt") is None:
        truth = Orbits("true pendulum", states, *run_simulation(states, args.steps, dt), dt)
    else:  # a model of motion is to repeat the exact motion, without the error of a step
        q_vals, p_vals = exact_motion(*np.transpose(states), args.steps, dt)
        truth = Orbits("exact pendulum", states, p_vals, q_vals, dt, is_exact=True)
    show_orbits(args, truth, learned)


if __name__ == "__main__":
    run(main)
