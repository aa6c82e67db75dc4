"""What the structure buys: an HNN against a plain MLP that predicts [dq/dt, dp/dt] directly, on the same data.

Both are 2 → 200 → 200 → out tanh networks, fitted to the same 1,000 states (250 more held out) by variable projection
with the same number of L-BFGS iterations, and rolled out by the same solved symplectic Euler, on the same three
orbits. The error of an orbit's energy is how far the mean of its true H over a window of 1,000 steps is from that of
the true pendulum in its first window, under the same integrator. Mean and range over the seeds.

uv run --group bench python benchmarks/energy_drift.py        writes energy_drift.png
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from command_line import finish_figure, run

from benchmarks.common import print_table, spread
from HNN import HIDDEN_SIZE
from hnn_training import (
    CLEARLY_BETTER,
    EPOCHS,
    HELD_OUT,
    LBFGS,
    LBFGS_OPTIONS,
    POINTS,
    measure,
    random_states,
    sample_training_states,
    standardise_first_layer,
    train,
    true_derivatives_of,
)
from pendulum_nonlinear import pendulum_hamiltonian, wrap_angle
from rigid_simulator_HNN import run_simulation_HNN
from rigid_simulator_implicit import DT, INITIAL_STATES, rollout, run_simulation

SEEDS = [0, 1, 2]
N_STEPS = 100_000
WINDOW = 1000
RIDGE = 1e-9  # of the MLP's output layer: the one of 1e-5, 1e-6 … 1e-10 with which the MLP fits best


class DirectMLP(nn.Module):
    """The HNN's layers with two outputs, [dq/dt, dp/dt], and nothing of Hamilton in between."""

    def __init__(self):
        super().__init__()
        self.linear_block = nn.Sequential(
            nn.Linear(2, HIDDEN_SIZE), nn.Tanh(), nn.Linear(HIDDEN_SIZE, HIDDEN_SIZE), nn.Tanh()
        )
        self.out = nn.Linear(HIDDEN_SIZE, 2)

    def forward(self, x):
        return self.out(self.linear_block(x))


def solve_output(model, x, y):
    """The least-squares output layer for the hidden layers as they are."""
    with torch.no_grad():
        A = torch.cat([model.linear_block(x), torch.ones(len(x), 1).to(x)], dim=1)  # (N, 201)
        damping = RIDGE * torch.eye(A.shape[1]).to(A)
        targets = torch.cat([y, torch.zeros(len(damping), 2).to(y)])
        solution = torch.linalg.lstsq(torch.cat([A, damping]), targets, driver="gels").solution  # (201, 2)
        model.out.weight.copy_(solution[:-1].T)
        model.out.bias.copy_(solution[-1])


def train_direct(x, y, seed):
    """A DirectMLP fitted, step for step, as hnn_training.train fits an HNN."""
    torch.manual_seed(seed)
    model, order = DirectMLP().double(), torch.randperm(len(x))
    test, fit = order.tensor_split([round(HELD_OUT * len(order))])
    standardise_first_layer(model, x[fit])
    solve_output(model, x[fit], y[fit])
    first_loss = (model(x[fit]) - y[fit]).square().mean().item()
    optimizer = LBFGS(model.linear_block.parameters(), **LBFGS_OPTIONS)

    def closure():
        model.zero_grad()
        solve_output(model, x[fit], y[fit])
        loss = (model(x[fit]) - y[fit]).square().mean() / first_loss
        loss.backward()
        return loss

    best_loss, best = np.inf, None
    for epoch in range(EPOCHS + 1):
        if epoch > 0:
            optimizer.step(closure)
            solve_output(model, x[fit], y[fit])
        loss = (model(x[test]) - y[test]).square().mean().item()
        if loss < CLEARLY_BETTER * best_loss:
            best_loss, best = loss, {key: value.clone() for key, value in model.state_dict().items()}
    model.load_state_dict(best)
    solve_output(model, x, y)
    return model


def roll_out_direct(model, n_steps):
    """The three orbits of a DirectMLP, with q wrapped for the network as for the HNN."""
    W1, b1, W2, b2, W3, b3 = (parameter.detach().numpy() for parameter in model.parameters())

    def dynamics(t, state):
        q, p = state
        x = np.array([wrap_angle(q), p]).T
        return list((np.tanh(np.tanh(x @ W1.T + b1) @ W2.T + b2) @ W3.T + b3).T)

    q, p = np.array(INITIAL_STATES).T
    return rollout(dynamics, q, p, n_steps, DT)


def direct_mse(model):
    """What hnn_training.measure says of an HNN: the error of the derivatives on the same fresh states."""
    x = random_states()
    return (model(x) - true_derivatives_of(x)).square().mean().item()


def mean_energies(orbits):
    """The true energy's mean in each window, (windows, 3), with smooth weights, which leave out its oscillation.

    Weighted Birkhoff average (Das, Saiki, Sander, Yorke, Nonlinearity 30, 2017): weights exp(−1 / (s (1 − s))).
    """
    p_vals, q_vals = orbits
    s = (np.arange(WINDOW) + 0.5) / WINDOW
    weights = np.exp(-1 / (s * (1 - s)))
    H = pendulum_hamiltonian([q_vals, p_vals]).reshape(-1, WINDOW, q_vals.shape[1])
    return np.einsum("w,nwk->nk", weights / weights.sum(), H)


def main():
    truth = mean_energies(run_simulation(INITIAL_STATES, N_STEPS))
    errors = {"truth": [abs(truth - truth[0])], "HNN": [], "MLP": []}  # each (windows, 3)
    mses = {"HNN": [], "MLP": []}
    for seed in tqdm(SEEDS, desc="seeds"):
        states = sample_training_states(POINTS, seed)
        derivatives = true_derivatives_of(states)
        hnn, mlp = train(states, derivatives, seed=seed), train_direct(states, derivatives, seed)
        mses["HNN"].append(measure(hnn)[0])
        mses["MLP"].append(direct_mse(mlp))
        for name, orbits in (
            ("HNN", run_simulation_HNN(INITIAL_STATES, hnn, N_STEPS)),
            ("MLP", roll_out_direct(mlp, N_STEPS)),
        ):
            errors[name].append(abs(mean_energies(orbits) - truth[0]))
    rows = []
    for name, of_seeds in errors.items():
        mse = spread(mses[name]) if name in mses else ""
        for window, label in ((0, f"{WINDOW:,}"), (-1, f"{N_STEPS:,}")):
            rows.append([name, mse, label, *(spread([e[window, k] for e in of_seeds]) for k in range(3))])
    orbit_names = [f"orbit {state}" for state in INITIAL_STATES]
    print_table(["system", "derivative MSE", "steps", *(f"{name}: energy error (J)" for name in orbit_names)], rows)

    fig, panels = plt.subplots(1, 3, figsize=(12, 4), sharex=True, sharey=True, layout="constrained")
    t = DT * WINDOW * np.arange(1, len(truth) + 1)
    for k, axes in enumerate(panels):
        for name, line, colour in (("MLP", "--", "C3"), ("HNN", "-", "C0"), ("truth", ":", "black")):
            for i, error in enumerate(errors[name]):
                axes.loglog(t, np.maximum(error[:, k], 1e-8), line, color=colour, label=name if i == 0 else None)
        axes.set(title=orbit_names[k], xlabel="time t (s)")
    panels[0].set_ylabel("error of the mean energy (J)\nbelow 1e-8 drawn at 1e-8")
    panels[0].legend()
    finish_figure(fig, "energy_drift.png", show=False)


if __name__ == "__main__":
    run(main)
