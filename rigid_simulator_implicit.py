"""The true pendulum, rolled out with semi-implicit (symplectic) Euler: three orbits and their energy.

    p₁ = p₀ − dt ∂H/∂q(q₀, p₁)      the kick
    q₁ = q₀ + dt ∂H/∂p(q₀, p₁)      the drift

uv run python rigid_simulator_implicit.py       writes FIG3.png
"""

if __name__ == "__main__":  # first, because the imports below take seconds, in which Ctrl-C may come
    from command_line import expect_interrupts

    expect_interrupts()

import argparse

import matplotlib.pyplot as plt
import numpy as np
from tqdm import tqdm

from command_line import add_rollout_options, check_figure, check_rollout, finish_figure, run
from pendulum_nonlinear import GRAVITY, LENGTH, pendulum_dynamics, pendulum_hamiltonian, wrap_angle

INITIAL_STATES = [
    [0.5, 0.0],
    [3.1, 0.0],
    [0.0, 5.0],
]  # small release, almost upside down, kicked from the bottom
DT = 0.05  # s
N_STEPS = 1000
LARGEST_DT = 2 * (LENGTH / GRAVITY) ** 0.5  # s: beyond it semi-implicit Euler is unstable even at the bottom
SOLVE_TOLERANCE = 1e-12  # of p₁, relative to 1 + |p₀|
NEARLY_LINEAR = 1e-5  # an iterate that moves p so much less than the one before is as good as on a straight line
SOLVE_ITERATIONS = 50
DRAWN_POINTS = 5000  # of an orbit, at most: the figure of a long run stays light
WINDOW = 200  # steps: longer than a period, so that each window sees the whole range of the energy


def symplectic_euler_step(dynamics, t, q, p, dt):
    """One step of symplectic Euler, p first: (q₁, p₁), for NumPy arrays or torch tensors q and p of one shape.

    `dynamics(t, [q, p])` gives [dq_dt, dp_dt]. p₁ stands on both sides of the kick; solving for it is what makes the
    step symplectic for any H (Hairer, Lubich, Wanner, Geometric Numerical Integration, Theorem VI.3.3). Where dp_dt
    depends on q alone, as for the true pendulum, the first iterate is p₁, and the step is the post's two-line update.
    Otherwise p₁ is found by fixed-point iteration, and from the last two iterates, once they are close, by a secant.
    Raises ArithmeticError where that does not converge.
    """
    dq_last, dp_dt = dynamics(t, [q, p])
    p_last, p_next = p, p + dt * dp_dt
    for _ in range(SOLVE_ITERATIONS):
        dq_dt, dp_dt = dynamics(t, [q, p_next])
        change, last_change = p + dt * dp_dt - p_next, p_next - p_last
        if not change.any():
            return q + dt * dq_dt, p_next
        if (abs(change) <= SOLVE_TOLERANCE * (1 + abs(p)) + NEARLY_LINEAR * abs(last_change)).all():
            slope = change * last_change / (last_change**2 + 1e-300)  # of dt dp_dt along p; 0 where nothing changed
            dq_dt = dq_dt + slope * (dq_dt - dq_last)
            return q + dt * dq_dt, p_next + change * (1 + slope)
        p_last, p_next, dq_last = p_next, p_next + change, dq_dt
    step = f"step {round(t / dt) + 1} (t = {t:.6g} s)"
    if not (abs(p_next) < float("inf")).all():
        raise ArithmeticError(f"{step}: p overflowed; try a smaller dt, or another model or state")
    raise ArithmeticError(
        f"{step}: p did not settle in {SOLVE_ITERATIONS} iterations; try a smaller dt or another model"
    )


def rollout(dynamics, q, p, n_steps=N_STEPS, dt=DT, to_numpy=np.asarray):
    """p and q after each of `n_steps` steps from (q, p): two NumPy arrays of shape (n_steps, *q.shape)."""
    p_vals, q_vals = np.empty((n_steps, *q.shape)), np.empty((n_steps, *q.shape))
    with np.errstate(over="ignore", invalid="ignore"):  # the step itself says what overflowed, and when
        for i in tqdm(range(n_steps), desc="rollout", unit="step", delay=1, leave=False):
            q, p = symplectic_euler_step(dynamics, i * dt, q, p, dt)
            p_vals[i], q_vals[i] = to_numpy(p), to_numpy(q)
    return p_vals, q_vals


def run_simulation(init_state, n_steps=N_STEPS, dt=DT):
    """The true pendulum's (p_vals, q_vals) after each of `n_steps` steps of `dt` s, from `init_state` [q, p].

    One state, (2,), gives arrays (n_steps,); a batch, (B, 2), is rolled out together and gives (n_steps, B).
    Raises ValueError for a state, a count or a dt that is out of range, ArithmeticError as the step does.
    """
    state = check_rollout(init_state, n_steps, dt, LARGEST_DT)
    return rollout(pendulum_dynamics, state[..., 0], state[..., 1], n_steps, dt)


def print_energies(states, truth, learned=None):
    """A line for each orbit: the range of its true energy H, and how far the learned orbit is from the true one."""
    columns = ["orbit [q, p]", "energy of the truth (J)"]
    columns += ["energy of the learned (J)", "greatest distance"] if learned else []
    print("".join(f"{column:<26}" for column in columns))
    for k, state in enumerate(states):
        row = [f"[{state[0]:g}, {state[1]:g}]"]
        for p_vals, q_vals in filter(None, (truth, learned)):
            energy = pendulum_hamiltonian([q_vals[:, k], p_vals[:, k]])
            row.append(f"{energy.min():.4f} … {energy.max():.4f}")
        if learned:
            distance = np.hypot(learned[0][:, k] - truth[0][:, k], learned[1][:, k] - truth[1][:, k])
            row.append(f"{distance.max():.1e}")
        print("".join(f"{cell:<26}" for cell in row))


def draw_orbits(states, dt, truth, learned=None):
    """A figure of the orbits in phase space, beside their true energy over time.

    `truth` and `learned` are (p_vals, q_vals), each (n_steps, B). The truth is drawn in colour where it is alone,
    else as a broad grey band under the learned orbits.
    """
    fig, (phase, energy) = plt.subplots(1, 2, figsize=(11, 4.6), layout="constrained")
    for k, state in enumerate(states):
        thin = {"color": f"C{k}", "linewidth": 1.3, "label": f"[{state[0]:g}, {state[1]:g}]", "zorder": 3}
        band = {"color": "0.78", "linewidth": 6, "label": "truth" if k == 0 else None}
        layers = [(truth, band), (learned, thin)] if learned else [(truth, thin)]
        for (p_vals, q_vals), style in layers:
            _draw_phase(phase, q_vals[:, k], p_vals[:, k], style)
            _draw_energy(energy, dt, pendulum_hamiltonian([q_vals[:, k], p_vals[:, k]]), style)
    phase.set(xlabel="angle q (rad)", ylabel="angular momentum p (kg m²/s)", title="Phase space")
    title = "True energy along the orbits" + (", least and greatest" if len(truth[0]) > DRAWN_POINTS else "")
    energy.set(xlabel="time t (s)", ylabel="energy H(q, p) (J)", title=title)
    energy.set_ylim(bottom=0)
    handles, labels = energy.get_legend_handles_labels()
    title = "learned, from [q, p]" if learned else "from [q, p]"
    fig.legend(handles[:10], labels[:10], title=title, loc="outside lower center", ncols=5, frameon=False)
    return fig


def _draw_phase(axes, q_vals, p_vals, style):
    """One orbit with its angle wrapped: a line, or dots where that would be over DRAWN_POINTS long."""
    step = -(-len(q_vals) // DRAWN_POINTS)
    q_vals = wrap_angle(q_vals[::step])
    p_vals = p_vals[::step].copy()
    if step > 1:
        axes.plot(q_vals, p_vals, **style | {"linestyle": "none", "marker": ".", "markersize": style["linewidth"]})
    else:
        p_vals[1:][abs(np.diff(q_vals)) > np.pi] = np.nan  # no line across the figure where the angle wraps
        axes.plot(q_vals, p_vals, **style)


def _draw_energy(axes, dt, H, style):
    """Energy over time: a line, or, for a long run, the least and the greatest of each WINDOW steps or more."""
    t = dt * np.arange(1, len(H) + 1)
    if len(H) <= DRAWN_POINTS:
        axes.plot(t, H, **style)
    else:
        starts = np.linspace(0, len(H), min(len(H) // WINDOW, 500), endpoint=False, dtype=int)
        for bound in (np.minimum, np.maximum):
            axes.plot(t[starts], bound.reduceat(H, starts), **style)
            style = style | {"label": None}


def main():
    parser = argparse.ArgumentParser(description="Roll out the true pendulum; draw its orbits and their energy.")
    add_rollout_options(parser, N_STEPS, DT, "FIG3.png")
    args = parser.parse_args()
    check_figure(args.output)
    states = args.state or INITIAL_STATES
    truth = run_simulation(states, args.steps, args.dt)
    print_energies(states, truth)
    finish_figure(draw_orbits(states, args.dt, truth), args.output, args.show)


if __name__ == "__main__":
    run(main)
