"""How sure a fit is: standard errors, how many rows are independent, and a criterion by which fits are compared."""

import math

import numpy as np

from motion.guess import autocorrelation
from motion.shooting import without_starts


def independent_rows(fit):
    """The number of rows over 1 + 2 Σ ρ with the autocorrelation of their distances up to its first 0; four a swing."""
    used = fit.shooting.segments.used
    rho = autocorrelation(fit.distances[used])
    return max(used.sum() / (2 * rho[np.cumprod(rho > 0).astype(bool)].sum() - 1), 2 * len(fit.nodes))


def criterion(fit, n, floor):
    """The Bayesian information criterion, n ln(variance) + k ln n for k values (Schwarz 1978): the least is best.

    `n` is the number of independent rows. A variance below the `floor` is rounding.
    """
    return n * math.log(fit.variance + floor) + fit.free.sum() * math.log(n)


def covariance(fit):
    """The covariance of the free values, (F, F).

        C⁻¹ (Σ g gᵀ) C⁻¹        C: half the second derivatives of the sum of all squares, each start at its best
                                g: half the first derivatives of one swing's squares

    The sum over swings stands for one over rows because neighbouring rows are off by the same error of the equation
    (Liang & Zeger 1986). Few swings make it too small, so that no error is less than that by white noise, variance C⁻¹.
    """
    segments, (squares, maps, _) = fit.shooting.segments, fit.condensed()
    first, length = segments.stretches(fit.followed)
    reduced, back = without_starts(squares)
    slopes = (maps.transpose(0, 2, 1) @ fit.squares @ maps[:, :, -1:])[..., 0]  # of each segment in [δs, δp, 1]
    starts = np.repeat(back[:, :, :-1], length, axis=0)  # how the best start of its stretch moves with δp
    slopes = slopes[:, 2:-1] + np.einsum("nif,ni->nf", starts, slopes[:, :2])
    place = np.arange(len(slopes)) - np.searchsorted(segments.piece, segments.piece)  # within the piece
    _, swing = np.unique([segments.piece, place // 2], axis=1, return_inverse=True)
    of_swings = np.zeros((swing.max() + 1, slopes.shape[1]))
    np.add.at(of_swings, swing.ravel(), slopes)
    inverse = np.linalg.pinv(reduced[:, :-1, :-1].sum(0), hermitian=True)
    white = fit.sum_of_squares / max(segments.used.sum() - len(inverse) - 2 * len(first), 1) * inverse
    by_swings = inverse @ of_swings.T @ of_swings @ inverse * len(of_swings) / max(len(of_swings) - 1, 1)
    larger = np.sqrt(np.maximum(np.diag(by_swings) / np.maximum(np.diag(white), 1e-300), 1))
    units = larger * fit.shooting.scale[2:][fit.free]
    return white * np.outer(units, units)
