"""Recordings: the last 40 % of a record (t, angle), predicted from its first 60 % in four ways.

- damped cosine: A e^(−γ t / 2) cos(ω t + φ) + c, the textbook's small swing, by SciPy's curve_fit;
- true equation: θ'' = −ω₀² sin(θ − c) − γ θ', with its start, ω₀, γ and c by SciPy's least_squares on the whole
  trajectory. It is told the law of the made records, of which it is the best that there could be;
- Dissipative HNN (Sosanya, Greydanus 2022, arXiv 2201.10085) of its published size: networks H(q, p, t) and D(q, p, t),
  3-256-256-1 with tanh, whose gradients make dq/dt = ∂H/∂p + ∂D/∂q and dp/dt = −∂H/∂q + ∂D/∂p, by Adam at 5e-3 in 5,000
  batches of 128, on central differences, over 1/30 s or a row, of the smoothed angle. Its t is kept at that of the last
  state seen, which is kind: it has learned nothing of the times after;
- ours: motion.learn.

One record is a student's pendulum by video (motion/student.csv). The others are θ'' = −9.8 sin θ − γ θ' by DOP853 with
noise on the angle: a base record, from rest at 1 rad, with γ = 0.05/s, noise 0.005 rad and 30 rows a second for 30 s,
and records that differ from it as named. γ is that of dp/dt = −∂H/∂q − γ p, so that areas in phase space shrink as
e^(−γ t), and the amplitude of a small swing as e^(−γ t / 2); the Dissipative HNN's is how fast its areas shrink along
the record. The error is the root mean square over the unseen part, against the motion without noise, or against
the student's rows. One noise and one network for each record. Two records are worked on at once, on one core each.

uv run --group bench python -m benchmarks.recordings            writes recordings.md and .png beside this file
"""

import contextlib
import math
import multiprocessing
import warnings
from pathlib import Path

import numpy as np
import torch
from scipy.optimize import curve_fit, least_squares
from scipy.signal import savgol_filter
from torch import nn

from benchmarks.common import Report, solved, spread, timed, use_one_core
from motion import learn
from motion.rows import Rows
from pendulum_nonlinear import GRAVITY, LENGTH
from support.figures import T_LABEL, new_figure
from support.notes import Note
from support.terminal import progress, run
from support.torch_state import new_network

STUDENT = Path(__file__).parents[1] / "motion" / "student.csv"
SEEN = 0.6  # of the rows
BASE = {"start": (1.0, 0.0), "gamma": 0.05, "noise": 0.005, "rate": 30, "duration": 30.0}  # rad, 1/s, rad, 1/s, s
RECORDS = {
    "base record": {},
    "noise 0.001 rad": {"noise": 0.001},
    "noise 0.02 rad": {"noise": 0.02},
    "240 rows/s": {"rate": 240},
    "1,000 rows/s": {"rate": 1000},
    "γ 0": {"gamma": 0.0},
    "γ 0.5/s, 15 s": {"gamma": 0.5, "duration": 15.0},
    "0.3 rad": {"start": (0.3, 0.0)},
    "2.8 rad": {"start": (2.8, 0.0)},
    "first over the top, γ 0.2/s": {"start": (0.0, 7.5), "gamma": 0.2},
}
FIRST = "student, 1.4 rad"
SMOOTHING, FRAME = 0.3, 1 / 30  # s: to either side, and between the smoothed rows of which differences are taken
WIDTH, BATCHES, BATCH, RATE = 256, 5000, 128, 5e-3  # of the Dissipative HNN


def ours(t, q, seen):
    """The prediction of motion.learn at t[seen:], from the rows before, and its γ."""
    rows = Rows(t[:seen], q[:seen, None], None, np.median(np.diff(t)), [slice(0, seen)], True, [])
    learned = learn(rows)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Note)  # a damped motion falls below the energies that were seen
        predicted, _ = learned.predict(t[seen:] - t[seen - 1])
    return predicted[:, 0], learned.friction


def swing(t, start, omega_0, gamma, tolerance=1e-10):
    """The angle at the times t, (T,), of θ'' = −ω₀² sin θ − γ θ' from start = [q, p] at t[0]."""

    def dynamics(t, state):
        q, p = state
        return [p, -(omega_0**2) * np.sin(q) - gamma * p]

    return solved(dynamics, [start], t, tolerance)[0, :, 0]


def made_record(start, gamma, noise, rate, duration):
    """t, the angle with noise and without, (T,) each."""
    t = np.arange(round(rate * duration)) / rate
    q = swing(t, start, math.sqrt(GRAVITY / LENGTH), gamma, tolerance=1e-12)
    return t, q + noise * np.random.default_rng(0).normal(size=len(t)), q


def record(name):
    """t, the angle as recorded, and the angle that a prediction is compared with."""
    if name == FIRST:
        t, q = np.loadtxt(STUDENT, delimiter=",").T
        return t, q, q
    return made_record(**(BASE | RECORDS[name]))


def differences(t, q):
    """States [q, p], their derivatives, (n, 2) each, and times, (n,): p and dp/dt by differences of smoothed q."""
    dt = np.median(np.diff(t))
    rows = np.arange(len(t) - 1, -1, -max(1, round(FRAME / dt)))[::-1]  # differences over a shorter time are noise
    q = savgol_filter(q, 2 * round(SMOOTHING / dt) + 1, 4)[rows]
    p = np.gradient(q, t[rows])
    return np.stack([q, p], axis=-1), np.stack([p, np.gradient(p, t[rows])], axis=-1), t[rows]


def cosine(t, A, gamma, omega, phi, c):
    """A e^(−γ t / 2) cos(ω t + φ) + c."""
    return A * np.exp(-gamma * t / 2) * np.cos(omega * t + phi) + c


def fit_cosine(t, q):
    """The parameters of the damped cosine, the best of those found from several ω and φ.

    The first ω are about that of the second half, whose swing is more like the one to come.
    """
    late = len(t) // 2
    spectrum = abs(np.fft.rfft(q[late:] - q[late:].mean()))
    step = 2 * math.pi / (t[-1] - t[late])
    fits = []
    for omega in step * (np.argmax(spectrum) + np.array([-0.5, 0, 0.5])):
        for phi in (0, 2 * math.pi / 3, 4 * math.pi / 3):
            with contextlib.suppress(RuntimeError):  # it found no least squares from there
                guess = [np.ptp(q[late:]) / 2, 0.1, omega, phi, q[late:].mean()]
                fits.append(curve_fit(cosine, t, q, guess, maxfev=5000)[0])
    return min(fits, key=lambda parameters: np.square(cosine(t, *parameters) - q).sum())


def by_cosine(t, q, seen):
    """The damped cosine's prediction at t[seen:], and its γ."""
    parameters = fit_cosine(t[:seen], q[:seen])
    return cosine(t[seen:], *parameters), parameters[1]


def trajectory(t, q_0, p_0, omega_0, gamma, c):
    """The angle of the true equation with its zero at c."""
    return c + swing(t, (q_0 - c, p_0), omega_0, gamma)


def fit_equation(t, q):
    """The start q₀, p₀, and ω₀, γ, c of the true equation.

    The first guess is the linear fit of θ'' = a sin θ + b cos θ − γ θ' to finite differences.
    """
    states, derivatives, _ = differences(t, q)
    A = np.stack([np.sin(states[:, 0]), np.cos(states[:, 0]), states[:, 1]], axis=-1)
    a, b, minus_gamma = np.linalg.lstsq(A, derivatives[:, 1], rcond=None)[0]
    guess = [*states[0], math.sqrt(math.hypot(a, b)), -minus_gamma, math.atan2(b, -a)]
    return least_squares(lambda x: trajectory(t, *x) - q, guess, diff_step=1e-6).x


def by_equation(t, q, seen):
    """The true equation's prediction at t[seen:], and its γ."""
    parameters = fit_equation(t[:seen], q[:seen])
    return trajectory(t, *parameters)[seen:], parameters[3]


def perceptron():
    """3-256-256-1 with tanh."""
    return nn.Sequential(nn.Linear(3, WIDTH), nn.Tanh(), nn.Linear(WIDTH, WIDTH), nn.Tanh(), nn.Linear(WIDTH, 1))


def dissipative_derivatives(H, D, x):
    """[∂H/∂p + ∂D/∂q, −∂H/∂q + ∂D/∂p], (N, 2), at the states and times x = [q, p, t], (N, 3)."""
    x.requires_grad_()
    dH, dD = (torch.autograd.grad(f(x).sum(), x, create_graph=True)[0] for f in (H, D))
    return torch.stack([dH[:, 1] + dD[:, 0], dD[:, 1] - dH[:, 0]], dim=-1)


def shrinking(H, D, x):
    """The rate at which areas shrink, −(∂/∂q dq/dt + ∂/∂p dp/dt), on average over x; it is γ where D = −γ p² / 2."""
    dx = dissipative_derivatives(H, D, x)
    return -sum(torch.autograd.grad(dx[:, i].sum(), x, retain_graph=True)[0][:, i] for i in (0, 1)).mean().item()


def by_dissipative_hnn(t, q, seen):
    """The Dissipative HNN's prediction at t[seen:], from the last state seen, and its γ."""
    states, derivatives, times = differences(t[:seen], q[:seen])
    x = torch.tensor(np.column_stack([states, times]), dtype=torch.float32)
    y = torch.tensor(derivatives, dtype=torch.float32)
    networks = new_network(lambda: nn.ModuleList([perceptron(), perceptron()]), seed=0)
    optimizer, generator = torch.optim.Adam(networks.parameters(), RATE), torch.Generator().manual_seed(0)
    for _ in progress(range(BATCHES), desc="Dissipative HNN", unit="batch"):
        k = torch.randint(len(x), (BATCH,), generator=generator)
        loss = (dissipative_derivatives(*networks, x[k]) - y[k]).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    def dynamics(t, state):
        at = torch.tensor(np.append(state, times[-1]), dtype=torch.float32)[None]
        return dissipative_derivatives(*networks, at).detach().numpy().T

    return solved(dynamics, states[-1:], t[seen - 1 :], 1e-5)[0, 1:, 0], shrinking(*networks, x)


WAYS = {"damped cosine": by_cosine, "true equation": by_equation, "Dissipative HNN": by_dissipative_hnn, "ours": ours}
STYLES = {  # colour, line, width, and the mark of an error
    "damped cosine": ("tab:orange", (0, (1, 1)), 1.8, "s"),
    "true equation": ("0.55", "-", 4, "o"),
    "Dissipative HNN": ("tab:red", (0, (5, 2)), 1.3, "^"),
    "ours": ("tab:blue", "-", 1.3, "D"),
}


def rms(x):
    """The root mean square."""
    return np.sqrt(np.square(x).mean())


def mean_period(t, q):
    """The mean time between the passages of q upwards through its mean, NaN where there are not two."""
    q = q - q.mean()
    k = np.flatnonzero((q[:-1] < 0) & (q[1:] >= 0))
    passages = t[k] - q[k] * (t[k + 1] - t[k]) / (q[k + 1] - q[k])
    return np.diff(passages).mean() if len(passages) > 1 else math.nan


def compare(name):
    """(γ, deviation, mean period) of the record's unseen part; {way: (γ, error, mean period, seconds, prediction)}."""
    t, q, true = record(name)
    seen = round(SEEN * len(t))
    t_after, after = t[seen:], true[seen:]
    gamma = math.nan if name == FIRST else (BASE | RECORDS[name])["gamma"]
    found = {}
    for way, predict in WAYS.items():
        (predicted, its_gamma), seconds = timed(predict, t, q, seen)
        found[way] = its_gamma, rms(predicted - after), mean_period(t_after, predicted), seconds, predicted
    return (gamma, after.std(), mean_period(t_after, after)), found


def draw(compared):
    """Left the student's rows and what is predicted of the unseen ones, right the error of each record and way."""
    fig = new_figure(figsize=(10, 5), layout="constrained")
    motion, errors = fig.subplots(1, 2, width_ratios=[3, 2])
    t, q, _ = record(FIRST)
    seen, names = round(SEEN * len(t)), list(compared)[::-1]
    errors.plot([compared[name][0][1] for name in names], names, "|", color="black", markersize=14)
    motion.axvspan(t[seen], t[-1], color="0.93", zorder=0)
    motion.plot(t, q, ".", color="black", markersize=4, zorder=3, label="recorded")
    for k, (way, (colour, line, width, mark)) in enumerate(STYLES.items()):
        style = {"color": colour, "marker": mark, "markeredgecolor": "black", "markersize": 6, "gid": way}
        predicted = compared[FIRST][1][way][-1]
        motion.plot(t[seen:], predicted, **style, linestyle=line, linewidth=width, markevery=(5 * k, 20), label=way)
        errors.plot([compared[name][1][way][1] for name in names], names, **style, linestyle="none")
    motion.set(title="a student's pendulum, shaded where predicted", xlabel=T_LABEL, ylabel="angle q (rad)")
    motion.set_xlim(t[seen // 2], t[-1])  # the first rows are like those that are shown
    errors.set(title="its error (| the motion itself)", xscale="log", xlabel="root mean square (rad)")
    errors.grid(axis="x", alpha=0.3)
    fig.legend(*motion.get_legend_handles_labels(), loc="outside lower center", ncols=5, frameon=False, handlelength=4)
    return fig


def main():
    report, names = Report(__file__), [FIRST, *RECORDS]
    with multiprocessing.get_context("spawn").Pool(2, use_one_core) as pool:
        compared = dict(zip(names, pool.map(compare, names, chunksize=1), strict=True))
    for title, known, k, form in (
        ("Error of the prediction (rad), beside the deviation of the motion itself", "the motion", 1, "{:.2g}"),
        ("γ (1/s)", "true", 0, "{:z.4f}"),
        ("Mean period in the unseen part (s)", "true", 2, "{:.4f}"),
    ):
        report.say(title)
        rows = [
            [name, *(form.format(values[k]).replace("nan", "") for values in (truth, *found.values()))]
            for name, (truth, found) in compared.items()
        ]
        report.table(["record", known, *WAYS], rows)
    seconds = {way: [found[way][3] for _, found in compared.values()] for way in WAYS}
    report.table(["", *WAYS], [["seconds", *(spread(of_way, "{:.1f}") for of_way in seconds.values())]])
    report.write(draw(compared))


if __name__ == "__main__":
    run(main)
