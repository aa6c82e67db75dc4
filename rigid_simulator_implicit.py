"""The steps of semi-implicit (symplectic) Euler, and three orbits of the true pendulum with their energy.

    p₁ = p₀ − dt ∂H/∂q(q₀, p₁)      the kick
    q₁ = q₀ + dt ∂H/∂p(q₀, p₁)      the drift

For the pendulum ∂H/∂q does not depend on p, so that the kick is known at once, and these are the post's two lines. A
network's ∂H/∂q does depend on p, and the kick is then an equation for p₁.

A step takes and gives q, p in this order; run_simulation gives p first, because the post's does.

uv run python rigid_simulator_implicit.py       writes FIG3.png
"""

from functools import partial

import numpy as np

from pendulum_nonlinear import pendulum_dynamics
from support.fixed_point import fixed_point
from support.inputs import check_finite, check_pendulum_dt, check_rollout
from support.options import Options
from support.orbits import show_orbits
from support.terminal import progress, run

INITIAL_STATES = [
    [0.5, 0.0],  # a small release
    [3.1, 0.0],  # almost upside down
    [0.0, 5.0],  # kicked from the bottom
]
DT = 0.05  # s
N_STEPS = 1000


def two_line_step(dynamics, t, q, p, dt):
    """The post's step: (q₁, p₁) by semi-implicit Euler, which moves p before q.

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
    """The step that is symplectic for any H: (q₁, p₁), for q and p, arrays of one shape.

    It solves p₁ = p₀ + dt dp_dt(q₀, p₁) for p₁ by the secant method (Hairer, Lubich, Wanner, Geometric Numerical
    Integration, Theorem VI.3.3). Where dp_dt depends on q alone, this is two_line_step, bit for bit. Raises
    ArithmeticError where no p₁ is found.
    """

    def kick_and_drift(p_1):
        dq_dt, dp_dt = dynamics(t, [q, p_1])
        return p + dt * dp_dt, q + dt * dq_dt

    # solves p₁ = kick(p₁), for each orbit by itself; q₁ comes with it
    p_1, q_1 = fixed_point(kick_and_drift, p, when=f"t = {t:.6g} s")
    return q_1, p_1


def rollout(advance, q, p, n_steps=N_STEPS, dt=DT):
    """(q_vals, p_vals), (n_steps, ...) each, after each of `n_steps` steps from q and p, numbers or arrays (...).

    advance(t, q, p, dt) is a step with its dynamics in it, such as partial(two_line_step, pendulum_dynamics).
    """
    q_vals, p_vals = np.empty((2, n_steps, *np.shape(q)))
    for i in progress(range(n_steps), desc="rollout", unit="step"):
        q, p = advance(i * dt, q, p, dt)
        q_vals[i], p_vals[i] = q, p
    return check_finite("q after step", q_vals), check_finite("p after step", p_vals)


def run_simulation(init_state, n_steps=N_STEPS, dt=DT):
    """The true pendulum's (p_vals, q_vals), p first as in the post, after each of `n_steps` steps of `dt` (s).

    `init_state` is one state [q, p] in rad and kg m²/s, which gives arrays (n_steps,), or a batch (B, 2), which is
    rolled out together and gives (n_steps, B). Raises ValueError for a state, a count or a dt that is out of range.
    """
    check_pendulum_dt(dt)
    state = check_rollout(init_state, n_steps, dt)
    advance = partial(two_line_step, pendulum_dynamics)
    q_vals, p_vals = rollout(advance, state[..., 0], state[..., 1], n_steps, dt)
    return p_vals, q_vals


def main():
    options = Options("Roll out the true pendulum; draw its orbits and their energy.")
    options.add_rollout(N_STEPS, DT)
    options.add_figure("FIG3.png")
    args = options.parse()
    states = args.state or INITIAL_STATES
    show_orbits(args, states, truth=run_simulation(states, args.steps, args.dt))


if __name__ == "__main__":
    run(main)
