"""What was learned from a recording, in lines: friction, periods, and how well the unseen last fifth is predicted."""

import copy
import math

import numpy as np

from motion.rollout import Roller
from pendulum_nonlinear import wrap_angle

SMALL = 0.02  # of the largest amplitude: a small swing
KNOWN = 0.25  # of the largest amplitude: with no swing below it a small one was not recorded
PEAK = 0.95  # the quantile of |q| in a swing that is called its amplitude: noise moves it less than the greatest |q|
FEW_SWINGS, FEW_ROWS = 3, 9  # in a recording, and in a swing: with fewer a reader is warned
FALL = 0.1  # of the largest amplitude: swings that lose more of it are said to fall
MISFITS = [(5, 0.01), (2, 0.05), (1.4, 0.3)]  # times the noise, and of the motion: more than both is warned of
LOSS = 0.1  # of the recording, from which on it is said


def report(learned):
    """The lines that say what was learned."""
    half, gamma, period = learned.sampling.half, learned.friction, learned.rows.period
    how = f"polynomials through the rows up to {half:.3g} s around each state" if half else "the rows as they are"
    lines = [f"Learned from {how}, in steps of {learned.sampling.dt:.4g} s."]
    (centre, _), (t, q, _) = learned.bottom, learned.states
    if np.isnan(q).mean() > LOSS:
        lines.append(f"Lost to gaps, and to both ends of the recording: {np.isnan(q).mean():.0%} of it.")
    t_at_end, q_at_end, _ = learned.of_column()[-1][1]
    q_at_end = q_at_end[t_at_end >= t_at_end[np.isfinite(q_at_end)][-1] - 4 * learned.quarter]
    q, q_at_end = (abs(wrap_angle(some - centre, period)) for some in (q, q_at_end))
    q_at_peak = q[abs(t - t[np.nanargmax(q)]) < 2 * learned.quarter]
    largest, last = (np.nanquantile(some, PEAK) for some in (q_at_peak, q_at_end))
    small, of_last, of_largest = (swing_period(learned, centre, x) for x in (SMALL * largest, last, largest))
    falls = largest - last > FALL * largest
    if gamma:
        quality = f", Q = ω/γ = {2 * math.pi / of_last / gamma:.3g} at the end" if of_last > 0 else ""
        lines.append(
            f"Friction: γ = {gamma:.4g} ± {learned.model.friction_error:.1g} 1/s; the amplitude falls to 1/e in 2/γ = "
            f"{2 / gamma:.3g} s{quality}."
        )
    else:
        lines.append(f"Friction: none that the recording shows{', though its swings fall' if falls else ''}.")
    found = [  # where a period is NaN, it does not swing
        (math.nan if period else of_largest, f"{of_largest:.4g} s of the largest swing, to {largest:.3g}"),
        (of_last, f"{of_last:.4g} s of the last, to {last:.3g}"),
        (small, small_one(small, falls, is_recorded=last < KNOWN * largest)),
    ]
    goes_round = ["it goes round at first"] if period else []
    whose = " of the first orbit" if learned.rows.q.shape[1] > 1 else ""
    periods = ", ".join([*goes_round, *(words for value, words in found if value > 0)])
    lines.append(f"Period{whose}: {periods or 'none'}.")
    rows_in_swing = 4 * learned.quarter / learned.rows.dt
    if rows_in_swing < FEW_ROWS:
        lines.append(
            f"There are only {rows_in_swing:.0f} rows in a swing: what is said of friction and noise is rough."
        )
    if learned.swings < FEW_SWINGS:
        lines.append(f"The recording has {learned.swings:.1f} swings: what it does at other amplitudes is not known.")
    lines.append(
        f"Prediction of the last fifth, by a model that has not seen it: to {learned.error:.2g} (root mean square), "
        f"where the amplitude is {math.sqrt(2) * learned.deviation:.2g} and the noise of a row {learned.noise:.1g}."
    )
    if any(learned.error > max(times * learned.noise, part * learned.deviation) for times, part in MISFITS):
        lines.append(
            f"Warning: it misses by {learned.error / learned.noise:.1f} times the noise. Was the pendulum held, driven "
            "or touched (cut that off), are rows lost, is there a drift, or a drag that is not in proportion to p? "
            "Trust friction and periods less than they say."
        )
    return lines


def small_one(period, falls, is_recorded):
    """In words: the period (s) of a small swing, which a recording whose swings are all alike does not tell."""
    if not falls:
        return "not known of a small one"
    if is_recorded:
        return f"{period:.4g} s of a small one"
    return f"{period:.3g} s of a small one (a guess: none was recorded)"


def swing_period(learned, centre, amplitude):
    """The period (s) of the swing without friction from rest at centre + amplitude.

    It is the time from one passage upwards through the centre to the next, NaN where there are none within four periods
    of the recording.
    """
    free = copy.deepcopy(learned.model)
    free.knows.pop("friction", None)
    t = np.linspace(0, 16 * learned.quarter, 4001)[1:]
    q = Roller(free).orbit_at(np.array([[centre + amplitude, 0.0]]), t)[:, 0, 0] - centre
    (k,) = np.nonzero((q[:-1] < 0) & (q[1:] >= 0))
    passages = t[k] - (t[1] - t[0]) * q[k] / (q[k + 1] - q[k])
    return passages[1] - passages[0] if len(k) > 1 else math.nan
