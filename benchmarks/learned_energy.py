"""What was learned: the pendulum's constants, read off the committed model's H, and where its H can be trusted.

- Constants: the curvatures of the learned H at rest, by autograd, are 1 / (m l²) = ∂²H/∂p² and m g l = ∂²H/∂q²; the
  period of a swing from 3 rad is 4 √(l/g) K(sin²(q₀/2)) with the complete elliptic integral K.
- Map: the greatest error of H inside the box where models are tested, where it was trained, and beyond.

The map shows the bare network. Training and rollouts wrap q to [−π, π) first, and see nothing of what is drawn beyond.

uv run --group bench python -m benchmarks.learned_energy        writes learned_energy.md and .png beside this file
"""

import math

import numpy as np
import torch
from matplotlib.colors import LogNorm
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from scipy.integrate import solve_ivp
from scipy.special import ellipk

from benchmarks.common import Report
from HNN import load_hnn
from hnn_model_derivs import learned_dynamics
from pendulum_nonlinear import GRAVITY, LENGTH, MASS, pendulum_hamiltonian
from pendulum_tensor import TEST_BOX, TRAINING_BOX
from support.figures import P_LABEL, Q_LABEL, new_figure
from support.terminal import run

TRAINED_BOX = (math.pi, TRAINING_BOX[1])  # what is left of the training box once q is wrapped
AMPLITUDE = 3.0  # rad: of the swing whose period is measured
TOLERANCE = 1e-12  # of DOP853
EDGES = (6.0, 14.0)  # |q|, |p| of the map: about twice the training box
LEVELS = [1, 5, 10, 15, 25, 35, 50, 70, 90]  # J
TOP = pendulum_hamiltonian([math.pi, 0.0])  # J: the energy of the separatrix
LEAST, GREATEST = 1e-9, 1e2  # J: of the error's colours


def curvatures(model):
    """∂²H/∂q² and ∂²H/∂p² of a model of H at rest, [q, p] = [0, 0]."""
    rest = torch.zeros(2, dtype=torch.float64)
    hessian = torch.autograd.functional.hessian(lambda x: model(x[None]).sum(), rest)
    return hessian.diagonal().tolist()


def swing_period(dynamics, amplitude):
    """The period (s) of the swing from [amplitude, 0]: the time from one fall through q = 0 to the next."""

    def bottom(t, state):
        return state[0]

    bottom.direction, bottom.terminal = -1, 2  # q falls, and the second time ends it
    solution = solve_ivp(dynamics, (0, 1000), [amplitude, 0.0], "DOP853", events=bottom, rtol=TOLERANCE, atol=TOLERANCE)
    first, second = solution.t_events[0]
    return second - first


def exact_period(amplitude, l=LENGTH, g=GRAVITY):
    """The period (s) of the true pendulum, 4 √(l/g) K(sin²(amplitude / 2))."""
    return 4 * math.sqrt(l / g) * ellipk(math.sin(amplitude / 2) ** 2)


def constants(model):
    """Rows of what a physicist knows of the pendulum: quantity, exact and learned value."""
    d2H_dq2, d2H_dp2 = curvatures(model)
    period = swing_period(learned_dynamics(model), AMPLITUDE)
    return [
        ("m l² (kg m²)", MASS * LENGTH**2, 1 / d2H_dp2),
        ("m g l (J)", MASS * GRAVITY * LENGTH, d2H_dq2),
        (f"period of a swing from {AMPLITUDE:g} rad (s)", exact_period(AMPLITUDE), period),
    ]


def energies(model, q, p):
    """The true H and the bare network's, of the shape of q and p; the learned constant is set by H(0, 0) = 0."""
    states = torch.tensor(np.stack([q, p], axis=-1))
    with torch.no_grad():
        learned = (model(states)[..., 0] - model(torch.zeros(1, 2))[0]).double().numpy()
    return pendulum_hamiltonian([q, p]), learned


def draw(q, p, truth, learned):
    """Lines of equal H, learned over true, and the map of the error."""
    fig = new_figure(figsize=(10, 5.4), layout="constrained")
    lines, errors = fig.subplots(1, 2, sharex=True, sharey=True)
    styles = {
        "true H": {"colors": "0.75", "linewidths": 4},
        "learned H": {"colors": "tab:blue", "linewidths": 1.2},
    }
    for H, style in zip((truth, learned), styles.values(), strict=True):
        lines.contour(q, p, H, LEVELS, **style)
        lines.contour(q, p, H, [TOP], linestyles="--", **style)
    norm = LogNorm(LEAST, GREATEST, clip=True)
    image = errors.pcolormesh(q, p, abs(learned - truth), norm=norm, cmap="viridis", rasterized=True)
    fig.colorbar(image, label="|learned H − true H| (J)", extend="min")
    for axes, colour in ((lines, "black"), (errors, "white")):
        corner, sides = np.negative(TRAINED_BOX), np.multiply(TRAINED_BOX, 2)
        axes.add_patch(Rectangle(corner, *sides, fill=False, edgecolor=colour, linewidth=1.5))
        axes.set(xlabel=Q_LABEL)
    lines.set(ylabel=P_LABEL, title="lines of equal H; it was trained in the frame")
    errors.set(title="error of H")
    handles = [
        Line2D([], [], color=style["colors"], linewidth=style["linewidths"], label=name)
        for name, style in styles.items()
    ]
    handles.append(Line2D([], [], color="0.4", linestyle="--", label=f"H = 2 m g l = {TOP:.1f} J, the separatrix"))
    fig.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False)
    fig.suptitle("the bare network: a rollout wraps q to [−π, π) and sees one turn of it only")
    return fig


def main():
    report = Report(__file__)
    model = load_hnn().double()
    rows = [
        [quantity, f"{exact:.8f}", f"{learned:.8f}", f"{abs(learned / exact - 1):.1e}"]
        for quantity, exact, learned in constants(model)
    ]
    report.table(["quantity", "exact", "learned", "relative error"], rows)
    q, p = np.meshgrid(np.linspace(-EDGES[0], EDGES[0], 401), np.linspace(-EDGES[1], EDGES[1], 401))
    truth, learned = energies(model, q, p)
    rows = []
    for name, (q_max, p_max) in {
        "where models are tested": TEST_BOX,
        "where it was trained": TRAINED_BOX,
        "10 % beyond": np.multiply(TRAINED_BOX, 1.1),
        "50 % beyond": np.multiply(TRAINED_BOX, 1.5),
    }.items():
        inside = (abs(q) <= q_max) & (abs(p) <= p_max)
        rows.append([name, f"{q_max:.2f}", f"{p_max:.2f}", f"{abs(learned - truth)[inside].max():.1e}"])
    report.table(["where", "\\|q\\| up to (rad)", "\\|p\\| up to (kg m²/s)", "greatest error of H (J)"], rows)
    report.write(draw(q, p, truth, learned))


if __name__ == "__main__":
    run(main)
