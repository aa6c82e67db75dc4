"""What was learned from a recording, in lines: friction, periods, and how well the unseen last fifth is predicted."""

import copy
import math

import numpy as np

from motion.orbits import Roller
from pendulum_nonlinear import wrap_angle

SMALL = 0.02  # of the largest amplitude: a small swing
KNOWN = 0.25  # of the largest amplitude: with no swing below it a small one was not recorded
FEW_SWINGS, FEW_ROWS = 3, 9  # in a recording, and in a swing: with fewer a reader is warned
FALL = 0.1  # of the largest amplitude: a loss that friction of some kind has caused
MISFIT = 5  # times the noise of a row: a prediction that misses by more is warned of,
MISFIT_PART = 0.01  # if it is more than this part of the motion too
LOSS = 0.1  # of the recording, from which on it is said


def report(learned):
    """The lines that say what was learned."""
    half, gamma = learned.sampling.half, learned.friction
    how = f"polynomials through the rows up to {half:.3g} s around each state" if half else "the rows as they are"
    lines = [f"Learned from {how}, in steps of {learned.sampling.dt:.4g} s."]
    (_, centre), (_, q, _) = learned.energy, learned.states
    if np.isnan(q).mean() > LOSS:
        lines.append(f"Lost to gaps, and to both ends of the recording: {np.isnan(q).mean():.0%} of it.")
    t, q_at_end, _ = learned.of_column()[-1][1]
    q_at_end = q_at_end[t >= t[np.isfinite(q_at_end)][-1] - 4 * learned.quarter]
    largest, last = (np.nanmax(abs(wrap_angle(some - centre, learned.period))) for some in (q, q_at_end))
    small, of_last, of_largest = (swing_period(learned, centre, x) for x in (SMALL * largest, last, largest))
    if gamma:
        lines.append(
            f"Friction: γ = {gamma:.4g} ± {learned.model.friction_error:.1g} 1/s; the amplitude falls to 1/e in 2/γ = "
            f"{2 / gamma:.3g} s, Q = ω/γ = {2 * math.pi / small / gamma:.3g}."
        )
    else:
        falls = largest - last > FALL * largest
        lines.append(f"Friction: none that the recording shows{', though its swings fall' if falls else ''}.")
    goes_round = learned.period is not None and np.nanmax(q) - np.nanmin(q) > learned.period
    not_seen = "" if last < KNOWN * largest else " (none was recorded)"
    periods = {
        f"the largest swing, to {largest:.3g}": math.nan if goes_round else of_largest,
        f"the last, to {last:.3g}": of_last,
    }
    periods |= {f"a small one{not_seen}": small}
    found = [f"{period:.4g} s of {swing}" for swing, period in periods.items() if period > 0]  # NaN: it does not swing
    lines.append(f"Period: {'it goes round at first; ' if goes_round else ''}{', '.join(found)}.")
    rows_in_swing = 4 * learned.quarter / learned.rows.dt
    if rows_in_swing < FEW_ROWS:
        lines.append(
            f"There are {rows_in_swing:.0f} rows in a swing only: what is said of friction and noise is rough."
        )
    if learned.swings < FEW_SWINGS:
        lines.append(f"The recording has {learned.swings:.1f} swings: what it does at other amplitudes is not known.")
    lines.append(
        f"Prediction of the last fifth, by a model that has not seen it: to {learned.error:.2g} (root mean square), "
        f"where the amplitude is {math.sqrt(2) * learned.deviation:.2g} and the noise of a row {learned.noise:.1g}."
    )
    if learned.error > max(MISFIT * learned.noise, MISFIT_PART * learned.deviation):
        lines.append(
            f"It misses by {learned.error / learned.noise:.0f} times the noise: are rows lost, is there a drift, or "
            "a drag that is not in proportion to p? Trust the friction and the periods less than they say."
        )
    return lines


def swing_period(learned, centre, amplitude):
    """The period (s) of the swing without friction from rest at centre + amplitude; NaN where it does not come back.

    It is the time from one passage upwards through the centre to the next.
    """
    free = copy.deepcopy(learned.model)
    free.knows.pop("friction", None)
    t = np.linspace(0, 16 * learned.quarter, 4001)[1:]
    q = Roller(free).orbit_at(np.array([[centre + amplitude, 0.0]]), t)[:, 0, 0] - centre
    (k,) = np.nonzero((q[:-1] < 0) & (q[1:] >= 0))
    passages = t[k] - (t[1] - t[0]) * q[k] / (q[k + 1] - q[k])
    return passages[1] - passages[0] if len(k) > 1 else math.nan
