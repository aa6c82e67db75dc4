"""What was learned: lines of equal learned H over the true ones, and the map of the error, inside and outside the box.

uv run --group bench python benchmarks/learned_energy.py      writes learned_energy.png
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.colors import LogNorm
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from command_line import finish_figure, run

from benchmarks.common import print_table
from HNN import load_hnn
from hnn_training import MEASURED_BOX, TRAINING_BOX
from pendulum_nonlinear import GRAVITY, LENGTH, MASS, pendulum_hamiltonian

EDGES = (6.0, 14.0)  # |q|, |p| of the map: about twice the training box
LEVELS = [1, 5, 10, 15, 25, 35, 50, 70, 90]  # J
SEPARATRIX = 2 * MASS * GRAVITY * LENGTH


def energies(model, q, p):
    """The true H and the learned one, of the same shape as q and p; the learned constant is H(0, 0) = 0."""
    states = torch.tensor(np.stack([q, p], axis=-1)).to(next(model.parameters()))
    with torch.no_grad():
        learned = (model(states)[..., 0] - model(torch.zeros(1, 2).to(states))[0]).double().numpy()
    return pendulum_hamiltonian([q, p]), learned


def main():
    model = load_hnn()
    q, p = np.meshgrid(np.linspace(-EDGES[0], EDGES[0], 401), np.linspace(-EDGES[1], EDGES[1], 401))
    truth, learned = energies(model, q, p)
    error = abs(learned - truth)
    rows = []
    for name, (q_max, p_max) in {
        "measured box": MEASURED_BOX,
        "training box": TRAINING_BOX,
        "10 % beyond it": np.multiply(TRAINING_BOX, 1.1),
        "50 % beyond it": np.multiply(TRAINING_BOX, 1.5),
    }.items():
        inside = (abs(q) <= q_max) & (abs(p) <= p_max)
        greatest = error[inside].max()
        rows.append([name, f"\\|q\\| ≤ {q_max:.2f}, \\|p\\| ≤ {p_max:.2f}", f"{greatest:.1e}"])
    print_table(["where", "", "greatest error of H (J)"], rows)

    fig, (lines, errors) = plt.subplots(1, 2, figsize=(12, 5), sharex=True, sharey=True, layout="constrained")
    lines.contour(q, p, truth, LEVELS, colors="0.75", linewidths=4)
    lines.contour(q, p, truth, [SEPARATRIX], colors="0.75", linewidths=4, linestyles="--")
    lines.contour(q, p, learned, LEVELS, colors="C0", linewidths=1.2)
    lines.contour(q, p, learned, [SEPARATRIX], colors="C3", linewidths=1.2, linestyles="--")
    image = errors.pcolormesh(q, p, np.maximum(error, 1e-8), norm=LogNorm(1e-8, 1e2), cmap="viridis", rasterized=True)
    fig.colorbar(image, label="|learned H − true H| (J)")
    for axes, colour in ((lines, "black"), (errors, "white")):
        corner = (-TRAINING_BOX[0], -TRAINING_BOX[1])
        axes.add_patch(Rectangle(corner, *np.multiply(TRAINING_BOX, 2), fill=False, edgecolor=colour, linewidth=1.5))
        axes.set(xlabel="angle q (rad)")
    lines.set(ylabel="angular momentum p (kg m²/s)", title="Lines of equal H")
    errors.set(title="Error of H; the frame is the training box")
    styles = {"true": ("0.75", 4, "-"), "learned": ("C0", 1.2, "-"), "separatrix": ("C3", 1.2, "--")}
    handles = [Line2D([], [], color=c, linewidth=w, linestyle=s, label=name) for name, (c, w, s) in styles.items()]
    lines.legend(handles=[*handles, Line2D([], [], color="black", label="training box")], loc="upper right")
    finish_figure(fig, "learned_energy.png", show=False)


if __name__ == "__main__":
    run(main)
