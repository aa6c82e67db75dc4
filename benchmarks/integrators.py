"""Which error is the integrator's and which the model's: the committed model under five integrators.

For each of the three orbits and each integrator, over 10,000 steps of 0.05 s:
- energy error of the integrator: greatest |H − H₀| of the true pendulum, rolled out with it;
- energy error of the model: how far the range of the true H along the learned orbit, over the last 1,000 steps, is
  from the true pendulum's range there, under the same integrator;
- |det − 1| of the learned map of 80 steps from the initial state, zero where it keeps the area;
- gradients of H that a step takes (for DOP853, per 0.05 s).

uv run --group bench python -m benchmarks.integrators           prints a table
"""

import numpy as np
from scipy.integrate import solve_ivp

from benchmarks.common import determinant, print_table
from dist_dynamic import STEPS
from HNN import load_hnn
from hnn_model_derivs import learned_dynamics
from pendulum_nonlinear import pendulum_dynamics, pendulum_hamiltonian
from rigid_simulator_implicit import DT, INITIAL_STATES, explicit_euler_step, symplectic_euler_step
from support.command_line import progress, run

N_STEPS = 10_000
LAST = 1000  # steps over which the range of the energy is taken
TOLERANCE = 1e-12  # of DOP853


def two_line_step(dynamics, t, q, p, dt):
    """The post's semi-implicit Euler, ∂H/∂q at the old p: symplectic only where H is separable."""
    p = p + dt * dynamics(t, [q, p])[1]
    return q + dt * dynamics(t, [q, p])[0], p


def midpoint_step(dynamics, t, q, p, dt):
    """The implicit midpoint rule, symplectic and of second order, solved by fixed-point iteration."""
    q_next, p_next = q, p
    for _ in range(50):
        q_last, p_last = q_next, p_next
        dq_dt, dp_dt = dynamics(t, [(q + q_next) / 2, (p + p_next) / 2])
        q_next, p_next = q + dt * dq_dt, p + dt * dp_dt
        if (abs(q_next - q_last) + abs(p_next - p_last) < 1e-13).all():
            break
    return q_next, p_next


def stepped(step):
    """A rollout with `step`: roll_out(dynamics, states, n_steps) gives the states after each step, (n_steps, B, 2)."""

    def roll_out(dynamics, states, n_steps):
        (q, p), orbit = np.transpose(states), []
        for i in range(n_steps):
            q, p = step(dynamics, i * DT, q, p, DT)
            orbit.append(np.stack([q, p], axis=-1))
        return np.array(orbit)

    return roll_out


def dop853(dynamics, states, n_steps):
    """The same with SciPy's DOP853 at a tight tolerance, one orbit at a time, since it adapts its step to each."""

    def derivatives(t, state):
        return np.ravel(dynamics(t, state[:, None]))

    times = DT * np.arange(1, n_steps + 1)
    options = {"method": "DOP853", "t_eval": times, "rtol": TOLERANCE, "atol": TOLERANCE}
    orbits = [solve_ivp(derivatives, (0, n_steps * DT), state, **options).y for state in states]  # each (2, n_steps)
    return np.transpose(orbits, (2, 0, 1))


INTEGRATORS = {
    "explicit Euler": stepped(explicit_euler_step),
    "two-line update": stepped(two_line_step),
    "solved update (ours)": stepped(symplectic_euler_step),
    "implicit midpoint": stepped(midpoint_step),
    f"DOP853, {TOLERANCE:.0e}": dop853,
}


def counted(dynamics):
    """The same dynamics, and a list whose only entry counts the states that it is asked about."""
    count = [0]

    def counting(t, state):
        count[0] += np.size(state[0])
        return dynamics(t, state)

    return counting, count


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
    orbit = np.concatenate([[states], roll_out(dynamics, states, STEPS - 1)])  # (STEPS, B, 2)
    each = determinant(lambda x: roll_out(dynamics, x, 1)[-1], orbit.reshape(-1, 2))
    return abs(each.reshape(STEPS, -1).prod(axis=0) - 1)


def main():
    learned = learned_dynamics(load_hnn())
    start = energies(np.array(INITIAL_STATES))
    rows = []
    for name, roll_out in progress(INTEGRATORS.items(), desc="integrators"):
        counting, count = counted(learned)
        H_true = energies(roll_out(pendulum_dynamics, INITIAL_STATES, N_STEPS))
        H_learned = energies(roll_out(counting, INITIAL_STATES, N_STEPS))
        end = range_at_the_end(H_learned)
        errors = [
            integrator_error(H_true, start),
            model_error(H_learned, H_true),
            area_error(roll_out, learned, INITIAL_STATES),
        ]
        cost = f"{count[0] / N_STEPS / len(INITIAL_STATES):.1f}"
        for k, state in enumerate(INITIAL_STATES):
            numbers = [f"{error[k]:.1e}" for error in errors]
            rows.append([name, str(state), f"{end[0, k]:.4f} … {end[1, k]:.4f}", *numbers, cost if k == 0 else ""])
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
