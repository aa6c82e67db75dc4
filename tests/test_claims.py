"""What the README claims of the committed weights."""

import math
import os
import re
import shutil
import subprocess
import sys

import numpy as np
from helpers import ROOT

from hnn_model_derivs import measure
from pendulum_nonlinear import pendulum_hamiltonian
from rigid_simulator_HNN import run_simulation_HNN
from rigid_simulator_implicit import INITIAL_STATES, run_simulation

README = (ROOT / "README.md").read_text(encoding="utf-8")


def late_energies(rollout, n=1000):
    """The true energy over the last n steps, (n, B)."""
    p_vals, q_vals = rollout
    return pendulum_hamiltonian([q_vals[-n:], p_vals[-n:]])


def test_derivatives_and_energy_are_learned(model):
    mse, H_error = measure(model)
    assert mse <= 2e-13 and H_error <= 1e-8
    assert model.knows["period"] == 2 * math.pi and model.knows["p_range"][1] > 7.4 and "dt" not in model.knows


def test_learned_orbits_lie_on_the_true_ones(model):
    learned, truth = run_simulation_HNN(INITIAL_STATES, model), run_simulation(INITIAL_STATES)
    distance = np.hypot(*(np.array(learned) - truth)).max(axis=0)
    assert (distance <= [2e-5, 5e-4, 2e-5]).all(), distance


def test_no_orbit_gains_or_loses_energy_in_3000_steps_and_rotation_does_not_either(model):
    orbits = [*INITIAL_STATES, [0.0, 7.0], [0.0, -7.0], [0.0, 6.5], [3.1, 0.5]]
    learned = late_energies(run_simulation_HNN(orbits, model, 3000))
    truth = late_energies(run_simulation(orbits, 3000))
    np.testing.assert_allclose(learned.min(axis=0), truth.min(axis=0), rtol=0, atol=2e-3)
    np.testing.assert_allclose(learned.max(axis=0), truth.max(axis=0), rtol=0, atol=2e-3)
    error = abs(learned.mean(axis=0) - truth.mean(axis=0))
    assert (error[3:6] <= 2e-6).all(), error  # the fast rotations, whose mean no single swing decides
    assert (error <= 2e-5).all(), error


def test_the_blocks_of_the_readme_run_as_they_stand(folder, capsys):
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    shutil.copytree(ROOT / "motion", "motion", ignore=shutil.ignore_patterns("*.py"))
    for block in blocks:
        exec(compile(block, "README.md", "exec"), {"__name__": "__main__"})
    assert len(blocks) >= 1


def test_the_readme_shows_what_the_command_prints_of_the_students_pendulum(folder):
    asked, shown = re.search(r"```\n\$ uv run (.*?) +#.*\n([^`]*)```", README).groups()
    words = [str(ROOT / word) if "/" in word else word for word in asked.split()]
    process = subprocess.run(
        [sys.executable, *words[1:]],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0 and process.stderr == "" and shown.count("\n") == 4
    for line in shown.splitlines():
        assert line.rstrip("…") in process.stdout
    assert {file.name for file in folder.iterdir()} == {"student.png", "next.csv"}


def test_the_readme_names_only_files_that_exist():
    named = re.findall(r"\]\(([^)#]+?)\)", README) + re.findall(r"`([\w/]+\.(?:py|png|gif|pth|md))`", README)
    missing = [name for name in named if not name.startswith("http") and not (ROOT / name).exists()]
    assert len(named) > 15 and not missing


def test_every_small_number_of_the_readme_is_in_the_evidence_or_printed_by_a_script(model):
    def numbers(text):
        return re.findall(r"(?<![\w.])\d(?:\.\d+)?e[-+]?\d+", text)

    evidence = [float(n) for path in (ROOT / "benchmarks").glob("*.md") for n in numbers(path.read_text("utf-8"))]
    distance = np.hypot(*np.subtract(run_simulation_HNN(INITIAL_STATES, model), run_simulation(INITIAL_STATES)))
    evidence += [*measure(model), *distance.max(axis=0)]
    claimed = numbers(re.sub(r"```.*?```", "", README, flags=re.DOTALL))
    assert len(claimed) > 12
    for number in claimed:
        digits = len(number.partition("e")[0].partition(".")[2])
        shown = f"{float(number):.{digits}e}"
        assert any(f"{found:.{digits}e}" == shown for found in evidence), number
