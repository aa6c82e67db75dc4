"""Which error is the integrator's and which the model's: the committed model under five integrators.

For each of the three orbits and each integrator, over 10,000 steps of 0.05 s:
- energy error of the integrator: greatest |H − H₀| of the true pendulum, rolled out with it;
- energy error of the model: how far the range of the true H along the learned orbit, over the last 1,000 steps, is
  from the true pendulum's range there, under the same integrator;
- |det − 1| of the learned map of 80 steps from the initial state, zero where it keeps the area;
- gradients of H that a step takes (for DOP853, per 0.05 s).

A second table parts the two faults of the post's learned orbits, its training box and its step: the greatest |H − H₀|
over 1,000 steps for each pair of a training (the weights of `hnn_training.py --recipe post`, and the committed ones)
and a step.

uv run --group bench python -m benchmarks.integrators           writes integrators.md beside this file
"""

import numpy as np

from benchmarks.common import Report, counted, determinant, midpoint_step, solved, stepped
from dist_dynamic import STEPS
from HNN import load_hnn
from hnn_model_derivs import learned_dynamics
from hnn_training import POINTS, train_as_post
from pendulum_nonlinear import pendulum_dynamics, pendulum_hamiltonian
from pendulum_tensor import POST_BOX, pendulum_dynamics_tensor, sample_states
from rigid_simulator_implicit import (
    DT,
    INITIAL_STATES,
    N_STEPS,
    explicit_euler_step,
    symplectic_euler_step,
    two_line_step,
)
from support.terminal import progress, run

LONG = 10_000  # steps
LAST = 1000  # steps over which the range of the energy is taken
TOLERANCE = 1e-12  # of DOP853


def dop853(dynamics, states, n_steps, dt):
    """The states after each time of dt, (n_steps, B, 2): one orbit at a time, since it adapts its step to each."""
    times = dt * np.arange(n_steps + 1)
    orbits = [solved(dynamics, [state], times, TOLERANCE)[0] for state in states]  # each (n_steps + 1, 2)
    return np.stack(orbits, axis=1)[1:]


EXPLICIT, SOLVED = "explicit Euler", "solved step (ours)"
INTEGRATORS = {
    EXPLICIT: stepped(explicit_euler_step),
    "two-line step (the post's)": stepped(two_line_step),
    SOLVED: stepped(symplectic_euler_step),
    "implicit midpoint": stepped(midpoint_step),
    f"DOP853, {TOLERANCE:.0e}": dop853,
}


def energies(orbit):
    """The true H along a rollout, (n_steps, B)."""
    return pendulum_hamiltonian([orbit[..., 0], orbit[..., 1]])


def range_at_the_end(H):
    """The least and the greatest of the energies (n_steps, B) over the LAST steps, (2, B)."""
    return np.array([H[-LAST:].min(axis=0), H[-LAST:].max(axis=0)])


def integrator_error(H_true, start):
    """How far the true pendulum's energies (n_steps, B) come from those of the start, (B,)."""
    return abs(H_true - start).max(axis=0)


def model_error(H_learned, H_true):
    """How far the range of the learned orbits' energies is from that of the true ones at the end, (B,)."""
    return abs(range_at_the_end(H_learned) - range_at_the_end(H_true)).max(axis=0)


def area_error(roll_out, dynamics, states):
    """|det − 1| of the map that carries the states, (B, 2), over STEPS steps, (B,).

    By the chain rule it is the product of the determinants of the steps. Those are taken one by one, by central
    differences, because the whole map from [3.1, 0] stretches a difference too far to be measured.
    """
    orbit = np.concatenate([[states], roll_out(dynamics, states, STEPS - 1, DT)])  # (STEPS, B, 2)
    each = determinant(lambda x: roll_out(dynamics, x, 1, DT)[-1], orbit.reshape(-1, 2))
    return abs(each.reshape(STEPS, -1).prod(axis=0) - 1)


def as_the_post(seed=0):
    """The network that `hnn_training.py --recipe post` trains."""
    states = sample_states(POINTS, POST_BOX, seed)
    return train_as_post(states, pendulum_dynamics_tensor(0, states), seed=seed)


def faults(trainings, start):
    """A row of greatest energy errors for each training {name: dynamics} under either step."""
    rows = []
    for training, dynamics in trainings.items():
        for step in (EXPLICIT, SOLVED):
            H = energies(INTEGRATORS[step](dynamics, INITIAL_STATES, N_STEPS, DT))
            rows.append([training, step, *(f"{error:.3g}" for error in integrator_error(H, start))])
    return rows


def main():
    report = Report(__file__)
    learned = learned_dynamics(load_hnn())
    start = energies(np.array(INITIAL_STATES))
    rows = []
    for name, roll_out in progress(INTEGRATORS.items(), desc="integrators"):
        counting, count = counted(learned)
        H_true = energies(roll_out(pendulum_dynamics, INITIAL_STATES, LONG, DT))
        H_learned = energies(roll_out(counting, INITIAL_STATES, LONG, DT))
        errors = [
            integrator_error(H_true, start),
            model_error(H_learned, H_true),
            area_error(roll_out, learned, INITIAL_STATES),
        ]
        least, greatest = range_at_the_end(H_learned)
        gradients = f"{count[0] / LONG / len(INITIAL_STATES):.1f}"
        for k, state in enumerate(INITIAL_STATES):
            of_state = [f"{error[k]:.1e}" for error in errors]
            rows.append([name, str(state), f"{least[k]:.4f}", f"{greatest[k]:.4f}", *of_state, gradients])
    report.table(
        [
            "integrator",
            "orbit",
            "least true H at the end, learned (J)",
            "greatest (J)",
            "energy error of the integrator (J)",
            "of the model (J)",
            "\\|det − 1\\|",
            "gradients a step",
        ],
        rows,
    )
    trainings = {
        "the post's": learned_dynamics(as_the_post()),
        "ours": learned,
        "none: the true equations": pendulum_dynamics,
    }
    report.say(f"Greatest |H − H₀| (J) over {N_STEPS:,} steps")
    report.table(["training", "step", *(f"from {state}" for state in INITIAL_STATES)], faults(trainings, start))
    report.write()


if __name__ == "__main__":
    run(main)
