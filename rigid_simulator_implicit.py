"""The steps of semi-implicit (symplectic) Euler, and three orbits of the true pendulum with their energy.

    p₁ = p₀ − dt ∂H/∂q(q₀, p₁)      the kick
    q₁ = q₀ + dt ∂H/∂p(q₀, p₁)      the drift

uv run python rigid_simulator_implicit.py       writes FIG3.png
"""

import numpy as np

from pendulum_nonlinear import pendulum_dynamics
from support.checks import LARGEST_DT, check_finite, check_positive, check_rollout, why_unsettled
from support.command_line import Options, progress, run
from support.notes import note_of_angles
from support.orbits import Orbits, show_orbits

INITIAL_STATES = [
    [0.5, 0.0],  # a small release
    [3.1, 0.0],  # almost upside down
    [0.0, 5.0],  # kicked from the bottom
]
DT = 0.05  # s
N_STEPS = 1000
FOUND = 1e-12  # p₁ is found once the residual of the kick is this part of |p₀| + |p₁|
ROUNDED = 1e-5  # the same, once rounding lets the residual shrink no further, as for a model in float32
MOST_TRIES = 50  # evaluations of the derivatives in one step


def two_line_step(dynamics, t, q, p, dt):
    """The post's step: (q₁, p₁) by semi-implicit Euler, p first.

    `dynamics(t, [q, p])` gives [dq_dt, dp_dt]. The step is symplectic where ∂H/∂q does not depend on p, as for the
    true pendulum, since the kick is then the same at p₀ as at p₁.
    """
    p = p + dt * dynamics(t, [q, p])[1]
    q = q + dt * dynamics(t, [q, p])[0]
    return q, p


def explicit_euler_step(dynamics, t, q, p, dt):
    """The step that is not symplectic, for contrast: (q₁, p₁), both from the old state."""
    dq_dt, dp_dt = dynamics(t, [q, p])
    return q + dt * dq_dt, p + dt * dp_dt


def symplectic_euler_step(dynamics, t, q, p, dt):
    """The step that is symplectic for any H: (q₁, p₁) for arrays or tensors q and p of one shape.

    Where ∂H/∂q depends on p, as for a network, p₁ stands on both sides of the kick and has to be solved for (Hairer,
    Lubich, Wanner, Geometric Numerical Integration, Theorem VI.3.3). It is the root of the residual

        r(p₁) = p₁ − p₀ − dt dp_dt(q₀, p₁),

    found by the secant method from p₀ and the post's kick, which settles at time steps where repeating the kick does
    not. A p₁ is accepted only once its own residual was seen to be nothing.
    Where dp_dt depends on q alone, the post's kick is p₁, and the step is two_line_step. Raises ArithmeticError where
    no p₁ is found.
    """
    p_last, r_last = p, -dt * dynamics(t, [q, p])[1]
    p_next = p - r_last
    for tries in range(MOST_TRIES):
        dq_dt, dp_dt = dynamics(t, [q, p_next])
        r = p_next - (p + dt * dp_dt)
        size = abs(p) + abs(p_next)
        found = abs(r) <= FOUND * size
        if tries > 0:  # where rounding is coarser than that, r no longer shrinks
            found = found | ((abs(r) <= ROUNDED * size) & (abs(r) > abs(r_last) / 2))
        if found.all():
            return q + dt * dq_dt, p_next
        r = r * ~found  # an orbit whose p₁ is found waits there for the others
        moved, change = p_next - p_last, r - r_last
        moved = moved + (moved == 0)
        slope = (change + (change == 0) * moved) / moved  # 1, as for a kick that does not depend on p, where 0 / 0
        p_last, r_last, p_next = p_next, r, p_next - r / slope
    raise ArithmeticError(f"step {round(t / dt) + 1} (t = {t:.6g} s): {why_unsettled(p_next)}")


def rollout(step, dynamics, q, p, n_steps=N_STEPS, dt=DT):
    """(q_vals, p_vals) after each of `n_steps` steps from q and p: two arrays of shape (n_steps, *q.shape)."""
    q_vals, p_vals = np.empty((n_steps, *q.shape)), np.empty((n_steps, *p.shape))
    for i in progress(range(n_steps), desc="rollout", unit="step"):
        q, p = step(dynamics, i * dt, q, p, dt)
        q_vals[i], p_vals[i] = q, p
    return check_finite("q after step", q_vals), check_finite("p after step", p_vals)


def run_simulation(init_state, n_steps=N_STEPS, dt=DT):
    """The true pendulum's (p_vals, q_vals), p first as in the post, after each of `n_steps` steps of `dt` (s).

    `init_state` is one state [q, p] in rad and kg m²/s, which gives arrays (n_steps,), or a batch (B, 2), which is
    rolled out together and gives (n_steps, B). Raises ValueError for a state, a count or a dt that is out of range.
    """
    state = check_rollout(init_state, n_steps, check_positive("dt", dt, LARGEST_DT))
    note_of_angles(state, dt)
    q_vals, p_vals = rollout(two_line_step, pendulum_dynamics, state[..., 0], state[..., 1], n_steps, dt)
    return p_vals, q_vals


def main():
    options = Options("Roll out the true pendulum; draw its orbits and their energy.")
    options.add_rollout(N_STEPS, DT)
    options.add_figure("FIG3.png")
    args = options.parse()
    states, dt = args.state or INITIAL_STATES, DT if args.dt is None else args.dt
    show_orbits(args, Orbits("true pendulum", states, *run_simulation(states, args.steps, dt), dt))


if __name__ == "__main__":
    run(main)
