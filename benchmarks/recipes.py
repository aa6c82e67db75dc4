"""What the recipe buys: four ways to train the same network, each for the same number of seconds on one core.

- the post's: Adam at 1e-2 on 1,000 states in the post's box, in float32;
- the same on our box;
- L-BFGS on all the weights, in the units and from the start that variable projection has;
- variable projection, which is hnn_training.train: 1,000 states to fit and 250 held out. It is measured before its
  last solve, which makes H periodic.

The test error is that of hnn_model_derivs.measure. Time spent on measuring does not count.

uv run --group bench python -m benchmarks.recipes               writes recipes.md and .png beside this file
"""

import copy
import itertools
import math
import statistics
import time

import numpy as np

from benchmarks.common import STATES, Report, spread, use_one_core
from HNN import HNN
from hnn_model_derivs import get_model_time_derivatives, measure
from hnn_training import POINTS, first_hidden_layers, train, train_as_post
from pendulum_tensor import POST_BOX, TEST_BOX, TRAINING_BOX, pendulum_dynamics_tensor, sample_states
from support.data import TrainingData
from support.figures import new_figure
from support.terminal import progress, run
from support.torch_state import new_network
from support.variable_projection import LBFGS

SECONDS = 10.0
SEEDS = [0, 1, 2]
GOAL = 1e-3  # of the test error
NEXT = 1.15  # times the seconds of a measurement are those of the next
ENDLESS = 10**6  # epochs


class TimeIsUp(Exception):
    """Raised inside a training loop to end it."""


class Stopwatch:
    """An on_epoch that records (seconds, test MSE, error of H) of the training so far, and ends it in time."""

    def __init__(self):
        self.records, self.measuring, self.start, self.next = [], 0.0, time.perf_counter(), 0.0

    def __call__(self, epoch, loss, validation_loss, model):
        now = time.perf_counter()
        seconds = now - self.start - self.measuring
        if seconds >= min(self.next, SECONDS):
            self.records.append((seconds, *measure(model)))
            self.next = NEXT * seconds
            self.measuring += time.perf_counter() - now
        if seconds >= SECONDS:
            raise TimeIsUp


def data(box, n, seed):
    """`n` states of the box and their true derivatives."""
    states = sample_states(n, box, seed)
    return states, pendulum_dynamics_tensor(0, states)


def post(seed, on_epoch):
    train_as_post(*data(POST_BOX, POINTS, seed), ENDLESS, seed, on_epoch=on_epoch)


def adam_on_our_box(seed, on_epoch):
    train_as_post(*data(TRAINING_BOX, POINTS, seed), ENDLESS, seed, on_epoch=on_epoch)


def lbfgs(seed, on_epoch):
    in_units = TrainingData(*data(TRAINING_BOX, POINTS, seed))
    model = new_network(HNN, seed).to(in_units.x)
    model.linear_block[:-1].load_state_dict(first_hidden_layers(seed).state_dict())
    optimizer = LBFGS(model)
    for epoch in itertools.count():
        on_epoch(epoch, None, None, in_units.out_of_units(copy.deepcopy(model)))
        optimizer.step(lambda: (get_model_time_derivatives(model, in_units.x) - in_units.y).square().mean())


def variable_projection(seed, on_epoch):
    states, derivatives = data(TRAINING_BOX, STATES, seed)
    train(states, derivatives, ENDLESS, seed, period=2 * math.pi, on_epoch=on_epoch)


RECIPES = {  # what trains, and how it is drawn
    "the post's, in its smaller box": (post, ":", "0.3"),
    "Adam on our box": (adam_on_our_box, "-.", "tab:orange"),
    "L-BFGS": (lbfgs, "--", "tab:green"),
    "variable projection (ours)": (variable_projection, "-", "tab:blue"),
}


def timed_run(recipe, seed):
    """The records of a training, (times, 3): seconds, test MSE, error of H."""
    watch = Stopwatch()
    try:
        recipe(seed, watch)
    except TimeIsUp:
        return np.array(watch.records)


def seconds_to(goal, run):
    """When the test MSE of the records of a run first was at most `goal`, or None."""
    reached = run[run[:, 1] <= goal, 0]
    return reached[0] if len(reached) else None


def in_words(times):
    """The mean of the times (s) that are not None, and of how many seeds it is where others never came there."""
    reached = [seconds for seconds in times if seconds is not None]
    if not reached:
        return "never"
    mean = f"{statistics.fmean(reached):.2f} s"
    return mean if len(reached) == len(times) else f"{mean} for {len(reached)} of {len(times)} seeds, never for others"


def draw(runs):
    """Test error over seconds, a line for each seed."""
    fig = new_figure(figsize=(9, 5.2), layout="constrained")
    axes = fig.subplots()
    for name, (_, line, colour) in RECIPES.items():
        for k, of_seed in enumerate(runs[name]):
            label = name if k == 0 else None
            axes.loglog(of_seed[:, 0], of_seed[:, 1], line, color=colour, linewidth=1.8, label=label)
    q_max, p_max = TEST_BOX
    axes.set(xlabel="seconds of training", ylabel="mean squared error of the derivatives")
    axes.set_title(f"on fresh states in |q| ≤ {q_max:.3g}, |p| ≤ {p_max:.3g}; {len(SEEDS)} seeds each")
    axes.grid(alpha=0.3)
    fig.legend(loc="outside lower center", ncols=4, frameon=False, handlelength=3)
    return fig


def main():
    report = Report(__file__)
    use_one_core()
    runs, rows = {}, []
    for name, (recipe, _, _) in progress(RECIPES.items(), desc="recipes"):
        runs[name] = [timed_run(recipe, seed) for seed in SEEDS]
        times = [seconds_to(GOAL, of_seed) for of_seed in runs[name]]
        mse, H_error = (spread([of_seed[-1, column] for of_seed in runs[name]]) for column in (1, 2))
        rows.append([name, in_words(times), mse, H_error])
    report.table(["recipe", f"time to a test MSE of {GOAL:g}", f"test MSE after {SECONDS:g} s", "error of H"], rows)
    report.write(draw(runs))


if __name__ == "__main__":
    run(main)
