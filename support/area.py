"""The area inside a closed curve of states, and how many points of the curve it takes to tell it."""

import numpy as np

FIRST_POINTS = 256
MOST_POINTS = 32_768
SETTLED = 1e-9  # of the area: what half of the points must agree to


def enclosed_area(points):
    """The area ½ ∮ (q dp − p dq) inside a closed curve, in J s, from points (n, 2) evenly spaced along its parameter.

    With z = q + i p = Σ c_k exp(i k θ) it is π Σ k |c_k|², positive where the curve runs counterclockwise. For a
    smooth curve this converges faster than any power of n, where a polygon's area has an error of order 1 / n².
    """
    q, p = np.asarray(points, dtype=float).T
    n = len(q)
    c = np.fft.fft(q + 1j * p) / n
    k = n * np.fft.fftfreq(n)  # 0, 1, 2, …, −2, −1
    return np.pi * np.sum(k * abs(c) ** 2)


def is_resolved(points):
    """Whether the points tell the area: every second one of them gives the same."""
    area = enclosed_area(points)
    return bool(abs(area - enclosed_area(points[::2])) <= SETTLED * abs(area))


def carried_boundary(boundary, flow):
    """The points of a boundary, (n, 2), and where the flow carries them: twice as many until they tell the area.

    boundary(n) gives n points of the curve. There are MOST_POINTS at most, though they may not resolve it.
    """
    n = FIRST_POINTS
    while True:
        before = boundary(n)
        after = flow(before)
        if is_resolved(after) or n >= MOST_POINTS:
            return before, after
        n *= 2
