"""What is learned from a recording, of motions whose equation is known."""

import math
import re
import subprocess
import sys
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
from helpers import ROOT

from motion import Recording, learn, read_recording
from motion.choosing import find
from motion.equation import Equation, Legendre, Sines
from motion.errors import covariance, independent_rows
from motion.guess import autocorrelation, local_state, quarter_period
from motion.learned import while_it_moves
from motion.report import report
from motion.search import Search
from motion.shooting import Segments
from rigid_simulator_implicit import rollout, two_line_step

T = np.arange(600) / 30  # s
PENDULUM = Sines(1), [9.8, 0.0]


def moved(t, start=(1.0, 0.0), drag=(0.0, 0.05, 0.0), noise=0.0, seed=0, force=PENDULUM):
    """The angle at the times t (s) from a state [q, v] at t = 0, with noise."""
    q, _ = Equation(force[0], np.array([*force[1], *drag]), 0.004, 0.0).orbit(start, t)
    return q + noise * np.random.default_rng(seed).normal(size=len(t))


def warnings_of(learned):
    return [line for line in report(learned) if line.startswith("Warning")]


@pytest.fixture(scope="module")
def noisy():
    return learn(Recording(T, moved(T, noise=0.005)))


@pytest.mark.parametrize("start, drag", [((2.8, 0.0), (0.0, 0.1, 0.0)), ((1.0, 0.0), (0.0, 0.0, 0.0))])
def test_an_exact_angle_gives_the_equation_to_eight_digits_and_no_drag_where_there_is_none(start, drag):
    t = np.arange(600) / 20
    found = find([(t[:300], moved(t[:300], start, drag))], None)
    np.testing.assert_allclose(found.equation.drag, drag, rtol=0, atol=1e-8)
    assert (found.equation.drag == 0).tolist() == [c == 0 for c in drag]
    assert found.omega_squared[0] == pytest.approx(9.8, abs=1e-7)
    after, _ = found.equation.orbit(found.end_of(0), t[300:] - t[299])
    np.testing.assert_allclose(after, moved(t, start, drag)[300:], rtol=0, atol=1e-6)


@pytest.mark.parametrize("law", [(0,), (2,), (0, 1), (1, 2)])
def test_each_law_of_drag_is_told_from_the_others_with_its_error(law):
    drag, t = np.where(np.isin(np.arange(3), law), [0.04, 0.03, 0.04], 0), np.arange(900) / 30
    found = find([(t, moved(t, (1.4, 0.0), drag, noise=0.003, seed=1))], None)
    assert tuple(np.flatnonzero(found.equation.drag)) == law and found.equation.is_pendulum
    errors = found.drag_error[list(law)]
    assert (abs(found.equation.drag - drag)[list(law)] < 3 * errors).all() and (errors < 0.1 * drag[list(law)]).all()
    squared, error = found.omega_squared
    assert abs(squared - 9.8) < 3 * error < 0.02


@pytest.mark.parametrize("off", [0.05, -0.05])
def test_orbits_that_end_above_or_below_where_the_next_one_starts_are_not_joined(off):
    search = Search([(T[:60], moved(T[:60]))], None)
    fit = search.grown(search.pendulum())
    n, joined = len(fit.nodes), np.arange(len(fit.nodes)) < len(fit.nodes) - 1
    assert fit.followed == n and fit.shooting.is_closed(fit, joined)
    nodes = fit.nodes.copy()
    nodes[-1, 0] += off
    assert not fit.shooting.is_closed(fit.shooting.at(nodes, fit.values, fit.free, n), joined)


def lasting(seed):
    """Noise of 0.005 rad in which rows within half a second are off together."""
    return 0.005 * np.convolve(np.random.default_rng(seed).normal(size=614), np.full(15, 15**-0.5), mode="valid")


def test_the_standard_errors_are_how_far_estimates_scatter():
    """Also where rows are off together; independent ones are in benchmarks.recordings."""
    t = T[:420]
    founds = [find([(t, moved(t) + lasting(seed)[:420])], None) for seed in range(6)]
    viscous = [found for found in founds if found.equation.drag[1]]
    for estimates, errors in (
        ([found.equation.drag[1] for found in viscous], [found.drag_error[1] for found in viscous]),
        zip(*(found.omega_squared for found in founds), strict=True),
    ):
        assert 0.4 < np.std(estimates) / np.mean(errors) < 1.8


def test_a_single_swing_has_the_error_of_white_noise():
    errors = []
    for seed in range(3):
        search = Search([(T[:60], moved(T[:60], noise=0.003, seed=seed))], None)
        fit = search.grown(search.pendulum())
        errors.append(math.sqrt(covariance(fit)[0, 0]))
    assert len(fit.nodes) == 2 and np.mean(errors) == pytest.approx(0.0206, rel=0.2)  # by which 60 estimates scatter


def test_a_short_piece_with_many_rows_is_one_segment():
    pieces = [(T[:60], T[:60]), (np.linspace(9, 9.1, 40), np.zeros(40))]
    segments = Segments(pieces, 1.0, 12)
    assert segments.piece.tolist() == [0, 0, 1] and segments.start[-1] == 9 and (segments.segment[-40:] == 2).all()


def test_the_same_record_twice_has_errors_that_are_smaller_by_the_root_of_two():
    record = T[:300], moved(T[:300]) + lasting(0)[:300]
    searches = Search([record], None), Search([record, record], None)
    once, twice = (np.diag(covariance(search.grown(search.pendulum()))) for search in searches)
    np.testing.assert_allclose(twice / once, 0.5, rtol=0.15)


def test_what_is_no_pendulum_gets_a_series_and_its_own_frequency():
    stiff = Legendre(4, 0.0, 1.0), [0.0, 9.0, 0.0, 2.0]  # V′ = 6 q + 5 q³
    learned = learn(Recording(T, 1 + moved(T, noise=0.005, force=stiff)))
    squared, error = learned.found.omega_squared
    assert not learned.is_pendulum and abs(squared - 6) < 4 * error < 0.2
    assert learned.bottom == pytest.approx(1, abs=0.01) and learned.energy([learned.bottom, 0.0]) == 0
    q = np.linspace(0.1, 1.9, 20)
    np.testing.assert_allclose(learned.potential(q), 3 * (q - 1) ** 2 + 5 / 4 * (q - 1) ** 4, rtol=0, atol=0.05)
    assert learned.drag[1] == pytest.approx(0.05, rel=0.05) and not warnings_of(learned)
    for state in ([1.5, 5.0], [0.5, -5.0]):  # whose orbit leaves what was recorded, and comes back
        with pytest.warns(UserWarning, match=r"an orbit leaves .* ≤ q ≤ .*, where the pendulum was recorded"):
            learned.orbit(state, np.linspace(0, 0.5, 50))


def test_a_drag_that_would_give_energy_is_none():
    found = find([(T[:200], moved(T[:200], (0.5, 0.0), (0.0, -0.05, 0.0), noise=0.003))], None)
    assert not found.equation.drag.any() and not found.drag_error.any()


def test_where_laws_do_as_well_as_the_one_that_is_shown_they_are_told():
    others = [find([(T[:n], moved(T[:n], noise=0.003))], None).other_laws for n in (90, 600)]
    assert (1,) in others[0] and not others[1]


def test_degrees_are_a_motion_like_any_other():
    for turn in (None, 360.0):
        found = find([(T[:300], np.degrees(moved(T[:300], noise=0.005)))], turn)
        assert found.omega_squared[0] == pytest.approx(9.8, rel=0.02)
        assert found.equation.drag[1] == pytest.approx(0.05, rel=0.05)
    assert found.equation.is_pendulum  # whose sine has this turn


@pytest.mark.parametrize("start, turn", [((0.0, 7.5), 2 * math.pi), ((0.0, -12.0), 360.0)])
def test_an_angle_that_goes_round_is_a_pendulum_too(start, turn, monkeypatch):
    q = turn / (2 * math.pi) * moved(T, start, (0.0, 0.1, 0.0), noise=0.003)
    wrapped = (q + turn / 2) % turn - turn / 2
    learned = learn(Recording(T[:400], wrapped[:400], turn))
    assert learned.is_pendulum and learned.drag[1] == pytest.approx(0.1, rel=0.02)
    assert learned.found.omega_squared[0] == pytest.approx(9.8, rel=0.01)
    turns = (learned.predict(T[400:] - T[399])[0] - q[400:]) / turn
    np.testing.assert_allclose(turns, np.rint(turns[0]), rtol=0, atol=0.01)
    monkeypatch.setattr("hnn_training.train", lambda *data, **how: (*(rows.numpy().T for rows in data), how))
    (q, v), (dq_dt, dv_dt), how = learned.hnn(seed=3)  # what the network is given: a whole turn, without drag
    assert how == {"seed": 3, "period": turn} and (dq_dt == v).all()
    assert abs(q - learned.bottom).max() == pytest.approx(0.525 * turn, rel=0.01)
    np.testing.assert_allclose(dv_dt, -9.8 * turn / 2 / math.pi * np.sin(2 * math.pi * q / turn), atol=0.005 * turn)


def test_a_guess_has_the_quarter_period_the_state_and_the_correlation_of_what_is_known():
    assert quarter_period(T, 0.3 + np.cos(3 * T)) == pytest.approx(math.pi / 6, rel=0.02)
    for turn in (2 * math.pi, 360.0):
        assert quarter_period(T, turn / math.pi * 4.5 * T, turn) == pytest.approx(math.pi / 18, rel=0.01)
    x = np.random.default_rng(0).normal(size=50)
    np.testing.assert_allclose(autocorrelation(x), np.correlate(x, x, "full")[49:] / (x @ x), atol=1e-12)
    q = 0.3 - 2 * T + T**3
    for wild in (50.0, -50.0):  # a row that is far above or below
        q[90] = wild
        np.testing.assert_allclose(local_state(T, q, 3.1, 0.5), [0.3 - 6.2 + 3.1**3, -2 + 3 * 3.1**2], rtol=1e-9)


def test_rows_that_are_off_together_count_as_few():
    white, used = np.random.default_rng(0).normal(size=5009), np.ones(5000, dtype=bool)
    for width in (1, 10):
        distances = np.convolve(white, np.ones(width), mode="valid")[:5000]
        fit = SimpleNamespace(distances=distances, nodes=[0] * 50, shooting=SimpleNamespace())
        fit.shooting.segments = SimpleNamespace(used=used)
        assert independent_rows(fit) == pytest.approx(5000 / width, rel=0.3)


def test_arrays_have_the_mean_time_from_row_to_row_and_no_rows_far_outside():
    assert Recording(T, T).dt == pytest.approx(1 / 30)
    q = np.append(np.cos(T[:98]), [-999, 1e5])
    recording = Recording([T[:100], 5 + 2 * T[:100]], [q, q])
    assert recording.far_out == 4 and recording.dt == pytest.approx(3 * 97 / 30 / (2 * 97))


def test_a_force_on_a_circle_that_is_no_sine_gets_a_sum_of_sines():
    force = Sines(2), [9.8, 1.5, 0.0, 0.6]
    found = find([(T, moved(T, (0.0, 8.0), (0.0, 0.05, 0.0), noise=0.003, force=force))], 2 * math.pi)
    assert found.equation.force.n >= 2 and found.equation.drag[1] == pytest.approx(0.05, rel=0.02)
    q = np.linspace(-3, 3, 30)
    slope = found.equation.force.derivative(1, found.equation.values[:-3], q)
    np.testing.assert_allclose(slope, force[0].derivative(1, np.array(force[1]), q), atol=0.05)


def test_a_coarse_encoder_has_the_noise_of_its_rounding_and_no_warning():
    step, t = math.radians(5), np.arange(2000) / 100
    learned = learn(Recording(t, step * np.round(moved(t, (0.5, 0.0)) / step)))
    assert learned.noise == pytest.approx(step / math.sqrt(12), rel=0.1) and not warnings_of(learned)
    assert abs(learned.drag[1] - 0.05) < 4 * learned.drag_error[1] < 0.03


def test_rows_may_stand_anywhere_in_time():
    t = np.sort(np.random.default_rng(1).uniform(0, 20, 500))
    t[10::20] = t[9::20]  # two rows at one time
    anywhere = find([(t, moved(t, noise=0.005))], None)
    few = find([(T[::8], moved(T, noise=0.005)[::8])], None)  # eight in a swing
    for found, most in ((anywhere, 0.003), (few, 0.006)):
        assert abs(found.equation.drag[1] - 0.05) < 4 * found.drag_error[1] < most


def test_several_records_of_one_pendulum_are_fitted_together_and_gaps_part_them():
    t, starts = [T[:150] + k for k in range(4)], [(1.2, 0.0), (0.4, 1.0), (0.9, -1.0), (0.2, 0.0)]
    q = [moved(T[:150], start, noise=0.005, seed=k) for k, start in enumerate(starts)]
    together = learn(Recording(t, q))
    assert abs(together.drag[1] - 0.05) < 4 * together.drag_error[1] < 0.004
    q_next, v_next = together.predict([0.0, 1.0])
    np.testing.assert_allclose(q_next, moved(T[149] + np.array([0.0, 1.0]), starts[3]), rtol=0, atol=0.01)
    assert v_next.shape == (2,) and [len(part) for part, _, _ in together.unseen] == [30] * 4
    assert together.error < 0.008 and not warnings_of(together)
    with_gap = np.delete(np.arange(360), np.arange(150, 240))
    learned = learn(Recording(T[with_gap], moved(T, noise=0.005)[with_gap]))
    assert [len(part) for part, _ in learned.found.search.pieces] == [150, 120]
    assert learned.drag[1] == pytest.approx(0.05, rel=0.05)
    with_pause = np.delete(np.arange(160), np.arange(60, 100))  # of less than a swing, through which an orbit goes on
    assert len(learn(Recording(T[with_pause], moved(T, noise=0.005)[with_pause])).found.search.pieces) == 1


def test_the_unseen_fifth_is_unseen(noisy):
    changed = moved(T, noise=0.005)
    changed[480:] = moved(T, noise=0.05, seed=1)[480:]
    learned = learn(Recording(T, changed))
    np.testing.assert_array_equal(learned.before.equation.values, noisy.before.equation.values)
    ((t, q, predicted),) = noisy.unseen
    np.testing.assert_array_equal(t, T[480:])
    assert noisy.error == pytest.approx(np.sqrt(np.mean((q - predicted) ** 2))) and noisy.error < 0.007
    assert noisy.deviation == pytest.approx(np.std(q)) and noisy.noise == pytest.approx(0.005, rel=0.15)
    assert not warnings_of(noisy)


def test_the_orbit_through_a_recording_is_one_orbit_to_rounding(noisy):
    for fit in (find(read_recording(ROOT / "motion" / "student.csv").pieces, None).fit, noisy.found.fit):
        assert abs(fit.gaps(np.arange(len(fit.nodes) - 1))).max() < 1e-7
    after, _ = noisy.orbit(fit.nodes[0], T)
    np.testing.assert_allclose(after, moved(T, noise=0.005) - fit.distances, rtol=0, atol=1e-5)


def test_wild_rows_and_rest_are_left_out_and_said():
    t = np.arange(1200) / 30
    q = np.where(t < 3, 1.0, moved(np.maximum(t - 3, 0), drag=(0.2, 0.0, 0.0))) + 0.003 * np.random.default_rng(
        0
    ).normal(size=1200)
    q[200:204] += 0.7
    learned = learn(Recording(t, q))
    assert learned.drag[0] == pytest.approx(0.2, rel=0.01) and (learned.drag[1:] == 0).all()
    rest, wild = [line for line in report(learned) if line.startswith("Left out")]
    n = len(t) - len(learned.found.search.segments.t)
    assert f"Left out: {n} " in rest and n > 80  # the 3 s before it is let go, but for the last of these rows
    assert "of 1,200 rows, where it is at rest" in rest and " of 1,200 rows, which are far off the motion" in wild
    assert set(range(200, 204)) <= set(
        np.flatnonzero(np.isin(t, learned.found.search.segments.t[~learned.found.search.segments.used]))
    )
    assert not warnings_of(learned)
    q_later, v_later = learned.predict(100.0)  # it stays where it came to rest
    assert v_later == 0 and q_later == pytest.approx(q[-100:].mean(), abs=0.005)


def test_a_hand_that_drifts_before_it_lets_go_and_a_last_record_that_is_too_short_are_left_out():
    rng, t = np.random.default_rng(0), np.arange(800) / 30
    q = np.where(t < 6, 0.7 + 0.01 * t, moved(np.maximum(t - 6, 0), (0.76, 0.0))) + 0.003 * rng.normal(size=800)
    above, below = (while_it_moves(t, side * q, 1.0, 0.003) for side in (1, -1))
    np.testing.assert_array_equal(above[0], below[0])  # held on either side
    learned = learn(Recording([t, 99 + T[:9]], [q, moved(T[:9])]))
    assert learned.drag[1] == pytest.approx(0.05, rel=0.02) and learned.end == t[-1]
    np.testing.assert_allclose(
        learned.predict([0.0, 1.0])[0], moved(t[-1] - 6 + np.array([0.0, 1.0]), (0.76, 0.0)), atol=0.01
    )


@pytest.mark.parametrize("size", [2.5, 9999.0])
def test_a_twentieth_of_the_rows_without_the_mark_is_neither_noise_nor_a_reason_to_warn(size):
    q = moved(T, noise=0.003)
    lost = np.random.default_rng(0).choice(len(T), len(T) // 20, replace=False)
    q[lost], q[590] = size, 1.0
    learned = learn(Recording(T, q))
    assert learned.drag[1] == pytest.approx(0.05, rel=0.02) and not warnings_of(learned) and learned.error < 0.005
    assert learned.recording.far_out == len(lost)
    (left_out,) = [line for line in report(learned) if line.startswith("Left out")]
    assert left_out == f"Left out: {len(lost) + 1} of {len(T)} rows, which are far off the motion."


def test_a_tenth_of_the_rows_are_not_wild_but_another_motion():
    search, far = Search([(T[:60], moved(T[:60]))], None), np.where(np.arange(60) % 10 == 3, 1.0, 0.001)
    assert not search.leave_out_wild_rows(SimpleNamespace(distances=far)) and search.segments.used.all()


def test_swings_about_half_a_turn_are_swings_in_whichever_turn_each_record_is_wrapped():
    records = [moved(T[:300], start, noise=0.003) + shift for start, shift in (((1.0, 0.0), 3.11), ((0.8, 0.5), 3.17))]
    wrapped = [(q + math.pi) % (2 * math.pi) - math.pi for q in records]
    search = Search(Recording([T[:300]] * 2, wrapped, turn=2 * math.pi).pieces, 2 * math.pi)
    assert search.circle is None and search.amplitude < 1.1
    assert Search([(T[:300], moved(T[:300], (2.8, 0.0)))], 2 * math.pi).circle is None


@pytest.mark.parametrize("times, part", [(5, 0.01), (2.5, 0.05), (1.4, 0.3)])
def test_so_many_times_the_noise_and_such_a_part_of_the_motion_are_warned_of(noisy, monkeypatch, times, part):
    for error, deviation, warned in ((1.1, 1, True), (0.9, 1, False), (1.1, 1.2, False)):
        monkeypatch.setitem(noisy.__dict__, "error", error * times * noisy.noise)
        monkeypatch.setitem(noisy.__dict__, "deviation", deviation * times / part * noisy.noise)
        assert bool(warnings_of(noisy)) == warned
    assert not warnings_of(noisy)
    monkeypatch.setattr("motion.shooting.Fit.variance", (1.3 * times * noisy.noise) ** 2)  # of the rows that are fitted
    assert warnings_of(noisy)


def test_a_prediction_goes_on_from_the_last_row_though_a_gap_and_a_few_rows_come_before_it():
    kept = np.r_[0:450, 590:600]
    learned = learn(Recording(T[kept], moved(T, noise=0.003)[kept]))
    assert learned.end == T[-1] and learned.predict(0.0)[0] == pytest.approx(moved(T)[-1], abs=0.01)


def test_the_bottom_is_where_the_last_swing_was():
    two_wells = Legendre(4, 0.0, 1.0), [0.0, -3.0, 0.0, 4.0]  # V′ = −9 q + 10 q³: bottoms at ± 0.95
    q = moved(T[:330], (1.6, 0.0), (0.0, 0.5, 0.0), noise=0.005, force=two_wells)
    found = find([(T[:330], q)], None)
    assert found.equation.bottom == pytest.approx(math.copysign(0.949, q[-40:].mean()), abs=0.03)
    q = moved(T[:240], (0.0, 14.0), (0.0, 0.3, 0.0), noise=0.003)  # it goes round some times before it swings
    assert abs(q.mean() - q[-60:].mean()) > 5
    assert find([(T[:240], q)], 2 * math.pi).equation.bottom == pytest.approx(q[-60:].mean(), abs=0.2)


def driven(t):
    """A pendulum that is pushed at another frequency than its own, by the post's two lines in short steps."""
    dynamics = lambda t, state: [state[1], -9.8 * np.sin(state[0]) - 0.1 * state[1] + np.cos(2.4 * t)]  # noqa: E731
    q, _ = rollout(partial(two_line_step, dynamics), 0.3, 0.0, 50 * len(t), 1 / 1500)
    return q[::50]


@pytest.mark.parametrize(
    "q, where",
    [
        (driven(T), None),  # all the time
        (np.where(T < 11, moved(T), moved(T + 0.2)), 11),  # six rows are lost
        (moved(T) + 0.1 * np.exp(-4 * (T - 11) ** 2), 11),  # the camera moved for a second
    ],
    ids=["driven", "lost rows", "camera"],
)
@pytest.mark.filterwarnings("error")
def test_what_no_equation_follows_is_warned_of(q, where):
    (line,) = warnings_of(learn(Recording(T, q + 0.003 * np.random.default_rng(0).normal(size=600))))
    assert ("times their noise" in line or "swings at most" in line) and "camera" in line
    place = re.search(r"most of all around t = (\S+) s", line)
    assert (place and float(place[1])) == (where and pytest.approx(where, abs=0.4))


@pytest.mark.parametrize(
    "q, message",
    [
        (0.01 * np.random.default_rng(0).normal(size=600), "is noise"),
        (np.ones(600), "at rest"),
        (np.linspace(0, 1, 600), "swings long"),
        (np.cumsum(np.random.default_rng(1).normal(size=600)), "swings long|no motion"),
        (moved(T / 30), "swings long"),
    ],
)
def test_what_is_no_motion_or_too_little_is_refused(q, message):
    with pytest.raises(ValueError, match=message):
        learn(Recording(T, q))


@pytest.mark.parametrize(
    "t, q, turn, message",
    [
        ([0, 1, 2], [1, 2], None, r"both have the shape \(T,\), not \(3,\) and \(2,\)"),
        ([0, 2, 1], [1, 2, 3], None, "goes down within a record; .* list of records"),
        ([0, 1], [np.nan, 2], None, "two rows or more"),
        ([T, T], [T], None, "as many records, not of 2 and 1"),
        (T, ["x"] * 600, None, "q must be real numbers"),
        (T, T, -1, "turn must be a number above 0"),
    ],
)
def test_arrays_that_are_no_recording_are_refused(t, q, turn, message):
    with pytest.raises(ValueError, match=message):
        Recording(t, q, turn)
    with pytest.raises(ValueError, match="takes a Recording"):
        learn(T)


def test_the_network_of_the_equation_moves_as_the_equation_without_drag(noisy):
    from rigid_simulator_HNN import run_simulation_HNN

    model = noisy.hnn()
    assert model.knows["q_range"][1] == pytest.approx(1.05, rel=0.01)  # a twentieth beyond what was recorded
    assert model.knows["p_range"][1] == pytest.approx(1.05 * math.sqrt(2 * 9.8 * (1 - math.cos(1))), rel=0.01)
    p_vals, q_vals = run_simulation_HNN([0.6, 0.5], model, 200, 0.02)
    q, p = rollout(partial(two_line_step, noisy.without_drag().dynamics), 0.6, 0.5, 200, 0.02)
    np.testing.assert_allclose((q_vals, p_vals), (q, p), rtol=0, atol=1e-5)


def test_learning_needs_no_torch():
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); import motion, motion.__main__; print('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"
