"""What was learned from a recording, in lines: its equation, drag, periods, and how well it predicts the unseen."""

import math

import numpy as np
from numpy.polynomial import legendre

from motion.equation import Sines

NAMES = ["dry", "viscous", "quadratic"]
TERMS = ["{} sign v", "{} v", "{} |v| v"]
PER = ["{0}/s²", "1/s", "1/{0}"]  # the units of c₀, c₁, c₂ for an angle in {0}
MOST_PERIODS = 4  # of the recording: a swing that takes longer is none
FEW_SWINGS, FEW_ROWS = 3, 9  # in a recording, and in a swing: with fewer a reader is warned
MISFITS = [(5, 0.01), (2.5, 0.05), (1.4, 0.3)]  # times the noise, and of the motion: more than both is warned of
PLACE = 2  # times the root mean square: a part of the recording that is off by more is named


def report(learned):
    """The lines that say what was learned."""
    found, unit = learned.found, learned.recording.unit
    lines = [*parts_left_out(learned), equation(found, unit), drag(found, unit), periods(learned)]
    rows_in_swing = 4 * found.search.quarter / learned.recording.dt
    if rows_in_swing < FEW_ROWS:
        lines.append(f"There are only {rows_in_swing:.0f} rows in a swing: the noise of a row is not well known.")
    if found.search.swings < FEW_SWINGS:
        lines.append(f"The recording has {found.search.swings:.1f} swings: more would tell the laws of drag apart.")
    lines.append(
        f"Prediction of the last fifth, by an equation that has not seen it: off by {learned.error:.2g}{spaced(unit)} "
        f"(root mean square), where the amplitude is {math.sqrt(2) * learned.deviation:.2g} and the noise of a row "
        f"{learned.noise:.1g}."
    )
    return [*lines, *warning(learned)]


def spaced(unit):
    return f" {unit}" if unit else ""


def with_error(value, error):
    """A value with its error to two digits, and itself to the same decimals."""
    if not 0 < error < math.inf:
        return f"{value:.4g}"
    decimals = max(1 - math.floor(math.log10(error)), 0)
    return f"{value:.{min(decimals, 12)}f} ± {error:.{min(decimals, 12)}f}"


def parts_left_out(learned):
    """What of the recording the equation was not fitted to."""
    far_out = learned.recording.far_out
    rows = sum(len(t) for t, _ in learned.recording.pieces) + far_out
    still = rows - far_out - sum(len(t) for t, _ in learned.found.search.pieces)
    wild = int((~learned.found.search.segments.used).sum()) + far_out
    lines = []
    if still:
        lines.append(f"Left out: {still:,} of {rows:,} rows, where it is at rest or between gaps.")
    if wild:
        lines.append(f"Left out: {wild:,} of {rows:,} rows, which are far off the motion.")
    return lines


def equation(found, unit):
    """The equation, and what kind of motion it is."""
    of_force, error = found.omega_squared
    law = "".join(f" − {TERMS[k].format(f'{c:.4g}')}" for k, c in enumerate(found.equation.drag) if c)
    squared = f"ω² = {with_error(of_force, error)} 1/s²"
    if found.equation.is_pendulum:
        turn, at = found.equation.force.turn, found.equation.bottom
        angle = "q" if abs(at) < 5e-5 * turn else f"(q {'−' if at > 0 else '+'} {abs(at):.4g})"
        sine = f"sin {angle}"
        if not math.isclose(turn, 2 * math.pi):
            sine = f"{turn / 2 / math.pi:.4g} sin(2π {angle} / {turn:g})"
        return f"A pendulum: dv/dt = −ω² {sine}{law}, with {squared} (g / l for a bob on a string)."
    return f"No plain pendulum: dv/dt = −V′(q){law}, with {squared} for a small swing; {slope(found.equation, unit)}."


def slope(equation, unit):
    """V′ in words: a polynomial in the distance from the bottom, or how many sines."""
    force, bottom = equation.force, equation.bottom
    if isinstance(force, Sines):
        return f"V′ is a sum of {force.n} sines, 0 at q = {bottom:.3g}{spaced(unit)}"
    x = np.polynomial.Polynomial([(bottom - force.middle) / force.half, 1 / force.half])
    coefficients = np.polynomial.Polynomial(legendre.leg2poly(equation.values[:-3]))(x).coef[1:]
    powers = ["x", *(f"x^{k}" for k in range(2, len(coefficients) + 1))]
    terms = [f"{'−' if c < 0 else '+'} {abs(c):.4g} {power}" for c, power in zip(coefficients, powers, strict=True)]
    return f"V′ = {' '.join(terms).removeprefix('+ ')} with x = q {'−' if bottom > 0 else '+'} {abs(bottom):.3g}"


def drag(found, unit):
    """Each law of drag that is shown, with its error, which are not, and which others would do as well."""
    c = found.equation.drag
    shown = [
        f"{NAMES[k]}, c{'₀₁₂'[k]} = {with_error(c[k], found.drag_error[k])} {PER[k].format(unit or 'unit')}"
        for k in np.flatnonzero(c)
    ]
    hidden = [law for law, its_c in zip(NAMES, c, strict=True) if not its_c]
    line = f"Drag: {'; '.join(shown) or 'none that the recording shows (nor does a pendulum that is kept going)'}."
    if hidden and shown:
        line += f" Not shown: {', '.join(hidden)}."
    others = [" and ".join(NAMES[k] for k in law) or "none" for law in found.other_laws]
    if others:
        line += f" Nearly as good in its place: {' or '.join(others)}."
    return line


def periods(learned):
    """The periods of swings without drag, and Q of the last ones."""
    found = learned.found
    H_largest, H_last = learned.energy(found.fit.nodes.T).max(), float(learned.energy(found.fit.ends[-1]))
    swings, said, squared = [swing(found, H) for H in (H_largest, H_last)], [], found.omega_squared[0]
    for which, (period, reach) in zip(("largest", "last"), swings, strict=True):
        without = f"the {which} goes round" if found.search.circle else f"none of the {which} swing"
        said.append(f"{period:.4g} s of the {which} swing, to {reach:.3g}" if period > 0 else without)
    said.append(f"{2 * math.pi / math.sqrt(squared):.4g} s of a small one" if squared > 0 else "none of a small one")
    return f"Period: {', '.join(said)}.{quality(found, H_last, period=swings[-1][0])}"


def swing(found, H):
    """The period (s) of the swing of energy H without drag, and its greatest distance from the bottom.

    It goes from the bottom with v = √(2H) until it passes there upwards again. Both are NaN where it does not.
    """
    t, bottom = np.linspace(0, MOST_PERIODS * 4 * found.search.quarter, 4001)[1:], found.equation.bottom
    q = found.equation.without_drag().orbit([bottom, math.sqrt(2 * max(H, 0))], t)[0] - bottom
    (k,) = np.nonzero((q[:-1] < 0) & (q[1:] >= 0))
    if len(k) == 0:
        return math.nan, math.nan
    return t[k[0]] - q[k[0]] * (t[1] - t[0]) / (q[k[0] + 1] - q[k[0]]), abs(q[: k[0]]).max()


def quality(found, H, period):
    """In words: Q = 2π H / (the energy that one swing from H loses)."""
    if not (period > 0 and found.equation.drag.any()):
        return ""
    q, v = found.equation.orbit([found.equation.bottom, math.sqrt(2 * H)], period)
    lost = H - float(found.equation.energy([q[0], v[0]]))
    return (
        f" Q of the last swings, 2π over the part of its energy that one of them loses: {2 * math.pi * H / lost:.3g}."
    )


def warning(learned):
    """A line where no equation of this kind follows the recording, which says where it is off most."""
    found = learned.found
    off = max(math.sqrt(found.fit.variance), learned.error)
    follows_all = found.search.follows_all(found.fit)
    is_off = any(off > max(times * learned.noise, part * learned.deviation) for times, part in MISFITS)
    if follows_all and not is_off:
        return []
    what = f"the equation misses the rows by {off / learned.noise:.2g} times their noise"
    if not follows_all:
        swings = found.fit.followed / len(found.fit.nodes) * found.search.swings
        what = f"one orbit follows the rows for {swings:.2g} swings at most"
    return [
        f"Warning: {what}{worst_place(found)}. Was the pendulum driven, held or touched (cut that off), are rows lost, "
        "or did the camera move? Trust the numbers above less than they say."
    ]


def worst_place(found):
    """In words: the half swing in which the rows are off most, where that is far more than elsewhere."""
    segments, squares = found.search.segments, found.fit.distances**2 * found.search.segments.used
    of_segment = np.bincount(segments.segment, squares) / np.maximum(np.bincount(segments.segment), 1)
    worst = of_segment.argmax()
    if of_segment[worst] < PLACE**2 * squares.mean():
        return ""
    return f", most of all around t = {segments.start[worst] + segments.length[worst] / 2:.3g} s"
