"""What the structure buys: HNNs, a plain MLP and an LSTM, and how far the energy of their orbits drifts.

- HNN: hnn_training.train on states and their derivatives.
- HNN not told that q is an angle: the same, but trained without a period.
- MLP: the HNN's layers with two outputs, dq/dt and dp/dt, fitted to the same states by the same variable projection.
- LSTM: trained on true trajectories to give the increments of the next step, then rolled out on its own output.

HNNs and MLP are rolled out by the same solved symplectic Euler, dt = 0.05 s, which also made the LSTM's trajectories.
The error of an orbit's energy is how far the mean of its true H over a window of 1,000 steps is from that of the true
pendulum in its first window. Training is timed on one core.

uv run --group bench python -m benchmarks.energy_drift          writes energy_drift.md and .png beside this file
"""

import math
from functools import partial

import numpy as np
import torch
from torch import nn

from benchmarks.common import STATES, Report, dynamics_error, spread, timed, use_one_core
from hnn_model_derivs import learned_dynamics
from hnn_training import EPOCHS, first_hidden_layers, train
from pendulum_nonlinear import pendulum_dynamics, pendulum_hamiltonian, wrap_angle
from pendulum_tensor import TEST_BOX, TRAINING_BOX, pendulum_dynamics_tensor, sample_states
from rigid_simulator_implicit import DT, INITIAL_STATES, rollout, run_simulation, symplectic_euler_step
from support.figures import T_LABEL, new_figure
from support.least_squares import solve
from support.terminal import progress, run
from support.variable_projection import LBFGS

ROTATING = [0.0, 7.0]  # it goes over the top
ORBITS = [*INITIAL_STATES, ROTATING]
SEEDS = [0, 1, 2]
N_STEPS = 100_000
WINDOW = 1000  # steps
MLP_RIDGE = 1e-7  # of the output layer: of 5e-7, 2e-7, 1e-7, 5e-8 the one that fits best
LSTM_UNITS = 64
LSTM_UPDATES = 3000
LSTM_BATCH = 25  # trajectories in an update
LSTM_RATE = 1e-2  # of Adam, at the start: with 3e-3 the LSTM fits half as well
TRAJECTORIES, TRAJECTORY_STEPS = 400, 60  # that the LSTM is trained on: how many, and how many steps each
P_SCALE = TEST_BOX[1]  # of the LSTM's input
SYSTEMS = {  # what each is given, and how it is drawn
    "HNN": (f"{STATES:,} states and derivatives", "C0", "-"),
    "HNN not told that q is an angle": (f"{STATES:,} states and derivatives", "C4", ":"),
    "MLP": (f"{STATES:,} states and derivatives", "C3", "--"),
    "LSTM": (f"{TRAJECTORIES} trajectories of {TRAJECTORY_STEPS} steps", "C2", "-."),
}


def mean_energies(H, window=WINDOW):
    """The mean in each window of the energies H, (n_steps, B), as (windows, B), without their oscillation.

    It is weighted by exp(−1 / (s (1 − s))), 0 < s < 1 along the window, and so converges faster than any power of the
    window's length (weighted Birkhoff average: Das, Saiki, Sander, Yorke, Nonlinearity 30, 2017).
    """
    s = (np.arange(window) + 0.5) / window
    weights = np.exp(-1 / (s * (1 - s)))
    return np.einsum("w,nwk->nk", weights / weights.sum(), H.reshape(-1, window, H.shape[1]))


def orbit_energies(orbits):
    """mean_energies of the true H along a rollout (p_vals, q_vals)."""
    p_vals, q_vals = orbits
    return mean_energies(pendulum_hamiltonian([q_vals, p_vals]))


def train_mlp(states, derivatives, seed):
    """dynamics(t, [q, p]) of an MLP, in NumPy: the HNN's hidden layers with two outputs, dq/dt and dp/dt.

    It is fitted by the HNN's variable projection for as many epochs, with the hidden units themselves for features, and
    to all of the states: none are kept for validation. It sees one turn of q, as the HNN does.
    """
    states = torch.stack([wrap_angle(states[:, 0]), states[:, 1]], dim=-1)
    mean, deviation = states.mean(0), states.std(0)
    x, hidden = (states - mean) / deviation, first_hidden_layers(seed).double()

    def loss():
        A = hidden(x)  # (N, 200)
        w = solve(A.detach(), derivatives, MLP_RIDGE)
        return ((A @ w - derivatives).square().sum() + MLP_RIDGE**2 * w.square().sum()) / derivatives.numel()

    optimizer = LBFGS(hidden)
    for _ in range(EPOCHS):
        optimizer.step(loss)
    w = solve(hidden(x).detach(), derivatives, MLP_RIDGE)  # (200, 2)

    @torch.no_grad()
    def dynamics(t, state):
        q, p = state
        x = torch.from_numpy(np.stack([wrap_angle(q), p], axis=-1))
        return list((hidden((x - mean) / deviation) @ w).numpy().T)  # two of (B,)

    return dynamics


class LSTM(nn.Module):
    """The increments [dq, dp] of the next step, from all the states so far: 3 inputs, 64 units, 2 outputs."""

    def __init__(self):
        super().__init__()
        self.recurrent = nn.LSTM(3, LSTM_UNITS, batch_first=True)
        self.output = nn.Linear(LSTM_UNITS, 2)

    def forward(self, x):
        """The increments, (B, steps, 2), that follow each of the states x, (B, steps, 2)."""
        q, p = x[..., 0], x[..., 1]
        h, _ = self.recurrent(torch.stack([q.sin(), q.cos(), p / P_SCALE], dim=-1))
        return self.output(h)


def sample_trajectories(n, seed):
    """`n` true trajectories, (n, TRAJECTORY_STEPS + 1, 2), from all over the box of judgement, which none leaves."""
    start = sample_states(2 * n, TEST_BOX, seed).numpy()
    margin = 0.95  # since the step makes p exceed what its energy allows by a few hundredths
    stays = pendulum_hamiltonian(start.T) < pendulum_hamiltonian([0.0, margin * TEST_BOX[1]])
    start = start[stays][:n]
    p_vals, q_vals = run_simulation(start, TRAJECTORY_STEPS)
    return np.concatenate([start[:, None], np.stack([q_vals.T, p_vals.T], axis=-1)], axis=1)


def train_lstm(trajectories, seed):
    """The LSTM, by teacher forcing: it always sees the true states, and is asked for the true next one."""
    x = torch.tensor(trajectories, dtype=torch.float32)
    torch.manual_seed(seed)
    model = LSTM()
    optimizer = torch.optim.Adam(model.parameters(), LSTM_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, LSTM_UPDATES)
    for _ in progress(range(LSTM_UPDATES), desc="LSTM", unit="update"):
        batch = x[torch.randint(len(x), (LSTM_BATCH,))]
        loss = (model(batch[:, :-1]) - batch.diff(dim=1)).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return model


def roll_out_lstm(model, states, n_steps):
    """(p_vals, q_vals), (n_steps, B) each, of the LSTM on its own output: in NumPy, and in float64 as q grows large."""
    parameters = (parameter.detach().double().numpy() for parameter in model.parameters())
    W_input, W_memory, b_input, b_memory, W_output, b_output = parameters
    (q, p), orbit = np.transpose(states), []
    h = c = np.zeros((len(states), LSTM_UNITS))
    for _ in progress(range(n_steps), desc="LSTM's rollout", unit="step"):
        x = np.stack([np.sin(q), np.cos(q), p / P_SCALE], axis=-1)  # (B, 3)
        gates = x @ W_input.T + b_input + h @ W_memory.T + b_memory  # (B, 256)
        enter, keep, new, leave = np.split(gates, 4, axis=-1)
        c = sigmoid(keep) * c + sigmoid(enter) * np.tanh(new)
        h = sigmoid(leave) * np.tanh(c)
        dq, dp = (h @ W_output.T + b_output).T
        q, p = q + dq, p + dp
        orbit.append((p, q))
    p_vals, q_vals = np.moveaxis(orbit, 1, 0)
    return p_vals, q_vals


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def step_error(step, trajectories):
    """Mean squared error of step(states), (B, steps, 2), from all the states of true trajectories but the last."""
    return np.square(step(trajectories[:, :-1]) - trajectories[:, 1:]).mean()


def dynamics_step(dynamics):
    """The step that a rollout makes with these dynamics, for step_error."""

    def step(x):
        q, p = x.reshape(-1, 2).T
        return np.stack(symplectic_euler_step(dynamics, 0.0, q, p, DT), axis=-1).reshape(x.shape)

    return step


def lstm_step(model):
    """The LSTM's step where it is given the true states so far, for step_error."""

    def step(x):
        with torch.no_grad():
            return x + model(torch.tensor(x, dtype=torch.float32)).double().numpy()

    return step


def fits(seed):
    """For each system its training time (s), derivative MSE, one-step MSE and rollout of ORBITS, with this seed."""
    states = sample_states(STATES, TRAINING_BOX, seed)
    derivatives = pendulum_dynamics_tensor(0, states)
    fresh_states = sample_states(5000, TEST_BOX, seed=1).numpy()
    fresh_derivatives = np.transpose(pendulum_dynamics(0, fresh_states.T))
    fresh = sample_trajectories(1000, seed=100 + seed)
    hnn, hnn_seconds = timed(train, states, derivatives, seed=seed, period=2 * math.pi)
    no_circle, no_circle_seconds = timed(train, states, derivatives, seed=seed)
    no_circle.knows = {}  # so that it is shown one turn of q in its rollout all the same
    mlp, mlp_seconds = timed(train_mlp, states, derivatives, seed)
    lstm, lstm_seconds = timed(train_lstm, sample_trajectories(TRAJECTORIES, seed), seed)
    q, p = np.transpose(ORBITS)
    for name, dynamics, seconds in (
        ("HNN", learned_dynamics(hnn), hnn_seconds),
        ("HNN not told that q is an angle", learned_dynamics(no_circle), no_circle_seconds),
        ("MLP", mlp, mlp_seconds),
    ):
        errors = dynamics_error(dynamics, fresh_states, fresh_derivatives), step_error(dynamics_step(dynamics), fresh)
        yield name, seconds, *errors, rollout(partial(symplectic_euler_step, dynamics), q, p, N_STEPS)[::-1]
    yield "LSTM", lstm_seconds, None, step_error(lstm_step(lstm), fresh), roll_out_lstm(lstm, ORBITS, N_STEPS)


def draw(errors, scatter):
    """A panel for each orbit, with a line for each system: the median of its seeds, and a band for their range."""
    fig = new_figure(figsize=(9, 8), layout="constrained")
    panels = fig.subplots(2, 2, sharex=True, sharey=True)
    t = DT * WINDOW * np.arange(1, N_STEPS // WINDOW + 1)
    shown = np.unique(np.geomspace(1, len(t), 30).round().astype(int)) - 1  # windows, evenly along the logarithm
    for k, axes in enumerate(panels.flat):
        label = "true pendulum: its own means differ by this"
        axes.axhline(scatter[k], color="0.4", linestyle=":", linewidth=2, label=label)
        for name, (given, colour, line) in SYSTEMS.items():
            of_seeds = np.array(errors[name])[:, shown, k]  # (seeds, windows)
            axes.fill_between(t[shown], of_seeds.min(0), of_seeds.max(0), color=colour, alpha=0.2, linewidth=0)
            label = f"{name}, given {given}"
            axes.loglog(t[shown], np.median(of_seeds, axis=0), line, color=colour, linewidth=2, label=label)
        axes.set_title(f"from [q, p] = {ORBITS[k]}" + (", over the top" if ORBITS[k] == ROTATING else ""))
        axes.grid(alpha=0.3)
    for axes in panels[-1]:
        axes.set_xlabel(T_LABEL)
    for axes in panels[:, 0]:
        axes.set_ylabel("error of the mean energy (J)")
    fig.suptitle(f"Medians and ranges of {len(SEEDS)} seeds; the mean is over {WINDOW:,} steps, {DT * WINDOW:g} s")
    fig.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    return fig


def main():
    report = Report(__file__)
    use_one_core()
    truth = orbit_energies(run_simulation(ORBITS, N_STEPS))  # (windows, orbits)
    scatter = abs(truth - truth[0]).max(axis=0)
    seconds, derivative_mse, step_mse, errors = ({name: [] for name in SYSTEMS} for _ in range(4))
    for seed in progress(SEEDS, desc="seeds"):
        for name, time_taken, of_derivatives, of_step, orbits in fits(seed):
            seconds[name].append(time_taken)
            derivative_mse[name].append(of_derivatives)
            step_mse[name].append(of_step)
            errors[name].append(abs(orbit_energies(orbits) - truth[0]))  # (windows, orbits)
    report.table(
        ["system", "given", "training (s)", "derivative MSE", "one-step MSE"],
        [
            [
                name,
                given,
                f"{np.mean(seconds[name]):.1f}",
                spread(derivative_mse[name]) if None not in derivative_mse[name] else "",
                spread(step_mse[name]),
            ]
            for name, (given, _, _) in SYSTEMS.items()
        ],
    )
    orbits = range(len(ORBITS))
    rows = [["truth", "any", *(f"at most {scatter[k]:.1e}" for k in orbits)]]
    for name in SYSTEMS:
        for window in (0, -1):
            steps = f"{WINDOW if window == 0 else N_STEPS:,}"
            rows.append([name, steps, *(spread([error[window, k] for error in errors[name]]) for k in orbits)])
    report.table(["error of the mean energy (J)", "after steps", *(f"from {state}" for state in ORBITS)], rows)
    report.write(draw(errors, scatter))


if __name__ == "__main__":
    run(main)
