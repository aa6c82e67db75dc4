"""Tables as people's programs write them, read into t, q and p: dialects, columns, units and times."""

import math

import numpy as np
import pytest
from helpers import ROOT

from motion import read_recording

pytestmark = pytest.mark.filterwarnings("error")
T = 0.02 * np.arange(60)
Q, P = np.cos(3 * T), -3 * np.sin(3 * T)


def lines(*columns, form="{:.6f}", separator=","):
    return [separator.join(form.format(value) for value in row) for row in zip(*columns, strict=True)]


def read(folder, content, **how):
    """The Recording in a file with this content, bytes, a text, or lines, with t and q of all its pieces, (T,) each."""
    path = folder / "swing.csv"
    if not isinstance(content, bytes):
        content = (content if isinstance(content, str) else "\n".join(content)).encode()
    path.write_bytes(content)
    recording = read_recording(path, **how)
    recording.t, recording.q = (np.concatenate(rows) for rows in zip(*recording.pieces, strict=True))
    return recording


def refusal(folder, content, **how):
    with pytest.raises(ValueError) as refused:
        read(folder, content, **how)
    sentence = str(refused.value)
    assert "swing.csv" in sentence and "\n" not in sentence
    return sentence


POINTS, COMMAS = lines(T, Q), [line.replace(".", ",") for line in lines(T, Q, separator=";")]
DIALECTS = {
    "a header": ["t,q", *POINTS],
    "no header": POINTS,
    "quotes around every cell": ['"t","q"', *('"' + line.replace(",", '","') + '"' for line in POINTS)],
    "quoted decimal commas": ["t,q", *('"' + line.replace(";", '","') + '"' for line in COMMAS)],
    "semicolons and decimal commas": ["t;q", *COMMAS],
    "tabs and decimal commas": ["t\tq", *(line.replace(";", "\t") for line in COMMAS)],
    "blanks": ["  Time (s)   Angle (rad)", *lines(T, Q, form="{:12.6f}", separator="")],
    "commas and blanks": ['"t", "q"', *lines(T, Q, separator=", ")],
    "a comma at the end of each row": ["q,t", *(line + "," for line in lines(Q, T))],
    "a semicolon at the end of each line": ["t;q;", *(line + ";" for line in COMMAS)],
    "rows of empty cells": ["t;q", *COMMAS, ";", '"";""', " ; "],
    "a column of empty cells": lines(T, Q, separator=",,"),
    "comments": ["# measured on a Monday, at 5", "t,q", *POINTS[:9], "", "% later", *POINTS[9:]],
    "the lines of Windows": "\r\n".join(["t,q", *POINTS, ""]),
    "a signature before a header": "\ufefft,q\n" + "\n".join(POINTS),
    "a signature before no header": "\ufeff" + "\n".join(POINTS),
    "UTF-16": "\n".join(["t\tθ", *lines(T, Q, separator="\t")]).encode("utf-16"),
    "UTF-16 in the other order": b"\xfe\xff" + "\n".join(["t,θ", *POINTS]).encode("utf-16-be"),
    "cp1252": "\n".join(["t,Ángulo (rad)", *POINTS]).encode("cp1252"),
    "a title, and the name of a mass": ["My pendulum", "mass_A,", "t,θ", *POINTS],
    "a true minus": [line.replace("-", "−") for line in POINTS],
    "two numbers above the header": ["length (m),0.5,mass (kg),1.0", "t,q", *POINTS],
    "commas of thousands": ["t (ms),q", *(f'"{1000 * t:,.3f}",{q:.6f}' for t, q in zip(T, Q, strict=True))],
    "an inch that looks like a quotation mark": ['"5 inches', *POINTS],
}


@pytest.mark.parametrize("kind", DIALECTS)
def test_a_table_is_read_in_any_dialect(tmp_path, kind):
    rows = read(tmp_path, DIALECTS[kind])
    np.testing.assert_allclose(rows.t, T, atol=1e-9)
    np.testing.assert_allclose(rows.q, Q, atol=1e-6)
    assert len(rows.pieces) == 1 and "t is even" in rows.words[1]
    assert rows.dt == pytest.approx(0.02, rel=1e-9)
    assert len(rows.words) == 2 and "60 rows" in rows.words[0]  # nothing is missing, and nothing is asked


X = np.zeros(60)
HEADERS = [
    ("q,t", (Q, T), 'q is column "q"'),
    ("t,x,y,θ", (T, X, X, Q), 'q is column "θ"'),
    ("x,tiempo,ángulo", (X, T, Q), 't is column "tiempo"'),
    ("Zeit/s,Winkel / rad", (T, Q), 't is column "Zeit/s"'),
    ("x/m,t/s,θ/deg", (X, T, np.degrees(Q)), "(turned from deg into rad)"),
    (
        "Time,Angle,Mass\nms,deg,kg",
        (1000 * T, np.degrees(Q), X),
        'q is column "Angle (deg)" (turned from deg into rad)',
    ),
    ("time,theta\n(s),(°)", (T, np.degrees(Q)), "(turned from ° into rad)"),
    ("ms,deg", (1000 * T, np.degrees(Q)), "(turned from deg into rad)"),
    ("# t (ms),angle (deg)", (1000 * T, np.degrees(Q)), "(turned from deg into rad)"),  # as NumPy writes a header
    ("Run 1: Time (s),Run 1: Angle (rad)", (T, Q), '"Run 1: Angle (rad)"'),
    (",t,q", (np.arange(60), T, Q), 't is column "t"'),
    ("index,t,q", (1 + np.arange(60), T, Q), 't is column "t"'),
    ("Time,10:21:33\nX_Value,Angle", (T, Q), 't is column "X_Value", q is column "Angle"'),  # as LabVIEW writes it
    ("Time (s),Position", (T, Q), 'q is column "Position"'),
    ("Position,Time (s)", (Q, T), 'q is column "Position"'),
    ("frame,anything", (T, Q), 't is column "frame"'),
    ("lag,turn\ns,deg", (T, np.degrees(Q)), 'q is column "turn (deg)"'),
    (None, (np.arange(60), T, Q), "t is column 2, q is column 3"),
    (None, (1 + np.arange(60), T, Q), "t is column 2, q is column 3"),
    ("frame,anything,t,theta,omega,alpha", (X, X, T, Q, P, X), 'q is column "theta"'),
    ("t,omega,theta", (T, P, Q), 'q is column "theta"'),
    ("t,q_1 (rad),p_1 (kg m^2/s)", (T, Q, P), 'q is column "q_1 (rad)"'),
    ("TIME[ms],theta_deg,Angular velocity (°/s)", (1000 * T, np.degrees(Q), np.degrees(P)), "turned from ms into s"),
    ("t_us,Angle (°),ω / deg/s", (1e6 * T, np.degrees(Q), np.degrees(P)), "turned from ° into rad"),
    ("t (µs),Angle [degrees],dq/dt", (1e6 * T, np.degrees(Q), P), "turned from μs into s"),
    ("t (min),q", (T / 60, Q), "turned from min into s"),
    ("t [ns],q", (1e9 * T, Q), "turned from ns into s"),
    ("Time (minutes),q", (T / 60, Q), "turned from minutes into s"),
]


@pytest.mark.parametrize("header, columns, words", HEADERS)
def test_columns_and_units_are_taken_from_the_header(tmp_path, header, columns, words):
    rows = read(tmp_path, [*([header] if header else []), *lines(*columns, form="{:.9f}")])
    np.testing.assert_allclose(rows.t, T, atol=1e-7)
    np.testing.assert_allclose(rows.q, Q, atol=1e-6)
    assert words in rows.words[0] and rows.unit == "rad"
    speeds = [name for name in ("omega", "p_1", "elocity", "ω", "dq/dt") if header and name in header]
    assert len(rows.words) == 2 + len(speeds) and all(f"{speeds[0]}" in words for words in rows.words[2:])


def test_the_recording_that_is_included_is_read_without_a_question():
    rows = read_recording(
        ROOT / "motion" / "student.csv"
    )  # a licence stands above its numbers, in comments with commas
    assert len(rows.pieces[0][0]) == 500 and rows.dt == pytest.approx(0.0338, rel=1e-3)
    assert len(rows.words) == 2 and "q is column 2" in rows.words[0]


NAMED = ["t,x,angle (deg),rate,x", *lines(T, Q, np.degrees(Q), P, P)]  # of two of one name the first is meant


@pytest.mark.parametrize("columns", [["t", "x"], [1, 2], ["1", "angle"], ["T", "angle (deg)"], [1, 3]])
def test_columns_may_be_named_or_counted(tmp_path, columns):
    np.testing.assert_allclose(read(tmp_path, NAMED, columns=columns).q, Q, atol=1e-6)


def test_degrees_are_turned_where_they_are_said_and_asked_about_where_not(tmp_path):
    swing = ["t,q", *lines(T, np.degrees(Q))]
    for content in (swing, ["t,q (rad)", *swing[1:]]):  # a header may be wrong
        rows = read(tmp_path, content, degrees=True)
        np.testing.assert_allclose(rows.q, Q, atol=1e-6)
        assert "into rad" in rows.words[0] and len(rows.words) == 2
    assert "--degrees" in read(tmp_path, swing).words[-1]
    assert len(read(tmp_path, swing, turn=360).words) == len(read(tmp_path, ["t,q (rad)", *swing[1:]]).words) == 2
    assert len(read(tmp_path, ["t,q", *lines(T, 9 * T + Q)]).words) == 2
    for speed in (30, -30):  # it goes round and round
        assert len(read(tmp_path, ["t,q", *lines(T, speed * T + Q)]).words) == 2


def test_the_jumps_of_an_angle_by_its_turn_are_undone(tmp_path):
    for path in (20 * T, 3 + 2.5 * Q):
        path[7] = np.nan
        wrapped = (path + math.pi) % (2 * math.pi) - math.pi
        rows = read(tmp_path, lines(T, wrapped), turn=2 * math.pi)
        np.testing.assert_allclose(np.diff(rows.q), np.diff(path[np.isfinite(path)]), atol=1e-5)
        assert rows.turn == 2 * math.pi and abs(np.median(rows.q)) <= math.pi
        np.testing.assert_allclose(read(tmp_path, lines(T, wrapped)).q, wrapped[np.isfinite(path)], atol=1e-6)


def test_hours_are_turned_into_seconds(tmp_path):
    rows = read(tmp_path, ["t (h),q", *lines(T / 3600, Q, form="{:.12f}")])
    np.testing.assert_allclose(rows.t, T, atol=1e-6)


def test_a_turn_may_be_said_in_the_unit_of_the_file(tmp_path):
    content = ["t,angle (deg)", *lines(T, np.degrees(20 * T) % 360)]
    for turn in (360, 2 * math.pi):
        np.testing.assert_allclose(np.diff(read(tmp_path, content, turn=turn).q), 20 * 0.02, atol=1e-5)


def test_a_turn_of_another_unit_and_uneven_milliseconds_are_not_taken_for_what_they_are_not(tmp_path):
    assert read(tmp_path, ["t,q", *lines(T, np.degrees(Q))], turn=3600).unit == ""
    uneven = np.cumsum(np.random.default_rng(0).uniform(14, 30, 60))
    (asked,) = [words for words in read(tmp_path, ["t,q", *lines(uneven, Q)]).words if "milliseconds" in words]
    assert "header" in asked and "--dt" not in asked


def test_what_may_be_no_angle_or_no_seconds_is_asked_about(tmp_path):
    assert "angular velocity" in read(tmp_path, ["t,rate (rad/s)", *lines(T, P)]).words[-1]
    short = read(tmp_path, lines(1e-4 * T, Q, form="{:.9f}"))
    assert "dt = 2e-06 s" in short.words[-1] and "--dt" in short.words[-1]


REFUSALS = [
    ("", "has no rows of two numbers", "empty"),
    ("to be or not to be, that is the question, and one of more than sixty", 'of more th"', ""),
    ("t,q\n", '"t,q"', ""),
    ("1\n2\n3\n", '"1"', ""),
    (b"\x89PNG\r\n\x1a\n\xff\xfe", "is not text", ""),
    (["t,q", *(line.replace(";", ",") for line in COMMAS)], '"0,000000,1,000000"', "semicolons"),
    (
        ["time,q", *(f"2024-11-25T10:15:{t:.3f},{q:.5f}" for t, q in zip(T, Q, strict=True))],
        "2024-11-25T10:15:0",
        "--dt",
    ),
    ([f"2024-11-25T10:15:{t:.3f},{q:.5f}" for t, q in zip(T, Q, strict=True)], "2024-11-25T10:15:0", "in seconds"),
    (["mass_A,,", "t,x,y", *lines(T, X, Q)], '1 "t", 2 "x", 3 "y"', "--columns"),
    (["time,angle 1,angle 2", *lines(T, X, Q)], '1 "time", 2 "angle 1", 3 "angle 2"', "--columns"),
    (["Time (s),Gyroscope x (rad/s),Absolute (rad/s)", *lines(T, X, Q)], '"Gyroscope x (rad/s)"', "--columns"),
    (["t,position,height", *lines(T, Q, Q)], '2 "position"', "--columns"),
    (["t,ω", *lines(T, P)], '"ω"', "--columns"),
    (lines(T, Q, P), "1, 2, 3", "--columns"),
    (lines(T, T**2, Q), "1, 2, 3", "--columns"),
    (["t,q,q", *lines(T, Q, Q)], '2 "q", 3 "q"', "--columns"),
    (lines(T[::-1], Q), "t descends", "sort"),
    (lines(np.random.default_rng(0).permutation(T), Q), "t descends", "sort"),
    (lines(0 * T, Q), "t never goes up", "--columns"),
    ([f"t,{'very ' * 20}long,height", *lines(T, Q, Q)], "very very", "--columns"),
    (lines(np.floor(2 * T), Q), "have the time of the row before", "--dt"),
]


@pytest.mark.parametrize("content, words, cure", REFUSALS)
def test_what_cannot_be_placed_or_read_is_quoted_with_a_cure(tmp_path, content, words, cure):
    sentence = refusal(tmp_path, content)
    assert words in sentence and cure in sentence and ("sort" in sentence) == (cure == "sort")
    assert all(len(quoted) <= 60 for quoted in sentence.split('"')[1::2])


def test_a_text_column_is_left_out_or_quoted_where_it_is_asked_for(tmp_path):
    content = ["t,q,remark", *(line + ",ok" for line in POINTS)]
    for with_header_or_not in (content, content[1:]):
        assert len(read(tmp_path, with_header_or_not).q) == 60
    quoted = refusal(tmp_path, content, columns=["t", "remark"])
    assert '"ok"' in quoted and "--columns" in quoted
    assert '"speed"' in refusal(tmp_path, content, columns=["t", "speed"])
    assert "is not clear" in refusal(tmp_path, content, columns=[1, 2, 3])
    assert "no two rows" in refusal(
        tmp_path, ["t,x,q", *lines(T, Q, T, form="{:.3f}")[:1], *(x + "," for x in POINTS)], columns=[1, 3]
    )
    with pytest.raises(FileNotFoundError, match="nowhere"):
        read_recording(tmp_path / "nowhere.csv")


def test_commas_of_thousands_may_stand_in_negative_numbers_and_three_decimals_are_none(tmp_path):
    thousands = ["t,q (mrad)", *(f'{t:.6f},"{2000 * q:,.3f}"' for t, q in zip(T, Q, strict=True))]
    np.testing.assert_allclose(read(tmp_path, thousands).q, 2 * Q, atol=1e-6)
    content = [
        "t,q",
        *('"' + line.replace(".", ",").replace(";", '","') + '"' for line in lines(T, Q, form="{:.3f}", separator=";")),
    ]
    later = ["t;q", *(line.replace(".", ",") for line in lines(1 + T, 3 + Q, form="{:.3f}", separator=";"))]
    quoted = lines(T, 3 + Q, form='"{:.3f}"')
    far = ["t,q", *(line.replace(".", ",") for line in quoted)]
    for table, t, q in ((content, T, Q), (later, 1 + T, 3 + Q), (far, T, 3 + Q)):
        rows = read(tmp_path, table)
        np.testing.assert_allclose(rows.t, t, atol=1e-9)
        np.testing.assert_allclose(rows.q, q, atol=6e-4)


def test_a_percentage_and_excels_no_value_are_cells_and_no_comments(tmp_path):
    content = ["t, x, confidence, q", *(f"{t:.6f}, 0, 97 %, {q:.6f}" for t, q in zip(T, Q, strict=True))]
    np.testing.assert_allclose(read(tmp_path, content).q, Q, atol=1e-6)
    content = ["x\tt\tq", *(f"#N/A\t{t:.6f}\t{q:.6f}" for t, q in zip(T, Q, strict=True))]
    rows = read(tmp_path, content)
    np.testing.assert_allclose(rows.q, Q, atol=1e-6)
    assert len(rows.words) == 2


def test_units_that_are_not_known_are_said(tmp_path):
    rows = read(tmp_path, ["t (weeks),q (gon)", *POINTS])
    assert '"weeks" is no unit' in rows.words[2] and 'q stays in "gon"' in rows.words[3] and rows.unit == "gon"


def test_what_is_missing_is_nan_and_said(tmp_path):
    content = POINTS.copy()
    content[4] = "0.08,NA"
    assert len(read(tmp_path, content).words) == 3  # there is nothing to quote
    content[3], content[5], content[7], content[9] = "0.06,inf", ",0.9", "0.14,?", "0.18,1,2,3"
    rows = read(tmp_path, content)
    np.testing.assert_allclose(rows.t, np.delete(T, [3, 4, 5, 7, 9]), atol=1e-9)
    np.testing.assert_allclose(rows.q, np.delete(Q, [3, 4, 5, 7, 9]), atol=1e-6)
    assert "3 gaps" in rows.words[1] and "5 rows" in rows.words[2] and '"0.18,1,2,3"' in rows.words[3]


FRAMES = np.arange(600) / 30
DROPPED = np.delete(FRAMES, np.random.default_rng(0).choice(600, 30, replace=False))
PAUSED = np.concatenate([FRAMES, 1234 + FRAMES])
TIMES = [  # as a program writes them, and where they come from
    ([f"{t:.3f}" for t in FRAMES], FRAMES),
    ([f"{t:.2f}" for t in FRAMES], FRAMES),
    ([f"{t:.1f}" for t in 110.6 + FRAMES], 110.6 + FRAMES),
    ([f"{math.floor(100 * t) / 100:.2f}" for t in FRAMES], FRAMES - 0.005),
    ([f"{t:.2E}" for t in FRAMES], FRAMES),
    ([f"{t:.3g}" for t in FRAMES], FRAMES),
    ([repr(t) for t in FRAMES.tolist()], FRAMES),
    ([f"{t:.3f}" for t in 1.7e9 + FRAMES], 1.7e9 + FRAMES),
    ([f"{t:.3f}" for t in DROPPED], DROPPED),
    ([f"{t:.2f}" for t in DROPPED], DROPPED),
    ([f"{t:.2f}" for t in PAUSED], PAUSED),
    ([f"{t:.3f}" for t in np.delete(0.001 * np.arange(600), 150)], np.delete(0.001 * np.arange(600), 150)),
    ([f"{t:.2f}" for t in np.arange(600) / 80], np.arange(600) / 80),
    ([f"{t:.1f}" for t in 0.03 * np.arange(600)], 0.03 * np.arange(600)),
    ([f"{t:.1f}" for t in 0.065 * np.arange(600)], 0.065 * np.arange(600)),
    ([f"{t:.5f}" for t in FRAMES + 2e-4 * np.sin(np.arange(600))], FRAMES),  # 0.6 % of dt
]


@pytest.mark.parametrize("written, t", TIMES)
def test_rounded_times_are_the_straight_line_through_them(tmp_path, written, t):
    rows = read(tmp_path, ["t,q", *(f"{cell},0" for cell in written)])
    dt = np.median(np.diff(t))
    assert "line" in rows.words[1] or "even" in rows.words[1]
    assert rows.dt == pytest.approx(dt, rel=1e-4)
    np.testing.assert_allclose(rows.t, t, atol=0.12 * dt)
    k = np.diff(rows.t) / rows.dt
    np.testing.assert_allclose(k[k < 9], np.rint(np.diff(t) / dt)[k < 9], atol=1e-6 if t[0] < 1e9 else 1e-3)
    assert f"with {(k > 1.5).sum()} gap" in rows.words[1]


def test_a_few_rows_of_a_coarse_clock_have_their_line(tmp_path):
    rows = read(tmp_path, lines(0.025 * np.arange(11), Q[:11], form="{:.1f}"))
    assert "line" in rows.words[1] and rows.dt == pytest.approx(0.025, rel=0.2)


def test_times_that_jitter_stay_as_they_are(tmp_path):
    rng = np.random.default_rng(0)
    for t in [T + 0.1 * 0.02 * rng.uniform(-1, 1, 60), np.cumsum(0.02 * (1 + 0.1 * rng.uniform(-1, 1, 60)))]:
        for header, unit in (("t,q", 1), ("t (ms),q", 1000)):
            rows = read(tmp_path, [header, *lines(np.delete(unit * t, [20, 21]), np.delete(Q, [20, 21]))])
            np.testing.assert_allclose(rows.t, np.delete(t, [20, 21]), atol=1e-6)
            assert rows.dt == pytest.approx(0.02, rel=0.02)
            assert "1 gap" in rows.words[1] and "t is as in the file" in rows.words[1]


EVENTS = 100 + np.cumsum(0.003 * (1.2 + np.cos(np.arange(900) / 9)))  # an encoder's: denser where it is faster


TIMES_THAT_GROW = np.cumsum(T)


@pytest.mark.parametrize(
    "t", [EVENTS, np.repeat(0.016 * np.arange(300), 2), TIMES_THAT_GROW], ids=["events", "twins", "T"]
)
def test_times_that_follow_no_line_are_what_they_are(tmp_path, t):
    rows = read(tmp_path, ["t,q", *(f"{x:.3f},{math.cos(3 * x):.6f}" for x in t)])
    np.testing.assert_allclose(rows.t, t, atol=6e-4)
    assert "t is as in the file" in rows.words[1] and "on average" in rows.words[1]
    if t is not TIMES_THAT_GROW:
        assert rows.dt == pytest.approx(np.diff(t).mean(), rel=1e-3)


def test_two_rows_a_stamp_are_no_even_rows_where_they_were_taken_together(tmp_path):
    stamps, even = np.repeat(0.02 * np.arange(1, 301), 2), 0.01 * np.arange(600) + 0.015
    together, in_turn = (
        read(tmp_path, ["t,q", *(f"{t:.2f},{math.cos(3 * x):.6f}" for t, x in zip(stamps, at, strict=True))])
        for at in (stamps, even)
    )
    np.testing.assert_allclose(together.t, stamps, atol=1e-9)
    assert together.dt == pytest.approx(0.01, rel=0.01)  # from row to row
    np.testing.assert_allclose(in_turn.t, even, atol=1e-4)


def test_records_one_below_the_other_are_pieces_with_one_dt(tmp_path):
    t = np.concatenate([FRAMES[:200], 0.01 + FRAMES[:100], np.delete(FRAMES[:50], 9)])
    content = ["t,q", *(f"{time:.2f},0" for time in t[:300]), "t,q", *(f"{time:.2f},0" for time in t[300:])]
    rows = read(tmp_path, [*content, "0.00,0"])  # a lone row is no record
    assert [len(piece) for piece, _ in rows.pieces] == [200, 100, 49]
    assert rows.dt == pytest.approx(1 / 30, rel=1e-4) and "1 gap and 2 restarts" in rows.words[1]
    np.testing.assert_allclose(rows.t, t, atol=0.005)
    again = read(tmp_path, content[:301], dt=0.04)
    assert [len(piece) for piece, _ in again.pieces] == [200, 100] and again.dt == 0.04
    np.testing.assert_allclose(again.t, 0.04 * np.concatenate([np.arange(200), np.arange(100)]))


def test_a_given_dt_replaces_any_times(tmp_path):
    dates = [f"2024-11-25 10:15:{t:.3f},{q:.6f}" for t, q in zip(T, Q, strict=True)]
    for content in (["time,q", *dates], dates, lines(20 * np.arange(60), Q), lines(T**2, Q), lines(Q, Q)):
        rows = read(tmp_path, content, dt=0.02)
        np.testing.assert_allclose(rows.t[:2], [0, 0.02])
        np.testing.assert_allclose(rows.q, Q, atol=1e-6)
        assert rows.dt == 0.02 and "--dt" in rows.words[1]


@pytest.mark.parametrize("header, unit", [("t,q", 20), ("frame,q", 1), ("t (ms),q", 33.3), (None, 1000 / 30)])
def test_a_given_dt_keeps_the_gaps_of_the_files_own_times(tmp_path, header, unit):
    k = np.delete(np.arange(200), [50, 120, 121, 122])
    content = [*([header] if header else []), *lines(unit * k, np.cos(0.1 * k), form="{:.3f}")]
    rows = read(tmp_path, content, columns=[1, 2], dt=0.02)
    np.testing.assert_allclose(rows.t, 0.02 * k, atol=1e-9)
    assert rows.dt == 0.02 and "2 gaps" in rows.words[1]


@pytest.mark.parametrize(
    "header, dt, asked", [("t,q", 20, "--dt 0.02"), ("t (s),q", 20, None), (None, 2e4, "--dt 0.02")]
)
def test_milliseconds_and_frames_that_pass_for_seconds_are_asked_about(tmp_path, header, dt, asked):
    rows = read(tmp_path, [*([header] if header else []), *lines(dt * np.arange(60), Q)])
    assert rows.dt == dt and (asked in rows.words[-1] if asked else len(rows.words) == 2)
