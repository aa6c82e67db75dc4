"""Recordings: the last 40 % of a record (t, angle) predicted from its first 60 % in four ways, and error bars.

- damped cosine: A e^(−γ t / 2) cos(ω t + φ) + c, the textbook's small swing, by SciPy's curve_fit;
- pendulum equation: θ'' = −ω₀² sin(θ − c) − c₁ θ' − c₂ |θ'| θ', with its start, ω₀, c, c₁ and c₂ by SciPy's
  least_squares on the whole trajectory. It is told the law of the made records, but for one coefficient that is 0;
- Dissipative HNN (Sosanya, Greydanus 2022, arXiv 2201.10085) of its published size: networks H(q, p, t) and D(q, p, t),
  3-256-256-1 with tanh, whose gradients make dq/dt = ∂H/∂p + ∂D/∂q and dp/dt = −∂H/∂q + ∂D/∂p, by Adam at 5e-3 in 5,000
  batches of 128, on central differences, over 1/30 s or a row, of the smoothed angle. Its t is kept at that of the last
  state seen, which is kind: it has learned nothing of the times after;
- ours: motion.learn, which is told nothing.

One record is a student's pendulum by video (motion/student.csv). The others are made by DOP853, with noise on q, from
θ'' = −9.8 sin θ − c₁ θ' − c₂ |θ'| θ'. A base record goes from rest at 1 rad, with c₁ = 0.05/s, noise 0.005 rad and 30
rows a second for 30 s; other records differ from it as named. The error is the root mean square over the unseen part,
against the motion without noise, or against the student's rows. One noise and one network for each record.

Two more tables: records without noise, and the error bars of thirty records of each of five laws of drag. There z is
(estimate − truth) / standard error; errors that are right make its root mean square 1.

uv run --group bench python -m benchmarks.recordings            writes recordings.md and .png beside this file
"""

import contextlib
import math
import multiprocessing
from pathlib import Path

import numpy as np
import torch
from scipy.optimize import curve_fit, least_squares
from scipy.signal import savgol_filter
from torch import nn

from benchmarks.common import Report, solved, spread, timed, use_one_core
from motion import Recording, learn
from motion.choosing import find
from pendulum_nonlinear import GRAVITY, LENGTH
from support.figures import T_LABEL, new_figure
from support.terminal import progress, run
from support.torch_state import new_network

STUDENT = Path(__file__).parents[1] / "motion" / "student.csv"
SEEN = 0.6  # of the rows
DISSIPATIVE = "Dissipative HNN"
BASE = {"start": (1.0, 0.0), "drag": (0.0, 0.05, 0.0), "noise": 0.005, "rate": 30, "duration": 30.0}
RECORDS = {
    "base record": {},
    "noise 0.001 rad": {"noise": 0.001},
    "noise 0.02 rad": {"noise": 0.02},
    "240 rows/s": {"rate": 240},
    "1,000 rows/s": {"rate": 1000},
    "no drag": {"drag": (0.0, 0.0, 0.0)},
    "c₁ 0.5/s, 15 s": {"drag": (0.0, 0.5, 0.0), "duration": 15.0},
    "0.3 rad": {"start": (0.3, 0.0)},
    "2.8 rad": {"start": (2.8, 0.0)},
    "quadratic, c₂ 0.05": {"drag": (0.0, 0.0, 0.05)},
    "first over the top, c₁ 0.2/s": {"start": (0.0, 7.5), "drag": (0.0, 0.2, 0.0)},
}
FIRST = "student, 1.4 rad"
EXACT = {  # start, drag, rows of 0.1 s that are seen
    "from 1 rad, c₁ 0.1/s": ((1.0, 0.0), (0.0, 0.1, 0.0), 600),
    "from 3 rad, c₁ 0.1/s": ((3.0, 0.0), (0.0, 0.1, 0.0), 600),
    "from 2 rad, no drag": ((2.0, 0.0), (0.0, 0.0, 0.0), 600),
    "from 1 rad, c₂ 0.05": ((1.0, 0.0), (0.0, 0.0, 0.05), 600),
}
LAWS, TRIALS = [(0,), (1,), (2,), (0, 1), (1, 2)], 30
SMOOTHING, FRAME = 0.3, 1 / 30  # s: to either side, and between the smoothed rows of which differences are taken
WIDTH, BATCHES, BATCH, RATE = 256, 5000, 128, 5e-3  # of the Dissipative HNN


def ours(t, q, seen):
    """The prediction of motion.learn at t[seen:], from the rows before, and its drag."""
    recording = Recording(t[:seen], q[:seen], turn=2 * math.pi if np.ptp(q) > 2 * math.pi else None)
    learned = learn(recording)
    turns = q[seen - 1] - recording.pieces[-1][1][-1]  # by which a recording is moved as a whole
    return turns + learned.predict(t[seen:] - t[seen - 1])[0], learned.drag


def swing(t, start, omega_0, drag, tolerance=1e-10):
    """The angle at t, (T,), of θ'' = −ω₀² sin θ − c₀ sign θ' − c₁ θ' − c₂ |θ'| θ' from start = [q, p] at t[0]."""
    c_0, c_1, c_2 = drag

    def dynamics(t, state):
        q, p = state
        return [p, -(omega_0**2) * np.sin(q) - c_0 * np.sign(p) - c_1 * p - c_2 * abs(p) * p]

    return solved(dynamics, [start], t, tolerance)[0, :, 0]


def made_record(start, drag, noise, rate, duration, seed=0, tolerance=1e-12):
    """t, the angle with noise and without, (T,) each."""
    t = np.arange(round(rate * duration)) / rate
    q = swing(t, start, math.sqrt(GRAVITY / LENGTH), drag, tolerance)
    return t, q + noise * np.random.default_rng(seed).normal(size=len(t)), q


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
    """The damped cosine's prediction at t[seen:], and its drag."""
    parameters = fit_cosine(t[:seen], q[:seen])
    return cosine(t[seen:], *parameters), (0.0, parameters[1], 0.0)


def trajectory(t, q_0, p_0, omega_0, c, c_1, c_2):
    """The angle of the pendulum equation with its zero at c."""
    return c + swing(t, (q_0 - c, p_0), omega_0, (0.0, c_1, c_2))


def fit_equation(t, q):
    """The start q₀, p₀, and ω₀, c, c₁, c₂ of the pendulum equation.

    The first guess is the linear fit of θ'' = a sin θ + b cos θ − c₁ θ' to finite differences, the second one the fit
    without c₂.
    """
    states, derivatives, _ = differences(t, q)
    A = np.stack([np.sin(states[:, 0]), np.cos(states[:, 0]), states[:, 1]], axis=-1)
    a, b, minus_c_1 = np.linalg.lstsq(A, derivatives[:, 1], rcond=None)[0]
    guess = [*states[0], math.sqrt(math.hypot(a, b)), math.atan2(b, -a), -minus_c_1]
    viscous = least_squares(lambda x: trajectory(t, *x, 0.0) - q, guess, diff_step=1e-6).x
    return least_squares(lambda x: trajectory(t, *x) - q, [*viscous, 0.0], diff_step=1e-6).x


def by_equation(t, q, seen):
    """The pendulum equation's prediction at t[seen:], and its drag."""
    parameters = fit_equation(t[:seen], q[:seen])
    return trajectory(t, *parameters)[seen:], (0.0, *parameters[4:])


def perceptron():
    """3-256-256-1 with tanh."""
    return nn.Sequential(nn.Linear(3, WIDTH), nn.Tanh(), nn.Linear(WIDTH, WIDTH), nn.Tanh(), nn.Linear(WIDTH, 1))


def dissipative_derivatives(H, D, x):
    """[∂H/∂p + ∂D/∂q, −∂H/∂q + ∂D/∂p], (N, 2), at the states and times x = [q, p, t], (N, 3)."""
    x.requires_grad_()
    dH, dD = (torch.autograd.grad(f(x).sum(), x, create_graph=True)[0] for f in (H, D))
    return torch.stack([dH[:, 1] + dD[:, 0], dD[:, 1] - dH[:, 0]], dim=-1)


def by_dissipative_hnn(t, q, seen):
    """The Dissipative HNN's prediction at t[seen:], from the last state seen; its drag is no law's."""
    states, derivatives, times = differences(t[:seen], q[:seen])
    x = torch.tensor(np.column_stack([states, times]), dtype=torch.float32)
    y = torch.tensor(derivatives, dtype=torch.float32)
    networks = new_network(lambda: nn.ModuleList([perceptron(), perceptron()]), seed=0)
    optimizer, generator = torch.optim.Adam(networks.parameters(), RATE), torch.Generator().manual_seed(0)
    for _ in progress(range(BATCHES), desc=DISSIPATIVE, unit="batch"):
        k = torch.randint(len(x), (BATCH,), generator=generator)
        loss = (dissipative_derivatives(*networks, x[k]) - y[k]).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    def dynamics(t, state):
        at = torch.tensor(np.append(state, times[-1]), dtype=torch.float32)[None]
        return dissipative_derivatives(*networks, at).detach().numpy().T

    return solved(dynamics, states[-1:], t[seen - 1 :], 1e-5)[0, 1:, 0], None


WAYS = {
    "damped cosine": by_cosine,
    "pendulum equation": by_equation,
    "Dissipative HNN": by_dissipative_hnn,
    "ours": ours,
}
STYLES = {  # colour, line, width, and the mark of an error
    "damped cosine": ("tab:orange", (0, (1, 1)), 1.8, "s"),
    "pendulum equation": ("0.55", "-", 4, "o"),
    DISSIPATIVE: ("tab:red", (0, (5, 2)), 1.3, "^"),
    "ours": ("tab:blue", "-", 1.3, "D"),
}


def rms(x):
    """The root mean square."""
    return np.sqrt(np.square(x).mean())


def compare(name):
    """(drag, deviation) of the record's unseen part; {way: (drag, error, seconds, prediction)}."""
    t, q, true = record(name)
    seen = round(SEEN * len(t))
    drag = None if name == FIRST else (BASE | RECORDS[name])["drag"]
    found = {}
    for way, predict in WAYS.items():
        (predicted, its_drag), seconds = timed(predict, t, q, seen)
        found[way] = its_drag, rms(predicted - true[seen:]), seconds, predicted
    return (drag, true[seen:].std()), found


def in_words(drag):
    """c₀, c₁, c₂, but for those that are 0."""
    if drag is None:
        return ""
    return ", ".join(f"c{'₀₁₂'[k]} {c:.4f}" for k, c in enumerate(drag) if c) or "none"


def without_noise(name):
    """A row: how far ω² and the drag found from the angles of an EXACT record are off, and its next 1,000 steps."""
    start, drag, n = EXACT[name]
    t = 0.1 * np.arange(n + 1000)
    q = swing(t, start, math.sqrt(GRAVITY / LENGTH), drag, tolerance=1e-13)
    learned, seconds = timed(learn, Recording(t[:n], q[:n]))
    predicted, _ = learned.predict(t[n:] - t[n - 1])
    off = abs(learned.drag - drag).max(), abs(predicted - q[n:]).max(), abs(learned.found.omega_squared[0] - 9.8)
    return [name, in_words(learned.drag), *(f"{x:.1e}" for x in off), f"{seconds:.1f}"]


def error_bars(law):
    """A row: of TRIALS records with these laws of drag how many are told right, and the z of ω² and of their c."""
    rng, right, z, z_squared = np.random.default_rng(LAWS.index(law)), 0, [], []
    for _ in range(TRIALS):
        drag = np.where(np.isin(np.arange(3), law), rng.uniform([0.01, 0.02, 0.02], [0.03, 0.05, 0.08]), 0)
        start, duration, noise = (
            (rng.uniform(0.7, 1.6), 0.0),
            rng.uniform(20, 40),
            rng.uniform(2e-3, 5e-3),
        )  # it swings on
        t, q, _ = made_record(start, drag, noise, 30, duration, rng.integers(2**32), tolerance=1e-8)  # dry drag jumps
        found = find([(t, q)], None)
        squared, error = found.omega_squared
        z_squared.append((squared - GRAVITY / LENGTH) / error)
        if tuple(np.flatnonzero(found.equation.drag)) == law:
            right += 1
            z += [(found.equation.drag[k] - drag[k]) / found.drag_error[k] for k in law]
    names = " and ".join(("dry", "viscous", "quadratic")[k] for k in law)
    return [names, f"{right} of {TRIALS}", f"{rms(z):.2f}", f"{np.abs(z).max():.1f}", f"{rms(z_squared):.2f}"]


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
        exact = pool.map(without_noise, EXACT, chunksize=1)
        bars = pool.map(error_bars, LAWS, chunksize=1)
    report.say("Error of the prediction (rad), beside the deviation of the motion itself")
    rows = [
        [name, *(f"{x:.2g}" for x in (deviation, *(error for _, error, _, _ in found.values())))]
        for name, ((_, deviation), found) in compared.items()
    ]
    report.table(["record", "the motion", *WAYS], rows)
    report.say("Drag: c₀ in rad/s², c₁ in 1/s, c₂ in 1/rad")
    known = {
        way: [in_words(found[way][0]) for _, found in compared.values()] for way in WAYS if way != "Dissipative HNN"
    }
    true = [in_words(drag) for (drag, _), _ in compared.values()]
    report.table(["record", "true", *known], [list(row) for row in zip(compared, true, *known.values(), strict=True)])
    seconds = {way: [found[way][2] for _, found in compared.values()] for way in WAYS}
    report.table(["", *WAYS], [["seconds", *(spread(of_way, "{:.1f}") for of_way in seconds.values())]])
    report.say("Without noise: the angle alone, every 0.1 s for a minute, and the error of the next 1,000 steps")
    header = ["record", "drag found", "error of c", "greatest error of q (rad)", "error of ω² (1/s²)", "seconds"]
    report.table(header, exact)
    report.say("Error bars: z = (estimate − truth) / standard error, over records with noise of 2e-3 to 5e-3 rad")
    report.table(["law of drag", "told right", "z of c (rms)", "greatest", "z of ω² (rms)"], bars)
    report.write(draw(compared))


if __name__ == "__main__":
    run(main)
