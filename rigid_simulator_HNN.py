"""The learned pendulum, rolled out with the integrator of the truth, and drawn over it.

The network's H is not separable: ∂H/∂q depends on p, so the post's two-line update is not symplectic for it. The
solved update of rigid_simulator_implicit.py is.

uv run python rigid_simulator_HNN.py            writes FIG5.png
"""

import numpy as np

from HNN import load_hnn
from hnn_model_derivs import learned_dynamics, load_and_judge
from pendulum_nonlinear import LENGTH, pendulum_hamiltonian
from pendulum_tensor import TRAINING_BOX
from rigid_simulator_implicit import DT, INITIAL_STATES, N_STEPS, rollout, run_simulation
from support.checks import check_rollout
from support.command_line import Options, run
from support.orbits import Orbits, show_orbits


def run_simulation_HNN(init_state, model=None, n_steps=N_STEPS, dt=DT, period=2 * np.pi):
    """The learned pendulum's (p_vals, q_vals) after each step: NumPy arrays shaped as those of run_simulation.

    `init_state` is one state [q, p] or a batch (B, 2): a list, an array or a tensor. Without a `model`, the committed
    weights are loaded. The model sees q wrapped to one `period`; None is for a q that is no angle. Raises what
    run_simulation, learned_dynamics and load_hnn raise.
    """
    state = check_rollout(init_state, n_steps, dt)
    dynamics = learned_dynamics(load_hnn() if model is None else model, period)
    # Each step is symplectic Euler, p₁ = p₀ − dt ∂H/∂q(q₀, p₁), q₁ = q₀ + dt ∂H/∂p(q₀, p₁), with p₁ solved for.
    return rollout(dynamics, state[..., 0], state[..., 1], n_steps, dt)


def main():
    options = Options("Roll out the learned pendulum; draw its orbits over the true ones.")
    options.add_rollout(N_STEPS, DT)
    options.add_weights()
    options.add_device()
    options.add_figure("FIG5.png")
    args = options.parse()
    states = args.state or INITIAL_STATES
    model = load_and_judge(args.weights, args.device)
    truth = Orbits(states, *run_simulation(states, args.steps, args.dt), args.dt, pendulum_hamiltonian)
    learned = Orbits(states, *run_simulation_HNN(states, model, args.steps, args.dt), args.dt, pendulum_hamiltonian)
    if abs(learned.p).max() > TRAINING_BOX[1]:
        print(f"Note: an orbit leaves |p| ≤ {TRAINING_BOX[1]:.3g}, where hnn_training.py trains: do not trust it.")
    show_orbits(args, LENGTH, truth, learned)


if __name__ == "__main__":
    run(main)
