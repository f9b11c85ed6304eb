"""Least squares over dense rows: the fast route where it is certified, an orthogonal one elsewhere.

Problem     min_b sum_i w_i |y_i - b_0 - <b, x_i>|^2, for one target or several side by side; of
            all minima that of least |b|, with singular values up to tol s_1 counted as zero.
Routes      tall, well conditioned   scatter S, Cholesky                 n p^2 products
            tall, k(S) up to 1e6     the same, and a step of refinement  and n p
                                         g = sum_i w_i x_i (y_i - <b, x_i>)             (1)
                                         b += S^-1 g                                    (2)
            tall, anything else      QR over chunks, SVD of R            4 n p^2
            wide                     QR of X' over chunks of columns,    4 n^2 p
                                     repeated for the residuals
            wide, k(S) from 1e14 on  LAPACK's least squares              4 n^2 p
            Each but the last reads X chunk by chunk and centres it there; none else copies it.
Precision   S knows b to k u, its Cholesky factor the singular values to the same; (2) squares the
            error of b, since (1) is computed from the rows. The other routes are as good as
            LAPACK's least squares on the whole of X.
Reference   A. Björck, Stability analysis of the method of seminormal equations for linear least
            squares problems, Linear Algebra Appl., 1987.
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.chunks import (
    chunk_slices,
    one_blas_thread,
    reduce_blocks,
    sum_over_chunks,
)
from skcourse.core.factors import EPS, Factor, factor
from skcourse.core.linalg import cholesky, dual, minimum_norm, triangle
from skcourse.core.moments import Moments, centred, moments, quiet
from skcourse.core.validation import is_finite

DIRECT = {"float64": 1e3, "float32": 1e8}  # k(S) up to which (2) gains nothing worth a pass
STEPS = 8  # repetitions for a wide X: each takes a factor k(S) u off the residuals
REFINED = {"float64": 1e6, "float32": 1e8}  # beyond, S knows too little


class Rows(NamedTuple):
    """The data of a fit, and how to read it."""

    X: np.ndarray  # (n, p), float32 or float64, C-contiguous
    Y: np.ndarray  # (n, t), float64
    weights: np.ndarray | None  # (n,), not negative
    centre: bool  # whether the model has an intercept
    n_jobs: int | None
    spare: bool = False  # whether a wide X may be centred where it lies


class LeastSquares(NamedTuple):
    """What a fit found."""

    coef: np.ndarray  # b, (p, t)
    mean: np.ndarray  # of x and y side by side, (p + t,); 0 without an intercept
    rank: int | None
    singular: np.ndarray | None  # of the centred, weighted X, (min(n, p),), in falling order
    statistics: Moments | Factor | None  # to which more rows can be added


def least_squares(rows, tol):
    """Solve the problem by the first route of the table that applies.

    Parameters
    ----------
    rows : Rows
    tol : float

    Returns
    -------
    solution : LeastSquares; all NaN if X holds NaN or infinity
    """
    n, p = rows.X.shape
    precision = rows.X.dtype.name
    tol = tol if 0 < tol < 1 else np.finfo(rows.X.dtype).eps  # as LAPACK reads it
    if n <= p:
        return solve_wide(rows, tol)
    with one_blas_thread():
        m = summed(moments, rows)
        found = solve_moments(m, p, tol, REFINED[precision])
        if found is None:
            return solve_factor(summed(factor, rows), tol)
        solution, R = found
        if R.condition > DIRECT[precision]:
            coef = solution.coef + R.solve(gradient(rows, m.mean, solution.coef))  # (2)
            return solution._replace(coef=coef)
        return solution


def triangular(rows):
    """Return a small problem, min |A b - C|^2, with the same solutions as that of all rows.

    Parameters
    ----------
    rows : Rows

    Returns
    -------
    A : array of shape (at most p, p), upper trapezoidal
    C : array of shape (len(A), t)
    statistics : Moments or Factor
    """
    n, p = rows.X.shape
    if n > p:
        m = summed(moments, rows)
        R = certified(m, p, DIRECT[rows.X.dtype.name])
        if R is not None:
            return R.R, R.project(m.scatter[:p, p:]), m
    f = summed(factor, rows)
    return *f.sides, f


def summed(statistics, rows):
    """Return `moments` or the `factor` of the rows."""
    return statistics(rows.X, rows.Y, rows.weights, centre=rows.centre, n_jobs=rows.n_jobs)


def as_factor(m, p):
    """Return the triangular factor of rows of which certified moments are known."""
    R = cholesky(m.scatter[:p, :p])
    sides = np.hstack([R.R, R.project(m.scatter[:p, p:])])
    return Factor(m.weight, m.mean, m.rest, sides, m.n_rows, p)


def certified(m, p, limit):
    """Return the Cholesky factor of the scatter of x, or None where it says too little."""
    S = m.scatter[:p, :p]
    noise = m.weight * np.square(EPS * m.mean[:p])  # the square of a constant column
    if not (np.diagonal(S) > noise).all():
        return None
    R = cholesky(S)
    return R if R is not None and R.condition <= limit else None


@quiet
def solve_moments(m, p, tol, limit):
    """Return the solution and the certificate, or None where X is near to lacking rank."""
    with one_blas_thread():
        R = certified(m, p, limit)
        if R is None:
            return None
        s = R.singular_values()
        if not s[-1] * (1 - limit * EPS) > tol * s[0]:
            return None
        coef = R.solve(m.scatter[:p, p:])
    return LeastSquares(coef, m.mean, p, s, m), R


def solve_factor(f, tol):
    """Return the solution from a triangular factor."""
    with one_blas_thread():
        if not np.isfinite(f.R).all():
            return LeastSquares(np.full((f.p, len(f.mean) - f.p), np.nan), f.mean, 0, f.R[0], f)
        coef, rank, s = minimum_norm(*f.sides, tol)
    return LeastSquares(coef, f.mean, rank, s, f)


def gradient(rows, mean, coef):
    """Return (1), of shape (p, t), summed from the residuals of the rows themselves."""
    p, none = len(coef), np.empty(0)

    def part(chunk):
        X, Y = np.asarray(rows.X[chunk]), rows.Y[chunk]
        weights = none if rows.weights is None else rows.weights[chunk]
        x, y, sums = np.empty(X.shape), np.empty(Y.shape), np.empty(len(mean))
        centred(X, mean[:p], weights, 0, x, sums)
        centred(Y, mean[p:], weights, 0, y, sums)
        return x.T @ (y - x @ coef)

    return sum_over_chunks(part, len(rows.X), row_bytes=8 * p, min_rows=p, n_jobs=rows.n_jobs)


def solve_wide(rows, tol):
    """Return the solution for no more rows than columns, from QR of X' over chunks of columns."""
    wide = WideRows(rows)
    R = wide.triangle()
    if not np.isfinite(R).all():
        coef = np.full((rows.X.shape[1], rows.Y.shape[1]), np.nan)
        return LeastSquares(coef, wide.mean, 0, R[0], None)
    with one_blas_thread():
        found = dual(R, tol)
        coef = refined(wide, found, DIRECT[rows.X.dtype.name])
        if coef is None:
            coef, rank, s = minimum_norm(wide.copied(), wide.targets, tol)
            return LeastSquares(coef, wide.mean, rank, s, None)
    return LeastSquares(coef, wide.mean, found.rank, found.singular, None)


def refined(wide, found, limit):
    """Return the solution by (3) of `core.linalg`, repeated for the residuals; None if they stay.

    Parameters
    ----------
    wide : WideRows
    found : Dual
    limit : float, condition up to which once is enough
    """
    coef = np.zeros((wide.mean.size - wide.targets.shape[1], wide.targets.shape[1]))
    residuals, before = wide.targets, np.inf
    for _ in range(STEPS):
        fitted = wide.add_rows_times(found.solve(residuals), found.unit, coef)
        if found.condition <= limit:
            return coef
        residuals = wide.targets - fitted
        rest = np.linalg.norm(found.within(residuals))
        if rest <= EPS * len(fitted) * (np.linalg.norm(fitted) + np.linalg.norm(wide.targets)):
            return coef
        if not rest < before / 2:
            return None
        before = rest
    return None


class WideRows:
    """sqrt(w_i) (x_i - m), (n, p) with n <= p, a chunk of columns at a time."""

    def __init__(self, rows):
        n, p = rows.X.shape
        spare = rows.spare and rows.X.dtype == np.float64 and rows.X.flags.writeable
        self.X, self.in_place, self.centre = rows.X, spare and is_finite(rows.X), rows.centre
        self.w = np.ones(n) if rows.weights is None else rows.weights.astype(np.float64, copy=False)
        self.mean = np.zeros(p + rows.Y.shape[1])
        self.targets, self.mean[p:] = centred_columns(rows.Y.copy(), self.w, centre=self.centre)
        self.over = {"n_jobs": rows.n_jobs}
        self.slices = chunk_slices(p, 8 * n, min_rows=4 * n)

    def block(self, columns):
        """Return some of the columns, centred, and their mean."""
        return centred_columns(self.X[:, columns].astype(np.float64), self.w, centre=self.centre)

    def triangle(self):
        """Return R of X' = QR, and note the mean; X itself is centred now if it may be."""

        def part(columns):
            if self.in_place:
                x, m = centred_columns(self.X[:, columns], self.w, centre=self.centre)
            else:
                x, m = self.block(columns)
            self.mean[columns] = m
            return triangle(x.T.copy(order="F") if self.in_place else x.T)

        def combine(total, R):
            return triangle(np.vstack([total, R]))

        return reduce_blocks(part, self.slices, combine, **self.over)

    def add_rows_times(self, v, unit, coef):
        """Add (X / unit)' v / unit to `coef`; return X times the new `coef`, (n, t)."""

        def part(columns):
            x = self.X[:, columns] if self.in_place else self.block(columns)[0]
            coef[columns] += ((x / unit).T @ v) / unit
            return x @ coef[columns]

        return reduce_blocks(part, self.slices, **self.over)

    def copied(self):
        """Return all columns, centred."""
        return self.X if self.in_place else self.block(slice(None))[0]


@quiet
def centred_columns(z, w, *, centre):
    """Turn z_i into sqrt(w_i) (z_i - m), (n, c) and 0 in constant columns; return it and m."""
    mean = np.zeros(z.shape[1])
    if centre:
        mean = w @ z / w.sum()
        z -= mean
        rest = w @ z / w.sum()
        z -= rest
        z[:, np.abs(z).max(axis=0) <= EPS * np.abs(mean)] = 0.0
    z *= np.sqrt(w)[:, np.newaxis]
    return z, mean
