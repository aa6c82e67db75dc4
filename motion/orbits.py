"""Orbits of the equation, many side by side: Runge–Kutta steps, cut where v turns, and what lies between them."""

import numpy as np

# The classical scheme of sixth order with seven evaluations (Butcher 1964): a row for each, and one for the result.
STAGES = np.zeros((8, 7))
STAGES[1, :1] = 1 / 3
STAGES[2, :2] = 0, 2 / 3
STAGES[3, :3] = 1 / 12, 1 / 3, -1 / 12
STAGES[4, :4] = -1 / 16, 9 / 8, -3 / 16, -3 / 8
STAGES[5, :5] = 0, 9 / 8, -3 / 8, -3 / 4, 1 / 2
STAGES[6, :6] = 9 / 44, -9 / 11, 63 / 44, 18 / 11, 0, -16 / 11
STAGES[7] = 11 / 120, 0, 27 / 40, 27 / 40, -4 / 15, -4 / 15, 11 / 120
STAGES_OF_Q = STAGES @ STAGES[:7]  # since dq/dt = v, the accelerations enter q by the scheme applied twice


def acceleration(force, values, q, v, sign):
    """dv/dt where v has this sign; the `values` are the coefficients of V′ and c₀, c₁, c₂."""
    c_0, c_1, c_2 = values[-3:]
    return -force.derivative(1, values[:-3], q) - c_1 * v - sign * (c_0 + c_2 * v * v)


def runge_kutta_step(force, values, q, v, h, sign):
    """q and v after a time h in which v keeps its sign, and the acceleration before it."""
    a = np.empty((7, q.size))
    for i, (of_v, of_q) in enumerate(zip(STAGES, STAGES_OF_Q, strict=True)):
        v_i = v + h * (of_v[:i] @ a[:i]).reshape(q.shape)
        q_i = q + h * (of_v.sum() * v + h * (of_q[:i] @ a[:i]).reshape(q.shape))
        if i < 7:
            a[i] = acceleration(force, values, q_i, v_i, sign).reshape(-1)
    return q_i, v_i, a[0].reshape(q.shape)


def time_of_turn(v_0, v_1, a_0, a_1, h):
    """When v is 0 between v₀ and v₁, h apart, as a part of h: the root of the cubic with these ends and slopes."""
    x, change, slope_0, slope_1 = v_0 / (v_0 - v_1), v_1 - v_0, h * a_0, h * a_1
    square, cube = 3 * change - 2 * slope_0 - slope_1, slope_0 + slope_1 - 2 * change
    for _ in range(3):  # Newton's method
        value, slope = v_0 + x * (slope_0 + x * (square + x * cube)), slope_0 + x * (2 * square + 3 * x * cube)
        x = np.clip(x - value / slope, 0, 1)
    return x


@np.errstate(over="ignore", invalid="ignore")  # an orbit may run away, from where a series holds
def roll_out(force, values, q, v, h, n_steps):
    """q, v and dv/dt now and after each of `n_steps` steps of h (s), (n_steps + 1, 3, ..., N), from q and v, (..., N).

    The values, (P, ...) or (P, ..., N), and h, (N,), broadcast. Where dry or quadratic drag would change its sign
    within a step, the step is cut in two where v turns. There the pendulum stays if dry drag outweighs the force.
    """
    values = values.reshape(*values.shape, *[1] * (1 + q.ndim - values.ndim))
    of_each, h = np.broadcast_to(values, (len(values), *q.shape)), np.broadcast_to(h, q.shape)
    has_sign = (values[[-3, -1]] != 0).any()
    orbit = np.empty((n_steps + 1, 3, *q.shape))
    for i in range(n_steps + 1):
        sign = np.sign(v)
        if has_sign:
            sign = np.where(v == 0, -np.sign(force.derivative(1, values[:-3], q)), sign)
        q_next, v_next, a = runge_kutta_step(force, values, q, v, h, sign)
        if has_sign:
            stays = (v == 0) & (a * sign <= 0)
            q_next, v_next, a = np.where(stays, q, q_next), np.where(stays, 0, v_next), np.where(stays, 0, a)
            turns = (v_next * sign < 0) & ~stays
            if turns.any():
                own, q_end, v_end, s = of_each[:, turns], q_next[turns], v_next[turns], sign[turns]
                a_end = acceleration(force, own, q_end, v_end, s)
                before = h[turns] * time_of_turn(v[turns], v_end, a[turns], a_end, h[turns])
                q_turn, _, _ = runge_kutta_step(force, own, q[turns], v[turns], before, s)
                q_end, v_end, a_turn = runge_kutta_step(force, own, q_turn, 0 * q_turn, h[turns] - before, -s)
                moves = a_turn * s < 0  # back from where it turned
                q_next[turns], v_next[turns] = np.where(moves, q_end, q_turn), np.where(moves, v_end, 0)
        orbit[i] = q, v, a
        q, v = q_next, v_next
    return orbit


def hermite_weights(x, h):
    """The weights of q, v, a at the start and at the end of a step of h, (6, n), that give q at the parts x of it.

    They are those of the polynomial of degree five that has these values.
    """
    return np.stack(
        [
            1 - x**3 * (10 - x * (15 - 6 * x)),
            h * x * (1 - x**2 * (6 - x * (8 - 3 * x))),
            h**2 * x**2 * (1 - x * (3 - x * (3 - x))) / 2,
            x**3 * (10 - x * (15 - 6 * x)),
            -h * x**3 * (4 - x * (7 - 3 * x)),
            h**2 * x**3 * (1 - x * (2 - x)) / 2,
        ]
    )
