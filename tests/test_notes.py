"""What a user is told of a result that is right all the same, once, at the line that asked for it, and nothing else."""

import numpy as np
import pytest
from helpers import Spring, run_script

import rigid_simulator_HNN
import rigid_simulator_implicit
from rigid_simulator_HNN import run_simulation_HNN
from rigid_simulator_implicit import run_simulation
from support.notes import CHAOTIC_DT, Note

SIMULATORS = [run_simulation, run_simulation_HNN]


@pytest.mark.parametrize("simulate", SIMULATORS)
@pytest.mark.parametrize("q, turns", [(170.0, 27), (-90.0, 14)])
def test_degrees_are_rolled_out_with_a_note(simulate, q, turns):
    with pytest.warns(Note, match=rf"\[{q:g}, 0\] lies {turns} turns away.* not in degrees") as caught:
        simulate([[0.5, 0.0], [q, 0.0]], n_steps=3)
    assert len(caught) == 1 and caught[0].filename == __file__  # the line of the user


def test_the_barrier_of_dt_is_noted_where_p_is_bounded_no_more_and_of_eulers_steps_only():
    assert pytest.approx(0.3149, abs=1e-4) == CHAOTIC_DT
    assert abs(run_simulation([3.1, 0.0], 100_000, 0.31)[0]).max() < 10
    with pytest.warns(Note, match=r"dt = 0\.4 s is above 0\.315 s.* p any more"):
        assert abs(run_simulation([3.1, 0.0], 100_000, 0.4)[0]).max() > 10


@pytest.mark.filterwarnings("error")
def test_a_rollout_that_is_right_says_nothing():
    states = [[0.5, 0.0], [3.1, 0.0], [0.0, 7.0], [20.5, 1.0], [-3.0, -2.0]]
    run_simulation(states, 20, 0.3)
    run_simulation_HNN(states, n_steps=20, dt=0.1)
    run_simulation_HNN([170.0, 0.0], Spring(), 3, period=None)
    spring = Spring()
    spring.knows = {"dt": 0.4, "period": None}  # its step is the motion, however long
    run_simulation_HNN([170.0, 0.0], spring, 3)


@pytest.mark.parametrize("state, name", [([1.2, 0.0], "q"), ([-1.2, 0.0], "q"), ([0.0, 2.4], "p"), ([0.0, -2.4], "p")])
def test_an_orbit_that_leaves_the_range_of_q_or_p_by_more_than_5_per_cent_is_noted(state, name, recwarn):
    spring = Spring()
    spring.knows = {"period": None, "q_range": (-1.0, 1.0), "p_range": (-2.0, 2.0)}
    run_simulation_HNN(0.88 * np.array(state), spring, 1, 1e-3)  # by 2.8 per cent of the range
    assert not recwarn
    with pytest.warns(Note, match=rf"an orbit leaves -\d ≤ {name} ≤ \d, where the model was trained") as caught:
        run_simulation_HNN(state, spring, 1, 1e-3)
    assert len(caught) == 1 and caught[0].filename == __file__


def test_an_orbit_that_comes_back_is_noted_too(recwarn):
    spring = Spring()
    spring.knows = {"period": None, "p_range": (-1.0, 1.0)}
    p_vals, _ = run_simulation_HNN([1.2, 0.0], spring, 63)  # half a turn
    assert abs(p_vals[-1]) < 0.1 and len(recwarn) == 1


def test_a_note_is_a_line_on_stdout_in_a_script_and_never_a_warning_too(folder):
    outcome = run_script(rigid_simulator_implicit.main, "--state 170 0 --steps 3 --dt 0.4")
    assert outcome.err == "" and [line[:6] for line in outcome.out.splitlines()[:3]] == ["Note: ", "Note: ", "orbit "]
    outcome = run_script(rigid_simulator_HNN.main, "--state 170 0 --steps 3")  # truth and model both give it
    assert (outcome.status, outcome.err, outcome.out.count("27 turns away")) == (0, "", 1)
