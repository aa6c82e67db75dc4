"""The learned pendulum, rolled out and drawn over the true one.

The post steps its learned orbits by explicit Euler, which gains energy, and its outer orbit drifts off. The two-line
step of its true orbits is not symplectic for a network either, since its ∂H/∂q depends on p. We take the step that
solves for the new p, symplectic_euler_step in rigid_simulator_implicit.py.

uv run python rigid_simulator_HNN.py            writes FIG5.png
"""

import math

from HNN import CHECKPOINT, load_hnn
from hnn_model_derivs import learned_dynamics, measure
from rigid_simulator_implicit import DT, INITIAL_STATES, N_STEPS, rollout, run_simulation, symplectic_euler_step
from support.derivatives import learned_energy
from support.inputs import check_rollout
from support.notes import note_of_angles
from support.options import Options
from support.orbits import Orbits, show_orbits
from support.terminal import run, say
from support.trust import judge_derivatives, judge_motion, note_of_range
from support.weights import own_dt, own_period, weights_path


def learned_step(model, period=2 * math.pi):
    """step(t, q, p, dt) -> (q₁, p₁) of a model of H; for the `period` of q see learned_dynamics.

    Where the model knows the γ (1/s) of dp/dt = −∂H/∂q − γ p, the step first scales p by e^(−γ dt). Every area in phase
    space then shrinks by the same factor (McLachlan, Perlmutter 2001).
    """
    dynamics = learned_dynamics(model, period)
    friction = getattr(model, "knows", {}).get("friction", 0.0)

    def step(t, q, p, dt):
        return symplectic_euler_step(dynamics, t, q, math.exp(-friction * dt) * p, dt)

    return step


def run_simulation_HNN(init_state, model=None, n_steps=N_STEPS, dt=None, period=2 * math.pi):
    """The learned system's (p_vals, q_vals), p first as in the post: NumPy arrays shaped as those of run_simulation.

    `init_state` is one state [q, p] or a batch (B, 2): a list, an array or a tensor. Without a `model`, load_hnn()
    gives one. Where the model knows its dt (s), its friction or its period, these are taken. Else dt is `dt` or DT,
    there is no friction, and q has the `period`, None for no angle. Raises ValueError for a bad state, count, dt,
    period or model, and ArithmeticError where a step has no solution; warns where an orbit leaves the q, p or energy
    that the model was trained on.
    """
    model = load_hnn() if model is None else model
    step = learned_step(model, period)
    dt = own_dt(model, dt, default=DT)
    state = check_rollout(init_state, n_steps, dt)
    if own_period(model, period) == 2 * math.pi:
        note_of_angles(state)
    q_vals, p_vals = rollout(step, state[..., 0], state[..., 1], n_steps, dt)
    note_of_range(model, q_vals, p_vals)
    return p_vals, q_vals


def load_and_judge(path, device="cpu"):
    """The HNN of --weights, after printing which file it is and how far to trust it."""
    path = weights_path(path, CHECKPOINT)
    model = load_hnn(path, device)
    is_of_motion = "dt" in model.knows
    verdict = judge_motion(model.knows, learned_step(model)) if is_of_motion else judge_derivatives(*measure(model))
    say(f"Weights {path}, {verdict}")
    return model


def main():
    options = Options("Roll out the learned pendulum; draw its orbits over the true ones.")
    options.add_rollout(N_STEPS, DT, ", or what the weights know of it")
    options.add_weights()
    options.add_device()
    options.add_figure("FIG5.png")
    args = options.parse()
    states = args.state or INITIAL_STATES
    model = load_and_judge(args.weights, args.device)
    dt = own_dt(model, args.dt, default=DT)
    truth = energy = None
    if "dt" in model.knows:  # a model of a recording has an energy of its own, and no true orbit
        energy = learned_energy(model)
    else:
        truth = Orbits("truth", states, *run_simulation(states, args.steps, dt), dt)
    learned = Orbits("learned", states, *run_simulation_HNN(states, model, args.steps, dt), dt, energy)
    show_orbits(args, learned, truth)


if __name__ == "__main__":
    run(main)
