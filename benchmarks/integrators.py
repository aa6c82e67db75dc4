"""Which error is the integrator's and which the model's: the committed model under five integrators.

For each orbit and integrator, over 10,000 steps of 0.05 s:
- energy error of the integrator: greatest |H − H₀| of the true pendulum, rolled out with it;
- energy error of the model: how far the range of the true H along the learned orbit, over the last 1,000 steps, is
  from the true pendulum's range there, under the same integrator;
- |det − 1| of the learned 80-step map from the initial state, by central differences;
- gradients of H that a step takes (for DOP853, per 0.05 s).

uv run --group bench python benchmarks/integrators.py
"""

import sys
from pathlib import Path

import numpy as np
from scipy.integrate import solve_ivp
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from command_line import run

from benchmarks.common import print_table
from dist_dynamic import STEPS, determinant, explicit_euler_step
from HNN import load_hnn
from pendulum_nonlinear import pendulum_dynamics, pendulum_hamiltonian
from rigid_simulator_HNN import learned_dynamics
from rigid_simulator_implicit import DT, INITIAL_STATES, symplectic_euler_step

N_STEPS = 10_000
LAST = 1000


def two_line_step(dynamics, t, q, p, dt):
    """The textbook's semi-implicit Euler, ∂H/∂q at the old p: symplectic only where H is separable."""
    p = p + dt * dynamics(t, [q, p])[1]
    return q + dt * dynamics(t, [q, p])[0], p


def midpoint_step(dynamics, t, q, p, dt):
    """The implicit midpoint rule, symplectic and second order, solved by fixed-point iteration."""
    q_next, p_next = q, p
    for _ in range(50):
        q_last, p_last = q_next, p_next
        dq_dt, dp_dt = dynamics(t, [(q + q_next) / 2, (p + p_next) / 2])
        q_next, p_next = q + dt * dq_dt, p + dt * dp_dt
        if (abs(q_next - q_last) + abs(p_next - p_last) < 1e-13).all():
            break
    return q_next, p_next


STEPPERS = {
    "explicit Euler": explicit_euler_step,
    "two-line update": two_line_step,
    "solved update (ours)": symplectic_euler_step,
    "implicit midpoint": midpoint_step,
}


def dop853(dynamics, q, p, n_steps):
    """SciPy's DOP853 at tight tolerance, one orbit at a time; (q, p) after each step of DT, as a list."""
    orbits = []
    for state in zip(q, p, strict=True):
        solution = solve_ivp(
            lambda t, y: np.ravel(dynamics(t, y[:, None])),
            (0, n_steps * DT),
            state,
            method="DOP853",
            t_eval=DT * np.arange(1, n_steps + 1),
            rtol=1e-12,
            atol=1e-12,
        )
        orbits.append(solution.y)
    return list(np.transpose(orbits, (2, 1, 0)))  # of (2, B)


def stepped(step):
    """A roll-out with `step`, as dop853 gives it."""

    def roll_out(dynamics, q, p, n_steps):
        orbit = []
        for i in range(n_steps):
            q, p = step(dynamics, i * DT, q, p, DT)
            orbit.append((q, p))
        return orbit

    return roll_out


def counted(dynamics):
    """The same dynamics, and a list whose only entry counts the states that it is asked about."""
    count = [0]

    def counting(t, state):
        count[0] += np.size(state[0])
        return dynamics(t, state)

    return counting, count


def end_of(roll_out, dynamics, n_steps):
    """The map (q, p) -> (q, p) of so many steps."""
    return lambda q, p: roll_out(dynamics, q, p, n_steps)[-1]


def main():
    q, p = np.array(INITIAL_STATES).T
    learned = learned_dynamics(load_hnn())
    rows = []
    integrators = {name: stepped(step) for name, step in STEPPERS.items()} | {"DOP853, 1e-12": dop853}
    for name, roll_out in tqdm(integrators.items(), desc="integrators"):
        counting, count = counted(learned)
        with np.errstate(over="ignore"):
            H_true, H_learned = (
                pendulum_hamiltonian(np.array(roll_out(dynamics, q, p, N_STEPS)).transpose(1, 0, 2))
                for dynamics in (pendulum_dynamics, counting)
            )
            error = abs(determinant(end_of(roll_out, learned, STEPS), INITIAL_STATES) - 1)
        integrator_error = abs(H_true - pendulum_hamiltonian([q, p])).max(axis=0)
        ends = [np.array([H[-LAST:].min(axis=0), H[-LAST:].max(axis=0)]) for H in (H_true, H_learned)]
        model_error = abs(ends[1] - ends[0]).max(axis=0)
        for k, state in enumerate(INITIAL_STATES):
            cost = f"{count[0] / N_STEPS / len(q):.1f}" if k == 0 else ""
            H_end = f"{ends[1][0, k]:.4f} … {ends[1][1, k]:.4f}"
            numbers = [f"{x[k]:.1e}" for x in (integrator_error, model_error, error)]
            rows.append([name, str(state), H_end, *numbers, cost])
    print_table(
        [
            "integrator",
            "orbit",
            "true energy at the end, learned (J)",
            "energy error of the integrator (J)",
            "of the model (J)",
            "\\|det − 1\\|",
            "gradients a step",
        ],
        rows,
    )


if __name__ == "__main__":
    run(main)
