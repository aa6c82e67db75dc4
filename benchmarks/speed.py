"""How long things take: a step, a second of motion, a training, a script; each timed beside its peers in one run.

- A step of many orbits, µs per orbit and step. Ours solves for p₁, which takes three gradients of the network a step;
  the truth takes the post's two lines. The plain version and Euler take one gradient, RK4 four, and SciPy's RK45
  chooses its steps. The limit is what a step cannot avoid, alone: the four matrix products of two gradients, or a sine.
- A second of motion of 100 orbits, and the error of the energy that it buys, for methods that keep the area.
- A training, beside the post's and against the number of states.
- The scripts as a reader types them, and what they spend before their first step.
- `python -m motion` on recordings of many sizes, and a training of many states, alone and beside a busy core.
- The same on a GPU, where there is one.

Each is a median of rounds in which the peers take turns.

uv run --group bench python -m benchmarks.speed                 writes speed.md beside this file
"""

import math
import resource
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
import torch
from scipy.integrate import solve_ivp
from scipy.optimize import fsolve
from torchdiffeq import odeint

from benchmarks.common import STATES, Report, median_times, midpoint_step, timed
from benchmarks.from_motion import by_motion
from dist_dynamic import STEPS, carry, sample_cloud
from HNN import HIDDEN_SIZE, load_hnn
from hnn_model_derivs import get_model_time_derivatives, learned_dynamics
from hnn_training import POINTS, train, train_as_post
from motion.equation import Equation, Sines
from pendulum_nonlinear import GRAVITY, LENGTH, pendulum_dynamics, pendulum_hamiltonian
from pendulum_tensor import POST_BOX, TRAINING_BOX, pendulum_dynamics_tensor, sample_states
from rigid_simulator_HNN import run_simulation_HNN
from rigid_simulator_implicit import DT, INITIAL_STATES, symplectic_euler_step, two_line_step
from support.terminal import progress, run

ROUNDS = 5
TOLERANCES = {"rtol": 1e-6, "atol": 1e-9}  # of SciPy's solve_ivp
PLAIN_STEPS, PLAIN_STATES = 200, 20  # of the plain versions, which are slow
FEW_STEPS = 20  # where a step is long
MOTION_DT = 0.2  # s: of the model from motion
SECONDS_OF_MOTION = 10.0
TRAINING_STATES = [1000, 10_000, 100_000, 1_000_000]
ROOT = Path(__file__).resolve().parents[1]
true_step = partial(two_line_step, pendulum_dynamics)


def learned_step(model):
    """The step (t, q, p, dt) -> (q₁, p₁) of a model of H."""
    return partial(symplectic_euler_step, learned_dynamics(model))


def plain_rollout(model, state, n_steps):
    """One orbit from an array (2,), as the post's listing does: explicit Euler by autograd, and the graph is kept."""
    x, orbit = torch.tensor(state[None], requires_grad=True), []
    for _ in range(n_steps):
        (dH_dx,) = torch.autograd.grad(model(x).sum(), x, create_graph=True)
        x = x + DT * torch.stack([dH_dx[:, 1], -dH_dx[:, 0]], dim=-1)
        orbit.append(x)
    return orbit


def plain_truth(states, n_steps):
    """The true pendulum, one state at a time, by the post's two-line step."""
    for q, p in states:
        for _ in range(n_steps):
            q, p = true_step(0.0, q, p, DT)


def torchdiffeq_rollout(derivatives, states, n_steps, method):
    """The states (B, 2) after fixed steps of torchdiffeq, without a graph."""
    times = torch.tensor([0.0, n_steps * DT], dtype=torch.float64)
    with torch.no_grad():
        return odeint(derivatives, torch.as_tensor(states), times, method=method, options={"step_size": DT})[-1]


def scipy_rollout(derivatives, states, n_steps):
    """The states (B, 2) after as much time of SciPy's RK45, on all of them as one system."""
    shape, end = np.shape(states), n_steps * DT

    def as_system(t, y):
        return np.ravel(derivatives(t, torch.as_tensor(y.reshape(shape))))

    return solve_ivp(as_system, (0, end), np.ravel(states), t_eval=[end], **TOLERANCES).y.reshape(shape)


def fsolve_midpoint_step(dynamics, t, q, p, dt):
    """The implicit midpoint rule, solved by SciPy's fsolve for all orbits at once."""
    start = np.concatenate([q, p])

    def residual(end):
        return end - start - dt * np.concatenate(dynamics(t, np.split((start + end) / 2, 2)))

    return np.split(fsolve(residual, start, xtol=1e-12), 2)


def bare_products(n, n_steps):
    """The four products of two gradients of the network, for n states."""
    h, W = torch.randn(n, HIDDEN_SIZE, dtype=torch.float64), torch.ones(HIDDEN_SIZE, HIDDEN_SIZE, dtype=torch.float64)
    product = torch.empty_like(h)

    def run():
        for _ in range(4 * n_steps):
            torch.matmul(h, W, out=product)

    return run


def bare_sines(n, n_steps):
    """One sine for each of n states and steps."""
    q = np.random.default_rng(0).normal(size=n)
    sine = np.empty_like(q)

    def run():
        for _ in range(n_steps):
            np.sin(q, out=sine)

    return run


def autograd_derivatives(model):
    """The model's derivatives as torchdiffeq and SciPy are given them."""

    def derivatives(t, x):
        with torch.no_grad():
            return get_model_time_derivatives(model, x)

    return derivatives


def peers(derivatives, states, n_steps):
    """{name: function} of the libraries that roll out all the states together."""
    return {
        "torchdiffeq, Euler": lambda: torchdiffeq_rollout(derivatives, states, n_steps, "euler"),
        "torchdiffeq, RK4": lambda: torchdiffeq_rollout(derivatives, states, n_steps, "rk4"),
        "SciPy, RK45": lambda: scipy_rollout(derivatives, states, n_steps),
    }


def learned_case(model, states, n_steps, ours):
    """The ways to roll out the learned pendulum, one of them ours(model): {name: (function, orbits times steps)}."""
    n = len(states) * n_steps
    together = peers(autograd_derivatives(model), states, n_steps)
    return {
        "ours": (lambda: ours(model), n),
        "ours, by autograd": (lambda: ours(lambda x: model(x)), n),  # of a model that is no HNN
        "plain autograd, one orbit at a time": (
            lambda: plain_rollout(model, np.asarray(states[0]), PLAIN_STEPS),
            PLAIN_STEPS,
        ),
        **{name: (function, n) for name, function in together.items()},
        "the limit": (bare_products(len(states), n_steps), n),
    }


def true_case(states, n_steps):
    """The ways to carry the states by the true pendulum: {name: (function, orbits times steps)}."""
    n, few = len(states) * n_steps, states[:PLAIN_STATES]
    together = peers(pendulum_dynamics_tensor, states, n_steps)
    return {
        "ours": (lambda: carry(states, true_step, n_steps), n),
        "plain, one orbit at a time": (lambda: plain_truth(few, n_steps), len(few) * n_steps),
        **{name: (function, n) for name, function in together.items()},
        "the limit": (bare_sines(len(states), n_steps), n),
    }


def cases(model):
    """The cases of the table of steps."""
    orbits = np.array(INITIAL_STATES)
    thousand = np.random.default_rng(0).uniform([-2.5, -4], [2.5, 4], size=(1000, 2))  # they stay in the training box
    cloud = sample_cloud(100)

    def rolled_out(states, n_steps):
        return learned_case(model, states, n_steps, lambda its: run_simulation_HNN(states, its, n_steps))

    return {
        "learned, 3 orbits": rolled_out(orbits, 500),
        "learned, 1,000 orbits": rolled_out(thousand, STEPS),
        "learned, ensemble of 100": learned_case(
            model, cloud, STEPS, lambda its: carry(cloud, learned_step(its), STEPS)
        ),
        "true, ensemble of 100": true_case(cloud, STEPS),
    }


def steps(report, model):
    """The table of steps."""
    rows = []
    for label, case in cases(model).items():
        seconds = median_times({name: function for name, (function, _) in case.items()}, ROUNDS, label)
        per_step = {name: seconds[name] / n * 1e6 for name, (_, n) in case.items()}
        for name, microseconds in per_step.items():
            rows.append([label, name, f"{microseconds:.3g}", f"{microseconds / per_step['ours']:.2f}"])
    report.say("A step: ours takes three gradients of the network, Euler one.")
    report.table(["case", "method", "µs per orbit and step", "times ours"], rows)


def motion(report, model):
    """The table of a second of motion: its cost, and the error of the energy against the exact pendulum, which is 0."""
    states = np.random.default_rng(0).uniform([-2.5, -4], [2.5, 4], size=(100, 2))
    learned = learned_dynamics(model)
    by_motion_step, _ = by_motion(MOTION_DT, seed=0)
    methods = {
        "learned H, symplectic Euler": (partial(learned_step(model), 0.0), DT),
        "learned H, implicit midpoint": (partial(midpoint_step, learned, 0.0), DT),
        "learned H, implicit midpoint, by SciPy's fsolve (10 orbits)": (
            partial(fsolve_midpoint_step, learned, 0.0),
            DT,
        ),
        "learned from motion": (lambda q, p, dt: by_motion_step(q, p, dt=dt), MOTION_DT),
    }

    def roll_out(name):
        step, dt = methods[name]
        q, p = states[:10].T if "fsolve" in name else states.T
        H_0, error = pendulum_hamiltonian([q, p]), 0.0
        for _ in range(round(SECONDS_OF_MOTION / dt)):
            q, p = step(q, p, dt=dt)
            error = max(error, abs(pendulum_hamiltonian([q, p]) - H_0).max())
        errors[name] = error

    errors = {}
    seconds = median_times({name: partial(roll_out, name) for name in methods}, ROUNDS, "a second of motion")
    rows = []
    for name, (_, dt) in methods.items():
        n = 10 if "fsolve" in name else len(states)
        cost = seconds[name] / SECONDS_OF_MOTION / n * 1e6
        rows.append([name, f"{dt:g}", f"{cost:.0f}", f"{errors[name]:.1e}"])
    report.say(f"A second of motion: 100 orbits for {SECONDS_OF_MOTION:g} s, by methods that keep the area.")
    header = ["method", "dt (s)", "µs per orbit and second of motion", "greatest error of the energy (J)"]
    report.table(header, rows)


def our_training(n):
    states = sample_states(n, TRAINING_BOX)
    return lambda: train(states, pendulum_dynamics_tensor(0, states), period=2 * math.pi)


def posts_training():
    states = sample_states(POINTS, POST_BOX)
    return lambda: train_as_post(states, pendulum_dynamics_tensor(0, states))


def trainings(report):
    """The tables of trainings."""
    functions = {"ours": our_training(STATES), "the post's loop": posts_training()}
    seconds = median_times(functions, 3, "training")
    report.say(f"A training: ours on {STATES:,} states, and the post's, each with its defaults.")
    rows = [[name, f"{taken:.1f}", f"{taken / seconds['ours']:.2f}"] for name, taken in seconds.items()]
    report.table(["training", "seconds", "times ours"], rows)
    sizes = progress(TRAINING_STATES, desc="training", unit="size")
    rows = [[f"{n:,}", f"{timed(our_training(n))[1]:.1f}"] for n in sizes]
    report.table(["states", "seconds of training"], rows)


def scripts(report):
    """The table of whole processes, as a reader types them."""
    commands = {
        "python -c 'import torch'": ["-c", "import torch"],
        "python -c 'import torch, matplotlib.figure'": ["-c", "import torch, matplotlib.figure"],
        "rigid_simulator_HNN.py --steps 1": ["rigid_simulator_HNN.py", "--steps", "1"],
        "rigid_simulator_HNN.py": ["rigid_simulator_HNN.py"],
        "dist_dynamic.py": ["dist_dynamic.py"],
        "hnn_training.py": ["hnn_training.py"],
    }
    with tempfile.TemporaryDirectory() as folder:

        def start(words):
            script = [str(ROOT / words[0]), *words[1:]] if words[0].endswith(".py") else words
            subprocess.run([sys.executable, *script], cwd=folder, check=True, capture_output=True)

        functions = {command: partial(start, words) for command, words in commands.items()}
        seconds = median_times(functions, 3, "scripts")
    one = seconds["rigid_simulator_HNN.py"]
    report.say("The scripts as typed: whole processes, imports included.")
    rows = [[f"`{command}`", f"{taken:.1f}", f"{taken / one:.2f}"] for command, taken in seconds.items()]
    report.table(["command", "seconds", "times `rigid_simulator_HNN.py`"], rows)


def made_recordings(folder):
    """{what it is: its file}: the student's, swings with little drag and 3 mrad of noise, and an encoder's counts."""
    swing = Equation(Sines(1), np.array([GRAVITY / LENGTH, 0.0, 0.0, 0.004, 0.002]), 0.02, 0.0)
    files = {"student.csv, 500 rows": ROOT / "motion" / "student.csv"}
    for what, dt, n in (("2,000 rows in 60 swings", 0.06, 2000), ("1,000,000 rows", 0.001, 10**6)):
        t = dt * np.arange(n)
        q = swing.orbit([1.0, 0.0], t)[0] + 3e-3 * np.random.default_rng(0).normal(size=n)
        files[what] = (t, q)
    t = 1e-4 * np.arange(2_400_000)
    line = np.floor(swing.orbit([1.0, 0.0], t)[0] / (2 * math.pi / 1200))  # of 1,200 on the circle
    (k,) = np.nonzero(np.diff(line))
    files[f"an encoder's {len(k):,} rows"] = (t[k + 1], np.maximum(line[k], line[k + 1]) * 2 * math.pi / 1200)
    for number, (what, rows) in enumerate(files.items()):
        if isinstance(rows, tuple):
            files[what] = Path(folder) / f"{number}.csv"
            np.savetxt(files[what], np.column_stack(rows), "%.6f", ",", header="t (s),q (rad)", comments="")
    return files


def beside_a_busy_core(report):
    """The table of whole processes that must not wait for a core that is busy elsewhere."""
    with tempfile.TemporaryDirectory() as folder:
        output = ["--output", f"{folder}/figure.png"]
        commands = {what: ["-m", "motion", str(path), *output] for what, path in made_recordings(folder).items()}
        train_many = ["hnn_training.py", "--points", "20000", "--output", f"{folder}/weights.pth"]
        commands["hnn_training.py --points 20000"] = train_many
        functions = {
            what: partial(subprocess.run, [sys.executable, *words], cwd=ROOT, check=True, capture_output=True)
            for what, words in commands.items()
        }
        alone = median_times(functions, 2, "alone")
        memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
        with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as busy:
            beside = median_times(functions, 2, "beside a busy core")
            busy.kill()
    report.say(
        "Whole processes, alone and beside one that keeps a core busy: `python -m motion` of recordings, and a "
        f"training. The largest took {memory:.1f} GiB."
    )
    rows = [
        [what, f"{alone[what]:.1f}", f"{beside[what]:.1f}", f"{beside[what] / alone[what]:.2f}"] for what in commands
    ]
    report.table(["what", "seconds alone", "beside a busy core", "times alone"], rows)


def on_a_gpu(report, model):
    """The table of a GPU beside the CPU, or a line that there is none."""
    if not torch.cuda.is_available():
        report.say("This machine has no GPU: `--device cuda` was not timed.")
        return
    on_gpu, rows = load_hnn(device="cuda"), []
    for n in 10 ** np.arange(3, 7):
        flows = {
            device: partial(carry, sample_cloud(n), learned_step(of_device), FEW_STEPS)
            for device, of_device in (("cpu", model), ("cuda", on_gpu))
        }
        seconds = median_times(flows, 3, f"{n:,} states")
        rows.append([f"{n:,}", *(f"{seconds[device] / FEW_STEPS * 1e6:,.0f}" for device in ("cpu", "cuda"))])
    report.say(f"On a GPU, {torch.cuda.get_device_name()}: a step of n learned states (µs).")
    report.table(["n", "CPU", "GPU"], rows)
    states = sample_states(STATES, TRAINING_BOX)
    derivatives = pendulum_dynamics_tensor(0, states)
    rows = [
        [device, f"{timed(train, states, derivatives, period=2 * math.pi, device=device)[1]:.1f}"]
        for device in ("cpu", "cuda")
    ]
    report.table(["device", "seconds of training"], rows)


def main():
    report, model = Report(__file__), load_hnn()
    steps(report, model)
    motion(report, model)
    trainings(report)
    scripts(report)
    beside_a_busy_core(report)
    on_a_gpu(report, model)
    report.write()


if __name__ == "__main__":
    run(main)
