"""The true pendulum, rolled out with semi-implicit (symplectic) Euler: three orbits and their energy.

    p₁ = p₀ − dt ∂H/∂q(q₀, p₁)      the kick
    q₁ = q₀ + dt ∂H/∂p(q₀, p₁)      the drift

uv run python rigid_simulator_implicit.py       writes FIG3.png
"""

import numpy as np

from pendulum_nonlinear import GRAVITY, LENGTH, pendulum_dynamics, pendulum_hamiltonian
from support.checks import check_finite, check_rollout, why_unsettled
from support.command_line import Options, progress, run
from support.orbits import Orbits, show_orbits

INITIAL_STATES = [
    [0.5, 0.0],  # a small release
    [3.1, 0.0],  # almost upside down
    [0.0, 5.0],  # kicked from the bottom
]
DT = 0.05  # s
N_STEPS = 1000
LARGEST_DT = 2 * (LENGTH / GRAVITY) ** 0.5  # s: beyond it semi-implicit Euler is unstable even at the bottom
SOLVE_ITERATIONS = 50


def explicit_euler_step(dynamics, t, q, p, dt):
    """The step that is not symplectic, for contrast: (q₁, p₁), both from the old state."""
    dq_dt, dp_dt = dynamics(t, [q, p])
    return q + dt * dq_dt, p + dt * dp_dt


def symplectic_euler_step(dynamics, t, q, p, dt):
    """One step of symplectic Euler, p first: (q₁, p₁), for arrays or tensors q and p of one shape.

    `dynamics(t, [q, p])` gives [dq_dt, dp_dt]. p₁ stands on both sides of the kick; solving for it is what makes the
    step symplectic for any H (Hairer, Lubich, Wanner, Geometric Numerical Integration, Theorem VI.3.3). The kick is
    repeated at the latest p₁ until p₁ settles. Where dp_dt depends on q alone, as for the true pendulum, the first kick
    is p₁, the second confirms it, and the step is the post's two-line update. Raises ArithmeticError where p₁ does
    not settle.
    """
    p_next = p + dt * dynamics(t, [q, p])[1]
    settled = (1e-12 if p.dtype.itemsize >= 8 else 1e-5) * (1 + abs(p))  # float64, float32
    for _ in range(SOLVE_ITERATIONS):
        dq_dt, dp_dt = dynamics(t, [q, p_next])
        p_last, p_next = p_next, p + dt * dp_dt
        if (abs(p_next - p_last) <= settled).all():
            return q + dt * dq_dt, p_next
    raise ArithmeticError(f"step {round(t / dt) + 1} (t = {t:.6g} s): {why_unsettled(p_next)}")


def rollout(dynamics, q, p, n_steps=N_STEPS, dt=DT):
    """p and q after each of `n_steps` steps from the arrays (q, p): two arrays of shape (n_steps, *q.shape)."""
    p_vals, q_vals = np.empty((n_steps, *q.shape)), np.empty((n_steps, *q.shape))
    for i in progress(range(n_steps), desc="rollout", unit="step"):
        q, p = symplectic_euler_step(dynamics, i * dt, q, p, dt)
        p_vals[i], q_vals[i] = p, q
    return check_finite("p after step", p_vals), check_finite("q after step", q_vals)


def run_simulation(init_state, n_steps=N_STEPS, dt=DT):
    """The true pendulum's (p_vals, q_vals) after each of `n_steps` steps of `dt` s, from `init_state` [q, p].

    One state, (2,), gives arrays (n_steps,); a batch, (B, 2), is rolled out together and gives (n_steps, B).
    Raises ValueError for a state, a count or a dt that is out of range, ArithmeticError as the step does.
    """
    state = check_rollout(init_state, n_steps, dt, LARGEST_DT)
    return rollout(pendulum_dynamics, state[..., 0], state[..., 1], n_steps, dt)


def main():
    options = Options("Roll out the true pendulum; draw its orbits and their energy.")
    options.add_rollout(N_STEPS, DT)
    options.add_figure("FIG3.png")
    args = options.parse()
    states = args.state or INITIAL_STATES
    truth = Orbits(states, *run_simulation(states, args.steps, args.dt), args.dt, pendulum_hamiltonian)
    show_orbits(args, LENGTH, truth)


if __name__ == "__main__":
    run(main)
