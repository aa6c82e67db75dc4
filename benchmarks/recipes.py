"""Four recipes, each for the same number of seconds: the post's, Adam on our box, L-BFGS, and variable projection.

Each starts from the same 1,000 states to fit (the post's recipe from its own box), on three seeds. The test error is
that of hnn_training.measure: on fresh states in |q| ≤ π, |p| ≤ 7. Time spent on measuring does not count. The first
use of an optimizer, which makes torch import its compiler, is made before the clock starts.

uv run --group bench python benchmarks/recipes.py             writes recipes.png
"""

import statistics
import sys
import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from command_line import finish_figure, run

from benchmarks.common import print_table, spread
from HNN import HNN
from hnn_model_derivs import get_model_time_derivatives
from hnn_training import (
    POINTS,
    POST_BOX,
    measure,
    random_states,
    sample_states,
    sample_training_states,
    standardise_first_layer,
    train,
    train_as_post,
    true_derivatives_of,
)

SECONDS = 10.0
SEEDS = [0, 1, 2]
GOAL = 1e-3  # of the test error
MEASURED_TIMES = 40  # at most, in a run


class TimeIsUp(Exception):
    """Raised inside a training loop to end it."""


class Stopwatch:
    """An on_epoch that records (seconds, test MSE, error of H) of the training so far, and ends it in time."""

    def __init__(self):
        self.records, self.measuring, self.start, self.next = [], 0.0, time.perf_counter(), 0.0

    def __call__(self, epoch, loss, test_loss, model):
        now = time.perf_counter()
        seconds = now - self.start - self.measuring
        if seconds >= self.next or seconds >= SECONDS:
            self.records.append((seconds, *measure(model)))
            self.next = seconds + SECONDS / MEASURED_TIMES
            self.measuring += time.perf_counter() - now
        if seconds >= SECONDS:
            raise TimeIsUp


def post(seed, on_epoch):
    states = random_states(POINTS, seed, POST_BOX, torch.float32)
    train_as_post(states, true_derivatives_of(states), 10**6, seed, on_epoch=on_epoch)


def adam_on_our_box(seed, on_epoch):
    states = sample_states(POINTS, seed)
    train_as_post(states, true_derivatives_of(states), 10**6, seed, on_epoch=on_epoch)


def lbfgs(seed, on_epoch):
    """L-BFGS on all the weights together, from the start that variable projection has, in float64."""
    states = sample_states(POINTS, seed)
    derivatives = true_derivatives_of(states)
    torch.manual_seed(seed)
    model = HNN().double()
    standardise_first_layer(model, states)
    optimizer = torch.optim.LBFGS(
        model.parameters(), max_iter=10, history_size=50, line_search_fn="strong_wolfe", tolerance_grad=0
    )

    def closure():
        optimizer.zero_grad()
        loss = (get_model_time_derivatives(model, states) - derivatives).square().mean()
        loss.backward()
        return loss

    for epoch in range(10**6):
        on_epoch(epoch, None, None, model)
        optimizer.step(closure)


def variable_projection(seed, on_epoch):
    states = sample_training_states(POINTS, seed)
    train(states, true_derivatives_of(states), 10**6, seed, on_epoch=on_epoch)


RECIPES = {
    "the post's": (post, ":", "0.4"),
    "Adam on our box": (adam_on_our_box, "-.", "C1"),
    "L-BFGS": (lbfgs, "--", "C2"),
    "variable projection (ours)": (variable_projection, "-", "C0"),
}


def main():
    torch.optim.Adam(HNN().parameters())  # so that what torch imports at its first optimizer is not timed
    rows = []
    fig, axes = plt.subplots(figsize=(8, 4.5), layout="constrained")
    for name, (recipe, line, colour) in tqdm(RECIPES.items(), desc="recipes"):
        runs = []
        for seed in SEEDS:
            watch = Stopwatch()
            try:
                recipe(seed, watch)
            except TimeIsUp:
                runs.append(np.array(watch.records))
            axes.loglog(*runs[-1][:, :2].T, line, color=colour, label=name if seed == SEEDS[0] else None)
        reached = [run[run[:, 1] <= GOAL, 0] for run in runs]
        to_goal = "never" if not all(map(len, reached)) else f"{statistics.fmean(r[0] for r in reached):.2f} s"
        rows.append([name, to_goal, spread([run[-1, 1] for run in runs]), spread([run[-1, 2] for run in runs])])
    print_table(["recipe", f"time to a test MSE of {GOAL:g}", f"test MSE after {SECONDS:g} s", "error of H"], rows)
    axes.set(xlabel="seconds of training", ylabel="test MSE of the derivatives", title="1,000 states, 3 seeds each")
    axes.legend()
    finish_figure(fig, "recipes.png", show=False)


if __name__ == "__main__":
    run(main)
