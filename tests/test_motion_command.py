"""python -m motion: from a file to weights, a figure, a prediction and sentences that are true."""

import dataclasses
import math
import re
from itertools import pairwise

import numpy as np
import pytest
from helpers import run_script, shown
from test_friction import damped

import motion.__main__ as command
from HNN import CHECKPOINT, load_hnn
from motion import choosing, learn, read_record, train_on_motion
from motion.picture import draw_recording
from motion.report import report, swing_period
from motion.rollout import Roller
from motion.rows import Rows, read_rows

GAMMA, N = 0.05, 700
T = 0.1 * np.arange(N)
Q = damped([(1.0, 0.0)], T, GAMMA)[0][:, 0]  # a spring: its period is 2 π at any amplitude


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("recording") / "swing.csv"
    noise = 0.003 * np.random.default_rng(0).normal(size=N)
    np.savetxt(path, np.column_stack([5 + T, Q + noise]), "%.6f", ",", header="t (s),angle (rad)", comments="")
    return path


@pytest.fixture(scope="module")
def learned(path):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(choosing, "WINDOWS", [0.8])
        patch.setattr(choosing, "PARTS", 3)
        return learn(read_rows(path))


def numbers(line):
    return [float(x) for x in re.findall(r"(?<![\w/])\d+\.?\d*(?:e-?\d+)?", line)]


def test_the_report_says_friction_periods_and_how_well_the_last_fifth_was_predicted(learned):
    how, friction, period, prediction = report(learned)
    assert numbers(how) == pytest.approx([learned.sampling.half, learned.sampling.dt], rel=1e-2)
    gamma, error, time, quality = np.array(numbers(friction))[[0, 1, -2, -1]]
    assert gamma == pytest.approx(GAMMA, rel=0.03) and 0 < error < 0.2 * gamma
    assert (time, quality) == (pytest.approx(2 / gamma, rel=0.01), pytest.approx(1 / gamma, rel=0.03))
    largest, _, last, _, small = numbers(period)
    np.testing.assert_allclose([largest, last, small], 2 * math.pi, rtol=3e-3)
    off, amplitude, noise = numbers(prediction)
    assert off < 0.02 and noise == pytest.approx(0.003, rel=0.2)
    assert amplitude == pytest.approx(math.sqrt(2) * Q[round(0.8 * N) :].std(), rel=0.05)


def test_the_period_of_a_swing_is_that_of_its_own_amplitude_without_friction(learned):
    assert swing_period(learned, 0.0, 0.5) == pytest.approx(2 * math.pi, rel=2e-3)


def test_a_small_swing_that_was_not_recorded_is_a_guess_and_a_model_without_a_swing_has_no_period(learned, monkeypatch):
    assert "recorded" not in "".join(report(learned))  # its last swings are small ones
    monkeypatch.setattr("motion.report.KNOWN", 0.0)
    assert re.search(r"6\.2\d s of a small one \(a guess: none was recorded\)", "".join(report(learned)))
    monkeypatch.setattr("motion.report.FALL", 1.0)  # of one amplitude: nothing is known of another
    assert "not known of a small one" in "".join(report(learned))
    monkeypatch.setattr("motion.report.swing_period", lambda learned, centre, amplitude: amplitude)
    _, friction, period, _ = report(learned)
    assert numbers(friction)[-1] == pytest.approx(2 * math.pi / numbers(period)[2] / learned.friction, rel=0.01)
    monkeypatch.setattr("motion.report.swing_period", lambda *_: math.nan)
    assert "Period: none." in report(learned) and "Q =" not in "".join(report(learned))


def test_the_figure_shows_what_was_recorded_predicted_and_comes_next(learned):
    fig = draw_recording(learned, "swing.csv", seconds=10)
    angle, residual, phase, potential, energy = fig.axes
    t, q = shown(angle, "rows")
    begin = t[np.isfinite(shown(angle, "unseen")[1])][0]
    assert begin == pytest.approx(5 + 0.8 * T[-1], abs=0.2)
    seen = shown(angle, "seen")[1]
    is_laid = np.isfinite(seen)
    assert is_laid.sum() > 0.95 * (t < begin).sum() and t[is_laid].max() < begin
    np.testing.assert_allclose(seen[is_laid], np.interp(t - 5, T, Q)[is_laid], atol=0.02)
    unseen = shown(angle, "unseen")[1][t >= begin]
    assert np.sqrt(np.mean((unseen - q[t >= begin]) ** 2)) == pytest.approx(learned.error, rel=1e-6)
    np.testing.assert_allclose(shown(residual, "residual unseen")[1][t >= begin], (q[t >= begin] - unseen), atol=1e-12)
    after, future = shown(angle, "future")
    np.testing.assert_allclose(future, damped([(1.0, 0.0)], after - 5, GAMMA)[0][:, 0], atol=0.02)
    q, p = shown(phase, "states")
    assert np.nanmax(abs(q)) == pytest.approx(1, abs=0.1) and np.nanmax(abs(p)) == pytest.approx(1, abs=0.1)
    q, V = shown(potential, "potential")
    np.testing.assert_allclose(V, q**2 / 2, rtol=0.05, atol=0.01)  # up to terms of dt²
    t, H = shown(energy, "energy")
    late = np.isfinite(H) & (t > 10)
    assert np.polyfit(t[late], np.log(H[late]), 1)[0] == pytest.approx(-GAMMA, rel=0.1)
    t, falls = shown(energy, "friction")
    q, p = (part[:, 0] for part in damped([(1.0, 0.0)], t - 5, GAMMA))
    np.testing.assert_allclose(falls, (q**2 + p**2) / 2, rtol=0.02, atol=0.01)  # steps and all
    labels = [axes.get_ylabel() for axes in fig.axes[:2]] + [axes.get_xlabel() for axes in fig.axes[1:]]
    assert labels[0] == labels[3] == "q (rad)" and all(labels)


def test_a_prediction_that_misses_by_far_more_than_the_noise_is_warned_of(learned):
    for noise, error, warns in [
        (0.01, 0.049, False),  # 4.9 times the noise, and 4.9 % of the motion
        (0.01, 0.051, True),
        (0.04, 0.079, False),
        (0.04, 0.081, True),
        (0.25, 0.34, False),  # 1.4 times the noise, and a third of the motion
        (0.25, 0.36, True),
        (1e-6, 0.009, False),  # nothing that anybody would see
        (1e-6, 0.011, True),
    ]:
        poor = dataclasses.replace(learned, deviation=1.0, noise=noise, error=error)
        assert any(f"Warning: it misses by {error / noise:.1f} times" in line for line in report(poor)) == warns
    rows = dataclasses.replace(learned.rows, dt=4 * learned.quarter / 5)
    assert any("5 rows in a swing" in line for line in report(dataclasses.replace(learned, rows=rows)))


def test_another_unit_than_rad_is_the_figures_too_and_its_phase_space_is_one_turn(learned):
    rows = dataclasses.replace(learned.rows, unit="cm", period=1.0)
    _, _, phase, potential, _ = draw_recording(dataclasses.replace(learned, rows=rows), "s").axes
    assert potential.get_xlabel() == "q (cm)" and np.nanmax(abs(shown(phase, "states")[0])) <= 0.5


def test_where_no_step_has_a_solution_the_figure_has_a_gap(learned, monkeypatch):
    monkeypatch.setattr("motion.picture.orbit_through", lambda *_: (5.0, np.zeros(2), math.inf))
    assert np.isnan(shown(draw_recording(learned, "swing.csv").axes[0], "seen")[1]).all()


def test_a_recording_in_pieces_ends_with_the_last_of_them_that_moves(monkeypatch):
    monkeypatch.setattr(choosing, "WINDOWS", [0.8])
    monkeypatch.setattr(choosing, "PARTS", 3)
    ends = [0, 500, 770, 775]  # t starts anew twice, the last time for five rows, too few for a state
    t = np.concatenate([T[: b - a] for a, b in pairwise(ends)])
    q = np.concatenate([k * Q[: b - a] for k, (a, b) in zip((1.0, 0.4, 0.0), pairwise(ends), strict=True)])
    q += 0.003 * np.random.default_rng(0).normal(size=len(q))
    q[765:770] = np.nan
    rows = Rows(t, q[:, None], None, 0.1, [slice(a, b) for a, b in pairwise(ends)], True, [])
    learned = learn(rows)
    assert learned.friction == pytest.approx(GAMMA, rel=0.03) and learned.error < 0.02
    last = numbers(next(line for line in report(learned) if line.startswith("Period")))[3]
    assert last == pytest.approx(0.4 * abs(Q[200:265]).max(), rel=0.1)
    assert learned.end == T[269]
    np.testing.assert_allclose(learned.predict(np.array([0.0, 1.0]))[0][:, 0], 0.4 * Q[[269, 279]], atol=0.02)
    energy = draw_recording(learned, "", seconds=10).axes[4]
    falls = [line.get_xydata().T for line in energy.lines if line.get_gid() == "friction"]
    assert [len(t) > 20 and (np.diff(t) > 0).all() for t, _ in falls] == [True, True]
    assert falls[1][1][0] / falls[0][1][0] == pytest.approx(0.4**2, rel=0.1)


def test_the_prediction_goes_on_with_the_models_own_steps_from_a_start_among_the_last_rows(learned):
    q, p = learned.predict(np.array([0.0, 3.0]))
    roller = Roller(learned.model)
    np.testing.assert_allclose(
        roller.orbit_at(np.array([[q[0, 0], p[0, 0]]]), np.array([3.0]))[0, 0], [q[1, 0], p[1, 0]], atol=1e-4
    )
    assert q[0, 0] == pytest.approx(Q[-1], abs=0.01)


def test_the_command_writes_its_files_where_the_person_stands_and_no_others(folder, path, learned, monkeypatch):
    monkeypatch.setattr(command, "learn", lambda rows, seed: learned)
    committed = CHECKPOINT.read_bytes()
    outcome = run_script(command.main, [path, "--predict", 2, "--save", "next.csv"])
    assert outcome.status == 0, outcome.err
    assert sorted(file.name for file in folder.iterdir()) == ["next.csv", "swing.png", "swing.pth"]
    t, q, p = np.loadtxt("next.csv", delimiter=",", skiprows=1).T
    np.testing.assert_allclose(t, 5 + T[-1] + 0.1 * np.arange(1, 21))  # in the recording's own time
    expected = damped([(1.0, 0.0)], t - 5, GAMMA)
    np.testing.assert_allclose([q, p], [part[:, 0] for part in expected], atol=0.02)
    assert load_hnn("swing.pth").knows == learned.model.knows and CHECKPOINT.read_bytes() == committed
    assert {"dt", "friction", "energy_range", "q_range"} <= set(learned.model.knows)


@pytest.mark.parametrize(
    "arguments, words",
    [
        ("--weights hamiltonian_nn_1.pth", "pendulum's own weights"),
        ("--save next.csv", "--predict"),
        ("--predict -1 --save next.csv", "--predict must be a number above 0"),
        ("--dt 0", "--dt must be a number above 0"),
        ("--predict 0.01 --save next.csv", "less than dt"),
        ("--columns t nothing", "nothing"),
        ("--output swing.txt", "--output"),
    ],
)
def test_what_cannot_be_done_is_refused_before_the_work(folder, path, arguments, words):
    outcome = run_script(command.main, [path, *arguments.split()])
    assert outcome.status == 1 and words in outcome.err and outcome.err.count("\n") == 1
    assert not list(folder.iterdir())


def test_options_reach_the_reading_and_the_learning(folder, monkeypatch):
    given = {}

    class Stop(Exception):
        pass

    def learn(rows, seed):
        given.update(rows=rows, seed=seed)
        raise Stop

    monkeypatch.setattr(command, "learn", learn)
    np.savetxt("r.csv", np.column_stack([Q, 1000 * T, np.degrees(T)]), "%.6f", ",", header="a,b,c", comments="")
    with pytest.raises(Stop):
        run_script(command.main, "r.csv --columns b c --degrees --dt 0.1 --period 2pi --seed 4")
    assert (given["rows"].period, given["seed"], given["rows"].dt) == (pytest.approx(2 * math.pi), 4, 0.1)
    np.testing.assert_allclose(np.diff(given["rows"].q[:, 0]), 0.1, atol=1e-6)


def test_a_record_is_read_into_even_states_that_train_on_motion_takes(folder, path):
    record = read_record(path)
    states = np.isfinite(record.q + record.p)
    assert states.sum() > 0.9 * N * 0.1 / record.dt and "swing.csv" in record.words[0]
    np.testing.assert_allclose((record.q**2 + record.p**2)[states].max(), 1, atol=0.1)
    model = train_on_motion(record.q, record.p, record.dt, epochs=0)
    assert model.knows["friction"] == pytest.approx(GAMMA, rel=0.1)
    np.savetxt("with_p.csv", np.column_stack([T, Q, Q]), "%.6f", ",", header="t,q,p", comments="")
    record = read_record("with_p.csv")
    assert record.dt == pytest.approx(0.1)
    np.testing.assert_allclose(record.q[:, 0], Q, atol=1e-6)
    uneven = T + 0.02 * np.random.default_rng(0).uniform(size=N)
    np.savetxt("uneven.csv", np.column_stack([uneven, Q, Q]), "%.6f", ",", header="t,q,p", comments="")
    assert read_record("uneven.csv").dt > 0.2  # a step of smoothed states
