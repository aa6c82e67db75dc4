"""Records of motion in files: tables as people have them, their gaps, and a momentum that nobody recorded."""

import math

import numpy as np
import pytest
from helpers import run_script, turned, write_record

import hnn_training
from HNN import load_hnn
from pendulum_nonlinear import wrap_angle
from support.exact import exact_motion
from support.records import read_record

T, (Q, P) = 0.1 * np.arange(41), (part[:, 0] for part in turned(np.array([[1.0, 0.5]]), 0.1, 40))


def lines(*columns, form="{:.9g}", separator=","):
    return [separator.join(form.format(value) for value in row) for row in zip(*columns, strict=True)]


FILES = {
    "a header with units": ["t (s),q (rad),p (kg m^2/s)", *lines(T, Q, P)],
    "no header": lines(T, Q, P),
    "semicolons": ["t;q;p", *lines(T, Q, P, separator=";")],
    "semicolons and decimal commas": [line.replace(".", ",") for line in lines(T, Q, P, separator=";")],
    "tabs": lines(T, Q, P, separator="\t"),
    "blanks": ["  " + line for line in lines(T, Q, P, separator="   ")],
    "commas and blanks": ["t, q, p", *lines(T, Q, P, separator=", ")],
    "comments and blank lines": [
        "# measured on a Monday",
        "",
        *lines(T, Q, P)[:20],
        "",
        "% later",
        *lines(T, Q, P)[20:],
    ],
    "a byte order mark": ["\ufefft,q,p", *lines(T, Q, P)],
    "times within one per cent": lines(T + 0.0004 * np.sin(np.arange(41)), Q, P),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_record_is_read_from_a_table_of_any_kind(tmp_path, kind):
    path = tmp_path / "record.txt"
    path.write_text("\n".join(FILES[kind]), encoding="utf-8")
    record = read_record(path)
    np.testing.assert_allclose(record.q[:, 0], Q, atol=1e-8)
    np.testing.assert_allclose(record.p[:, 0], P, atol=1e-8)
    assert record.dt == pytest.approx(0.1, rel=1e-4)
    assert f"{path}: 1 record with 40 pairs of states dt = 0." in record.summary
    assert "(0 gaps, 0 restarts of t)" in record.summary


def test_gaps_restarts_and_missing_values_end_a_piece_and_are_counted(tmp_path):
    path = tmp_path / "record.csv"
    rows = lines(T, Q, P)
    rows = [*rows[:10], *rows[15:30], *rows[:5]]  # a gap, and t starts anew
    rows[3] = "0.3,,nan"
    path.write_text("\n".join(rows))
    record = read_record(path)
    assert np.flatnonzero(np.isnan(record.q[:, 0])).tolist() == [3, 10, 26]
    assert "3 records with 25 pairs" in record.summary and "(1 gap, 1 restart of t)" in record.summary


def test_a_step_that_is_longer_by_more_than_one_per_cent_is_a_gap(folder):
    t = T + 0.005 * (np.arange(41) >= 20)  # once 5 % longer
    write_record("r.csv", t, Q, P)
    assert "(1 gap, 0 restarts of t)" in read_record("r.csv").summary


def test_rounded_times_have_their_mean_step(folder):
    t = np.round(np.arange(200) / 120, 5)
    write_record("r.csv", t, t, t)
    assert read_record("r.csv").dt == pytest.approx(1 / 120, rel=1e-5)


def test_several_orbits_stand_side_by_side(tmp_path):
    path = tmp_path / "record.csv"
    path.write_text("\n".join(["t,q_1,p_1,q_2,p_2", *lines(T, Q, P, 2 * Q, 2 * P)]))
    record = read_record(path)
    np.testing.assert_allclose(record.q, np.stack([Q, 2 * Q], axis=-1), atol=1e-8)
    np.testing.assert_allclose(record.p, np.stack([P, 2 * P], axis=-1), atol=1e-8)
    assert "2 records with 80 pairs" in record.summary


def test_without_p_it_is_dq_dt_smoothed_and_the_summary_says_so(tmp_path):
    path, rng = tmp_path / "record.csv", np.random.default_rng(0)
    t = 0.05 * np.arange(400)
    q, p = (part[:, 0] for part in turned(np.array([[1.0, 0.5]]), 0.05, 399))
    path.write_text("\n".join(lines(t, q)))
    record = read_record(path)
    assert np.isnan(record.q[[0, 3, -4, -1]]).all() and np.isfinite(record.q[4:-4]).all()
    np.testing.assert_allclose(record.q[4:-4, 0], q[4:-4], atol=1e-6)
    np.testing.assert_allclose(record.p[4:-4, 0], p[4:-4], atol=1e-4)
    assert "there is no column p: p is dq/dt, of a polynomial through 9 rows" in record.summary
    path.write_text("\n".join(lines(t, (q + math.pi + 1e-3 * rng.normal(size=400)) % (2 * math.pi))))
    noisy = read_record(path, period=2 * math.pi)  # 1e-3 of noise is sqrt(2) 1e-3 / 0.05 = 0.03 in plain differences
    assert np.std(noisy.p[4:-4, 0] - p[4:-4]) < 0.009
    assert np.std(np.exp(1j * noisy.q[4:-4, 0]) + np.exp(1j * q[4:-4])) < 0.8e-3
    fast = np.cumsum(np.full(60, 1.0))  # it turns by a radian a row, four turns in a window and more
    path.write_text("\n".join(lines(0.05 * np.arange(60), (fast + math.pi) % (2 * math.pi) - math.pi)))
    np.testing.assert_allclose(read_record(path, 2 * math.pi).p[4:-4], 20.0, rtol=1e-6)


@pytest.mark.parametrize(
    "content, message",
    [
        ("", "has no rows of numbers"),
        ("t,q,p\n", "has no rows of numbers"),
        ("1\n2\n3\n", "has no rows of numbers"),
        ("to be or not to be", "has no rows of numbers"),
        (b"\x89PNG\r\n\x1a\n\xff\xfe", "is not a text file"),
        ("0,1,2\n0.1,1,x\n", "line 2: 0.1,1,x is no row of numbers"),
        ("0,1,2\n0.1,1\n", "line 2: 2 numbers, where 3 are expected"),
        ("\n".join(lines(T[::-1], Q, P)), "t does not increase"),
        ("\n".join(lines(np.random.default_rng(0).permutation(T), Q, P)), "times are not equally spaced|not increase"),
        ("\n".join(lines(T**2, Q, P)), "the times are not equally spaced"),
        ("\n".join(lines(T, Q, P, Q)), "must have the columns t, q, p .*, not 4 columns"),
    ],
)
def test_what_is_no_table_of_motion_is_refused_in_one_sentence(folder, content, message):
    path = folder / "record.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    outcome = run_script(hnn_training.main, "--data record.csv --output w.pth")
    assert outcome.status == 1 and outcome.err.startswith("Error: record.csv") and outcome.err.count("\n") == 1
    with pytest.raises(ValueError, match=message):
        read_record(path)
    assert not (folder / "w.pth").exists()


def test_a_wrapped_record_of_angles_alone_has_no_jumps_in_p(folder, monkeypatch):
    q, _ = exact_motion(np.array([0.0]), np.array([7.0]), 200, 0.05)
    write_record("r.csv", 0.05 * np.arange(200), wrap_angle(q[:, 0]))
    given, model = [], load_hnn()
    model.validation_loss = 1.0
    monkeypatch.setattr(hnn_training, "train_on_motion", lambda q, p, *_, **how: given.append(p) or model)
    run_script(hnn_training.main, "--data r.csv --period 2pi --output w.pth")
    assert np.nanmin(given[0]) > 2  # it always goes round the same way


def test_the_polynomial_does_not_reach_over_a_gap(folder):
    t = 0.05 * np.arange(200)
    t = t[(t < 4) | (t > 6)]
    write_record(folder / "r.csv", t, np.sin(t))
    record = read_record(folder / "r.csv")
    seen = np.isfinite(record.p)
    np.testing.assert_allclose(record.q[seen] ** 2 + record.p[seen] ** 2, 1, atol=1e-3)


def test_each_orbit_has_a_record_in_each_piece(folder):
    t = np.delete(0.1 * np.arange(41), [20])
    write_record(folder / "r.csv", t, t, t, t, t)
    assert ": 4 records with" in read_record(folder / "r.csv").summary


def test_a_gap_in_a_record_of_milliseconds_is_a_gap(folder):
    t = np.delete(0.002 * np.arange(60), [20, 21])
    write_record("r.csv", t, np.sin(t), np.cos(t))
    record = read_record(folder / "r.csv")
    assert "2 records with 56 pairs" in record.summary and record.dt == pytest.approx(0.002)
