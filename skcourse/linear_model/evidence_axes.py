"""The axes of least squares: all that one penalty of any size needs of the rows.

Problem     Of the rows and targets A and v about their means, times the roots of their weights,
                A = U diag(s) V',   z = U'v,   rest = |v - U z|^2,                            (1)
            without U, and without a copy of A.
Routes      tall    s and V from the scatter A'A where its condition allows it; then z and rest from
                    the residual r = v - A b of one more pass, with b near least squares:
                        z = s V'b + V'A'r / s,   rest = |r|^2 - |V'A'r / s|^2.                (2)
                    Else from the triangle of A and v side by side, (6) of `evidence`.
            wide    from A itself, by (7) of `evidence`.
Rank        A singular value within the rounding of the largest is 0, and left out.
Cost        n p^2 products for the scatter, four times as many for the triangle; p^3 for the axes.
Reference   A. Björck, Numerical Methods for Least Squares Problems, SIAM, 1996.
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.centred_rows import CentredRows
from skcourse.core.chunks import sum_over_chunks
from skcourse.core.moments import moments
from skcourse.core.validation import check_finite_sums
from skcourse.linear_model import spectrum
from skcourse.linear_model.evidence import EPS, few_rows

LIMIT = {"float64": 1e6, "float32": 1e10}  # condition of the scatter up to which it serves


class Axes(NamedTuple):
    """(1)."""

    V: np.ndarray  # (p, r)
    s: np.ndarray  # (r,), decreasing, positive
    z: np.ndarray  # (r,)
    rest: float
    mean: np.ndarray  # of x and y side by side, (p + 1,)


def axes_of(X, y, weights, *, centre, estimator=None):
    """Return the axes, by the cheapest route that is accurate; see `evidence.few_rows`."""
    n, p = X.shape
    if n > p:
        found = axes_of_scatter(X, y, weights, centre, estimator)
        if found is not None:
            return found
    few = few_rows(X, y, weights, centre=centre, estimator=estimator)
    U, s, Vt = np.linalg.svd(few.A, full_matrices=False)
    r = np.count_nonzero(s > max(n, p) * EPS * s.max(initial=0.0))
    z = U.T @ few.t
    rest = few.rest + np.sum(z[r:] ** 2)
    if n <= p:
        rest = np.sum((few.t - U[:, :r] @ z[:r]) ** 2)
    return Axes(np.ascontiguousarray(Vt[:r].T), s[:r], z[:r], float(rest), few.mean)


def axes_of_scatter(X, y, weights, centre, estimator):
    """Return the axes of n > p rows by (2), or None if the scatter says too little."""
    p, Y = X.shape[1], y[:, np.newaxis]
    sums = moments(X, Y, weights, centre=centre)
    if not check_finite_sums(sums.scatter, X, estimator=estimator):
        return None
    S, B = sums.scatter[:, :p], sums.scatter[:, p:]
    noise = sums.weight * np.square(EPS * sums.mean[:p])  # the square of a constant column
    if not (S.diagonal() > noise).all():
        return None
    V, s, z, _ = spectrum.of_scatter(S, B, p * EPS)
    if len(s) < p or s[0] ** 2 > LIMIT[X.dtype.name] * s[-1] ** 2:
        return None
    beta = z[:, 0] / s
    square, gradient = residual(X, y, weights, sums.mean, V @ beta)
    left = V.T @ gradient / s
    s, V = np.ascontiguousarray(s), np.ascontiguousarray(V)
    return Axes(V, s, s * beta + left, max(square - left @ left, 0.0), sums.mean)


def residual(X, y, weights, mean, b):
    """Return |r|^2 and A'r, (p,), of r = v - A b, from the rows themselves."""
    p = len(b)
    rows = CentredRows(X, mean[:p], weights)

    def part(chunk):
        A = rows.block(chunk)
        v = y[chunk] - mean[p]
        if rows.roots is not None:
            v *= rows.roots[chunk, 0]
        r = v - A @ b
        return float(r @ r), A.T @ r

    return sum_over_chunks(part, len(X), row_bytes=8 * p)
