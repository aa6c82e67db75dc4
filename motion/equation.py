"""The equation of a recorded angle q, with v = dq/dt, as one draws it on a blackboard.

    dq/dt = v
    dv/dt = −V′(q) − c₀ sign v − c₁ v − c₂ |v| v

If the momentum is defined as v, then dq/dt = ∂H/∂v says that H = v²/2 + V(q). The three laws of drag are the dry one of
a bearing (Coulomb), the viscous one of slow air or oil (Stokes) and the quadratic one of fast air (Newton); see Squire
1986, Am. J. Phys. 54, 984. V′ is a short sum of known functions, so that a few coefficients say all of it:

    Sines(1)        ω² sin(q − q₀), the pendulum; more of them for any force on an angle that goes round
    Legendre(n)     a polynomial in q, for a force on an angle that swings
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.polynomial import legendre

from motion.orbits import acceleration, roll_out
from support.inputs import as_float64, check_count


@dataclass(frozen=True)
class Sines:
    """V′(q) = Σ a_k sin(k x) + b_k cos(k x) with x = 2π q / turn, for k = 1 … n; the coefficients are [a…, b…]."""

    n: int
    turn: float = 2 * math.pi

    @property
    def size(self):
        return 2 * self.n

    def derivative(self, order, coefficients, q):
        """The derivative of this order of V at q: V itself, up to a constant, for 0, V′ for 1, V″ for 2.

        The coefficients, (size, ...), are numbers or arrays that broadcast with q.
        """
        a, b = coefficients[: self.n], coefficients[self.n :]
        size, phase, total = np.hypot(a, b), np.arctan2(b, a) + (order - 1) * math.pi / 2, 0.0
        for k in range(self.n):
            wavenumber = 2 * math.pi * (k + 1) / self.turn
            total = total + wavenumber ** (order - 1) * size[k] * np.sin(wavenumber * q + phase[k])
        return total


@dataclass(frozen=True)
class Legendre:
    """V′(q) = Σ a_k P_k(x) with Legendre polynomials of x = (q − middle) / half, for k = 0 … size − 1."""

    size: int
    middle: float
    half: float

    def derivative(self, order, coefficients, q):
        """As that of Sines."""
        series = legendre.legint(coefficients) if order == 0 else legendre.legder(coefficients, order - 1)
        return self.half ** (1 - order) * legendre.legval((q - self.middle) / self.half, series, tensor=False)


@dataclass
class Equation:
    """The equation with these coefficients, in steps of h (s) for its orbits."""

    force: Sines | Legendre
    values: np.ndarray  # (P,), the coefficients of V′ and c₀, c₁, c₂
    h: float
    bottom: float  # q where it rests

    @property
    def drag(self):
        """[c₀, c₁, c₂], dry, viscous and quadratic: in rad/s², 1/s and 1/rad where q is in rad."""
        return self.values[-3:]

    @property
    def is_pendulum(self):
        """Whether V′ = ω² sin(q − q₀)."""
        return isinstance(self.force, Sines) and self.force.n == 1

    def potential(self, q):
        """V(q), (rad/s)², 0 at the bottom."""
        at = [self.force.derivative(0, self.values[:-3], np.asarray(x, dtype=float)) for x in (q, self.bottom)]
        return at[0] - at[1]

    def energy(self, state):
        """H = v²/2 + V(q) at [q, v], each a number or an array: 0 at rest, and (rad/s)² like V."""
        q, v = np.asarray(state, dtype=float)
        return v**2 / 2 + self.potential(q)

    def dynamics(self, t, state):
        """[dq_dt, dv_dt] at [q, v], drag included, as pendulum_dynamics gives those of the pendulum."""
        q, v = np.asarray(state, dtype=float)
        slope = self.force.derivative(1, self.values[:-3], q)
        moving = acceleration(self.force, self.values, q, v, np.where(v == 0, -np.sign(slope), np.sign(v)))
        return [v, np.where((v == 0) & (abs(slope) <= self.drag[0]), 0.0, moving)]  # dry drag may hold it

    def without_drag(self):
        """The same with no drag."""
        return Equation(self.force, np.append(self.values[:-3], np.zeros(3)), self.h, self.bottom)

    def orbit(self, state, t):
        """(q, v), (n,) each, at times t (s), a number or (n,), of the orbit that has the `state` [q, v] at t = 0.

        Raises ValueError for times before that or not finite, and for more than a million steps.
        """
        t, (q, v) = np.atleast_1d(as_float64("t", t)), as_float64("the state", state)
        if not ((t >= 0) & (t < math.inf)).all():
            raise ValueError("an orbit is asked for at finite times t ≥ 0, from its start on")
        n = check_count("the number of steps of an orbit", math.ceil(t.max(initial=0) / self.h), least=0)
        orbit = roll_out(self.force, self.values, np.array([q]), np.array([v]), np.array([self.h]), n)[:, :2, 0]
        before = np.minimum((t / self.h).astype(int), n)
        last = roll_out(self.force, self.values, *orbit[before].T, t - self.h * before, 1)[-1]  # a part of a step
        return last[0], last[1]
