"""python -m motion: from a file to a figure, a prediction and sentences that are true."""

import math
import re
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from helpers import run_script, shown
from test_learning import T, moved

import motion.__main__ as command
from motion import Recording, learn, read_recording
from motion.choosing import find
from motion.equation import Equation, Legendre, Sines
from motion.picture import draw_recording
from motion.report import drag as drag_line
from motion.report import equation, report, swing, with_error

DRAG = (0.0, 0.0, 0.05)


def swung(t):
    """The recorded motion, without its noise, at times t (s) of the file, the first of which is 5."""
    return moved(abs(t - 5), (1.2, 0.0), DRAG)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("recording") / "swing.csv"
    rows = np.column_stack([5 + T, moved(T, (1.2, 0.0), DRAG, noise=0.003)])
    np.savetxt(path, rows, "%.6f", ",", header="t (s),angle (rad)", comments="")
    return path


@pytest.fixture(scope="module")
def learned(path):
    return learn(read_recording(path))


def numbers(line):
    return [float(x) for x in re.findall(r"(?<![\w/])\d+\.?\d*(?:e-?\d+)?", line)]


def elliptic_period(amplitude):
    """The period of ω² = 9.8 by the arithmetic–geometric mean: 2π / ω / agm(1, cos(amplitude / 2))."""
    a, b = 1.0, math.cos(amplitude / 2)
    for _ in range(8):
        a, b = (a + b) / 2, math.sqrt(a * b)
    return 2 * math.pi / math.sqrt(9.8) / a


def test_the_report_says_the_equation_its_drag_and_how_sure_they_are(learned):
    equation, drag, *_ = report(learned)
    assert equation.startswith("A pendulum: dv/dt = −ω² sin") and "|v| v" in equation and "sign v" not in equation
    squared, error = map(float, re.search(r"ω² = ([\d.]+) ± ([\d.]+) 1/s²", equation).groups())
    assert squared == pytest.approx(9.8, abs=4 * error) and 0 < error < 0.01
    c_2, error = map(float, re.search(r"quadratic, c₂ = ([\d.]+) ± ([\d.]+) 1/rad", drag).groups())
    assert c_2 == pytest.approx(0.05, abs=4 * error) and error == pytest.approx(learned.drag_error[2], rel=0.06)
    assert "Not shown: dry, viscous." in drag


def test_the_report_says_periods_quality_and_how_well_the_last_fifth_was_predicted(learned):
    period, prediction = report(learned)[-2:]
    largest, reach, last, reach_of_last, small = numbers(period)[:5]
    assert reach == pytest.approx(1.2, abs=0.01)
    true = Equation(Sines(1), np.array([9.8, 0.0, *DRAG]), 0.01, 0.0)
    H_at_the_end = float(true.energy(np.ravel(true.orbit([1.2, 0.0], T[-1]))))
    assert reach_of_last == pytest.approx(math.acos(1 - H_at_the_end / 9.8), rel=0.01)
    for said, amplitude in ((largest, reach), (last, reach_of_last), (small, 0.0)):
        assert said == pytest.approx(elliptic_period(amplitude), rel=2e-3)
    # In a small swing of amplitude A quadratic drag takes ∮ c₂ |v|³ dt = (8/3) c₂ ω² A³ from ω² A² / 2.
    assert numbers(period)[-1] == pytest.approx(2 * math.pi / (16 / 3 * 0.05 * reach_of_last), rel=0.1)
    off, amplitude, noise = numbers(prediction)
    assert off == pytest.approx(learned.error, rel=0.06) and noise == pytest.approx(0.003, rel=0.2)
    assert amplitude == pytest.approx(math.sqrt(2) * np.std(moved(T, (1.2, 0.0), DRAG)[480:]), rel=0.06)


def test_a_swing_has_the_period_of_its_energy_and_a_rotation_has_none(learned):
    period, reach = swing(learned.found, 9.8 * (1 - math.cos(2.0)))
    assert (period, reach) == (pytest.approx(elliptic_period(2.0), rel=5e-4), pytest.approx(2.0, abs=0.002))
    assert np.isnan(swing(learned.found, 25.0)).all()
    softer_below = Equation(
        Legendre(3, 0.0, 1.0), np.array([1.0, 9.0, 2.0, 0.0, 0.0, 0.0]), 0.01, 0.0
    )  # V = 4.5 q² + q³
    _, reach = swing(SimpleNamespace(equation=softer_below, search=SimpleNamespace(quarter=0.5)), 1.0)
    assert reach == pytest.approx(-np.sort(np.roots([1, 4.5, 0, -1]))[1], rel=1e-3)


def test_a_force_that_is_no_sine_is_said_in_powers_of_the_distance_from_the_bottom():
    q = 1 + moved(T, noise=0.003, force=(Legendre(4, 0.0, 1.0), [0.0, 9.0, 0.0, 2.0]))
    said = equation(find([(T, q)], None), "rad")
    linear, _, cubic, bottom = map(
        float, re.search(r"V′ = (\S+) x . (\S+) x\^2 \+ (\S+) x\^3 with x = q − (\S+?)\.$", said).groups()
    )
    assert (linear, cubic, bottom) == (
        pytest.approx(6, rel=0.01),
        pytest.approx(5, rel=0.03),
        pytest.approx(1, abs=0.01),
    )


def said_of(force, drag=(0.0, 0.0, 0.0), bottom=0.0, other_laws=(), unit="rad"):
    """The lines about an equation and its drag, as if it had been found."""
    its = Equation(force, np.array([*[9.0] * force.size, *drag]), 0.01, bottom)
    found = SimpleNamespace(
        equation=its, omega_squared=(9.0, 0.01), drag_error=np.array(drag) / 20, other_laws=list(other_laws)
    )
    return equation(found, unit), drag_line(found, unit)


def test_the_equation_is_said_in_the_unit_of_the_angle_and_of_its_turn():
    assert (
        "dv/dt = −ω² 57.3 sin(2π (q − 90) / 360) − 0.2 sign v − 0.1 v − 0.3 |v| v"
        in (said_of(Sines(1, 360.0), (0.2, 0.1, 0.3), 90.0)[0])
    )
    assert "sum of 3 sines, 0 at q = 0.5 rad" in said_of(Sines(3), bottom=0.5)[0]
    for bottom, words in ((0.5, "with x = q − 0.5"), (-0.5, "with x = q + 0.5")):
        assert said_of(Legendre(2, 0.0, 1.0), bottom=bottom)[0].endswith(f"{words}.")
    for bottom, angle in ((0.0, "q"), (0.3, "(q − 0.3)"), (-0.3, "(q + 0.3)")):
        assert f"dv/dt = −ω² sin {angle}, with ω² = 9.000 ± 0.010 1/s²" in said_of(Sines(1), bottom=bottom)[0]


def test_the_laws_of_drag_are_said_with_their_units_and_with_those_that_do_as_well():
    assert "none that the recording shows" in said_of(Sines(1))[1] and "Not shown" not in said_of(Sines(1))[1]
    _, line = said_of(Sines(1), (0.2, 0.0, 0.04), other_laws=[(1,), (0, 1), ()], unit="")
    assert "dry, c₀ = 0.200 ± 0.010 unit/s²; quadratic, c₂ = 0.0400 ± 0.0020 1/unit. Not shown: viscous." in line
    assert line.endswith("Nearly as good in its place: viscous or dry and viscous or none.")
    assert "viscous, c₁ = 0.1000 ± 0.0050 1/s. Not shown: dry, quadratic." in said_of(Sines(1), (0.0, 0.1, 0.0))[1]


@pytest.mark.parametrize(
    "rows, words", [(slice(0, 87), "has 1.4 swings"), (slice(0, 600, 10), "only 6 rows in a swing")]
)
def test_a_recording_with_few_swings_or_few_rows_in_one_is_said_to_have_few(learned, rows, words):
    few = learn(Recording(T[rows], moved(T, noise=0.003)[rows]))
    assert any(words in line for line in report(few)) and few.noise == pytest.approx(0.003, rel=0.3)
    assert not any("swings: more" in line or "rows in a swing" in line for line in report(learned))


def test_errors_have_two_digits_and_values_as_many_decimals():
    assert with_error(9.80012345, 0.000345) == "9.80012 ± 0.00034"
    assert with_error(0.05, 0.0) == "0.05" and with_error(12.3456, 2.5) == "12.3 ± 2.5"


def test_the_figure_shows_the_recording_the_motion_and_what_was_predicted(learned):
    fig = draw_recording(learned, "swing.csv", seconds=6)
    angle, residual, phase, potential, energy = fig.axes
    t, q = learned.recording.pieces[0]
    rows_t, rows_q = shown(angle, "rows")
    np.testing.assert_array_equal(rows_q, q[np.searchsorted(t, rows_t)])
    of_t, of_q = shown(angle, "unseen")
    assert of_t[0] == t[479] and of_t[-1] == t[-1]
    np.testing.assert_allclose(np.interp(t[480:], of_t, of_q), learned.unseen[0][2], atol=1e-3)
    seen_t, seen_q = shown(angle, "seen")
    np.testing.assert_allclose(seen_q, swung(seen_t), atol=2e-3)
    off_t, off = shown(residual, "residual unseen")
    np.testing.assert_allclose(off, (q - swung(t))[np.searchsorted(t, off_t)], atol=2e-3)
    next_t, next_q = shown(angle, "future")
    assert (next_t[0], next_t[-1]) == (t[-1], t[-1] + 6)
    np.testing.assert_allclose(next_q, learned.predict(next_t - t[-1])[0])
    q_states, v_states = shown(phase, "states")
    assert abs(q_states).max() == pytest.approx(1.2, abs=0.02)
    np.testing.assert_allclose(v_states[9:-9], np.gradient(q_states, T)[9:-9], atol=0.4)
    at, V = shown(potential, "potential")
    np.testing.assert_allclose(V, 9.8 * (1 - np.cos(at)), atol=0.01)
    assert at[0] == pytest.approx(q.min(), abs=0.02) and at[-1] == pytest.approx(q.max(), abs=0.02)
    of_t, H = shown(energy, "orbit")
    assert (np.diff(H) <= 1e-9).all() and H[0] == pytest.approx(9.8 * (1 - math.cos(1.2)), rel=2e-3)
    assert np.std(shown(energy, "energy")[1][9:-9] - np.interp(t, of_t, H)[9:-9]) < 0.1
    assert [line.get_gid() for line in angle.lines] == ["rows", "seen", "unseen", "future"]  # as in the legend
    assert [text.get_text()[:9] for text in angle.get_legend().get_texts()] == [
        "recording",
        "fitted mo",
        "predicted",
        "what come",
    ]
    shade, (_, band) = angle.patches[0], residual.patches
    assert (shade.get_x(), shade.get_x() + shade.get_width()) == (t[479], t[-1])
    assert (band.get_y(), band.get_height()) == (pytest.approx(-learned.noise), pytest.approx(2 * learned.noise))
    assert abs(off).max() < residual.get_ylim()[1] == -residual.get_ylim()[0] < 0.05
    assert "(rad)" in phase.get_xlabel() and "rad/s" in phase.get_ylabel() and "rad/s" in potential.get_ylabel()


def test_of_a_long_recording_the_figure_shows_the_last_swings(learned, monkeypatch):
    monkeypatch.setattr("motion.picture.SWINGS_BEFORE", 2)
    monkeypatch.setattr("motion.picture.SWINGS_AFTER", 1)
    angle, residual, *_ = draw_recording(learned, "swing.csv", seconds=6).axes
    swing, t = 4 * learned.found.search.quarter, learned.recording.pieces[0][0]
    for panel, line in ((angle, "rows"), (angle, "seen"), (residual, "residual seen")):
        assert shown(panel, line)[0][0] == pytest.approx(t[479] - 2 * swing, abs=0.2)
    for panel, line in ((angle, "rows"), (angle, "unseen"), (residual, "residual unseen")):
        assert shown(panel, line)[0][-1] == pytest.approx(t[479] + swing, abs=0.04)
    assert "future" not in [line.get_gid() for line in angle.lines]  # which would not join on


def test_the_residuals_of_several_records_are_those_of_the_last():
    records = [moved(T[:n], start, noise=0.003, seed=n) for n, start in ((400, (1.0, 0.0)), (300, (0.6, 1.0)))]
    learned = learn(Recording([T[:400], 100 + T[:300]], records))
    _, residual, *_, energy = draw_recording(learned, "two").axes
    ends = [line.get_xdata()[[0, -1]] for line in energy.lines if line.get_gid() == "orbit"]
    np.testing.assert_allclose(ends, [[0, 13.3], [100, 110]], atol=0.2)
    t, off = shown(residual, "residual seen")
    row = np.rint((t - 100) * 30).astype(int)
    np.testing.assert_allclose(off, records[1][row] - moved(T[row], (0.6, 1.0)), atol=2e-3)


@pytest.mark.parametrize("shift", [0.0, math.pi])
def test_an_angle_that_goes_round_is_drawn_on_one_turn(shift):
    q = (moved(T, (0.0, 7.5), (0.0, 0.2, 0.0), 0.003) + shift + math.pi) % (2 * math.pi) - math.pi
    learned = learn(Recording(T, q, turn=2 * math.pi))
    assert any("the largest goes round" in line for line in report(learned))
    _, _, phase, potential, _ = draw_recording(learned, "round").axes
    for panel, line in ((phase, "states"), (potential, "potential")):
        at, _ = shown(panel, line)
        assert np.ptp(at) <= 2 * math.pi + 1e-9 and abs(at - learned.bottom).max() <= math.pi + 1e-9


def test_the_command_writes_a_figure_and_the_rows_of_a_prediction(folder, path, learned):
    outcome = run_script(command.main, [path, "--predict", 10, "--save", "next.csv"])
    assert outcome.status == 0 and "Wrote swing.png" in outcome.out and (folder / "swing.png").stat().st_size > 20_000
    assert "Drag: quadratic" in outcome.out and outcome.err == ""
    assert (folder / "next.csv").read_text().splitlines()[0] == "t (s),q (rad),dq/dt (rad/s)"
    t, q, v = np.loadtxt(folder / "next.csv", delimiter=",", skiprows=1).T
    assert len(t) == 300 and t[0] == pytest.approx(
        5 + 600 / 30, abs=1e-6
    )  # 10 s of 30 rows each, the last one included
    np.testing.assert_allclose((q, v), learned.predict(t - learned.end), atol=1e-9)
    np.testing.assert_allclose(q, swung(t), atol=0.005)


def test_a_prediction_is_saved_in_the_time_of_the_record_that_it_goes_on_from(folder):
    records = [np.column_stack([T[:200], moved(T[:200], noise=0.003)]), np.column_stack([T[:9], np.zeros(9)])]
    np.savetxt("two.csv", np.concatenate(records), "%.6f", ",", header="t,q", comments="")  # the last one is too short
    assert run_script(command.main, "two.csv --predict 1 --save next.csv").status == 0
    assert np.loadtxt("next.csv", delimiter=",", skiprows=1)[0, 0] == pytest.approx(T[200], abs=1e-5)


def test_what_the_options_say_of_a_file_reaches_its_reading(monkeypatch):
    asked = []
    monkeypatch.setattr(command, "read_recording", lambda *how: asked.append(how) or refuse())
    outcome = run_script(command.main, "a.csv --columns 2 3 --turn 360 --degrees --dt 0.04")
    assert asked == [("a.csv", ["2", "3"], 360.0, True, 0.04)] and "read no further" in outcome.err


def refuse():
    raise ValueError("it is read no further")


def test_the_last_row_that_fits_into_a_prediction_is_in_it():
    t = 1 + 0.02 * np.arange(500)
    recording = Recording(t, np.cos(3 * t))
    recording.dt = 0.02 * (1 + 1e-9)  # as a line through rounded times has it
    assert len(command.times_after(recording, 10)) == 500 and len(command.times_after(recording, 0.02)) == 1
    for seconds in (0.01, 1e7):
        with pytest.raises(ValueError, match=r"is [\d,]+ rows of dt = 0\.02 s; ask for 1 to 1,000,000"):
            command.times_after(recording, seconds)


@pytest.mark.parametrize(
    "arguments, words",
    [
        ("nowhere.csv", "there is no file nowhere.csv"),
        ("SWING --save next.csv", "say how far with --predict"),
        ("SWING --predict 1 --save FOLDER/./swing.csv", "is the recording itself"),
        ("SWING --predict -1", "--predict must be a number above 0"),
        ("SWING --predict 0.001", "is 0 rows"),
        ("SWING --dt 0", "--dt must be a number above 0"),
        ("SWING --dt inf", "--dt must be a number above 0 and finite"),
        ("SWING --turn 2tau", "invalid turn value"),
        ("SWING --columns t speed", 'has no column "speed"'),
        ("SWING --output nowhere/swing.png", "cannot be written"),
        ("SWING --output swing.csv", "not the name of a .png"),
    ],
)
def test_what_a_user_gets_wrong_ends_in_one_sentence_and_writes_nothing(folder, path, arguments, words):
    outcome = run_script(command.main, arguments.replace("SWING", str(path)).replace("FOLDER", str(path.parent)))
    assert outcome.status in (1, 2) and words in outcome.err and "Traceback" not in outcome.err
    assert not list(folder.iterdir())


def test_a_turn_may_be_a_multiple_of_pi():
    said = [command.turn(text) for text in ("2pi", "pi", "360", "0.5pi", " 2PI ")]
    assert said == pytest.approx([2 * math.pi, math.pi, 360, math.pi / 2, 2 * math.pi])
    assert all(a != b for a, b in pairwise(said[:4]))
