"""Noisy data: our training beside that of Greydanus, Dzamba, Yosinski (2019, arXiv 1906.01563), on their task.

Their pendulum is H = 3 (1 − cos q) + p². A data set is 50 trajectories of 45 states over 3 s, half of them to train and
half to test, with noise of deviation 0.1 on the states and the exact derivatives of the states without it.

- theirs: an HNN of our size with their training, Adam at 1e-3 with a weight decay of 1e-4, 2,000 steps in float32;
- ours: hnn_training.train with its defaults. It is not told that q is an angle, and neither are they.

The noise floor is the test loss of the exact derivatives. The error of the energy is the mean of (H − H₀)² along the
test trajectories over 20 s, from their true starts, by DOP853. Training is timed on one core.

The second table has noise too small to be seen, on our own pendulum: is there anything left to learn once the output
layer is solved for (epoch 0)? The third has more and more states of our pendulum, with noise on their derivatives.

uv run --group bench python -m benchmarks.noisy_data            writes noisy_data.md and .png beside this file
"""

import math

import numpy as np
import torch
from matplotlib.lines import Line2D

from benchmarks.common import STATES, Report, dynamics_error, solved, spread, timed, use_one_core
from HNN import HNN
from hnn_model_derivs import get_model_time_derivatives, learned_dynamics, measure
from hnn_training import EPOCHS, train
from pendulum_nonlinear import pendulum_dynamics
from pendulum_tensor import TRAINING_BOX, sample_states
from support.figures import new_figure
from support.terminal import progress, run
from support.torch_state import new_network

SEEDS = range(20)  # of the data sets, and of the networks fitted to them: with five, chance decides who is ahead
TRAJECTORIES, POINTS_EACH, DURATION = 50, 45, 3.0  # the last in s
RADII = (1.3, 2.3)  # of the starts, from rest
NOISE = 0.1
ROLLOUT_TIME = 20.0  # s
TOLERANCE = 1e-8  # of DOP853
THEIR_STEPS = 2000
SMALL_NOISES = [1e-6, 1e-5]
SMALL_NOISE_SEEDS = [0, 1, 2]
TEST_STATES = 20_000  # of our pendulum
MORE_STATES = [1250, 12_500, 125_000, 1_000_000]


def their_hamiltonian(state):
    """H = 3 (1 − cos q) + p²."""
    q, p = state
    return 3 * (1 - np.cos(q)) + p**2


def their_dynamics(t, state):
    """dq/dt = 2 p, dp/dt = −3 sin q."""
    q, p = state
    return [2 * p, -3 * np.sin(q)]


def their_data(seed):
    """Trajectories without noise, with noise, and their exact derivatives, each (TRAJECTORIES, POINTS_EACH, 2)."""
    rng = np.random.default_rng(seed)
    angle, radius = rng.uniform(0, 2 * np.pi, TRAJECTORIES), rng.uniform(*RADII, TRAJECTORIES)
    starts = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    clean = solved(their_dynamics, starts, np.linspace(0, DURATION, POINTS_EACH), TOLERANCE)
    derivatives = np.moveaxis(their_dynamics(0, np.moveaxis(clean, -1, 0)), 0, -1)
    return clean, clean + NOISE * rng.normal(size=clean.shape), derivatives


def our_data(n, noise, seed):
    """`n` states of our pendulum with noise, and the exact derivatives of the states without it, each (n, 2)."""
    clean = sample_states(n, TRAINING_BOX, seed).numpy()
    noisy = clean + noise * np.random.default_rng(seed).normal(size=clean.shape)
    return noisy, np.transpose(pendulum_dynamics(0, clean.T))


def energy_error(dynamics, hamiltonian, starts):
    """The mean of (H − H₀)² along the orbits of the dynamics from the starts (B, 2), with H of the true system."""
    orbits = solved(dynamics, starts, np.linspace(0, ROLLOUT_TIME, 200), TOLERANCE)
    H = hamiltonian(np.moveaxis(orbits, -1, 0))  # (B, times)
    return np.square(H - H[:, :1]).mean()


def train_as_theirs(states, derivatives, seed):
    """An HNN by Adam, 1e-3, with a weight decay of 1e-4, on all the data in each of the steps."""
    x, y = (torch.tensor(data, dtype=torch.float32) for data in (states, derivatives))
    model = new_network(HNN, seed)
    optimizer = torch.optim.Adam(model.parameters(), 1e-3, weight_decay=1e-4)
    for _ in progress(range(THEIR_STEPS), desc="theirs", unit="step"):
        loss = (get_model_time_derivatives(model, x) - y).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model


RECIPES = {"theirs": train_as_theirs, "ours": lambda states, derivatives, seed: train(states, derivatives, seed=seed)}


def compare(seed):
    """One data set, the models {recipe: model} of it, and {recipe: (loss over floor, energy error, seconds)}."""
    clean, noisy, derivatives = their_data(seed)
    half = TRAJECTORIES // 2
    floor = dynamics_error(their_dynamics, noisy[half:], derivatives[half:])
    models, scores = {}, {}
    for name, fit in RECIPES.items():
        data = (part[:half].reshape(-1, 2) for part in (noisy, derivatives))
        models[name], seconds = timed(fit, *data, seed)
        learned = learned_dynamics(models[name], period=None)
        loss = dynamics_error(learned, noisy[half:], derivatives[half:])
        scores[name] = loss / floor, energy_error(learned, their_hamiltonian, clean[half:, 0]), seconds
    return noisy[:half], models, scores


def difference(a, b):
    """In words: the mean of a − b over the data sets, with its standard error, and on how many of them a is less."""
    d = np.subtract(a, b)
    return f"{d.mean():.1e} ± {d.std(ddof=1) / len(d) ** 0.5:.1e}, less on {(d < 0).sum()} of {len(d)} data sets"


def small_noise(noise, epochs):
    """The test loss over the noise floor on our pendulum, for each of the seeds."""
    test_states, test_derivatives = our_data(TEST_STATES, noise, seed=100)
    floor = dynamics_error(pendulum_dynamics, test_states, test_derivatives)
    for seed in SMALL_NOISE_SEEDS:
        data = our_data(STATES, noise, seed)
        learned = learned_dynamics(train(*data, epochs, seed, period=2 * math.pi))
        yield dynamics_error(learned, test_states, test_derivatives) / floor


def more_states(n):
    """The MSE against the exact derivatives of a training on n states, whose derivatives have noise of deviation 1."""
    states, derivatives = our_data(n, 0.0, seed=0)
    noise = np.random.default_rng(1).normal(size=derivatives.shape)
    return measure(train(states, derivatives + noise, period=2 * math.pi))[0]


def draw(noisy, models):
    """The noisy states that a fit is given, and the lines of equal H of the truth and of each model."""
    fig = new_figure(figsize=(9, 7.4), layout="constrained")
    axes = fig.subplots()
    data = noisy.reshape(-1, 2)
    axes.plot(*data.T, ".", color="0.6", markersize=3, label=f"states with noise {NOISE:g}")
    q, p = np.meshgrid(np.linspace(-3, 3, 201), np.linspace(-2.6, 2.6, 201))
    grid = np.stack([q, p], axis=-1)
    surfaces = {"truth": (their_hamiltonian([q, p]), {"colors": "0.8", "linewidths": 6, "linestyles": "-"})}
    styles = {
        "ours": {"colors": "black", "linewidths": 1.3, "linestyles": "-"},
        "theirs": {"colors": "tab:red", "linewidths": 2, "linestyles": "--"},
    }
    for name, style in styles.items():
        with torch.no_grad():
            H, H_of_data = (models[name](torch.tensor(x))[..., 0].numpy() for x in (grid, data))
        constant = (their_hamiltonian(data.T) - H_of_data).mean()  # of H, which the derivatives leave free
        surfaces[name] = H + constant, style
    handles = axes.get_legend_handles_labels()[0]
    for name, (H, style) in surfaces.items():
        axes.contour(q, p, H, [0.25, 1, 2, 3, 4, 5], **style)
        line = {"color": style["colors"], "linewidth": style["linewidths"], "linestyle": style["linestyles"]}
        handles.append(Line2D([], [], **line, label=name))
    axes.set(xlabel="angle q (rad)", ylabel="momentum p", title="lines of equal H; there are no data near the centre")
    axes.set_aspect("equal")
    fig.legend(handles=handles, loc="outside lower center", ncols=4, frameon=False, handlelength=3)
    return fig


def main():
    report = Report(__file__)
    use_one_core()
    scores = {name: [] for name in RECIPES}
    for seed in progress(SEEDS, desc="data sets"):
        noisy, models, of_seed = compare(seed)
        for name, score in of_seed.items():
            scores[name].append(score)
        if seed == SEEDS[0]:
            figure = draw(noisy, models)
    rows = []
    for name, of_seeds in scores.items():
        loss, energy, seconds = zip(*of_seeds, strict=True)
        rows.append([name, spread(loss, "{:.3f}"), spread(energy), spread(seconds, "{:.1f}")])
    report.table(["training", "test loss / noise floor", "squared energy error over 20 s", "seconds"], rows)
    ours, theirs = (np.transpose(scores[name]) for name in ("ours", "theirs"))
    report.say(
        f"Ours minus theirs: test loss / noise floor {difference(ours[0], theirs[0])}; "
        f"energy error {difference(ours[1], theirs[1])}."
    )
    rows = [
        [f"{noise:.0e}", *(spread(list(small_noise(noise, epochs)), "{:.3f}") for epochs in (0, EPOCHS))]
        for noise in progress(SMALL_NOISES, desc="small noise")
    ]
    report.table(["noise on the states", "test loss / noise floor at epoch 0", f"after {EPOCHS} epochs"], rows)
    rows = [[f"{n:,}", f"{more_states(n):.1e}"] for n in progress(MORE_STATES, desc="more states")]
    report.table(["states, with noise of deviation 1 on their derivatives", "MSE against the exact derivatives"], rows)
    report.write(figure)


if __name__ == "__main__":
    run(main)
