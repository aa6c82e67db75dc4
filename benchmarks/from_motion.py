"""Learned from its motion: how far from the exact pendulum, beside what else can be done with the same time step.

- true equations, symplectic Euler: the pendulum's own derivatives and the post's step;
- true equations, implicit midpoint: the same with a step of second order;
- central differences: hnn_training.train on the states of the record and (x₊₁ − x₋₁) / (2 dt) for derivatives;
- SympNet (Jin, Zhang, Zhu, Tang, Karniadakis 2020; strupnet from PyPI, its kind GR, the best of its six after 20 s
  each): a symplectic network, trained on the same pairs by Adam for a minute of computing, and shown q in one turn;
- learned from motion: motion.steps.train_on_motion on pairs of states dt apart.

All that is learned is learned from the exact motion, over dt, of 1,250 states spread over the training box. The exact
motion is SciPy's DOP853 at 1e-13. Greatest errors over four orbits, two of them by [3.1, 0] and [0, 7] near the
separatrix and over the top; means over three seeds of the data and the networks, with their range. Two time steps are
worked on at once, on one core each.

uv run --group bench python -m benchmarks.from_motion           writes from_motion.md and .png beside this file
"""

import contextlib
import math
import multiprocessing
import time

import numpy as np
import torch
from strupnet import SympNet

from benchmarks.common import STATES, Report, counted, midpoint_step, solved, spread, use_one_core
from benchmarks.exact import exact_motion
from hnn_model_derivs import learned_dynamics
from hnn_training import train
from motion.steps import train_on_motion
from pendulum_nonlinear import pendulum_dynamics, pendulum_hamiltonian, wrap_angle
from pendulum_tensor import TRAINING_BOX, sample_states
from rigid_simulator_implicit import INITIAL_STATES, symplectic_euler_step, two_line_step
from support.figures import T_LABEL, new_figure
from support.terminal import progress, run

torch.set_default_dtype(torch.float32)  # strupnet sets float64 for all of torch when it is imported

ORBITS = np.array([*INITIAL_STATES, [0.0, 7.0]])
TIME_STEPS = [0.05, 0.1, 0.2, 0.3]  # s
SEEDS = [0, 1, 2]
N_STEPS, LONG = 1000, 100_000
NOISES = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2]
SYMPNET = {"dim": 1, "method": "GR", "layers": 12, "width": 32}
SYMPNET_SECONDS = 60.0
SYMPNET_RATE = 1e-2  # of Adam, at the start; it falls to 0 as a cosine
TOLERANCE = 1e-13  # of DOP853
TRUE, MIDPOINT, DIFFERENCES, OTHER, OURS = (
    "true equations, symplectic Euler",
    "true equations, implicit midpoint",
    "HNN from central differences",
    "SympNet",
    "HNN learned from motion (ours)",
)
LEARNED = (DIFFERENCES, OTHER, OURS)
STYLES = {
    TRUE: ("0.6", "-", 3),
    MIDPOINT: ("0.3", "--", 1.5),
    DIFFERENCES: ("tab:orange", "-.", 1.5),
    OTHER: ("tab:green", ":", 2),
    OURS: ("tab:blue", "-", 1.8),
}


def record(dt, seed, noise=0.0):
    """q and p, (3, STATES): the exact motion before, at and after dt, from states all over the training box."""
    q, p = sample_states(STATES, TRAINING_BOX, seed).numpy().T
    q_next, p_next = exact_motion(q, p, 2, dt)
    motion = np.array([[q, *q_next], [p, *p_next]])
    return motion + noise * np.random.default_rng(seed).normal(size=motion.shape)


def stepper(step, dynamics):
    """A step of these dynamics as a function (q, p, dt) -> (q₁, p₁), and what it counts."""
    counting, count = counted(dynamics)
    return lambda q, p, dt: step(counting, 0.0, q, p, dt), count


def by_differences(dt, seed):
    """The step of an HNN that is trained on central differences."""
    q, p = record(dt, seed)
    derivatives = np.stack([q[2] - q[0], p[2] - p[0]], axis=-1) / (2 * dt)
    model = train(np.stack([q[1], p[1]], axis=-1), derivatives, seed=seed, period=2 * math.pi)
    return stepper(symplectic_euler_step, learned_dynamics(model))


def by_motion(dt, seed, noise=0.0):
    """The step of an HNN that is trained on pairs of states."""
    q, p = record(dt, seed, noise)[:, :2]
    model = train_on_motion(q, p, dt, period=2 * math.pi, seed=seed)
    return stepper(symplectic_euler_step, learned_dynamics(model))


def by_sympnet(dt, seed):
    """The step of a SympNet, trained on pairs of states for SYMPNET_SECONDS; it takes no gradients of an H."""
    q, p = record(dt, seed)[:, :2]
    x, y = (torch.tensor(np.stack([wrap_angle(q[0]) + q[k] - q[0], p[k]], axis=-1)) for k in (0, 1))
    torch.manual_seed(seed)
    net = SympNet(**SYMPNET).double()
    optimizer, start = torch.optim.Adam(net.parameters(), SYMPNET_RATE), time.process_time()
    while (part := (time.process_time() - start) / SYMPNET_SECONDS) < 1:
        optimizer.param_groups[0]["lr"] = SYMPNET_RATE * (1 + math.cos(math.pi * part)) / 2
        loss = (net(x, dt) - y).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    @torch.no_grad()
    def step(q, p, dt):
        q_next, p_next = net(torch.tensor(np.stack([wrap_angle(q), p], axis=-1)), dt).numpy().T
        return q + q_next - wrap_angle(q), p_next

    return step, [0]


SYSTEMS = {  # each makes a step from dt and a seed
    TRUE: lambda dt, seed: stepper(two_line_step, pendulum_dynamics),
    MIDPOINT: lambda dt, seed: stepper(midpoint_step, pendulum_dynamics),
    DIFFERENCES: by_differences,
    OTHER: by_sympnet,
    OURS: by_motion,
}


def rolled_out(step, n_steps, dt):
    """q and p of ORBITS after each step, (2, n_steps, B), NaN once an orbit is so far out that no step exists."""
    (q, p), orbit = ORBITS.T, np.full((2, n_steps, len(ORBITS)), np.nan)
    with contextlib.suppress(ArithmeticError):
        for i in progress(range(n_steps), desc="rollout", unit="step"):
            q, p = step(q, p, dt)
            orbit[:, i] = q, p
    return orbit


def exact_orbits(dt):
    """The same of the exact pendulum, for N_STEPS, one orbit at a time, so that each has its own solver."""
    times = dt * np.arange(N_STEPS + 1)
    orbits = [solved(pendulum_dynamics, [state], times, TOLERANCE)[0, 1:] for state in ORBITS]  # (N_STEPS, 2) each
    return np.stack(orbits, axis=-1).transpose(1, 0, 2)


def distance(orbit, exact):
    """√(Δq² + Δp²) at each step, (n_steps, B), infinite where there is no step."""
    return np.nan_to_num(np.hypot(*(orbit - exact)), nan=np.inf, posinf=np.inf)


def energy_error(orbit):
    """|H − H₀| at each step, (n_steps, B), which is 0 for the exact pendulum and infinite where there is no step."""
    errors = abs(pendulum_hamiltonian(orbit) - pendulum_hamiltonian(ORBITS.T))
    return np.nan_to_num(errors, nan=np.inf, posinf=np.inf)


def compare(dt):
    """For each system the rows of its numbers, and the orbit of its first seed."""
    exact, rows, orbits = exact_orbits(dt), [], {}
    for name, make in progress(SYSTEMS.items(), desc=f"dt = {dt:g} s", unit="system"):
        seeds = SEEDS if name in LEARNED else SEEDS[:1]
        distances, errors, late = [], [], []
        for seed in seeds:
            step, count = make(dt, seed)
            orbit = rolled_out(step, N_STEPS, dt)
            gradients = count[0] / orbit[0].size / dt
            distances.append(distance(orbit, exact).max(axis=0))
            errors.append(energy_error(orbit).max())
            late.append(energy_error(rolled_out(step, LONG, dt)).max())
            orbits.setdefault(name, orbit)
        cells = [spread(of_orbit) for of_orbit in np.transpose(distances).tolist()]
        rows.append([name, *cells, spread(errors), spread(late), f"{gradients:.0f}" if gradients else ""])
    return exact, rows, orbits


def with_noise(noise):
    """The row of numbers of models from a record with so much noise on it."""
    exact = exact_orbits(TIME_STEPS[0])
    orbits = [rolled_out(by_motion(TIME_STEPS[0], seed, noise)[0], N_STEPS, TIME_STEPS[0]) for seed in SEEDS]
    distances = [distance(orbit, exact).max(axis=0) for orbit in orbits]
    cells = [spread(of_orbit) for of_orbit in np.transpose(distances).tolist()]
    return [f"{noise:.0e}", *cells, spread([energy_error(orbit).max() for orbit in orbits])]


def draw(dt, exact, orbits):
    """Left the energy of two orbits over time, right the distance of one from the exact motion."""
    fig = new_figure(figsize=(10, 4.8), layout="constrained")
    energy, apart = fig.subplots(1, 2)
    t, shown = dt * np.arange(1, N_STEPS + 1), round(12 / dt)
    for k in (2, 1):
        for name in (TRUE, OURS):
            colour, line, width = STYLES[name]
            H = pendulum_hamiltonian(orbits[name][..., k])
            energy.plot(t[:shown], H[:shown], line, color=colour, linewidth=width, gid=f"{name} {k}")
        H_0 = pendulum_hamiltonian(ORBITS[k])
        energy.axhline(H_0, color="black", linestyle=(0, (1, 3)), linewidth=1)
        energy.annotate(f"from [{ORBITS[k][0]:g}, {ORBITS[k][1]:g}]", (t[0], H_0 + 1.6), fontsize=9)
    energy.margins(y=0.2)
    energy.set(title="true equations swing, learned from motion stays", xlabel=T_LABEL, ylabel="true H(q, p) (J)")
    for name, (colour, line, width) in STYLES.items():
        of_orbit = distance(orbits[name], exact)[:, 2]
        apart.semilogy(t, of_orbit, line, color=colour, linewidth=width, label=name, gid=name)
    apart.set(title="distance from the exact motion, from [0, 5]", xlabel=T_LABEL, ylabel="√(Δq² + Δp²)")
    apart.grid(alpha=0.3)
    handles, labels = apart.get_legend_handles_labels()
    handles.append(energy.plot([], [], color="black", linestyle=(0, (1, 3)), linewidth=1)[0])
    fig.legend(handles, [*labels, "exact energy"], loc="outside lower center", ncols=3, frameon=False, handlelength=3)
    fig.suptitle(f"dt = {dt:g} s, first seed")
    return fig


def main():
    report = Report(__file__)
    figure, header = None, [f"distance from the exact orbit, [{q:g}, {p:g}]" for q, p in ORBITS]
    with multiprocessing.get_context("spawn").Pool(2, use_one_core) as pool:
        compared = pool.map(compare, TIME_STEPS, chunksize=1)
        rows_of_noise = pool.map(with_noise, NOISES, chunksize=1)
    for dt, (exact, rows, orbits) in zip(TIME_STEPS, compared, strict=True):
        report.say(f"dt = {dt:g} s: greatest errors over {N_STEPS:,} and {LONG:,} steps")
        of_energy = [f"error of the energy (J), {n:,} steps" for n in (N_STEPS, LONG)]
        report.table(["system", *header, *of_energy, "gradients a second of motion"], rows)
        figure = figure or draw(dt, exact, orbits)
    report.say(f"Learned from motion with noise on the record, dt = {TIME_STEPS[0]:g} s, {N_STEPS:,} steps")
    report.table(["noise on q and p", *header, "error of the energy (J)"], rows_of_noise)
    report.write(figure)


if __name__ == "__main__":
    run(main)
